"""What a test may do with a page, the same in every browser."""

import asyncio
import json
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# Long enough for a machine that does much else; whatever comes, comes at once.
WITHIN_SECONDS = 40.0
LOOK_MILLISECONDS = 50
# How long one evaluation waits in the page before it is asked again: a reload ends it early.
ROUND_SECONDS = 2.0
ANSWER_SECONDS = 5.0

# Every page begins with these. `__peers` are its connections, for their statistics; `__seen` finds
# what a person sees: furigana are left out of words, hidden elements are left out of all. `__asked`
# counts the wishes for camera or microphone; with `hardware` in its storage a page makes H.264 in
# hardware.
INSTRUMENTS = """
(() => {
  if (globalThis.__peers) return;
  const Plain = globalThis.RTCPeerConnection;
  globalThis.__peers = [];
  globalThis.__failed = [];
  addEventListener("error", (e) => __failed.push(String(e.message)));
  addEventListener("unhandledrejection", (e) => __failed.push(String(e.reason?.stack ?? e.reason)));
  if (Plain) {
    globalThis.RTCPeerConnection = class extends Plain {
      constructor(...given) { super(...given); __peers.push(this); }
    };
  }
  globalThis.__asked = 0;
  const devices = navigator.mediaDevices;
  if (devices?.getUserMedia) {
    const ask = devices.getUserMedia.bind(devices);
    devices.getUserMedia = (wanted) => { __asked += 1; return ask(wanted); };
  }
  try {
    if (localStorage.getItem("hardware")) {
      navigator.mediaCapabilities.encodingInfo = async ({ video }) =>
        ({ supported: true, smooth: true, powerEfficient: video.contentType.includes("H264") });
    }
  } catch { /* a page without an origin has no storage */ }
  const tight = (text) => text.replace(/\\s+/gu, "");
  const words = (element) => {
    const copy = element.cloneNode(true);
    for (const reading of copy.querySelectorAll("rt, rp, svg")) reading.remove();
    return tight(copy.textContent + (element.getAttribute("aria-label") ?? ""));
  };
  globalThis.__seen = (selector, text) =>
    [...document.querySelectorAll(selector)].filter((element) =>
      element.checkVisibility({ visibilityProperty: true })
      && (text === null || words(element).includes(tight(text))));

  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  const pixels = (video) => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 36 });
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    pen.drawImage(video, 0, 0, 64, 36);
    return pen.getImageData(0, 0, 64, 36).data;
  };
  // How much the picture of a video changes within a quarter of a second: of 255, and in seconds.
  globalThis.__moves = async (selector) => {
    const video = __seen(selector, null)[0];
    const [before, began] = [pixels(video), video.currentTime];
    await pause(250);
    const after = pixels(video);
    let most = 0;
    after.forEach((value, i) => { most = Math.max(most, Math.abs(value - before[i])); });
    const { videoWidth: width, videoHeight: height } = video;
    return { most, passed: video.currentTime - began, width, height };
  };
  // What the newest connection receives: counts of its statistics.
  globalThis.__receives = async () => {
    const open = __peers.filter((peer) => peer.connectionState !== "closed").at(-1);
    const all = open ? [...(await open.getStats()).values()] : [];
    const of = (kind) => all.find((r) => r.type === "inbound-rtp" && r.kind === kind) ?? {};
    const pair = all.find((r) => r.type === "candidate-pair" && (r.nominated || r.selected)) ?? {};
    return {
      connections: __peers.length,
      audio_packets: of("audio").packetsReceived ?? 0,
      audio_energy: of("audio").totalAudioEnergy ?? 0,
      frames: of("video").framesDecoded ?? 0,
      width: of("video").frameWidth ?? 0,
      height: of("video").frameHeight ?? 0,
      rtt: pair.currentRoundTripTime ?? null,
    };
  };
})();
"""


class NotSeen(AssertionError):
    """What was waited for did not come."""


