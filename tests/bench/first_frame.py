"""How soon after 応対する each side sees the other, on the real pages in Chromium.

    .venv/bin/python -m tests.bench.first_frame [--runs 5] [--ring-seconds 2]

Each run signs a counter and a desk in, places a call, lets it ring, and presses 応対する. Prints
one JSON object: for desk and counter, in milliseconds from the press (the event's own time), the
first frame decoded (MediaStreamTrackProcessor, read in a thread of its own), the first shown
(requestVideoFrameCallback, so laying out and drawing the page of the call are in it), when a frame
of 1280x720 was first shown, and each run's values. The cameras are Chromium's, fed from a file of
1280x720; the desk's is opened by the press, the counter's has been on since the resident's yes.
Both pages encode, decode and draw in software on the cores that the service has too.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from server.bench.processes import load_average
from tools.browsers.chromium import Chromium, ChromiumPage
from tools.browsers.people import Pair, Seat, sit_down
from tools.browsers.service import RunningService

Json = dict[str, Any]
LOOPBACK = "127.0.0.1"
WITHIN_SECONDS = 20.0
QUIET_SECONDS = 1.5  # asking the pages takes of the time that is measured
FULL = (1280, 720)
# Before the pages connect: the decoder's first picture is seen whether or not it is drawn, and by a
# thread of its own, since the page's is busy with drawing the call just then.
WATCHER = "bench-watcher.js"
WATCHER_SOURCE = """
onmessage = async ({ data }) => {
  const { value } = await data.getReader().read();
  if (!value) return;
  postMessage(performance.timeOrigin + performance.now());
  value.close();
};
"""
DECODED = """
(() => {
  const add = RTCPeerConnection.prototype.addTransceiver;
  const watcher = new Worker("/bench-watcher.js");
  globalThis.__decoded = null;
  watcher.onmessage = ({ data }) => (globalThis.__decoded ??= data);
  RTCPeerConnection.prototype.addTransceiver = function (...how) {
    const transceiver = add.apply(this, how);
    const { track } = transceiver.receiver;
    if (track.kind === "video") {
      const { readable } = new MediaStreamTrackProcessor({ track });
      watcher.postMessage(readable, [readable]);
    }
    return transceiver;
  };
  return true;
})()
"""
# The video may be drawn anew while a call begins: whichever is there is watched.
WATCH = """
(() => {
  const clock = () => performance.timeOrigin + performance.now();
  const times = globalThis.__times = { pressed: null, first: null, full: null, sizes: [] };
  addEventListener("click", (e) => {
    if (e.target.closest(".ringing button.primary")) {
      times.pressed = performance.timeOrigin + e.timeStamp;
    }
  }, { capture: true });
  const watched = new WeakSet();
  const watch = (video) => {
    watched.add(video);
    const onFrame = (_, frame) => {
      times.first ??= clock();
      const size = `${frame.width}x${frame.height}`;
      if (times.sizes.at(-1)?.[1] !== size) times.sizes.push([clock(), size]);
      if (frame.width >= %d && frame.height >= %d) times.full ??= clock();
      if (times.full === null) video.requestVideoFrameCallback(onFrame);
    };
    video.requestVideoFrameCallback(onFrame);
  };
  const look = setInterval(() => {
    for (const video of document.querySelectorAll(%s)) if (!watched.has(video)) watch(video);
    if (times.full !== null) clearInterval(look);
  }, 4);
  return true;
})()
"""


async def main() -> int:
    """Run the calls and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="calls, 1 to 50")
    parser.add_argument("--ring-seconds", type=float, default=2, help="from 呼出 to 応対する")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        service = RunningService(folder / "service", media_host=LOOPBACK)
        await service.start()
        browser = await Chromium.start(folder)
        try:
            runs = []
            for number in range(options.runs):
                town = await service.town(f"frame-{number}")
                pair = await sit_down(browser, browser, town, service.base_url)
                runs.append(await _once(pair, options.ring_seconds))
                await pair.end()
                print(f"run {number + 1}: {runs[-1]}", file=sys.stderr, flush=True)
        finally:
            await browser.close()
            await service.stop()
    json.dump(_report(runs), sys.stdout)
    print()
    return 0


async def _once(pair: Pair, ring_seconds: float) -> Json:
    for seat in pair.both:
        await _watch_decoder(seat)
    await pair.desk.be_open()
    await pair.counter.place()
    await pair.desk.page.until_seen(pair.desk.say("queue.accept"), ".ringing button.primary")
    await asyncio.sleep(ring_seconds)
    for seat in pair.both:
        await seat.page.eval(WATCH % (*FULL, json.dumps(seat.picture)))
    await pair.desk.page.click(".ringing button.primary", pair.desk.say("queue.accept"))
    await asyncio.sleep(QUIET_SECONDS)
    counter, desk = await asyncio.gather(*(_times(seat) for seat in pair.both))
    pressed = desk["pressed"]
    if pressed is None:
        raise RuntimeError("the press of 応対する was not seen")
    return {
        seat: {
            "decoded_ms": round(times["decoded"] - pressed, 1),
            "first_ms": round(times["first"] - pressed, 1),
            "full_ms": round(times["full"] - pressed, 1),
            "sizes": [[round(at - pressed), size] for at, size in times["sizes"]],
        }
        for seat, times in (("desk", desk), ("counter", counter))
    } | {"machine_load": load_average()}


async def _watch_decoder(seat: Seat) -> None:
    if not isinstance(seat.page, ChromiumPage):
        raise TypeError("only Chromium gives the frames of a track")
    await seat.page.plain.route(
        f"**/{WATCHER}",
        lambda route: route.fulfill(body=WATCHER_SOURCE, content_type="text/javascript"),
    )
    await seat.page.eval(DECODED)


async def _times(seat: Seat) -> Json:
    seen = "__times.full && __decoded && ({ ...__times, decoded: __decoded })"
    return dict(await seat.page.until(seen, seconds=WITHIN_SECONDS))


def _report(runs: list[Json]) -> Json:
    def spread(seat: str, name: str) -> Json:
        values = [run[seat][name] for run in runs]
        return {"median": statistics.median(values), "max": max(values)}

    return {
        seat: {name: spread(seat, name) for name in ("decoded_ms", "first_ms", "full_ms")}
        for seat in ("desk", "counter")
    } | {"runs": runs}


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
