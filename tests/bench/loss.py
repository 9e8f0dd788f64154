"""What is seen and heard over a line that loses packets, delays them or is narrow.

    sudo .venv/bin/python -m tests.bench.loss [--browser chromium|firefox] [--loss 0.05,0.1,0.2]
        [--seconds 60] [--delay 0.05] [--rate 500000] [--burst 5] [--seed 7]

The counter's page sits in a network namespace behind the line (TUN bridge), service and desk in
another; the pages are the product's own and talk to the service around the line. Loss and delay are
those of each way. Prints one JSON object a line: for each loss, what the desk received of the
counter (`up`) and what the counter received of the desk (`down`): freezes over 500 ms, gaps in the
sound over 200 ms (nine tenths of what was played made up), the share of the sound that was made up,
pictures shown a second, repairs. Needs root.
"""

import argparse
import asyncio
import dataclasses
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from tools.browsers.chromium import Chromium
from tools.browsers.firefox import Firefox
from tools.browsers.page import Browser
from tools.browsers.people import Pair, sit_down
from tools.browsers.service import RunningService
from tools.browsers.smooth import told, watch
from tools.netns.faults import Fault
from tools.netns.link import Link
from tools.netns.space import NotPossible

SETTLING_SECONDS = 5.0


async def main() -> int:
    """Run and return the exit code."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        try:
            await _measure(options, Path(folder))
        except NotPossible as why:
            print(why, file=sys.stderr)
            return 2
    return 0


def _numbers(text: str) -> list[float]:
    return [float(x) for x in text.split(",")]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--browser", choices=("chromium", "firefox"), default="chromium")
    parser.add_argument("--loss", type=_numbers, default=[0.05, 0.1, 0.2], help="shares, 0 to 1")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--delay", type=float, default=0.05, help="seconds, one way")
    parser.add_argument("--rate", type=float, default=None, help="bit/s of the way to the counter")
    parser.add_argument("--burst", type=float, default=None, help="packets lost in a row")
    parser.add_argument("--seed", type=int, default=7)
    return parser.parse_args()


async def _measure(options: argparse.Namespace, folder: Path) -> None:
    link = await Link.open(seed=options.seed)
    service = RunningService(folder / "service", media_host=link.server_address, within=link.server)
    browsers: list[Browser] = []
    try:
        await service.start()
        with link.client.inside():
            browsers.append(await _start(options.browser, folder / "near"))
        with link.server.inside():
            browsers.append(await _start("chromium", folder / "far"))
        base_url = await link.door(service.port)
        town = await service.town("loss")
        pair = await sit_down(browsers[0], browsers[1], town, base_url, service.base_url)
        await pair.talk()
        await pair.until_moving()
        for loss in options.loss:
            print(json.dumps(await _one(link, pair, loss, options)), flush=True)
        await pair.end()
    finally:
        for browser in browsers:
            await browser.close()
        await service.stop()
        await link.close()


async def _start(name: str, folder: Path) -> Browser:
    folder.mkdir()
    return await (Chromium.start(folder) if name == "chromium" else Firefox.start(folder / "p"))


async def _one(link: Link, pair: Pair, loss: float, options: argparse.Namespace) -> dict[str, Any]:
    bad = Fault(delay_seconds=options.delay, loss=loss, burst=options.burst)
    await link.set(up=bad, down=dataclasses.replace(bad, rate_bps=options.rate, queue_seconds=1.0))
    await asyncio.sleep(SETTLING_SECONDS)
    for seat in pair.both:
        await watch(seat.page, seat.picture)
    await asyncio.sleep(options.seconds)
    down, up = [dataclasses.asdict(await told(seat.page)) for seat in pair.both]
    load = round(os.getloadavg()[0], 1)
    return {"loss": loss, "delay": options.delay, "load": load, "up": up, "down": down}


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
