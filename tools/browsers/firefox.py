"""Firefox by WebDriver BiDi. The camera is a canvas on which a figure moves."""

import asyncio
import base64
import contextlib
import ctypes
import json
import os
import re
import signal
import time
from pathlib import Path
from typing import Any

from tools.browsers.bidi import Bidi, BidiError
from tools.browsers.page import INSTRUMENTS, WITHIN_SECONDS, Browser, NotSeen, Page, keys_of, seen

PROGRAM = Path("/usr/bin/firefox-esr")
MISSING = (
    "firefox-esr is missing: on Debian install it with `apt-get install firefox-esr`, elsewhere "
    f"put it at {PROGRAM}"
)
START_SECONDS = 60.0
END_SECONDS = 5.0
PR_SET_PDEATHSIG = 1
ADDRESS = re.compile(rb"WebDriver BiDi listening on (ws://\S+)")
# What concerns connections is left as it comes: addresses hide behind names (mDNS), and media to
# 127.0.0.1 are not sent at all.
PREFERENCES = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.autoplay.default": 0,
    "intl.accept_languages": "ja,en",
    "app.update.enabled": False,
    "browser.aboutwelcome.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.safebrowsing.downloads.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.enabled": False,
    "remote.prefs.recommended": True,
}
# The standard's private-use code points for keys without a character.
SPECIAL_KEYS = {
    "Control": "\ue009",
    "Alt": "\ue00a",
    "Shift": "\ue008",
    "Meta": "\ue03d",
    "Enter": "\ue007",
    "Escape": "\ue00c",
    "Tab": "\ue004",
    "Backspace": "\ue003",
    "ArrowUp": "\ue013",
    "ArrowDown": "\ue015",
    "ArrowLeft": "\ue012",
    "ArrowRight": "\ue014",
    "Space": " ",
}
# Firefox's own fake camera shows one colour at a time: small movements could not be told.
CAMERA = """
(() => {
  const devices = navigator.mediaDevices;
  if (!devices || devices.__moving) return;
  devices.__moving = true;
  const plain = devices.getUserMedia.bind(devices);
  const list = devices.enumerateDevices.bind(devices);
  // It does not list its fake devices; a real one is listed, without its name at first.
  devices.enumerateDevices = async () => {
    const found = await list();
    for (const kind of ["audioinput", "videoinput"]) {
      if (found.some((one) => one.kind === kind)) continue;
      found.push({ kind, deviceId: "", groupId: "", label: "" });
    }
    return found;
  };
  devices.getUserMedia = async (wanted) => {
    const stream = await plain(wanted);
    if (!wanted.video) return stream;
    for (const track of stream.getVideoTracks()) { stream.removeTrack(track); track.stop(); }
    const canvas = Object.assign(document.createElement("canvas"), { width: 1280, height: 720 });
    const pen = canvas.getContext("2d");
    let turn = 0;
    const draw = () => {
      turn += 1;
      pen.fillStyle = "#dfe7ef";
      pen.fillRect(0, 0, 1280, 720);
      pen.fillStyle = "#123456";
      pen.fillRect((turn * 12) % 1180, 200 + 80 * Math.sin(turn / 9), 120, 320);
      pen.fillStyle = "#000";
      pen.font = "40px sans-serif";
      pen.fillText(String(turn), 40, 60);
    };
    draw();
    const timer = setInterval(draw, 33);
    const [track] = canvas.captureStream(30).getVideoTracks();
    const stop = track.stop.bind(track);
    track.stop = () => { clearInterval(timer); stop(); };
    stream.addTrack(track);
    return stream;
  };
})();
"""
# Without a sound card Firefox never starts an AudioContext; this one runs and hears a steady tone.
EAR = """
(() => {
  const Plain = globalThis.AudioContext;
  if (!Plain || Plain.__hears) return;
  globalThis.AudioContext = class extends Plain {
    static __hears = true;
    get state() { return "running"; }
    resume() { return Promise.resolve(); }
    createAnalyser() {
      const analyser = super.createAnalyser();
      analyser.getFloatTimeDomainData = (samples) =>
        samples.forEach((_, at) => { samples[at] = 0.2 * Math.sin(at / 9); });
      return analyser;
    }
  };
})();
"""
PLACE = """(element) => {
  element.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
  const box = element.getBoundingClientRect();
  const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
  const top = document.elementFromPoint(x, y);
  const free = top !== null && (element.contains(top) || top.contains(element));
  return JSON.stringify({ x: Math.round(x), y: Math.round(y), free });
}"""


