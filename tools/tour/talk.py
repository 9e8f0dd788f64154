"""A call: both ends while they talk, chat, send files, veil, lose the line and decide."""

from pathlib import Path

import cv2
import numpy as np

from tools.browsers.lines import TcpLine, UdpRelay
from tools.browsers.people import Pair, words
from tools.browsers.steps import Walk
from tools.tour.looks import spare
from tools.tour.scene import Scene, Visit

PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>"
    b"endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)
LARGE_BYTES = 12_000_000
TOO_LARGE_BYTES = 50_000_001
SLOW_BYTES_PER_SECOND = 200_000
OPEN_HASHES = "void document.querySelectorAll('.file details').forEach((d) => { d.open = true; })"
LOSE_CAMERA = """void ((selector) => {
  const devices = navigator.mediaDevices;
  const plain = devices.getUserMedia;
  globalThis.__free = () => { devices.getUserMedia = plain; };
  devices.getUserMedia = () => Promise.reject(new DOMException("busy", "NotReadableError"));
  for (const track of document.querySelector(selector).srcObject.getVideoTracks()) {
    track.stop();
    track.dispatchEvent(new Event("ended"));
  }
})"""
LONG = "住所の欄の番地まで読めました。ふりがなが薄いので、もう一度撮り直していただけますか。"


