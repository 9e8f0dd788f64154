"""What the line to a listener carries, told from when its packets arrive. Pure.

Two signs are watched. Delay: when packets arrive ever later, a queue is growing and more is sent
than the line carries (the trend of the delay against a threshold that adapts to the line's own
unrest: Carlucci et al., "Analysis and Design of the Google Congestion Control for WebRTC", 2016,
sections 3 and 4). Loss: what is lost beyond the least of the last 10 s is taken for ours; the rest
is the line's nature, and sending less would not mend it.

Nothing is limited until there is a sign. Times are seconds, rates bit/s.
"""

from collections import deque

from media.sent import Seen
from media.trend import Trend

NO_LIMIT_BPS = 4_000_000
MIN_LIMIT_BPS = 60_000
TRY_BPS = 250_000.0
WINDOW_SECONDS = 0.5
LEAST_SPAN_SECONDS = 0.2
KEEP = 0.85
KEEP_FULL = 0.6  # of a line whose queue is 600 ms, as it has to empty too
KEEP_SECONDS = (0.2, 0.6)
GROWTH_PER_SECOND = 1.18
NEAR = (0.85, 1.15)  # around where it was too much the last time, growth is slow
NEAR_GROWTH_PER_SECOND = 1.04
FLOOR_SECONDS = 0.25  # a keyframe's queue is gone after that
FLOOR_STANDS = 0.05  # what stands for so long is a queue
FLOOR_RISES = 0.03  # and until it is gone nothing grows
WARY_SECONDS = 3.0  # after a cut; a delay that stays for longer is the way's own
FAST_SECONDS = 0.25
OVERFULL_SECONDS = 0.3
HEADROOM = 1.5  # what is not used is not known
SPACING_SECONDS, AGAIN_SECONDS = 0.3, 1.0
KEEP_AGAIN, LEAST_SHARE = 0.9, 0.5
BASE_SECONDS = 10.0
LOSSY = 0.1
LOSS_SECONDS = 3.0  # a burst is not a share
FULL_LOSSY, FULL_LOSS_SECONDS = 0.05, 1.0  # with a queue there is no doubt whose it is
LOSS_PACKETS = 50
LOSS_MEMORY = 6
USED = 0.7  # of the limit: below that it is not our rate that loses packets
MIN_LOSS_LIMIT_BPS = 150_000