class FirefoxPage(Page):
    """A top-level browsing context."""

    def __init__(self, browser: "Firefox", context: str, user: str) -> None:
        self._browser = browser
        self._bidi = browser.bidi
        self._context = context
        self._user = user
        self.errors: list[str] = []
        self.console_errors: list[str] = []
        self._bidi.listen(self._on_event)

    def _on_event(self, method: str, params: dict[str, Any]) -> None:
        if method != "log.entryAdded" or params["source"].get("context") != self._context:
            return
        if params["level"] != "error":
            return
        found = self.errors if params["type"] == "javascript" else self.console_errors
        found.append(str(params["text"]))

    async def open(self, url: str) -> None:
        await self._send("browsingContext.activate")
        await self._send("browsingContext.navigate", url=url, wait="complete")

    async def reload(self) -> None:
        await self._send("browsingContext.reload", wait="complete")

    async def close(self) -> None:
        await self._send("browsingContext.close")

    async def end(self) -> None:
        await self._bidi.send("browser.removeUserContext", {"userContext": self._user})

    async def another(self) -> Page:
        return await self._browser.page_of(self._user)

    async def resize(self, width: int, height: int) -> None:
        await self._send("browsingContext.setViewport", viewport={"width": width, "height": height})

    async def screenshot(self, path: Path, *, whole: bool = False) -> None:
        taken = await self._send(
            "browsingContext.captureScreenshot", origin="document" if whole else "viewport"
        )
        await asyncio.to_thread(path.write_bytes, base64.b64decode(taken["data"]))

    async def click(self, selector: str, text: str | None = None) -> None:
        end = time.monotonic() + WITHIN_SECONDS
        await self._send("browsingContext.activate")
        while time.monotonic() < end:
            await self.until(f"{seen(selector, text)}.length > 0")
            where = f"({PLACE})({seen(selector, text)}[0])"
            try:
                before = json.loads(await self.evaluate(where) or "{}")
                still = json.loads(await self.evaluate(where) or "{}")
            except (ConnectionError, RuntimeError):
                continue
            if still.get("free") and still == before:
                await self._pointer(still["x"], still["y"])
                return
        raise NotSeen(f"{selector} {text} cannot be pressed: something lies over it or it moves")

    async def _pointer(self, x: int, y: int) -> None:
        steps = [
            {"type": "pointerMove", "x": x, "y": y},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        await self._send(
            "input.performActions", actions=[{"type": "pointer", "id": "hand", "actions": steps}]
        )

    async def press(self, keys: str) -> None:
        values = [SPECIAL_KEYS.get(key, key.lower()) for key in keys_of(keys)]
        downs = [{"type": "keyDown", "value": value} for value in values]
        ups = [{"type": "keyUp", "value": value} for value in reversed(values)]
        await self._keys(downs + ups)

    async def write(self, text: str) -> None:
        strokes = [
            {"type": kind, "value": letter} for letter in text for kind in ("keyDown", "keyUp")
        ]
        await self._keys(strokes)

    async def _keys(self, strokes: list[dict[str, str]]) -> None:
        await self._send(
            "input.performActions", actions=[{"type": "key", "id": "keys", "actions": strokes}]
        )

    async def set_file(self, selector: str, path: Path) -> None:
        found = await self._script(f"document.querySelector({json.dumps(selector)})")
        await self._send(
            "input.setFiles", element={"sharedId": found["sharedId"]}, files=[str(path)]
        )

    async def evaluate(self, source: str) -> str | None:
        value = await self._script(source)
        return None if value.get("type") == "undefined" else str(value["value"])

    async def _script(self, source: str) -> dict[str, Any]:
        try:
            given = await self._bidi.send(
                "script.evaluate",
                {
                    "expression": source,
                    "target": {"context": self._context},
                    "awaitPromise": True,
                    "userActivation": False,
                },
            )
        except BidiError as error:
            raise ConnectionError(str(error)) from error
        if given["type"] == "exception":
            raise RuntimeError(given["exceptionDetails"]["text"])
        return dict(given["result"])

    async def _send(self, method: str, **params: Any) -> dict[str, Any]:
        return await self._bidi.send(method, {"context": self._context, **params})


class Firefox(Browser):
    """A Firefox process; a seat is a user context of it, in a window of its own."""

    name = "firefox"

    def __init__(self, process: asyncio.subprocess.Process, bidi: Bidi) -> None:
        self._process = process
        self.bidi = bidi
        self._drain = asyncio.create_task(_drain(process))

    @classmethod
    async def start(cls, profile: Path) -> "Firefox":
        """Start it with a fresh profile in `profile`.

        Raises `RuntimeError` when Firefox is not installed.
        """
        _prepare(profile)
        process = await asyncio.create_subprocess_exec(
            PROGRAM,
            "--headless",
            "--no-remote",
            "--profile",
            profile,
            "--remote-debugging-port=0",
            "about:blank",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            preexec_fn=_end_with_parent,
            env=os.environ | {"HOME": str(profile), "MOZ_CRASHREPORTER_DISABLE": "1"},
        )
        bidi = await Bidi.connect(await _address(process))
        firefox = cls(process, bidi)
        await bidi.send("session.subscribe", {"events": ["log.entryAdded"]})
        for script in (INSTRUMENTS, CAMERA, EAR):
            declaration = f"() => {{ {script} }}"
            await bidi.send("script.addPreloadScript", {"functionDeclaration": declaration})
        return firefox

    async def seat(self, width: int, height: int) -> Page:
        user = (await self.bidi.send("browser.createUserContext", {}))["userContext"]
        page = await self.page_of(user)
        await page.resize(width, height)
        return page

    async def page_of(self, user: str) -> Page:
        """Return a new page of a user context."""
        # A tab behind another sleeps: each page is the front tab of its window.
        made = await self.bidi.send(
            "browsingContext.create", {"type": "window", "userContext": user}
        )
        return FirefoxPage(self, made["context"], user)

    async def close(self) -> None:
        await self.bidi.close()
        # The session is the process's own: its children end with it.
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), END_SECONDS)
                break
        await self._drain


def _end_with_parent() -> None:
    """Have the kernel end this process when the one that started it is gone, however it went."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _prepare(profile: Path) -> None:
    """Write a fresh profile. Raises `RuntimeError` when there is no Firefox to use it."""
    if not PROGRAM.exists():
        raise RuntimeError(MISSING)
    profile.mkdir(parents=True)
    lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});\n" for k, v in PREFERENCES.items()]
    (profile / "user.js").write_text("".join(lines), "utf-8")


async def _address(process: asyncio.subprocess.Process) -> str:
    """Return where Firefox says that it listens."""
    stream = process.stderr
    async with asyncio.timeout(START_SECONDS):
        while stream is not None and (line := await stream.readline()):
            found = ADDRESS.search(line)
            if found:
                return found[1].decode()
    raise RuntimeError("Firefox ended before it listened")


async def _drain(process: asyncio.subprocess.Process) -> None:
    """Read what Firefox writes, or it would stop writing."""
    while process.stderr is not None and await process.stderr.read(65536):
        pass
