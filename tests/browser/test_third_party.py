"""Somebody is asked into a running call: seen and heard by both, named on both screens, gone."""

import pytest

from tools.browsers.page import Browser
from tools.browsers.people import DESK_SIZE, Desk, Pair, words
from tools.browsers.service import Town

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]
ROLE = words("role.senior")
SMALL = ".others video"


@pytest.mark.parametrize("browser", ["chromium"], indirect=True)
async def test_a_senior_joins_is_shown_to_both_and_leaves(
    call: Pair, browser: Browser, town: Town
) -> None:
    senior = Desk(await browser.seat(*DESK_SIZE), call.desk.base_url)
    await senior.enter(town.desks[2])
    await senior.be_open()
    await call.desk.press("invite.open")
    await call.desk.page.click("dialog .choice input[type=radio]:not([disabled])")
    await call.desk.page.click("dialog .choice.check input")
    await call.desk.press("invite.do", "dialog button:not([aria-disabled])", who=ROLE)
    await senior.page.click(".ringing button.primary", words("guest.ring.yes"))
    for seat in (call.counter, call.desk):
        await seat.page.until_seen(words("guest.came", role=ROLE, name=""), "body *")
        await seat.page.until(_moves(SMALL))
        await seat.until_moving()
    await senior.until_moving()
    await senior.page.until(_moves(SMALL))
    await senior.press("guest.leave")
    await senior.until_says("guest.out")
    for seat in (call.counter, call.desk):
        await seat.page.until(f"document.querySelector('{SMALL}') === null")
        await seat.until_moving()
    errors = senior.page.errors
    await senior.page.end()
    assert errors == []


def _moves(selector: str) -> str:
    return f"__moves('{selector}').then((m) => m.most > 40 && m.passed > 0 ? m : null)"
