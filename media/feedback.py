"""What the engine asks of a sender: a keyframe, a lower rate. Pure; `now` is monotonic seconds."""

KEYFRAME_SPACING_SECONDS = 0.5
SILENT_SECONDS = 1.0


class Keyframes:
    """Merges everybody's wishes for a keyframe of one source into one request per 500 ms.

    A wish is kept until a keyframe has begun after it; while the source is silent, or its
    connection is not up yet, the wish waits.
    """

    __slots__ = ("_asked_at", "_heard_at", "_wanted")

    def __init__(self) -> None:
        self._wanted = False
        self._asked_at: float | None = None
        self._heard_at: float | None = None

    @property
    def wanted(self) -> bool:
        """Tell whether somebody still waits."""
        return self._wanted

    def want(self) -> None:
        """Note a wish."""
        self._wanted = True

    def heard(self, now: float, *, keyframe: bool) -> None:
        """Note a packet of the source; `keyframe` when it begins one."""
        self._heard_at = now
        if keyframe:
            self._wanted = False

    def restart(self) -> None:
        """Note that the source is another one: it may be asked at once."""
        self._asked_at = self._heard_at = None

    def due(self, now: float) -> bool:
        """Tell whether to ask now; the caller then does."""
        if not self._wanted or self._heard_at is None or now - self._heard_at > SILENT_SECONDS:
            return False
        if self._asked_at is not None and now - self._asked_at < KEYFRAME_SPACING_SECONDS:
            return False
        self._asked_at = now
        return True


NO_CAP_BPS = 4_000_000
MIN_CAP_BPS = 150_000
FALL = 0.95
GROWTH = 1.1
KEEP = 0.85
LOSSY = 0.1


class RateCap:
    """The highest rate to ask of a sender for the sake of who watches it.

    A watcher's own estimate only knows what it is sent, so passing it on would keep the rate low
    for ever. It counts when it falls by more than 5 %, or when more than 10 % is lost; the cap is
    then the smaller of the estimate and 85 % of what was being sent, and grows by 10 % with each
    later report until, above 4 Mbit/s, there is none.
    """

    __slots__ = ("_estimate", "cap")

    def __init__(self) -> None:
        self._estimate: int | None = None
        self.cap: int | None = None

    def estimate(self, bps: int, forwarded_bps: int) -> None:
        """Take a REMB of the watcher while it was sent `forwarded_bps`."""
        before, self._estimate = self._estimate, bps
        if before is not None and bps < FALL * before and bps < NO_CAP_BPS:
            self._limit(min(bps, int(KEEP * forwarded_bps)))
        else:
            self._grow()

    def loss(self, fraction: float, forwarded_bps: int) -> None:
        """Take a receiver report with this share (0 to 1) of the video lost."""
        if fraction > LOSSY:
            limit = int(KEEP * forwarded_bps)
            self._limit(limit if self._estimate is None else min(limit, self._estimate))
        elif self._estimate is None:
            self._grow()  # a watcher without REMB: its receiver reports are the only ones

    def _limit(self, bps: int) -> None:
        self.cap = max(MIN_CAP_BPS, bps if self.cap is None else min(bps, self.cap))

    def _grow(self) -> None:
        if self.cap is not None:
            grown = int(self.cap * GROWTH)
            self.cap = None if grown > NO_CAP_BPS else grown
