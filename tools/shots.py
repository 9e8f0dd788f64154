"""Writes a picture of every page and state, for people to look at.

    .venv/bin/python -m tools.shots [FOLDER] [--browser firefox] [--language en]

Without options: both languages in Chromium, into `shots/`. Real service, real calls.
"""

import argparse
import asyncio
import tempfile
from pathlib import Path

from tools.browsers.chromium import Chromium
from tools.browsers.firefox import Firefox
from tools.browsers.page import Browser
from tools.browsers.service import RunningService
from tools.browsers.tour import Stop, Tour

# The last one is what the walk goes on with.
SIZES = {
    "counter": [(1366, 1024), (810, 1080), (1024, 1366)],
    "desk": [(1920, 1080), (1366, 768)],
}


async def start(name: str, folder: Path) -> Browser:
    """Return a running browser."""
    if name == "firefox":
        return await Firefox.start(folder / "profile")
    return await Chromium.start(folder)


async def shoot(stop: Stop, number: int, folder: Path) -> None:
    """Write the pictures of one stop, one for each size."""
    for width, height in SIZES[stop.kind]:
        await stop.page.resize(width, height)
        await stop.page.until(f"innerWidth === {width} && innerHeight === {height}")
        await stop.page.eval("new Promise((done) => requestAnimationFrame(() => done(null)))")
        name = f"{number:02d}-{stop.kind}-{stop.name}-{width}x{height}.png"
        await stop.page.screenshot(folder / name)


async def main(name: str, languages: list[str], folder: Path) -> None:
    """Walk once for each language."""
    with tempfile.TemporaryDirectory() as given:
        aside = Path(given)
        service = RunningService(aside / "service")
        await service.start()
        browser = await start(name, aside)
        try:
            for language in languages:
                into = folder / language
                into.mkdir(parents=True, exist_ok=True)
                number = 0
                town = await service.town(f"shots-{language}")
                async for stop in Tour(browser, service, town, aside).walk(language):
                    number += 1
                    await shoot(stop, number, into)
                print(f"{number} stops in {into}")
        finally:
            await browser.close()
            await service.stop()


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", nargs="?", type=Path, default=Path("shots"))
    options.add_argument("--browser", choices=("chromium", "firefox"), default="chromium")
    options.add_argument("--language", choices=("ja", "en"), action="append")
    chosen = options.parse_args()
    asyncio.run(main(chosen.browser, chosen.language or ["ja", "en"], chosen.folder))
