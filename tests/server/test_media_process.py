"""Neither side's end is the other's: server and media are killed while real media flow."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from media.control_folder import ControlFolder
from media.remote import RemoteNode
from server.demo import clip
from server.demo.browser import Browser
from server.demo.client import SimulatedPage
from server.demo.encoded import desk_clip, resident_clip
from tools.browsers.service import RunningService

pytestmark = [pytest.mark.fault, pytest.mark.timeout(120)]
# A call that hangs on the server is silent for as long as the server is away, which is far longer.
# A busy machine alone makes pauses of some tenths of a second.
NO_GAP_SECONDS = 0.8
AWAY_SECONDS = 2.0
PROMISED_SECONDS = 3.0


@dataclass
class Talk:
    """A call between two simulated pages over a service in processes of its own."""

    service: RunningService
    counter: SimulatedPage
    desk: SimulatedPage

    @property
    def pages(self) -> tuple[SimulatedPage, SimulatedPage]:
        return self.counter, self.desk

    async def begin(self) -> None:
        for page in self.pages:
            await page.connect()
        call = await self.counter.place("new-issue")
        await self.desk.accept(call["id"])
        await self.counter.until(lambda m: m.under_way)
        await asyncio.gather(*(page.open_media() for page in self.pages))
        await until(lambda: all(map(sees, self.pages)))

    async def come_back(self) -> None:
        for page in self.pages:
            page.browser.base_url = self.service.base_url
            await page.return_()
        for page in self.pages:
            await page.until(lambda m: m.call_state == "talking")

    async def kill_media(self) -> None:
        """Kill the media process that has the call (SIGKILL)."""
        folder = ControlFolder(self.service.data / "media")
        node = RemoteNode.listener(folder.socket(0))
        folder.close()
        assert node is not None
        await node.kill()
        node.close()


def sees(page: SimulatedPage) -> bool:
    """Tell whether a page has decoded a picture and heard sounds on its present connection."""
    leg = page.leg
    return leg is not None and leg.video.first_frame_at is not None and leg.audio.packets > 5


async def until(met: Callable[[], bool], seconds: float = 20.0) -> None:
    """Look every 10 ms until it is so."""
    end = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


def stands_ready(server_pid: int) -> bool:
    """Tell whether a second media process has read its code and waits to be told what to do."""
    children = Path(f"/proc/{server_pid}/task/{server_pid}/children").read_text().split()
    return len(children) >= 2 and all(
        "pipe" in Path(f"/proc/{pid}/wchan").read_text() for pid in children[1:]
    )


def obedient(page: SimulatedPage) -> None:
    """Let a page make a new connection when the server asks for one."""
    renewing: set[asyncio.Task[Any]] = set()

    def take(message: dict[str, Any]) -> None:
        if message["type"] == "please-offer":
            task = asyncio.get_running_loop().create_task(page.replace_media())
            renewing.add(task)
            task.add_done_callback(renewing.discard)

    page.on_message = take


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    """A call under way, with its media in a process."""
    clips = asyncio.gather(
        asyncio.to_thread(resident_clip, clip.FRAMES_PER_SECOND),
        asyncio.to_thread(desk_clip, clip.FRAMES_PER_SECOND),
    )
    service = RunningService(tmp_path / "service", media_host="127.0.0.1")
    await service.start()
    town = await service.town("kasaoka")
    of_counter, of_desk = await clips
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        counter = Browser(http, service.base_url, "counter")
        desk = Browser(http, service.base_url, "desk")
        await counter.use_link(town.counters[0])
        await desk.use_link(town.desks[0])
        made = Talk(service, SimulatedPage(counter, of_counter), SimulatedPage(desk, of_desk))
        await made.begin()
        yield made
        for page in made.pages:
            await page.close()
    await service.stop()


async def test_sound_and_picture_go_on_while_the_server_is_killed_and_started_again(
    talk: Talk,
) -> None:
    before = {page: page.leg for page in talk.pages}
    calls = [page.mirror.call for page in talk.pages]
    for leg in before.values():
        assert leg is not None
        leg.audio.restart()
        leg.video.restart()
    await talk.service.kill()
    await asyncio.sleep(AWAY_SECONDS)  # what goes on meanwhile is the claim
    await talk.service.start()
    await talk.come_back()
    for page, leg in before.items():
        assert page.leg is leg
        assert leg is not None
        assert sees(page)
        pauses = (leg.video.pauses.longest_seconds, leg.audio.pauses.longest_seconds)
        print("longest pause of pictures and sound", *pauses)
        assert leg.video.pauses.longest_seconds < NO_GAP_SECONDS
        assert leg.audio.pauses.longest_seconds < NO_GAP_SECONDS
        assert page.mirror.faults == []
    for page, call in zip(talk.pages, calls, strict=True):
        assert page.mirror.call is not None
        assert call is not None
        assert page.mirror.call["number"] == call["number"]


async def test_a_killed_media_process_costs_a_call_three_seconds_at_most(talk: Talk) -> None:
    number = (talk.counter.mirror.call or {})["number"]
    for page in talk.pages:
        obedient(page)
    old = [page.leg for page in talk.pages]
    await until(lambda: stands_ready(talk.service.pid))
    killed = time.monotonic()
    await talk.kill_media()
    await until(lambda: all(page.leg not in old and sees(page) for page in talk.pages))
    moving = [page.leg.video.first_frame_at or 0.0 for page in talk.pages if page.leg]
    print("moving again after", max(moving) - killed)
    assert max(moving) - killed <= PROMISED_SECONDS
    for page in talk.pages:
        assert page.mirror.call_state == "talking"
        assert (page.mirror.call or {})["number"] == number
        assert page.mirror.faults == []
