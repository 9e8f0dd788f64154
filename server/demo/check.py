"""`madoguchi demo --check`: a whole call over the real service, resident and desk simulated.

Real HTTP, WebSocket, ICE, DTLS and SRTP on loopback; nothing is replaced.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path

import aiohttp

from security.errors import NotFound
from server.app import Service, running_service
from server.clock import utc_now
from server.demo import clip
from server.demo.browser import Browser
from server.demo.client import SimulatedPage
from server.demo.desk import SimulatedDesk
from server.demo.encoded import desk_clip, resident_clip
from server.demo.pdf import application_pdf
from server.demo.picture import still_png
from server.demo.report import Report
from server.demo.seed import counter_link, desk_link, settings_for, sow
from server.demo.transfer import sha256_hex
from server.parts import Parts

log = logging.getLogger(__name__)
DEADLINE_SECONDS = 16.0  # starting and stopping come on top; 20 are allowed
MEDIA_SECONDS = 6.0
POLL_SECONDS = 0.01

TO_DESK = "よろしくお願いします。"
TO_COUNTER = "こちらこそ、よろしくお願いします。"
WHILE_AWAY = "映像が止まりました。そのままお待ちください。"
AFTERWARDS = "戻りました。聞こえています。"
FILE_NAME = "申請書（見本）.pdf"


async def check(folder: Path, bundle: Path | None = None) -> Report:
    """Run the whole call with its data in `folder` and report; failures stand in `errors`.

    `bundle` is the file to which the bundle of the call's record is written.
    """
    report = Report()
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            await _service_and_call(folder, report, bundle)
    except TimeoutError:
        report.errors.append(f"not done within {DEADLINE_SECONDS:g} seconds")
    except Exception as problem:
        log.exception("the check broke")
        report.errors.append(f"{type(problem).__name__}: {problem}")
    if not report.errors:
        report.errors += report.missing()
    return report


async def _service_and_call(folder: Path, report: Report, bundle: Path | None) -> None:
    short = clip.FRAMES_PER_SECOND
    clips = asyncio.gather(
        asyncio.to_thread(resident_clip, short), asyncio.to_thread(desk_clip, short)
    )
    async with (
        running_service(settings_for(folder)) as service,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
    ):
        of_resident, of_desk = await clips
        parts = service.parts
        seed = await sow(parts.people)
        counter_token, desk_token = (
            await counter_link(parts, seed, 0),
            await desk_link(parts, seed, 0),
        )
        counter = SimulatedPage(
            await _sign_in(service, http, "counter", counter_token), of_resident
        )
        desk = SimulatedDesk(
            SimulatedPage(await _sign_in(service, http, "desk", desk_token), of_desk)
        )
        try:
            await Conversation(counter, desk, report).run()
            if bundle is not None:
                await _leave_bundle(parts, seed.municipality_id, counter, bundle)
        finally:
            await asyncio.gather(counter.close(), desk.page.close())


async def _leave_bundle(parts: Parts, home: str, counter: SimulatedPage, file: Path) -> None:
    """Write the bundle of the call's record, as whoever exports it would get it."""
    call_id = (counter.mirror.call or {}).get("id", "")
    record_id = await parts.records.store.id_of_call(home, call_id)
    if record_id is None:
        raise NotFound("the call has no record")
    _, content = await parts.bundles.make(home, record_id, parts.clock())
    await asyncio.to_thread(file.write_bytes, content)


async def _sign_in(service: Service, http: aiohttp.ClientSession, page: str, token: str) -> Browser:
    browser = Browser(http, service.base_url, page)
    await browser.use_link(token)
    return browser


