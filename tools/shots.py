"""Pictures of every page in every state, in both languages and in the sizes of the devices.

    .venv/bin/python tools/shots.py [--out shots] [--only counter-call] [--browser firefox]

The real service runs, with a real browser at both ends. A picture is named
SCENE-LANGUAGE-WIDTHxHEIGHT; `findings.txt` beside them says what axe and layout.js find,
contrasts that axe could not tell marked by a question mark.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.browsers.chromium import Chromium
from tools.browsers.firefox import Firefox
from tools.browsers.page import Browser
from tools.tour.looks import axe, forms, measure
from tools.tour.report import SIZES
from tools.tour.scene import Scene
from tools.tour.tour import walk


async def start(name: str, folder: Path) -> Browser:
    """Return a running browser. Raises `RuntimeError` when it is not installed."""
    if name == "firefox":
        return await Firefox.start(folder / "profile")
    return await Chromium.start(folder)


async def take(name: str, out: Path, only: str) -> None:
    """Write the pictures of the scenes whose names begin with `only`."""
    findings: list[str] = []

    async def visit(scene: Scene) -> None:
        if not scene.name.startswith(only):
            return
        print(scene.name, flush=True)
        sizes = SIZES[scene.role]
        async for language, size in forms(scene.page, sizes):
            picture = f"{scene.name}-{language}-{size[0]}x{size[1]}"
            await scene.page.screenshot(out / f"{picture}.png")
            found = await measure(scene.page, scene.role)
            if size == sizes[0]:
                found += await axe(scene.page)
            findings.extend(f"{picture}: {kind}: {what}" for kind, what in found)
            (out / "findings.txt").write_text("\n".join(findings) + "\n", "utf-8")

    with tempfile.TemporaryDirectory() as folder:
        browser = await start(name, Path(folder))
        try:
            await walk(browser, Path(folder), visit)
        finally:
            await browser.close()
    print(f"{len(findings)} findings")


def main() -> None:
    """Run by hand."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("shots"), help="folder for the pictures")
    parser.add_argument("--only", default="", help="scenes whose names begin with this")
    parser.add_argument("--browser", choices=("chromium", "firefox"), default="chromium")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    asyncio.run(take(given.browser, given.out, given.only))


if __name__ == "__main__":
    main()
