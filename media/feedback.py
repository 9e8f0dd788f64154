"""What the engine asks of a sender: a keyframe, a lower rate. Pure; `now` is monotonic seconds."""

KEYFRAME_SPACING_SECONDS = 0.5
SILENT_SECONDS = 1.0


class Keyframes:
    """Merges everybody's wishes for a keyframe of one source into one request per 500 ms.

    The wish itself is kept by the packet path until a keyframe has begun after it; while the source
    is silent, or its connection is not up yet, it waits.
    """

    __slots__ = ("_asked_at",)

    def __init__(self) -> None:
        self._asked_at: float | None = None

    def restart(self) -> None:
        """Note that the source is another one: it may be asked at once."""
        self._asked_at = None

    def due(self, heard_at: float, now: float) -> bool:
        """Tell whether a wish is to be passed on now; the caller then does.

        `heard_at` is when the source was heard last, 0.0 for never.
        """
        if heard_at == 0.0 or now - heard_at > SILENT_SECONDS:
            return False
        if self._asked_at is not None and now - self._asked_at < KEYFRAME_SPACING_SECONDS:
            return False
        self._asked_at = now
        return True


NO_CAP_BPS = 4_000_000
MIN_CAP_BPS = 150_000
FALL = 0.95
KEEP = 0.85
LOSSY = 0.1
GROWTH_PER_SECOND = 1.1
BUSY = 0.5
IDLE_BPS = 50_000


class RateCap:
    """The highest rate to ask of a sender for the sake of who watches it, in bit/s.

    A watcher's own estimate only knows what it is sent, so passing it on would keep the rate low
    for ever. It counts when it falls by more than 5 % while the line is in use, or when more than
    10 % is lost; the limit is then the smaller of the estimate and 85 % of what was being sent,
    grows by 10 % a second and ends above 4 Mbit/s.
    """

    __slots__ = ("_at", "_cap", "_estimate")

    def __init__(self) -> None:
        self._estimate: int | None = None
        self._cap: float | None = None
        self._at = 0.0

    def current(self, now: float) -> int | None:
        """Return the limit, None when there is none."""
        if self._cap is None:
            return None
        self._cap *= GROWTH_PER_SECOND ** max(0.0, now - self._at)
        self._at = now
        if self._cap > NO_CAP_BPS:
            self._cap = None
            return None
        return int(self._cap)

    def estimate(self, bps: int, forwarded_bps: int, now: float) -> None:
        """Take a REMB of the watcher while it was sent `forwarded_bps`."""
        before, self._estimate = self._estimate, bps
        fell = before is not None and bps < FALL * before
        if fell and forwarded_bps > BUSY * bps:
            self._limit(min(bps, int(KEEP * forwarded_bps)), now)

    def loss(self, fraction: float, forwarded_bps: int, now: float) -> None:
        """Take the share (0 to 1) of the video that the watcher lost of late."""
        if fraction > LOSSY and forwarded_bps > IDLE_BPS:
            limit = int(KEEP * forwarded_bps)
            self._limit(limit if self._estimate is None else min(limit, self._estimate), now)

    def _limit(self, bps: int, now: float) -> None:
        current = self.current(now)
        self._cap = max(MIN_CAP_BPS, bps if current is None else min(bps, current))
        self._at = now
