"""A person adds a passkey and an authenticator app, and signs in by either."""

import pyotp
import pytest

from server.clock import utc_now
from tools.browsers.chromium import ChromiumPage
from tools.browsers.page import Browser
from tools.browsers.people import DESK_SIZE, words
from tools.browsers.service import RunningService, Town

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(200),
    pytest.mark.parametrize("browser", ["chromium"], indirect=True),
]
PASSWORD = "なつかしい-みなとまち-2026"
SUBMIT = "button[type=submit]"
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


async def give_authenticator(page: ChromiumPage) -> None:
    """Put an authenticator with a finger's print into the browser."""
    devtools = await page.plain.context.new_cdp_session(page.plain)
    await devtools.send("WebAuthn.enable")
    await devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})


async def give_password(page: ChromiumPage, base_url: str, slug: str) -> None:
    """Fill in the sign-in page as the first desk of a town."""
    await page.open(f"{base_url}/sign-in?page=desk")
    await page.until_seen(words("step.passkey"), "button")  # the server has said what there is
    await page.eval(
        f"""(() => {{
          const towns = document.querySelector("#municipality");
          if (towns) towns.value = "{slug}";
          towns?.dispatchEvent(new Event("change"));
        }})()"""
    )
    await page.fill("#login", "desk0")
    await page.fill("#password", PASSWORD)
    await page.click(SUBMIT)


async def test_a_person_signs_in_by_a_passkey_or_by_password_and_code(
    browser: Browser, town: Town, service: RunningService
) -> None:
    page = await browser.seat(*DESK_SIZE)
    assert isinstance(page, ChromiumPage)
    try:
        await give_authenticator(page)
        await page.open(f"{service.base_url}/password#{town.passwords[0]}")
        for field in ("#new", "#again"):
            await page.fill(field, PASSWORD)
        await page.click(SUBMIT)
        await page.until_seen(words("password.done"), "h1")
        await give_password(page, service.base_url, str(town.ids["slug"]))
        await page.until_seen(words("queue.page"), "h1")
        await page.open(f"{service.base_url}/account?page=desk")
        await page.fill("#password", PASSWORD)
        await page.fill("#name", "机の鍵")
        await page.click("button", words("account.passkey.add"))
        await page.until_seen("机の鍵", ".factor b")
        await page.click("button", words("account.code.add"))
        secret = str(await page.until("document.querySelector('.scan code')?.textContent"))
        totp = pyotp.TOTP(secret.replace(" ", ""))
        await page.fill("#code", totp.at(utc_now()))
        await page.click(SUBMIT)
        await page.until_seen(words("account.codes.one"), ".factor b")
        await page.open(f"{service.base_url}/sign-in?page=desk")
        await page.click("button", words("step.passkey"))
        await page.until_seen(words("queue.page"), "h1")
        await give_password(page, service.base_url, str(town.ids["slug"]))
        await page.until_seen(words("step.title"), "h1")
        await page.fill("#code", totp.at(utc_now(), counter_offset=1))
        await page.click(SUBMIT)
        await page.until_seen(words("queue.page"), "h1")
        assert page.errors == []
    finally:
        await page.end()
