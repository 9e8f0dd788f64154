"""How smoothly a page shows and plays what it receives: watched frame by frame, and by getStats."""

import json
from dataclasses import dataclass

from tools.browsers.page import Page

LOOK_MS = 50
# `__smooth` begins to watch; `__smooth.end()` tells. A pause of the picture is the time between two
# frames that were shown; one of the sound is how long nine tenths of what was played were made up.
WATCH = """(() => {
  const video = __seen(%s, null)[0];
  const pauses = [];
  const gaps = [];
  let shown = 0;
  let last = performance.now();
  let running = true;
  const frame = () => {
    const now = performance.now();
    pauses.push(now - last);
    last = now;
    shown += 1;
    if (running) video.requestVideoFrameCallback(frame);
  };
  video.requestVideoFrameCallback(frame);
  const read = async () => {
    const open = __peers.filter((peer) => peer.connectionState !== "closed").at(-1);
    const all = [...(await open.getStats()).values()];
    const of = (kind) => all.find((r) => r.type === "inbound-rtp" && r.kind === kind) ?? {};
    return { audio: of("audio"), video: of("video") };
  };
  const begun = performance.now();
  let first = null;
  let before = null;
  let madeUp = 0;
  const look = async () => {
    const { audio } = await read();
    if (before) {
      const played = (audio.totalSamplesReceived ?? 0) - (before.totalSamplesReceived ?? 0);
      const made = (audio.concealedSamples ?? 0) - (before.concealedSamples ?? 0);
      if (played > 0 && made > 0.9 * played) madeUp += played / 48;
      else if (played > 0) {
        if (madeUp) gaps.push(madeUp);
        madeUp = 0;
      }
    }
    before = audio;
    if (running) setTimeout(look, %d);
  };
  globalThis.__smooth = {
    begin: read().then((found) => (first = found)).then(look),
    end: async () => {
      running = false;
      const now = await read();
      pauses.push(performance.now() - last);
      if (madeUp) gaps.push(madeUp);
      const grown = (kind, name) => (now[kind][name] ?? 0) - (first[kind][name] ?? 0);
      const share = (part, of) => grown("audio", part) / Math.max(1, grown("audio", of));
      const seconds = (performance.now() - begun) / 1000;
      return {
        seconds, shown, pauses, gaps,
        width: now.video.frameWidth ?? 0,
        kbps: grown("video", "bytesReceived") / 125 / seconds,
        video_asked: grown("video", "nackCount"),
        video_lost: grown("video", "packetsLost"),
        audio_lost: grown("audio", "packetsLost"),
        audio_packets: grown("audio", "packetsReceived"),
        audio_asked: grown("audio", "nackCount"),
        audio_fec: grown("audio", "fecPacketsReceived"),
        made_up: share("concealedSamples", "totalSamplesReceived"),
        delay_ms: 1000 * share("jitterBufferDelay", "jitterBufferEmittedCount"),
      };
    },
  };
  return __smooth.begin.then(() => true);
})()"""


@dataclass(frozen=True, slots=True)
class Smoothness:
    """What one end saw and heard of the other. `made_up` is a share of the sound, 0 to 1."""

    freezes: int
    longest_freeze_ms: int
    audio_gaps: int
    longest_audio_gap_ms: int
    made_up: float
    pictures_per_second: float
    width: int
    kbps: int
    video_asked: int
    video_lost: int
    audio_lost: int
    audio_packets: int
    audio_asked: int
    audio_fec: int
    delay_ms: int


async def watch(page: Page, picture: str) -> None:
    """Begin to watch the video that the selector `picture` finds, and the sound with it."""
    await page.eval(WATCH % (json.dumps(picture), LOOK_MS))


async def told(page: Page, *, freeze_ms: float = 500, gap_ms: float = 200) -> Smoothness:
    """Stop watching and return what there was."""
    found = await page.eval("__smooth.end()")
    pauses, gaps = found["pauses"], found["gaps"]
    return Smoothness(
        freezes=sum(x > freeze_ms for x in pauses),
        longest_freeze_ms=round(max(pauses)),
        audio_gaps=sum(x > gap_ms for x in gaps),
        longest_audio_gap_ms=round(max(gaps, default=0)),
        made_up=round(found["made_up"], 4),
        pictures_per_second=round(found["shown"] / found["seconds"], 1),
        width=found["width"],
        kbps=round(found["kbps"]),
        video_asked=found["video_asked"],
        video_lost=found["video_lost"],
        audio_lost=found["audio_lost"],
        audio_packets=found["audio_packets"],
        audio_asked=found["audio_asked"],
        audio_fec=found["audio_fec"],
        delay_ms=round(found["delay_ms"]),
    )
