"""Models of a browser that sends a camera's picture, and of one that watches it.

They know what matters to whoever steers the rate between them: how fast an encoder follows, how
big its keyframes are, when a receiver asks again, and what a receiver's own estimate (REMB) says.
Numbers are those of Chromium at 1280x720 as far as they were seen.
"""

import random
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from media.sent import Feedback
from media.trend import Trend
from tests.bench.line import Clock

AUDIO_BYTES, AUDIO_SECONDS = 130, 0.02  # 32 kbit/s of Opus and its headers
PACKET_BYTES, HEADER_BYTES = 1150, 60
START_BPS, CEILING_BPS = 1_500_000, 2_500_000
MAX_ASKS = 10
LEAST_FRAME_BYTES = 2_200  # of 720p, as blurred as an encoder makes it
LAYERS = (0, 2, 1, 2)  # temporal layers of L1T3
LAYER_WEIGHTS = (1.7, 0.7, 0.9, 0.7)


@dataclass(slots=True)
class Packet:
    """One packet on its way; `frame` is -1 for sound."""

    frame: int
    index: int
    last: bool
    keyframe: bool
    layer: int
    size: int
    number: int = 0  # within its stream, closed up by the server
    wide: int = -1  # transport-wide
    sent_at: float = 0.0


class Camera:
    """Sends pictures and sound to `emit`; obeys `cap_bps` and `want_keyframe`."""

    def __init__(self, clock: Clock, seed: int, emit: Callable[[Packet], None]) -> None:
        self._clock = clock
        self._random = random.Random(seed)
        self._emit = emit
        self.cap_bps: int | None = None
        self.video_bps = 0.0
        self._own = float(START_BPS)
        self._frame = 0
        self._in_group = 0
        self._keyframe = True
        clock.every(0.1, self._adapt)
        clock.every(AUDIO_SECONDS, self._sound)
        clock.at(0.0, self._picture)

    def want_keyframe(self) -> None:
        self._keyframe = True

    def _adapt(self) -> None:
        """Follow the cap within some 300 ms; rise by 8 % a second on a clean uplink."""
        if self.video_bps > 0.6 * self._own:
            self._own = min(CEILING_BPS, self._own * 1.08**0.1)
        audio = AUDIO_BYTES * 8 / AUDIO_SECONDS
        target = self._own if self.cap_bps is None else min(self._own, self.cap_bps)
        goal = max(30_000.0, target - audio)
        self.video_bps += (goal - self.video_bps) * (0.35 if self.video_bps else 1.0)

    def _sound(self) -> None:
        self._emit(Packet(-1, 0, True, False, 0, AUDIO_BYTES))

    def _picture(self) -> None:
        rate = self.video_bps or START_BPS
        pictures_per_second = min(30.0, max(1.0, rate / (8 * LEAST_FRAME_BYTES)))
        size = rate / 8 / pictures_per_second * self._random.lognormvariate(-0.03, 0.25)
        if self._keyframe:
            self._in_group, layer = 0, 0
            size = max(9_000.0, 5 * size)
        else:
            layer = LAYERS[self._in_group % 4]
            size = max(600.0, size * LAYER_WEIGHTS[self._in_group % 4])
        keyframe, self._keyframe = self._keyframe, False
        for packet in self._cut(int(size), layer, keyframe):
            self._clock.at(self._clock.now + packet.index * 0.003, lambda p=packet: self._emit(p))  # type: ignore[misc]
        self._frame += 1
        self._in_group += 1
        self._clock.at(self._clock.now + 1 / pictures_per_second, self._picture)

    def _cut(self, size: int, layer: int, keyframe: bool) -> Iterator[Packet]:
        count = -(-size // PACKET_BYTES)
        for index in range(count):
            part = min(PACKET_BYTES, size - index * PACKET_BYTES) + HEADER_BYTES
            yield Packet(self._frame, index, index == count - 1, keyframe, layer, part)


class ReceiverEstimate:
    """What a browser says by REMB: nothing for five seconds, then from what it is sent."""

    def __init__(self) -> None:
        self._trend = Trend()
        self._arrived: deque[tuple[float, int]] = deque()
        self._bps: float | None = None
        self._at = self._cut_at = 0.0
        self.fell = False

    def take(self, packet: Packet, now: float) -> None:
        self._arrived.append((now, packet.size))
        while self._arrived[0][0] < now - 0.5:
            self._arrived.popleft()
        incoming = sum(size for _, size in self._arrived) * 16
        if self._trend.take(packet.sent_at, now) and now - self._cut_at > 0.3:
            self._cut_at, self._bps, self.fell = now, 0.85 * incoming, True
        elif self._bps is None and now > 5.0:
            self._bps = float(incoming)
        elif self._bps is not None and not self._trend.unsettled:
            grown = self._bps * 1.08 ** min(1.0, now - self._at)
            self._bps = max(self._bps, min(grown, 1.5 * incoming + 10_000))
        self._at = now

    @property
    def bps(self) -> int | None:
        return None if self._bps is None else int(self._bps)


class Viewer:
    """Receives, asks again, decodes in order, and keeps account of what a person would notice."""

    def __init__(self, clock: Clock, ask: Callable[[int], None], wish: Callable[[], None]) -> None:
        self._clock = clock
        self._ask = ask
        self._wish = wish
        self.rtt = 0.1
        self.estimate = ReceiverEstimate()
        self.bytes_after: dict[int, int] = {}
        self.shown_at: list[float] = []
        self.heard_at: list[float] = []
        self.block = [0, 0]  # packets expected and lost, for reports
        self._arrivals: dict[int, float] = {}
        self._highest_wide = -1
        self._here: dict[int, Packet] = {}
        self._next = 0
        self._highest = -1
        self._asked: dict[int, float] = {}
        self._asks: Counter[int] = Counter()
        self._stuck_since: float | None = None
        clock.every(0.02, self._tick)

    def arrive(self, packet: Packet) -> None:
        now = self._clock.now
        second = int(now)
        self.bytes_after[second] = self.bytes_after.get(second, 0) + packet.size
        self.estimate.take(packet, now)
        if packet.wide >= 0:
            self._arrivals[packet.wide] = int(now / 0.00025) * 0.00025
        if packet.frame < 0:
            self.heard_at.append(now)
            return
        if packet.number < self._next or packet.number in self._here:
            return
        for number in range(self._highest + 1, packet.number):
            self._asked[number] = now + 0.01
            self.block[1] += 1
        self.block[0] += max(0, packet.number - self._highest)
        self._highest = max(self._highest, packet.number)
        self._asked.pop(packet.number, None)
        self._here[packet.number] = packet
        self._decode()

    def _decode(self) -> None:
        while self._next in self._here:
            packet = self._here.pop(self._next)
            self._next += 1
            self._stuck_since = None
            if packet.last:
                self.shown_at.append(self._clock.now)

    def _tick(self) -> None:
        now = self._clock.now
        for number, at in list(self._asked.items()):
            if number < self._next or self._asks[number] >= MAX_ASKS:
                del self._asked[number]
            elif at <= now:
                self._asked[number] = now + max(0.04, 1.2 * self.rtt)
                self._asks[number] += 1
                self._ask(number)
        if self._here and self._next not in self._here:
            since = self._stuck_since = self._stuck_since or now
            if now - since > 0.6:
                self._stuck_since = now
                self._wish()
            self._skip_to_keyframe()

    def _skip_to_keyframe(self) -> None:
        """Go on with a later keyframe when all of it is here."""
        begins = [n for n, p in self._here.items() if p.keyframe and p.index == 0]
        for begin in sorted(begins, reverse=True):
            number = begin
            while number in self._here and not self._here[number].last:
                number += 1
            if number in self._here:
                self._here = {n: p for n, p in self._here.items() if n >= begin}
                self._asked = {n: at for n, at in self._asked.items() if n >= begin}
                self._next = begin
                self._decode()
                return

    def feedback(self) -> Feedback | None:
        """Return what has arrived under transport-wide numbers since the last time."""
        if not self._arrivals:
            return None
        first, last = self._highest_wide + 1, max(self._arrivals)
        first = min(first, min(self._arrivals))
        told = tuple(self._arrivals.get(n) for n in range(first, last + 1))
        self._arrivals.clear()
        self._highest_wide = max(self._highest_wide, last)
        return Feedback(first & 0xFFFF, told)
