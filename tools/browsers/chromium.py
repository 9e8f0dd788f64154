"""Chromium by playwright. The camera shows a moving figure out of a file."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.async_api import Browser as PlaywrightBrowser
from playwright.async_api import (
    BrowserContext,
    ConsoleMessage,
    Error,
    JSHandle,
    Playwright,
    async_playwright,
)
from playwright.async_api import Page as PlaywrightPage
from playwright.async_api import TimeoutError as PlaywrightTimeout

from tools.browsers.camera import write_film, write_tone
from tools.browsers.page import INSTRUMENTS, WITHIN_SECONDS, Browser, NotSeen, Page, seen

PROGRAM = Path("/usr/bin/chromium")
MISSING = (
    "chromium is missing: on Debian install it with `apt-get install chromium`, elsewhere put it "
    f"at {PROGRAM}"
)
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
FAKE_DEVICES = "--use-fake-device-for-media-stream"
ALLOW_DEVICES = "--use-fake-ui-for-media-stream"
# A page that has gone away while it was asked.
GONE = ("Execution context was destroyed", "navigat", "Target closed", "has been closed")


class ChromiumPage(Page):
    """A page of a playwright context."""

    def __init__(self, context: BrowserContext, page: PlaywrightPage) -> None:
        self._context = context
        self.plain = page
        self.errors: list[str] = []
        self.console_errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._on_console)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.console_errors.append(message.text)

    async def open(self, url: str) -> None:
        await self.plain.goto(url)

    async def reload(self) -> None:
        await self.plain.reload()

    async def close(self) -> None:
        await self.plain.close()

    async def end(self) -> None:
        await self._context.close()

    async def another(self) -> Page:
        return ChromiumPage(self._context, await self._context.new_page())

    async def resize(self, width: int, height: int) -> None:
        await self.plain.set_viewport_size({"width": width, "height": height})

    async def screenshot(self, path: Path, *, whole: bool = False) -> None:
        await self.plain.screenshot(path=path, full_page=whole)

    async def click(self, selector: str, text: str | None = None) -> None:
        await self.until(f"{seen(selector, text)}.length > 0")
        element = (await self._handle(f"{seen(selector, text)}[0]")).as_element()
        if element is None:
            raise NotSeen(f"{selector} {text} is gone again")
        try:
            await element.click(timeout=WITHIN_SECONDS * 1000)
        except PlaywrightTimeout as error:
            raise NotSeen(f"{selector} {text} cannot be pressed: {error}") from error
        except Error as error:
            if "not attached" not in str(error):
                raise
            await self.click(selector, text)  # it was drawn anew in between

    async def press(self, keys: str) -> None:
        await self.plain.keyboard.press(keys)

    async def write(self, text: str) -> None:
        await self.plain.keyboard.insert_text(text)

    async def set_file(self, selector: str, path: Path) -> None:
        await self.plain.locator(selector).first.set_input_files(path)

    async def evaluate(self, source: str) -> str | None:
        try:
            value: str | None = await self.plain.evaluate(source)
        except Error as error:
            if any(part in error.message for part in GONE):
                raise ConnectionError(error.message) from error
            raise RuntimeError(error.message) from error
        return value

    async def _handle(self, expression: str) -> JSHandle:
        return await self.plain.evaluate_handle(expression)


class Chromium(Browser):
    """A Chromium process; a seat is a context of it."""

    name = "chromium"

    def __init__(self, playwright: Playwright, browser: PlaywrightBrowser) -> None:
        self._playwright = playwright
        self._browser = browser

    @classmethod
    async def start(
        cls, folder: Path, devices: Sequence[str] = (FAKE_DEVICES, ALLOW_DEVICES)
    ) -> "Chromium":
        """Start it. `devices` without the second denies the camera, without both there is none.

        `folder` keeps what camera and microphone give.
        Raises `RuntimeError` when Chromium is not installed.
        """
        _require()
        film = await asyncio.to_thread(write_film, folder / "film.mjpeg")
        tone = await asyncio.to_thread(write_tone, folder / "tone.wav")
        args = [*QUIET, *devices]
        args.append(f"--use-file-for-fake-video-capture={film}")
        args.append(f"--use-file-for-fake-audio-capture={tone}")
        playwright = await async_playwright().start()
        browser = await playwright.chromium.launch(executable_path=PROGRAM, args=args)
        return cls(playwright, browser)

    async def seat(self, width: int, height: int) -> Page:
        options: dict[str, Any] = {"locale": "ja-JP", "timezone_id": "Asia/Tokyo"}
        context = await self._browser.new_context(
            viewport={"width": width, "height": height}, **options
        )
        await context.add_init_script(INSTRUMENTS)
        return ChromiumPage(context, await context.new_page())

    async def close(self) -> None:
        await self._browser.close()
        await self._playwright.stop()


def _require() -> None:
    if not PROGRAM.exists():
        raise RuntimeError(MISSING)
