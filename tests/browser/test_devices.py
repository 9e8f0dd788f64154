"""Cameras that may not or cannot be used, and two browsers of different makes."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio

from tools.browsers.chromium import ALLOW_DEVICES, FAKE_DEVICES, Chromium
from tools.browsers.firefox import Firefox
from tools.browsers.page import Browser
from tools.browsers.people import PORTRAIT, Counter, sit_down
from tools.browsers.service import RunningService, Town

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]
DENIED = (FAKE_DEVICES,)
NONE = (ALLOW_DEVICES,)


@pytest_asyncio.fixture(loop_scope="session")
async def counter(
    request: pytest.FixtureRequest, service: RunningService, town: Town, tmp_path: Path
) -> AsyncIterator[Counter]:
    """The tablet in a Chromium with the devices of the test's parameter."""
    devices: Sequence[str] = request.param
    chromium = await Chromium.start(tmp_path, devices)
    seat = Counter(await chromium.seat(*PORTRAIT), service.base_url)
    await seat.enter(town.counters[0])
    yield seat
    await seat.page.end()
    await chromium.close()


@pytest.mark.parametrize("counter", [DENIED], indirect=True, ids=["denied"])
async def test_who_denied_the_camera_is_told_how_to_allow_it(counter: Counter) -> None:
    if await counter.says("idle.camera.denied"):
        await counter.page.click(".callbtn")
    else:
        await counter.to_consent()
        await counter.page.click("label", counter.say("common.yes"))
    for line in ("what", "do.1", "do.2"):
        await counter.until_says(f"trouble.not_allowed.{line}")


@pytest.mark.parametrize("counter", [NONE], indirect=True, ids=["none"])
async def test_who_has_no_camera_is_told_so_before_calling(counter: Counter) -> None:
    await counter.until_says("idle.camera.none")
    assert await counter.says("idle.why.devices")
    await counter.page.click(".callbtn")
    for line in ("what", "do.1", "do.2"):
        await counter.until_says(f"trouble.not_found.{line}")


@pytest.mark.parametrize("counter_in_chromium", [True, False])
async def test_browsers_of_different_makes_see_and_hear_each_other(
    service: RunningService, town: Town, tmp_path: Path, counter_in_chromium: bool
) -> None:
    chromium = await Chromium.start(tmp_path)
    firefox = await Firefox.start(tmp_path / "profile")
    ends: tuple[Browser, Browser]
    ends = (chromium, firefox) if counter_in_chromium else (firefox, chromium)
    pair = await sit_down(ends[0], ends[1], town, service.base_url)
    await pair.talk()
    for seat in pair.both:
        picture = await seat.until_moving()
        assert (picture["width"], picture["height"]) == (1280, 720)
        await seat.until_hearing()
        assert (await seat.receives())["rtt"] is not None
    await pair.counter.write("こんにちは")
    await pair.desk.until_messages("こんにちは")
    await pair.desk.decide("returned")
    await pair.counter.until_says("result.returned.title")
    await pair.end()
    await firefox.close()
    await chromium.close()
