"""The simulated resident over a real service: calls, talks, sends a paper, survives losses."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from server.app import Service, running_service
from server.demo.browser import Browser
from server.demo.client import SimulatedPage
from server.demo.desk import SimulatedDesk
from server.demo.encoded import desk_clip, resident_clip
from server.demo.lan import free_port
from server.demo.resident import FILE_NAME, GREETING, REPLIES, UNVEILED, Manners, SimulatedResident
from server.demo.seed import counter_link, desk_link, settings_for, sow
from server.demo.transfer import sha256_hex

QUICK = Manners(
    reply_after=0.01, paper_after=0.05, unveil_after=0.05, call_again_after=0.05, retry_most=0.2
)


async def until(condition: Callable[[], bool], seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


class House:
    """A service that can be stopped and started again on the same port and data."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port("127.0.0.1", 0)
        self._stack = AsyncExitStack()
        self.service: Service

    async def start(self) -> None:
        settings = settings_for(self._folder, port=self._port)
        self.service = await self._stack.enter_async_context(running_service(settings))
        self.seed = await sow(self.service.parts.people)

    async def stop(self) -> None:
        await self._stack.aclose()

    async def browser(self, http: aiohttp.ClientSession, page: str) -> Browser:
        make = counter_link if page == "counter" else desk_link
        browser = Browser(http, self.service.base_url, page)
        await browser.use_link(await make(self.service.parts, self.seed, 0))
        return browser


class Play:
    """A resident at work and the desk that answers it."""

    def __init__(self, house: House, counter: SimulatedPage, desk: SimulatedDesk) -> None:
        self.house = house
        self.counter = counter
        self.desk = desk

    async def answered(self) -> None:
        page = self.desk.page
        await page.until(lambda m: bool(m.queue and m.queue["offered"]))
        await page.accept()
        await page.open_media()


@asynccontextmanager
async def playing(folder: Path) -> AsyncIterator[Play]:
    house = House(folder)
    await house.start()
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        desk = SimulatedDesk(SimulatedPage(await house.browser(http, "desk"), desk_clip(30)))
        await desk.open()
        counter = SimulatedPage(await house.browser(http, "counter"), resident_clip(30))
        task = asyncio.create_task(SimulatedResident(counter, manners=QUICK).run())
        try:
            yield Play(house, counter, desk)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await desk.page.close()
            await house.stop()


@pytest.fixture
async def play(tmp_path: Path) -> AsyncIterator[Play]:
    async with playing(tmp_path / "data") as made:
        yield made


async def test_the_resident_calls_and_is_seen_and_heard(play: Play) -> None:
    await play.answered()
    leg = play.desk.page.leg
    assert leg is not None
    await until(lambda: leg.video.first_frame_at is not None and leg.audio.packets >= 5)


async def test_the_resident_greets_and_answers_what_is_said(play: Play) -> None:
    desk = play.desk.page
    await play.answered()
    await desk.until(lambda m: m.texts("counter")[:1] == [GREETING])
    await desk.say("用紙をもう少し手前にお願いします。")
    await desk.until(lambda m: any(text in REPLIES for text in m.texts("counter")))


async def test_the_resident_sends_one_paper_in_a_call(play: Play) -> None:
    desk = play.desk.page
    await play.answered()
    await desk.until(lambda m: any(f["state"] == "offered" for f in m.files.values()))
    (file,) = desk.mirror.files.values()
    assert file["name"] == FILE_NAME
    assert await sha256_hex(await desk.fetch_file(file["id"])) == file["sha256_sent"]
    await desk.say("受け取りました。")
    await desk.until(lambda m: any(text in REPLIES for text in m.texts("counter")))
    assert len(desk.mirror.files) == 1


async def test_the_resident_lifts_the_veil_when_the_pin_is_typed(play: Play) -> None:
    desk = play.desk.page
    await play.answered()
    await desk.ask("call.veil", on=True)
    await desk.until(lambda m: UNVEILED in m.texts("counter"))
    assert desk.mirror.call is not None
    assert desk.mirror.call["veiled"] is False


async def test_the_resident_calls_again_after_a_result(play: Play) -> None:
    await play.answered()
    first = play.desk.page.mirror.call
    assert first is not None
    await play.desk.close("returned", "用紙に 記入もれが あります")
    await play.answered()
    second = play.desk.page.mirror.call
    assert second is not None
    assert second["id"] != first["id"]


async def test_the_resident_comes_back_after_a_cut(play: Play) -> None:
    desk = play.desk.page
    await play.answered()
    await desk.until(lambda m: m.texts("counter") == [GREETING])
    await play.counter.cut()
    await desk.until(lambda m: m.call_state == "talking" and m.call is not None)
    await desk.say("聞こえますか。")
    await desk.until(lambda m: any(text in REPLIES for text in m.texts("counter")))
    assert desk.mirror.texts("counter").count(GREETING) == 1
    assert desk.mirror.faults == []
    assert play.counter.mirror.faults == []


@pytest.mark.fault
async def test_the_resident_goes_on_after_a_restart_of_the_server(play: Play) -> None:
    desk = play.desk.page
    await play.answered()
    await desk.until(lambda m: GREETING in m.texts("counter"))
    before = desk.mirror.call
    assert before is not None
    await play.house.stop()
    await desk.lost.wait()
    await play.house.start()
    await desk.return_()
    await desk.replace_media()
    await desk.until(lambda m: m.call_state == "talking", 15)
    assert desk.mirror.call is not None
    assert desk.mirror.call["id"] == before["id"]
    leg = desk.leg
    assert leg is not None
    await until(lambda: leg.video.first_frame_at is not None)
