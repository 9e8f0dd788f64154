"""Gaps in the media when a path changes under a call.

    sudo .venv/bin/python -m tests.bench.moves [--browser chromium|firefox] [--runs 3]

The counter's page sits in a network namespace behind a router (TUN bridge), service and desk in
another; the pages are the product's own and talk to the service around the bad line. Three changes:
the router forgets its ports (`nat`); the counter's machine goes over to its second network, which
was up (`address`); it has a new address from one moment to the next (`sudden`), of which Chromium
itself hears only after about 2 s. Prints one JSON object on standard output: for each, the longest
time without a packet at either end, in seconds, of every run and the median. Needs root. A look is
50 ms wide.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from tools.browsers.chromium import Chromium
from tools.browsers.firefox import Firefox
from tools.browsers.gaps import longest_gap_seconds, watch_gaps
from tools.browsers.page import Browser
from tools.browsers.people import Pair, sit_down
from tools.browsers.service import RunningService
from tools.netns.link import Link
from tools.netns.space import NotPossible

AFTER_SECONDS = 6.0
# Chromium looks at the networks of its machine every 2 s.
KNOWN_SECONDS = 3.0
CHANGES = ("nat", "address", "sudden")


async def main() -> int:
    """Run and return the exit code."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        try:
            gaps = await _measure(options, Path(folder))
        except NotPossible as why:
            print(why, file=sys.stderr)
            return 2
    report: dict[str, Any] = {"browser": options.browser, "load": os.getloadavg()[0]}
    for change, runs in gaps.items():
        report[change] = {"median_seconds": statistics.median(runs), "runs_seconds": runs}
    print(json.dumps(report))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--browser", choices=("chromium", "firefox"), default="chromium")
    parser.add_argument("--runs", type=int, default=3, help="of each change, 1 to 20")
    return parser.parse_args()


async def _measure(options: argparse.Namespace, folder: Path) -> dict[str, list[float]]:
    link = await Link.open(nat=True)
    service = RunningService(folder / "service", media_host=link.server_address, within=link.server)
    browsers: list[Browser] = []
    try:
        await service.start()
        with link.client.inside():
            browsers.append(await _start(options.browser, folder / "near"))
        with link.server.inside():
            browsers.append(await _start("chromium", folder / "far"))
        base_url = await link.door(service.port)
        pair = await sit_down(
            browsers[0], browsers[1], await service.town("moves"), base_url, service.base_url
        )
        await pair.talk()
        await pair.until_moving()
        gaps = {
            change: [await _gap(link, pair, change, run) for run in range(options.runs)]
            for change in CHANGES
        }
        await pair.end()
        return gaps
    finally:
        for browser in browsers:
            await browser.close()
        await service.stop()
        await link.close()


async def _start(name: str, folder: Path) -> Browser:
    folder.mkdir()
    return await (Chromium.start(folder) if name == "chromium" else Firefox.start(folder / "p"))


async def _gap(link: Link, pair: Pair, change: str, run: int) -> float:
    """Change the path once; return the longest gap at either end, rounded to ms."""
    pages = [seat.page for seat in pair.both]
    for page in pages:
        await watch_gaps(page)
    address = f"10.77.1.{50 + 10 * CHANGES.index(change) + run}"
    if change == "address":
        link.add_client_address(address)
    await asyncio.sleep(KNOWN_SECONDS)
    if change == "nat":
        await link.rebind(f"198.51.100.{50 + run}")
    else:
        link.move(address)
    await asyncio.sleep(AFTER_SECONDS)
    found = [await longest_gap_seconds(page) for page in pages]
    print(f"{change}: {found}", file=sys.stderr)
    return round(max(found), 3)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