class Talk:
    """The one call in which the most is seen.

    `lines` carry the tablet and the desk, `media` carries sound and pictures of both.
    """

    def __init__(
        self,
        pair: Pair,
        lines: tuple[TcpLine, TcpLine],
        media: UdpRelay,
        folder: Path,
        visit: Visit,
    ) -> None:
        self._pair = pair
        self._counter, self._desk = pair.counter, pair.desk
        self._line, self._desk_line = lines
        self._media = media
        self._folder = folder
        self._visit = visit

    async def walk(self) -> None:
        """Go by all of it; begins and ends in the call."""
        await self._pair.until_moving()
        for seat in self._pair.both:
            await spare(seat.page)
        await self._both("call")
        await self._chat()
        await self._files()
        await self._desk_tools()
        await self._steps()
        await self._decisions()
        await self._veil()
        await self._camera_lost()
        await self._stalled()
        await self._interruptions()
        await self._seats()  # a page that takes a seat proves nothing of the one before
        await self._reopened()

    async def _show(self, name: str) -> None:
        seat = self._desk if name.startswith("desk") else self._counter
        await self._visit(Scene(name, seat.page))

    async def _both(self, name: str) -> None:
        await self._show(f"counter-{name}")
        await self._show(f"desk-{name}")

    async def _chat(self) -> None:
        await self._desk.page.click(".tmpl .btn", words("template.nearer.label"))
        await self._counter.until_says("template.nearer.say", ".say h1")
        await self._counter.write("用紙を手前に置きました。見えますか。")
        await self._desk.write(LONG)
        await self._counter.until_messages(
            words("template.nearer.say"), "用紙を手前に置きました。見えますか。", LONG
        )
        await self._show("counter-call-chat")
        await self._show("desk-call-chat")
        await self._desk.page.click(".tmpl .btn[aria-expanded]")
        await self._show("desk-call-templates")
        await self._desk.page.click(".tmpl .btn[aria-expanded]")

    async def _files(self) -> None:
        await self._counter.tab("files")
        await self._show("counter-call-files-none")
        for sender, receiver, path in (
            (self._counter, self._desk, self._pdf("申請書.pdf")),
            (self._counter, self._desk, self._photograph("運転免許証のおもて面.jpg")),
            (self._desk, self._counter, self._pdf("交付通知書・照会書のご案内.pdf")),
        ):
            await sender.send_file(path)
            await receiver.until_file(path.name, "offered")
        await self._counter.send_file(self._write("写真.pdf", b"MZ" + bytes(4000)))
        await self._counter.until_says("error.wrong_type")
        await self._counter.send_file(self._large("動画.jpg", TOO_LARGE_BYTES))
        await self._counter.page.until("document.querySelectorAll('.error-text').length === 2")
        self._line.bytes_per_second = SLOW_BYTES_PER_SECOND
        await self._counter.send_file(self._large("図面.pdf", LARGE_BYTES))
        await self._desk.until_file("図面.pdf", "arriving")
        await self._counter.until_says("files.phase.sending")
        await self._both("call-files")
        await self._desk.page.eval(OPEN_HASHES)
        await self._show("desk-call-hashes")
        await self._counter.page.click(".file button", words("files.cancel.label", name="図面.pdf"))
        self._line.bytes_per_second = None
        await self._desk.until_file("図面.pdf", "withdrawn")
        await self._counter.tab("devices")
        await self._show("counter-call-devices")
        await self._counter.tab("chat")

    async def _desk_tools(self) -> None:
        page = self._desk.page
        await page.click(".file button", words("files.open"))
        await page.until("document.querySelector('dialog img')?.naturalWidth > 0")
        await self._show("desk-viewer")
        await page.press("Escape")
        await self._desk.press("device.title")
        await self._show("desk-devices")
        await page.press("Escape")
        await page.click(".meter")
        await self._desk.until_says("quality.figure.rtt")
        await self._show("desk-quality")
        await page.press("Escape")
        await self._desk.press("invite.open")
        await self._desk.until_says("invite.note", "dialog .dim")
        await self._show("desk-invite")
        await page.press("Escape")
        await self._desk.press("zoom.title")
        await self._desk.press("device.mute")
        await self._desk.press("device.camera_off")
        await self._counter.until_says("officer.no_picture")
        await self._show("desk-call-zoomed-muted")
        await self._show("counter-call-no-officer")
        await self._desk.press("device.mute")
        await self._desk.press("device.camera_off")
        for _ in range(2):
            await page.press("Alt+Z")
        await self._counter.page.until_gone(words("officer.no_picture"))

    async def _steps(self) -> None:
        page, walk = self._desk.page, Walk(self._counter, self._desk)
        await self._desk.tab("cards")
        await self._show("desk-call-cards")
        await self._desk.tab("chip")
        await self._show("desk-call-chip")
        await walk.until("code")
        spoken = await walk.spoken()
        await self._show("counter-call-code")
        await page.fill("#heard-code", "0000" if spoken != "0000" else "1111")
        await self._desk.press("code.check", "button:not([aria-disabled])")
        await self._desk.page.until_seen(None, ".need .error-text")
        await self._show("desk-call-code-wrong")
        await walk.until("documents")
        await walk.shown("health-insurance", "2020-01-31")
        await walk.shown("residence-card", "2099-12-31")
        await self._counter.tab("originals")
        await self._both("call-documents")
        await page.press("Alt+C")
        await page.until("document.querySelector('.pictures img')?.naturalWidth > 0")
        await self._show("desk-call-compare")
        await page.press("Escape")
        await page.until_gone(None, ".pictures img")
        await self._desk.press("documents.override")
        await self._desk.until_says("senior.what.documents")
        await self._show("desk-approval-asked-for")
        await self._desk.press("common.back", "dialog button")
        await walk.to_the_end()
        await self._show("desk-call-ready")
        await self._counter.tab("chat")

    async def _decisions(self) -> None:
        page = self._desk.page
        for outcome in ("verified", "returned", "refused", "aborted"):
            await page.click(f"#decide-{outcome}:not([aria-disabled])")
            await self._desk.until_says("decide.dialog", outcome=words(f"outcome.{outcome}"))
            await self._show(f"desk-decide-{outcome}")
            if outcome == "verified":
                await self._counter.until_says("call.deciding")
                await self._show("counter-call-deciding")
                await page.click("dialog label", words("decide.sure.verified"))
            else:
                await page.click("dialog fieldset label")
            await page.until_seen(words(f"decide.do.{outcome}"), "button:not([aria-disabled])")
            await self._show(f"desk-decide-{outcome}-ready")
            await self._desk.press("common.back", "dialog button")
            await self._desk.until_says("call.talking")

    async def _veil(self) -> None:
        await self._counter.press("veil.begin")
        await self._desk.until_says("veil.desk.what")
        await self._both("veil")
        await self._counter.press("veil.end")
        await self._desk.page.until_gone(words("veil.desk.what"))

    async def _camera_lost(self) -> None:
        await self._counter.page.eval(f"{LOSE_CAMERA}('.own video')")
        await self._desk.page.eval(f"{LOSE_CAMERA}('.self video')")
        await self._desk.page.until_seen(None, ".picture .veil")
        await self._counter.page.until_seen(None, ".officer .veil")
        await self._both("camera-lost")
        await self._counter.tab("devices")
        await self._show("counter-camera-lost-devices")
        for seat in self._pair.both:
            await seat.page.eval("__free()")
            await seat.page.click(".notice .btn", words("device.retry"))
        await self._pair.until_moving()
        for seat in self._pair.both:
            await spare(seat.page)
        await self._counter.tab("chat")

    async def _stalled(self) -> None:
        self._media.cut = True
        await self._counter.until_says("own.stalled")
        await self._desk.page.until_seen(None, ".picture .veil")
        await self._both("stalled")
        self._media.cut = False
        await self._pair.until_moving()

    async def _interruptions(self) -> None:
        for line, ours, theirs in (
            (self._line, "counter-break-own", "desk-interrupted"),
            (self._desk_line, "desk-own-lost", "counter-break-desk"),
        ):
            line.cut()
            self._media.cut = True  # what still arrives would be shown
            await self._counter.until_says("state.interrupted")
            await self._desk.page.until_seen(None, ".picture .veil")
            await self._show(ours)
            await self._show(theirs)
            self._media.cut = False
            line.mend()
            await self._counter.until_says("call.talking")
            await self._desk.page.until_gone(None, ".picture .veil")

    async def _reopened(self) -> None:
        await self._counter.page.until_seen(None, ".spoken b")
        for seat in self._pair.both:
            await seat.page.until("!document.querySelector('.toasts > *')")
        await self._both("call-reopened")
        await Walk(self._counter, self._desk).to_the_end()
        await self._counter.tab("chat")

    async def _seats(self) -> None:
        for seat in self._pair.both:
            first, second = seat.page, await seat.page.another()
            await second.open(f"{seat.base_url}/{seat.name}")
            await second.until_seen(words("seat.taken.title"))
            await self._visit(Scene(f"{seat.name}-taken", second))
            await second.click("button", words("seat.take"))
            await first.until_seen(words("seat.moved.title"))
            await self._visit(Scene(f"{seat.name}-moved", first))
            await first.click("button", words("seat.take"))
            await first.until_seen(words("call.talking"))
            await second.close()
        # Sound and pictures went by other connections meanwhile: the spoken code is wanted again.
        await self._pair.until_moving()

    def _write(self, name: str, content: bytes) -> Path:
        path = self._folder / name
        path.write_bytes(content)
        return path

    def _pdf(self, name: str) -> Path:
        return self._write(name, PDF)

    def _large(self, name: str, size: int) -> Path:
        path = self._write(name, PDF)
        with path.open("r+b") as file:
            file.truncate(size)
        return path

    def _photograph(self, name: str) -> Path:
        picture = np.full((900, 1430, 3), (214, 226, 238), np.uint8)
        cv2.rectangle(picture, (60, 60), (1370, 840), (250, 250, 250), -1)
        cv2.rectangle(picture, (980, 200), (1300, 640), (190, 170, 150), -1)
        for row in range(6):
            cv2.line(picture, (120, 240 + row * 80), (880 - row * 60, 240 + row * 80), (80,) * 3, 8)
        _, jpeg = cv2.imencode(".jpg", picture)
        return self._write(name, jpeg.tobytes())