class Page(ABC):
    """One page of one profile. Selectors are CSS; `text` narrows them to elements that hold it."""

    errors: list[str]
    console_errors: list[str]

    @abstractmethod
    async def open(self, url: str) -> None:
        """Go to `url` and wait until it is loaded."""

    @abstractmethod
    async def reload(self) -> None:
        """Load the page again, as a person does."""

    @abstractmethod
    async def close(self) -> None:
        """Close the page; its profile stays for other pages of it."""

    @abstractmethod
    async def end(self) -> None:
        """Close every page of the profile and forget the profile."""

    @abstractmethod
    async def another(self) -> "Page":
        """Return a second page of the same profile."""

    @abstractmethod
    async def resize(self, width: int, height: int) -> None:
        """Give the page another size, in CSS pixels."""

    @abstractmethod
    async def screenshot(self, path: Path, *, whole: bool = False) -> None:
        """Write a PNG of what can be seen, or of the `whole` page with what scrolls."""

    @abstractmethod
    async def click(self, selector: str, text: str | None = None) -> None:
        """Press an element with the pointer once it can be pressed."""

    @abstractmethod
    async def press(self, keys: str) -> None:
        """Press keys at once, written as `Alt+A` or `Enter`."""

    @abstractmethod
    async def write(self, text: str) -> None:
        """Type into what has the focus."""

    @abstractmethod
    async def set_file(self, selector: str, path: Path) -> None:
        """Choose a file in an `<input type=file>`."""

    @abstractmethod
    async def evaluate(self, source: str) -> str | None:
        """Return what the JavaScript expression gives, which must be text, awaiting promises.

        Raises `ConnectionError` when the page went away meanwhile, `RuntimeError` when it threw.
        """

    async def eval(self, expression: str) -> Any:
        """Return the value of a JavaScript expression, awaiting promises; it must fit into JSON."""
        text = await self.evaluate(f"(async () => JSON.stringify(await ({expression})))()")
        return None if text is None else json.loads(text)

    async def until(self, condition: str, *, seconds: float = WITHIN_SECONDS) -> Any:
        """Return the value of a JavaScript expression once it is true, over reloads too.

        Raises `NotSeen` after `seconds`, saying what the page showed then.
        """
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                # A page that is left while it is asked may never answer.
                async with asyncio.timeout(ROUND_SECONDS + ANSWER_SECONDS):
                    value = await self.eval(_wait(condition, min(left, ROUND_SECONDS)))
            except (ConnectionError, TimeoutError):
                await asyncio.sleep(LOOK_MILLISECONDS / 1000)
                continue
            if value:
                return value
        raise NotSeen(f"not within {seconds:g} s: {condition}\n{await self._shown()}")

    async def until_seen(
        self, text: str | None, selector: str = "body *", *, seconds: float = WITHIN_SECONDS
    ) -> None:
        """Wait until an element with the text can be seen."""
        await self.until(f"{seen(selector, text)}.length > 0", seconds=seconds)

    async def until_gone(
        self, text: str | None, selector: str = "body *", *, seconds: float = WITHIN_SECONDS
    ) -> None:
        """Wait until no element with the text can be seen."""
        await self.until(f"{seen(selector, text)}.length === 0", seconds=seconds)

    async def sees(self, text: str | None, selector: str = "body *") -> bool:
        """Tell whether an element with the text can be seen now."""
        return bool(await self.eval(f"{seen(selector, text)}.length > 0"))

    async def fill(self, selector: str, text: str) -> None:
        """Replace what stands in a field by typing."""
        await self.click(selector)
        await self.press("Control+A")
        await self.write(text)

    async def _shown(self) -> str:
        try:
            shown = await self.eval("({at: location.pathname, words: document.body.innerText})")
        except (ConnectionError, RuntimeError) as error:
            return f"the page does not answer: {error}"
        return f"{shown['at']} shows:\n{shown['words']}\nerrors: {self.errors}"


class Browser(ABC):
    """One running browser. Every seat has a profile of its own."""

    name: str

    @abstractmethod
    async def seat(self, width: int, height: int) -> Page:
        """Return an empty page in a fresh profile."""

    @abstractmethod
    async def close(self) -> None:
        """End the browser."""


def seen(selector: str, text: str | None) -> str:
    """Return the expression that lists the visible elements."""
    return f"__seen({json.dumps(selector)}, {json.dumps(text)})"


def _wait(condition: str, seconds: float) -> str:
    return f"""new Promise((resolve) => {{
      const end = performance.now() + {seconds * 1000:.0f};
      const look = async () => {{
        let value = null;
        try {{ value = await ({condition}); }} catch (error) {{ value = null; }}
        if (value instanceof Node) resolve(true);
        else if (value || performance.now() > end) resolve(value || null);
        else setTimeout(look, {LOOK_MILLISECONDS});
      }};
      look();
    }})"""


def keys_of(keys: str) -> Sequence[str]:
    """Return the names in `Alt+A`."""
    return keys.split("+") if keys != "+" else [keys]
