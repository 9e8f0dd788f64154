"""What is kept and administered: records, offices and people, connected systems, counts; and a
tablet that was switched to real calls before its office may have any."""

from tools.browsers.page import Page
from tools.browsers.people import Counter, words
from tools.tour.scene import Scene, Visit

SECOND = "２番窓口"


async def walk_records(page: Page, base_url: str, visit: Visit) -> None:
    """Go by the list of records and one of them. `page` is signed in as a desk."""
    await page.open(f"{base_url}/records")
    await page.until_seen(None, "td button.link")
    await visit(Scene("office-records", page))
    await page.click("td button.link")
    await page.until_seen(None, ".sheet")
    await page.click("button", words("records.verify"))
    await page.until_seen(None, ".verification")
    await visit(Scene("office-record", page))
    await page.click("button", words("records.correct"))
    await page.until_seen(None, "dialog[open] textarea")
    await visit(Scene("office-record-correct", page))


async def walk_house(page: Page, base_url: str, token: str, counter: Counter, visit: Visit) -> None:
    """Go by the pages of an administrator; the tablet of `counter`, which rests, turns to real."""

    async def show(name: str) -> None:
        await visit(Scene(f"office-{name}", page))

    async def at(path: str, selector: str) -> None:
        await page.open(f"{base_url}{path}")
        await page.until_seen(None, selector)

    await page.open(f"{base_url}/link#{token}")
    await page.until("location.pathname !== '/link'")
    await at("/administration", ".administration table")
    await show("offices")
    await page.click("button", words("adm.open"))
    await page.until_seen(None, "dialog[open] #open-basis")
    await show("open")
    await page.press("Escape")
    await _switch(page)
    await _blocked(counter, visit)
    for tab, selector in (("people", "table"), ("procedures", "main")):
        await page.click(f"nav a[href='#{tab}']")
        await page.until_seen(None, f".administration {selector}")
        await show(tab)
    await at("/hooks", "#tokens")
    await show("hooks")
    await at("/counts?page=officer", "#counts")
    await show("counts")


async def _switch(page: Page) -> None:
    row = f"[...document.querySelectorAll('tr')].find((r) => r.innerText.includes('{SECOND}'))"
    await page.eval(f"void {row}.querySelector('button').click()")
    await page.click("dialog button", words("adm.tablet.real"))
    await page.until(f"{row}.innerText.includes({words('mode.real')!r})")


async def _blocked(counter: Counter, visit: Visit) -> None:
    await counter.page.reload()
    await counter.until_ready()
    await counter.page.click(".callbtn:not([aria-disabled])")
    await counter.until_says("blocked.title", "h1")
    await visit(Scene("counter-blocked", counter.page))