class Estimator:
    """The limit of one connection, from what its receiver reports of each packet."""

    __slots__ = (
        "_arrived",
        "_at",
        "_base",
        "_counted",
        "_counted_at",
        "_cut_at",
        "_floor",
        "_limit",
        "_losses",
        "_lost",
        "_too_much",
        "_trend",
        "loss_fraction",
        "queue_seconds",
    )

    def __init__(self) -> None:
        self._trend = Trend()
        self._arrived: deque[tuple[float, float, int]] = deque()  # when, when sent, bytes
        self._base: deque[tuple[float, float]] = deque()
        self._floor: deque[tuple[float, float]] = deque()
        self._limit: float | None = None
        self._too_much: float | None = None
        self._at = 0.0
        self._cut_at = -1e9
        self._counted = self._lost = 0
        self._counted_at = 0.0
        self._losses: deque[float] = deque([0.0], LOSS_MEMORY)
        self.loss_fraction = 0.0
        self.queue_seconds = 0.0

    def limit(self, now: float) -> int | None:
        """Return what may be sent, None when nothing speaks against anything."""
        return None if self._limit is None else int(self._limit)

    def try_again(self) -> None:
        """Let a little through after a rest: the line may be another one by now."""
        if self._limit is not None:
            self._limit = max(self._limit, TRY_BPS)
            self._too_much = None

    @property
    def arriving_bps(self) -> int:
        """The rate at which the last half second's packets arrived."""
        return int(sum(size for _, _, size in self._arrived) * 8 / WINDOW_SECONDS)

    def _is_used(self) -> bool:
        """Tell whether what arrived lately was sent at a rate near the limit.

        If not, a queue or loss is not of our making, or of before, and a cut would go too far.
        """
        if self._limit is None or not self._arrived:
            return True
        span = self._arrived[-1][1] - self._arrived[0][1]
        sent = sum(size for _, _, size in self._arrived) * 8 / max(LEAST_SPAN_SECONDS, span)
        return sent > USED * self._limit

    def take(self, seen: list[Seen], now: float) -> None:
        """Take what one feedback says, oldest packet first."""
        overuse = False
        for packet in seen:
            self._counted += 1
            if packet.arrived_at is None:
                self._lost += 1
                continue
            self._note(packet.sent_at, packet.arrived_at, packet.size)
            rising = self._trend.take(packet.sent_at, packet.arrived_at)
            overuse = overuse or self._stands(rising=rising)
        self._grow(now)
        if overuse and self._is_used():
            low, high = KEEP_SECONDS
            full = min(1.0, max(0.0, (self.queue_seconds - low) / (high - low)))
            self._cut(KEEP - full * (KEEP - KEEP_FULL), MIN_LIMIT_BPS, now)
        self._judge_loss(now)

    def _note(self, sent_at: float, arrived_at: float, size: int) -> None:
        """Count what arrived, and see how much longer than the shortest of late it took."""
        arrived = self._arrived
        arrived.append((arrived_at, sent_at, size))
        while arrived[0][0] < arrived_at - WINDOW_SECONDS:
            arrived.popleft()
        delay = arrived_at - sent_at
        self.queue_seconds = delay - _least(self._base, arrived_at, delay, BASE_SECONDS)
        _least(self._floor, arrived_at, self.queue_seconds, FLOOR_SECONDS)

    def _stands(self, *, rising: bool) -> bool:
        """Tell whether the queue is more than one that a keyframe leaves for a moment."""
        least = self._floor[0][1]
        if rising and (self.queue_seconds > FAST_SECONDS or least > FLOOR_STANDS):
            return True
        return least > OVERFULL_SECONDS

    def _grow(self, now: float) -> None:
        gone, self._at = min(1.0, max(0.0, now - self._at)), now
        if self._limit is None:
            return
        wary = self._trend.unsettled or now - self._cut_at < WARY_SECONDS
        if wary and self._floor and self._floor[0][1] > FLOOR_RISES:
            return
        much = self._too_much
        near = much is not None and NEAR[0] * much < self._limit < NEAR[1] * much
        grown = self._limit * (NEAR_GROWTH_PER_SECOND if near else GROWTH_PER_SECOND) ** gone
        if grown > NO_LIMIT_BPS:
            self._limit = None
        elif grown < HEADROOM * self.arriving_bps + MIN_LIMIT_BPS:
            self._limit = grown

    def _cut(self, keep: float, least_bps: int, now: float) -> None:
        """Limit to a part of what arrives; below it already, to less, for repairs are sent too."""
        limit = self._limit
        arriving = self.arriving_bps
        wanted = max(least_bps, keep * arriving)
        again = limit is not None and limit <= wanted
        if now - self._cut_at < (AGAIN_SECONDS if again else SPACING_SECONDS):
            return
        self._cut_at = now
        self._too_much = float(arriving)
        if limit is not None and again:
            wanted = min(limit, max(least_bps, KEEP_AGAIN * limit, LEAST_SHARE * arriving))
        self._limit = wanted

    def _judge_loss(self, now: float) -> None:
        """Cut for what is lost by our fault: all of it while a queue stands, else the excess."""
        stands = bool(self._floor) and self._floor[0][1] > FLOOR_RISES
        seconds = FULL_LOSS_SECONDS if stands else LOSS_SECONDS
        if self._counted < LOSS_PACKETS or now - self._counted_at < seconds:
            return
        self.loss_fraction = self._lost / self._counted
        self._counted, self._lost, self._counted_at = 0, 0, now
        ours = self.loss_fraction - (0.0 if stands else min(self._losses))
        self._losses.append(self.loss_fraction)
        if ours > (FULL_LOSSY if stands else LOSSY) and self._is_used():
            self._cut(KEEP, MIN_LOSS_LIMIT_BPS, now)


def _least(kept: deque[tuple[float, float]], at: float, value: float, seconds: float) -> float:
    """Add a value to a sliding minimum over `seconds` and return it."""
    while kept and kept[-1][1] >= value:
        kept.pop()
    kept.append((at, value))
    while kept[0][0] < at - seconds:
        kept.popleft()
    return kept[0][1]
