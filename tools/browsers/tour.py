"""A walk through every page and state of the real service, one stop after another."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from tools.browsers.lines import TcpLine
from tools.browsers.page import Browser, Page
from tools.browsers.people import DESK_SIZE, PORTRAIT, Pair, sit_down
from tools.browsers.service import RunningService, Town

PAPER = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>"
    b"endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)
# A camera that the person does not allow, until `__allow` is called.
DENY = """void (() => {
  const devices = navigator.mediaDevices;
  const plain = devices.getUserMedia;
  devices.getUserMedia = async () => { throw new DOMException("no", "NotAllowedError"); };
  globalThis.__allow = () => { devices.getUserMedia = plain; };
})()"""


@dataclass(frozen=True, slots=True)
class Stop:
    """Somewhere to look: a name, the `page`, and whose it is, `counter` or `desk`."""

    name: str
    kind: str
    page: Page


class Tour:
    """Walks with both ends, in one language."""

    def __init__(self, browser: Browser, service: RunningService, town: Town, folder: Path) -> None:
        self._browser = browser
        self._service = service
        self._town = town
        self._folder = folder

    async def walk(self, language: str) -> AsyncGenerator[Stop]:
        """Yield every stop; the next one comes when the caller asks for it."""
        async for stop in self._before(language):
            yield stop
        async with AsyncExitStack() as stack:
            line = await TcpLine.open(self._service.port)
            stack.push_async_callback(line.close)
            urls = (line.base_url, self._service.base_url)
            pair = await sit_down(self._browser, self._browser, self._town, *urls, language)
            stack.push_async_callback(pair.end)
            parts = (
                self._idle(pair),
                self._waiting(pair),
                self._talking(pair),
                self._lost(pair, line),
                self._deciding(pair),
                self._results(pair),
            )
            for part in parts:
                async for stop in part:
                    yield stop

    async def _before(self, language: str) -> AsyncGenerator[Stop]:
        """Pages of who is not signed in."""
        for kind, (width, height) in (("desk", DESK_SIZE), ("counter", PORTRAIT)):
            page = await self._browser.seat(width, height)
            await page.open(f"{self._service.base_url}/")
            await speak(page, language)
            paths = {
                "index": "/",
                "sign-in": "/sign-in",
                "link": "/link",
                "password": "/password#x",
            }
            if kind == "counter":
                paths = {"enrol": "/enrol"}
            for name, path in paths.items():
                await page.open(f"{self._service.base_url}{path}")
                await page.until("document.querySelector('h1')?.textContent")
                yield Stop(name, kind, page)
            await page.end()

    async def _idle(self, pair: Pair) -> AsyncGenerator[Stop]:
        counter, desk = pair.both
        yield Stop("queue-away", "desk", desk.page)
        yield Stop("idle", "counter", counter.page)
        await counter.page.click(".soon button")
        await counter.page.until_seen(None, "dialog")
        yield Stop("idle-preparing", "counter", counter.page)
        await counter.page.press("Escape")
        await counter.page.eval(DENY)
        await counter.page.click(".callbtn:not([aria-disabled])")
        await counter.until_says("trouble.camera")
        yield Stop("trouble", "counter", counter.page)
        await counter.page.eval("__allow()")
        await counter.press("device.retry")
        await counter.until_says("consent.video.label")
        yield Stop("consent", "counter", counter.page)
        await counter.page.click("label", counter.say("common.no"))
        await counter.until_says("consent.refused")
        yield Stop("consent-no", "counter", counter.page)

    async def _waiting(self, pair: Pair) -> AsyncGenerator[Stop]:
        counter, desk = pair.counter, pair.desk
        await counter.consent()
        await counter.until_says("waiting.closed")
        yield Stop("waiting-closed", "counter", counter.page)
        await desk.page.until_seen(None, "td")
        yield Stop("queue-waiting-away", "desk", desk.page)
        await desk.be_open()
        await counter.until_says("waiting.title")
        await desk.page.until_seen(None, ".ringing")
        yield Stop("waiting", "counter", counter.page)
        yield Stop("queue-ringing", "desk", desk.page)
        await desk.accept()
        await pair.until_moving()

    async def _talking(self, pair: Pair) -> AsyncGenerator[Stop]:
        counter, desk = pair.counter, pair.desk
        yield Stop("call", "counter", counter.page)
        yield Stop("call", "desk", desk.page)
        await self._talk_and_send(pair)
        yield Stop("call-files", "counter", counter.page)
        await desk.page.click("details summary")
        yield Stop("call-chat-files", "desk", desk.page)
        await counter.tab("chat")
        yield Stop("call-chat", "counter", counter.page)
        await counter.tab("devices")
        yield Stop("call-devices", "counter", counter.page)
        await desk.page.click(".file button", desk.say("files.open"))
        await desk.page.until("document.querySelector('img.viewed')?.naturalWidth")
        yield Stop("call-viewer", "desk", desk.page)
        await desk.page.press("Escape")
        await desk.press("template.more", ".tmpl button")
        yield Stop("call-templates", "desk", desk.page)
        await desk.press("template.less", ".tmpl button")
        await desk.press("device.camera_off", ".tools button")
        await counter.until_says("officer.no_picture")
        yield Stop("call-officer-dark", "counter", counter.page)
        await desk.press("device.camera_off", ".tools button")
        await desk.press("veil.stop")
        await counter.until_says("veil.title")
        yield Stop("veil", "counter", counter.page)
        await desk.until_says("veil.title")
        yield Stop("veil", "desk", desk.page)
        await counter.press("veil.end")
        await desk.until_moving()

    async def _talk_and_send(self, pair: Pair) -> None:
        counter, desk = pair.counter, pair.desk
        await counter.write("申請書をこれから送ります。")
        await desk.write("お願いします。裏面もあわせて送ってください。")
        await desk.press("template.nearer.label", ".tmpl button")
        paper, picture = self._folder / "交付申請書.pdf", self._folder / "申請書 うら面.jpg"
        paper.write_bytes(PAPER)
        cv2.imwrite(str(picture), np.full((1200, 900, 3), (225, 235, 240), np.uint8))
        await counter.send_file(paper)
        await desk.until_file(paper.name, "offered")
        await counter.send_file(picture)
        await desk.until_file(picture.name, "offered")
        await counter.until_file(picture.name, "offered.own")

    async def _lost(self, pair: Pair, line: TcpLine) -> AsyncGenerator[Stop]:
        counter, desk = pair.counter, pair.desk
        line.cut()
        await counter.until_says("break.own.title")
        yield Stop("break-own", "counter", counter.page)
        await desk.until_says("stage.lost.counter")
        yield Stop("interrupted", "desk", desk.page)
        line.mend()
        await desk.until_says("call.talking", seconds=60)
        await desk.page.open(f"{self._service.base_url}/link")
        await counter.until_says("break.desk.title")
        yield Stop("break-desk", "counter", counter.page)
        await desk.page.open(f"{self._service.base_url}/desk")
        await desk.until_says("call.talking", seconds=60)
        second = await counter.page.another()
        await second.open(f"{line.base_url}/counter")
        await second.until_seen(counter.say("seat.taken.title"))
        yield Stop("seat-taken", "counter", second)
        await second.close()
        await counter.until_says("call.talking", seconds=60)

    async def _deciding(self, pair: Pair) -> AsyncGenerator[Stop]:
        desk = pair.desk
        for outcome in ("returned", "refused", "aborted", "verified"):
            await desk.page.click(f"#decide-{outcome}:not([aria-disabled])")
            await desk.page.until_seen(None, "dialog")
            if outcome in ("returned", "verified"):
                yield Stop(f"decide-{outcome}", "desk", desk.page)
            if outcome == "returned":
                await pair.counter.until_says("call.deciding")
                yield Stop("deciding", "counter", pair.counter.page)
            await desk.page.press("Escape")
            await desk.until_says("call.talking")

    async def _results(self, pair: Pair) -> AsyncGenerator[Stop]:
        counter, desk = pair.counter, pair.desk
        for outcome in ("verified", "returned", "refused", "aborted"):
            if outcome != "verified":
                await counter.place()
                await desk.accept()
            await desk.decide(outcome)
            await counter.until_says(f"result.{outcome}.title")
            yield Stop(f"result-{outcome}", "counter", counter.page)
            await counter.press("result.finish")
        yield Stop("queue-today", "desk", desk.page)


async def speak(page: Page, language: str) -> None:
    """Remember a language for the profile of a page, as its switch does."""
    await page.eval(f"localStorage.setItem('madoguchi.language', '{language}')")
