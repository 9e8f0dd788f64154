"""What is ready before the answer, with nothing on and nothing sent; and the codec it goes in."""

import pytest

from tools.browsers.people import Pair, Seat

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]

OPEN = "__peers.filter((peer) => peer.connectionState !== 'closed')"
CONNECTED = f"{OPEN}.length === 1 && {OPEN}[0].connectionState === 'connected'"
TRACKS = f"{OPEN}[0].getSenders().filter((sender) => sender.track).length"
SENT = f"""{OPEN}[0].getStats().then((all) => [...all.values()]
  .filter((r) => r.type === "outbound-rtp").reduce((sum, r) => sum + r.packetsSent, 0))"""
CODECS = f"""{OPEN}[0].getStats().then((all) => {{
  const used = [...all.values()].filter((r) => /bound-rtp$/.test(r.type)
    && !r.type.startsWith("remote") && r.kind === "video" && r.codecId);
  const names = used.map((r) => all.get(r.codecId).mimeType);
  return used.length === 2 ? [...new Set(names)].join() : null; }})"""


async def _idle(seat: Seat) -> None:
    """Wait for the connection and claim that nothing is on it."""
    await seat.page.until(CONNECTED)
    assert await seat.page.eval(TRACKS) == 0
    assert await seat.page.eval(SENT) == 0


async def test_both_ends_are_connected_before_the_answer_and_nothing_is_on_before_it(
    pair: Pair,
) -> None:
    counter, desk = pair.counter, pair.desk
    await desk.be_open()
    await _idle(desk)
    await counter.to_consent()
    assert await counter.page.eval("__asked") == 0
    assert await counter.page.eval("__peers.length") == 0
    await counter.consent()
    await _idle(counter)
    assert await desk.page.eval("__asked") == 0
    before = [await seat.page.eval("__peers.length") for seat in pair.both]
    await desk.accept()
    await pair.until_moving()
    assert [await seat.page.eval("__peers.length") for seat in pair.both] == before
    await desk.decide("returned")
    await counter.until_says("result.returned.title")
    await desk.page.until(f"__peers.length === {before[pair.both.index(desk)] + 1} && {CONNECTED}")
    assert await desk.page.eval(TRACKS) == 0
    await counter.page.until(f"{OPEN}.length === 0")


@pytest.mark.parametrize("browser", ["chromium"], indirect=True)
async def test_pictures_go_in_h264_when_the_tablet_makes_it_and_both_browsers_have_it(
    pair: Pair,
) -> None:
    page = pair.counter.page
    await page.eval("localStorage.setItem('hardware', 'yes')")
    await page.reload()
    await pair.counter.until_ready()
    has = await page.eval(
        "RTCRtpSender.getCapabilities('video').codecs.some((c) => c.mimeType === 'video/H264')"
    )
    await pair.talk()
    await pair.until_moving()
    expected = "video/H264" if has else "video/VP8"
    for seat in pair.both:
        await seat.page.until(f"{CODECS}.then((codec) => codec === '{expected}')")
