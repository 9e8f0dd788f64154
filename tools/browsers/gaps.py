"""How long media stood still at a page: the longest time between two looks that saw packets."""

from tools.browsers.page import Page

# Chromium answers getStats from a cache of 50 ms: a gap is known to within that.
WATCH = """(() => {
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  const count = async () => {
    let sum = 0;
    for (const peer of __peers) {
      if (peer.connectionState === "closed") continue;
      for (const report of (await peer.getStats()).values()) {
        if (report.type === "inbound-rtp") sum += report.packetsReceived ?? 0;
      }
    }
    return sum;
  };
  if (globalThis.__gap) globalThis.__gap.on = false;
  const gap = { on: true, longest: 0, last: performance.now(), seen: -1, looks: 0 };
  globalThis.__gap = gap;
  (async () => {
    while (gap.on) {
      const seen = await count();
      const now = performance.now();
      gap.looks += 1;
      if (seen !== gap.seen) {
        if (gap.seen >= 0) gap.longest = Math.max(gap.longest, now - gap.last);
        gap.seen = seen;
        gap.last = now;
      }
      await pause(10);
    }
  })();
})()"""
NOW = "({ longest: __gap.longest, open: performance.now() - __gap.last, looks: __gap.looks })"


async def watch_gaps(page: Page) -> None:
    """Look at the page's media from now on; what was seen before is forgotten."""
    await page.eval(f"void {WATCH}")


async def longest_gap_seconds(page: Page) -> float:
    """Return the longest gap since `watch_gaps`, one that goes on included."""
    seen = await page.eval(NOW)
    return float(max(seen["longest"], seen["open"])) / 1000


async def until_gap_is_over(page: Page, *, over_ms: float = 300) -> None:
    """Wait until a gap longer than `over_ms` has begun and ended."""
    await page.until(f"__gap.longest > {over_ms} && performance.now() - __gap.last < 200")