class Conversation:
    """The call of the check, step by step; each step fills its share of the report."""

    def __init__(self, counter: SimulatedPage, desk: SimulatedDesk, report: Report) -> None:
        self._counter = counter
        self._desk = desk
        self._report = report

    async def run(self) -> None:
        """Go through all steps; a step that fails is named and ends the call."""
        steps = (
            self.connect,
            self.see_each_other,
            self.chat,
            self.reconnect,
            self.count_media,
            self.send_file,
            self.lead,
            self.decide,
        )
        for step in steps:
            try:
                await step()
            except Exception as problem:
                log.exception("%s failed", step.__name__)
                name = step.__name__.replace("_", " ")
                self._report.errors.append(f"{name}: {type(problem).__name__} {problem}".strip())
                return
        for side, page in (("counter", self._counter), ("desk", self._desk.page)):
            self._report.errors += [f"{side}: {fault}" for fault in page.mirror.faults]

    async def connect(self) -> None:
        """Place the call and answer it."""
        await self._desk.open()
        await self._counter.connect()
        call = await self._counter.place("new-issue")
        await self._desk.accept(call["id"], 5.0)
        self._accepted_at = time.monotonic()

    async def see_each_other(self) -> None:
        """Open media at both ends until each has decoded a picture of the other."""
        desk = self._desk.page

        async def answer() -> None:
            await self._counter.until(lambda m: m.under_way)
            await self._counter.open_media()

        await asyncio.gather(desk.open_media(), answer())
        await _until(lambda: _first_frame(desk) is not None, MEDIA_SECONDS)
        waited = (_first_frame(desk) or 0.0) - self._accepted_at
        self._report.first_frame_ms = max(0, round(waited * 1000))
        await _until(lambda: _first_frame(self._counter) is not None, MEDIA_SECONDS)

    async def chat(self) -> None:
        """Say something each way."""
        await self._say(TO_DESK, TO_COUNTER)
        self._report.chat_delivered = True

    async def reconnect(self) -> None:
        """Lose the resident's socket and connection at once; come back with both."""
        counter, desk = self._counter, self._desk.page
        await counter.cut()
        await desk.until(lambda m: m.call_state == "interrupted", 2.0)
        await desk.say(WHILE_AWAY)
        await counter.return_()
        await counter.until(lambda m: WHILE_AWAY in m.texts("desk"))
        leg = await counter.replace_media()
        async with asyncio.timeout(MEDIA_SECONDS):
            await leg.until_connected()
        await desk.until(lambda m: m.call_state == "talking")
        if desk.leg is not None:
            desk.leg.video.restart()
            desk.leg.audio.restart()

    async def count_media(self) -> None:
        """Wait for enough of sight and sound both ways, and talk meanwhile."""
        await self._say(AFTERWARDS, TO_COUNTER)
        self._report.chat_after_reconnect = True
        try:
            await _until(self._enough, MEDIA_SECONDS)
        finally:
            self._count()

    async def send_file(self) -> None:
        """Send a PDF from the counter and fetch it at the desk."""
        counter, desk = self._counter, self._desk.page
        number = (counter.mirror.call or {}).get("number", "")
        paper = application_pdf(number, utc_now())
        file_id = await counter.send_file(FILE_NAME, paper)
        done = ("offered", "refused")
        await desk.until(lambda m: m.files.get(file_id, {}).get("state") in done)
        file = desk.mirror.files[file_id]
        if file["state"] == "refused":
            raise ValueError(f"the file was refused: {file['reason']}")
        arrived = await sha256_hex(await desk.fetch_file(file_id))
        sent = await sha256_hex(paper)
        hashes = {arrived, sent, file["sha256_sent"], file["sha256_offered"]}
        self._report.file_sha256_match = len(hashes) == 1

    async def lead(self) -> None:
        """Do what the steps of the procedure ask of both ends, with pictures from the tablet."""
        desk, pictures = self._desk.page, []
        for number in range(2):
            picture = await asyncio.to_thread(still_png, number)
            pictures.append(await self._counter.send_file(f"{number}.png", picture))
        await desk.until(lambda m: all(m.files[one]["state"] == "offered" for one in pictures))
        await self._desk.lead(self._counter, pictures)

    async def decide(self) -> None:
        """確認済み: both ends are told."""
        await self._desk.close("verified")
        for page in (self._counter, self._desk.page):
            await page.until(lambda m: m.call_state == "closed")
        call = self._counter.mirror.call or {}
        self._report.outcome = call.get("outcome")

    async def _say(self, to_desk: str, to_counter: str) -> None:
        counter, desk = self._counter, self._desk.page
        heard = len(counter.mirror.texts("desk"))
        await asyncio.gather(counter.say(to_desk), desk.say(to_counter))
        await desk.until(lambda m: to_desk in m.texts("counter"))
        await counter.until(lambda m: to_counter in m.texts("desk")[heard:])

    def _enough(self) -> bool:
        self._count()
        return self._report.enough

    def _count(self) -> None:
        report, counter, desk = self._report, self._counter.leg, self._desk.page.leg
        if counter is None or desk is None:
            return
        report.video_frames_counter = _decodable(counter.video.first_frame_at, counter.video.frames)
        report.video_frames_desk = _decodable(desk.video.first_frame_at, desk.video.frames)
        report.audio_packets_counter = counter.audio.packets
        report.audio_packets_desk = desk.audio.packets


def _decodable(first_frame_at: float | None, frames: int) -> int:
    return 0 if first_frame_at is None else frames


def _first_frame(page: SimulatedPage) -> float | None:
    return None if page.leg is None else page.leg.video.first_frame_at


async def _until(condition: Callable[[], bool], seconds: float) -> None:
    """Look every 10 ms until `condition` holds; raises `TimeoutError`."""
    for _ in range(int(seconds / POLL_SECONDS)):
        if condition():
            return
        await asyncio.sleep(POLL_SECONDS)
    raise TimeoutError(f"waited {seconds:g} seconds")
