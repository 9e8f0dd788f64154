"""Whether packets take longer and longer: the sign of a queue that grows. Pure.

Packets sent within 5 ms of each other are one group. How much more than the spacing of their
sending the spacing of their arrivals is, summed and smoothed, is drawn over time; the slope of the
last 20 points is the trend. Its threshold follows it slowly, so that neither a restless line nor
somebody else's traffic holds the rate down for ever.
"""

from collections import deque

GROUP_SECONDS = 0.005
POINTS = 20
SMOOTHING = 0.9
GAIN = 4.0
MAX_DELTAS = 60
FIRST_THRESHOLD_MS = 12.5
THRESHOLD_MS = (6.0, 600.0)
RISE, FALL = 0.0087, 0.039  # of the threshold, per ms
LEAP_MS = 15.0
OVERUSE_SECONDS = 0.01
LEAP_BACK_SECONDS = 2.0


class Trend:
    """Watches one connection. Times are seconds."""

    __slots__ = (
        "_before",
        "_deltas",
        "_first_arrival",
        "_group",
        "_over_seconds",
        "_points",
        "_slope",
        "_smoothed",
        "_sum",
        "_threshold",
        "unsettled",
    )

    def __init__(self) -> None:
        self.unsettled = False  # a queue grows or empties just now
        self._threshold = FIRST_THRESHOLD_MS
        self._restart()

    def _restart(self) -> None:
        # first sent, last sent, last arrival
        self._group: tuple[float, float, float] | None = None
        self._before: tuple[float, float, float] | None = None
        self._points: deque[tuple[float, float]] = deque(maxlen=POINTS)
        self._first_arrival = 0.0
        self._deltas = 0
        self._sum = self._smoothed = self._slope = 0.0
        self._over_seconds = 0.0

    def take(self, sent_at: float, arrived_at: float) -> bool:
        """Take a packet that arrived; tell whether more is being sent than the line carries."""
        group = self._group
        if group is None:
            self._group = (sent_at, sent_at, arrived_at)
            return False
        if sent_at < group[0]:
            return False  # late: it says nothing about the queue
        if abs(arrived_at - group[2]) > LEAP_BACK_SECONDS and sent_at - group[1] < GROUP_SECONDS:
            self._restart()  # the receiver's clock has leapt
            return False
        if sent_at - group[0] <= GROUP_SECONDS:
            self._group = (group[0], sent_at, max(group[2], arrived_at))
            return False
        before, self._before = self._before, group
        self._group = (sent_at, sent_at, arrived_at)
        return before is not None and self._point(before, group)

    def _point(self, before: tuple[float, float, float], group: tuple[float, float, float]) -> bool:
        spacing = group[1] - before[1]
        self._deltas = min(MAX_DELTAS, self._deltas + 1)
        self._sum += 1000 * (group[2] - before[2] - spacing)
        self._smoothed = SMOOTHING * self._smoothed + (1 - SMOOTHING) * self._sum
        if not self._points:
            self._first_arrival = group[2]
        self._points.append((1000 * (group[2] - self._first_arrival), self._smoothed))
        return self._judge(_slope(self._points), max(0.0, group[2] - before[2]), spacing)

    def _judge(self, slope: float, gone_seconds: float, spacing: float) -> bool:
        trend = self._deltas * slope * GAIN
        rising, self._slope = slope >= self._slope, slope
        over = trend > self._threshold
        self.unsettled = abs(trend) > self._threshold
        self._over_seconds = self._over_seconds + spacing if over else 0.0
        self._adapt(abs(trend), gone_seconds)
        if over and rising and self._over_seconds > OVERUSE_SECONDS:
            self._over_seconds = 0.0
            return True
        return False

    def _adapt(self, trend: float, gone_seconds: float) -> None:
        distance = trend - self._threshold
        if distance > LEAP_MS:
            return  # a sudden leap, such as a change of network
        rate = RISE if distance > 0 else FALL
        moved = self._threshold + rate * distance * min(100.0, 1000 * gone_seconds)
        self._threshold = min(THRESHOLD_MS[1], max(THRESHOLD_MS[0], moved))


def _slope(points: deque[tuple[float, float]]) -> float:
    """Return the slope of the line through `points` (least squares), 0 for fewer than five."""
    count = len(points)
    if count < 5:
        return 0.0
    mean_x = sum(x for x, _ in points) / count
    mean_y = sum(y for _, y in points) / count
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0
