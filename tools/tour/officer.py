"""The officer's page in every state: from the baseline to what a second officer signed."""

from collections.abc import Sequence

from tools.browsers.page import Page
from tools.browsers.people import words
from tools.tour.scene import Scene, Visit

EDIT_VPN = 'button[aria-label*="インターネットVPN"]'
EDIT_NETWORKS = 'button[aria-label*="VPNの中"]'
EDIT_PROXIES = 'button[aria-label*="信頼するプロキシ"]'
PICK_DATE = """void (() => { const field = document.querySelector("#until");
  field.value = "2099-03-31"; field.dispatchEvent(new Event("input", {bubbles: true})); })()"""
HERE = ("127.0.0.0/8", "::1/128")


async def walk_office(page: Page, base_url: str, tokens: Sequence[str], visit: Visit) -> None:
    """Draw up a change, look at all tabs, sign it as the second officer."""

    async def show(name: str) -> None:
        await visit(Scene(f"officer-{name}", page))

    async def tab(name: str, selector: str) -> None:
        await page.click(f"nav a[href='#{name}']")
        await page.until_seen(None, selector)

    await enter(page, base_url, tokens[0])
    await show("policy")
    await draw_up(page)
    await show("drawing-up")
    await page.fill("#note", "市のセキュリティ規程 第12条の改正による")
    await page.click(".basket button[type=submit]")
    await page.until_seen(None, ".diff")
    await show("change-own")
    await tab("change", "table")
    await show("changes")
    await tab("check", "#action")
    await show("check-empty")
    await page.fill("#address", "203.0.113.5")
    await page.click(".ask button[type=submit]")
    await page.until_seen(None, ".verdict")
    await show("check-denied")
    await tab("audit", "table.log")
    await show("audit")
    await tab("sheet", ".paper")
    await show("sheet")
    await tab("officers", "table")
    await show("officers")
    await enter(page, base_url, tokens[1])
    await sign(page, 1)
    await show("change-signed")
    await tab("policy", ".summary")
    await show("policy-after")


async def enter(page: Page, base_url: str, token: str) -> None:
    """Sign an officer in by a one-time link."""
    await page.open(f"{base_url}/link#{token}")
    await page.until("location.pathname === '/officer'")
    await page.until_seen(None, ".summary")


async def draw_up(page: Page, *networks: str) -> None:
    """Begin a change that makes the VPN required and names its networks, else this machine."""
    await write_lines(page, EDIT_NETWORKS, *(networks or HERE))
    await page.click(EDIT_VPN)
    await page.until_seen(None, "dialog[open]")
    await page.click("dialog .picks label", "必須")
    await page.fill("#clause", "市規程 第12条")
    await page.click("dialog button[type=submit]")
    await page.until_seen(None, ".basket")


async def write_lines(page: Page, button: str, *lines: str, why: str = "") -> None:
    """Put lines into a setting that takes some; `why` it is looser until 2099."""
    await page.click(button)
    await page.until_seen(None, "dialog[open] #value")
    await page.fill("#value", "\n".join(lines))
    if why:
        await page.fill("#reason", why)
        await page.eval(PICK_DATE)  # a field for dates takes no typed text
    await page.click("dialog button[type=submit]")
    await page.until_seen(None, ".basket")


async def sign(page: Page, number: int) -> None:
    """Approve version `number`, in force at once."""
    await page.eval(f"void (location.hash = '#change/{number}')")
    await page.until_seen(None, ".dmain.change aside")
    await page.click("aside label.pick")
    await page.click("aside button.primary:not([aria-disabled])")  # once it was rehearsed
    await page.until_seen(words("version.in_force"), ".chip")
