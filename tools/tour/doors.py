"""The pages on the way in: start, signing in, enrolling, links, passwords; refusals included."""

from tools.browsers.page import Page
from tools.browsers.people import words
from tools.tour.scene import Scene, Visit

SUBMIT = "button[type=submit]"
ALERT = "[role=alert]"


async def walk_doors(page: Page, base_url: str, visit: Visit) -> None:
    """Go by every page that can be seen without having been let in."""

    async def at(path: str, selector: str) -> None:
        await page.open(f"{base_url}{path}")
        await page.until_seen(None, selector)

    async def show(name: str) -> None:
        await visit(Scene(name, page))

    await at("/", ".ways")
    await show("index")
    await at("/sign-in?page=desk", "#municipality")
    await show("sign-in-desk")
    await page.click(SUBMIT)
    await page.until_seen(words("sign_in.need"), ALERT)
    await show("sign-in-desk-missing")
    await try_to_sign_in(page)
    await show("sign-in-desk-refused")
    await at("/enrol", "#code")
    await show("enrol")
    await page.fill("#code", "ABCD-EFGH")
    await page.click(SUBMIT)
    await page.until_seen(words("error.code_unknown"), ALERT)
    await show("enrol-refused")
    await at("/link#not-a-link", ALERT)
    await show("link-refused")
    await at("/link", ALERT)
    await show("link-missing")
    await at("/password", ALERT)
    await show("password-missing")
    await _passwords(page, base_url, visit)


async def try_to_sign_in(page: Page) -> None:
    """Sign in as somebody who is not known."""
    await page.fill("#login", "nobody")
    await page.fill("#password", "not the password")
    await page.click(SUBMIT)
    await page.until_seen(words("error.bad_credentials"), ALERT)


async def _passwords(page: Page, base_url: str, visit: Visit) -> None:
    await page.open(f"{base_url}/password#not-a-link")
    await page.until_seen(None, "#new")  # The page begins again, though only its fragment is new.
    await visit(Scene("password", page))
    await page.fill("#new", "short")
    await page.click(SUBMIT)
    await page.until_seen(words("password.short"), ALERT)
    await visit(Scene("password-short", page))
    for field in ("#new", "#again"):
        await page.fill(field, "a long enough sentence")
    await page.click(SUBMIT)
    await page.until_seen(words("error.link_used"), ALERT)
    await visit(Scene("password-refused", page))
