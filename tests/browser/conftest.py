"""Real browsers, the real service in its own process, and two people at their pages."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from tools.browsers.chromium import Chromium
from tools.browsers.firefox import Firefox
from tools.browsers.page import Browser, Page
from tools.browsers.people import Pair, sit_down
from tools.browsers.service import RunningService, Town
from tools.netns.link import Link
from tools.netns.space import NotPossible
from tools.tour.report import Report, look_around

NAMES = ("chromium", "firefox")
_numbers = itertools.count(1)


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=NAMES)
async def browser(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Browser]:
    """Each browser in turn; every seat in it has a fresh profile."""
    started: Browser
    try:
        if request.param == "chromium":
            started = await Chromium.start(tmp_path_factory.mktemp("chromium"))
        else:
            started = await Firefox.start(tmp_path_factory.mktemp("firefox") / "profile")
    except RuntimeError as missing:
        pytest.fail(str(missing), pytrace=False)
    yield started
    await started.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningService]:
    """The service, with a town of its own for every test."""
    running = RunningService(tmp_path_factory.mktemp("service"))
    await running.start()
    yield running
    await running.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def town(service: RunningService) -> Town:
    """A municipality that nobody else knows."""
    return await service.town(f"town-{next(_numbers)}")


@pytest_asyncio.fixture(loop_scope="session")
async def pair(browser: Browser, service: RunningService, town: Town) -> AsyncIterator[Pair]:
    """Both ends at their pages, signed in, not yet in a call."""
    both = await sit_down(browser, browser, town, service.base_url)
    yield both
    broken = [error for seat in both.both for error in seat.page.errors]
    await both.end()
    assert broken == []


@pytest_asyncio.fixture(loop_scope="session")
async def call(pair: Pair) -> Pair:
    """Both ends in a call, each seeing the other move."""
    await pair.talk()
    await pair.until_moving()
    return pair


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def standing(browser: Browser, service: RunningService) -> AsyncIterator[Pair]:
    """A call that tests take as they find it and leave as it was, but for what they add."""
    town = await service.town(f"town-{next(_numbers)}")
    both = await sit_down(browser, browser, town, service.base_url)
    await both.talk()
    await both.until_moving()
    yield both
    broken = [error for seat in both.both for error in seat.page.errors]
    await both.end()
    assert broken == []


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browser: Browser) -> AsyncIterator[Callable[..., Awaitable[Page]]]:
    """Return what opens an empty page of a size in a fresh profile."""
    pages: list[Page] = []

    async def make(width: int = 1024, height: int = 1366) -> Page:
        pages.append(await browser.seat(width, height))
        return pages[-1]

    yield make
    for page in pages:
        await page.end()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def tour(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """What axe and the ruler find on every page in every state, in both languages."""
    return await look_around(browser, tmp_path_factory.mktemp("tour"))


@pytest_asyncio.fixture(loop_scope="session")
async def make_link() -> AsyncIterator[Callable[..., Awaitable[Link]]]:
    """Make lines between network namespaces; the test fails in one sentence without root."""
    made: list[Link] = []

    async def make(**settings: Any) -> Link:
        try:
            made.append(await Link.open(**settings))
        except NotPossible as why:
            pytest.fail(str(why), pytrace=False)
        return made[-1]

    yield make
    for link in made:
        await link.close()
