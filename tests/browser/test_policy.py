"""Two officers change a setting, and a counter meets it."""

import pytest

from tools.browsers.chromium import ChromiumPage
from tools.browsers.page import Browser
from tools.browsers.people import DESK_SIZE, Pair, words
from tools.browsers.service import RunningService, Town
from tools.tour.officer import EDIT_PROXIES, draw_up, enter, sign, write_lines

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(200),
    pytest.mark.parametrize("browser", ["chromium"], indirect=True),
]

THROUGH = {"X-Forwarded-For": "10.8.0.5", "X-Forwarded-Proto": "https"}


async def test_a_counter_outside_the_vpn_is_refused_once_two_officers_require_it(
    browser: Browser, pair: Pair, town: Town, service: RunningService
) -> None:
    await pair.talk()
    await pair.desk.decide("returned")
    await pair.counter.press("result.finish")
    office = await browser.seat(*DESK_SIZE)
    assert isinstance(office, ChromiumPage)
    try:
        await enter(office, service.base_url, town.officers[0])
        # As through the proxy of the VPN, which the change names too; the counter comes directly.
        await office.plain.set_extra_http_headers(THROUGH)
        await write_lines(office, EDIT_PROXIES, "127.0.0.0/8", why="庁内の中継サーバ")
        await draw_up(office, "10.8.0.0/16")
        await office.fill("#note", "VPNを必須にする")
        await office.click(".basket button[type=submit]")
        await office.until_seen(None, ".diff")
        await office.until_seen(words("approval.other"), "aside li.unmet")
        await enter(office, service.base_url, town.officers[1])
        await sign(office, 1)
        assert office.errors == []
    finally:
        await office.end()
    await pair.counter.until_says("idle.call", ".callbtn")
    await pair.counter.page.click(".callbtn:not([aria-disabled])")
    await pair.counter.until_says("blocked.outside_vpn", "ol.unmet h3")
