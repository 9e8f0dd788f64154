"""What arrived of one stream, and what did not (RFC 3550 sections 6.4.1 and A.3). Pure."""

MAX_DROPOUT = 3000
MAX_LATE = 1024  # as many as SRTP remembers (media/libs.py)
_WINDOW = (1 << MAX_LATE) - 1


class Reception:
    """Counts one SSRC and says of each packet what it is to the ones before.

    NEW is the newest so far, LATE older and not here yet: these are to be forwarded. REPEATED has
    come before, in whatever form; the first copy of a number wins, whoever sent the second. STRAY
    is out of all order, and JUMP is the second in a row that is so: only then does the source count
    afresh (RFC 3550 section A.1), for one packet alone may have been held back.
    """

    NEW, LATE, REPEATED, STRAY, JUMP = range(5)
    __slots__ = (
        "_clock_rate",
        "_first",
        "_here",
        "_stray",
        "_transit",
        "highest",
        "jitter",
        "received",
    )

    def __init__(self, clock_rate: int) -> None:
        self._clock_rate = clock_rate
        self._first = -1
        self._here = 1  # bit n: the packet n before the newest has come
        self._stray = -1
        self.highest = -1  # extended by the number of wraps
        self.received = 0
        self.jitter = 0.0  # in timestamp units
        self._transit: float | None = None

    def note(self, seq: int, time: int, now: float) -> int:
        """Count the packet and return what it is; REPEATED, STRAY and JUMP are not counted."""
        if self._first < 0:
            self._first = self.highest = seq
            self.received = 1
            return self.NEW
        ahead = (seq - self.highest) & 0xFFFF
        if 0 < ahead <= MAX_DROPOUT:
            self._stray = -1
            self._here = (self._here << ahead | 1) & _WINDOW
            self.received += 1
            self.highest += ahead
            self._measure(time, now)
            return self.NEW
        behind = -ahead & 0xFFFF
        return self._late(1 << behind) if behind < MAX_LATE else self._out_of_order(seq)

    def _late(self, bit: int) -> int:
        if self._here & bit:
            return self.REPEATED
        self._here |= bit
        self.received += 1
        return self.LATE

    def _out_of_order(self, seq: int) -> int:
        expected, self._stray = self._stray, (seq + 1) & 0xFFFF
        return self.JUMP if seq == expected else self.STRAY

    def _measure(self, time: int, now: float) -> None:
        transit = now * self._clock_rate - time
        if self._transit is not None:
            change = abs(transit - self._transit)
            if change < 10 * self._clock_rate:  # not around a wrap of the timestamp
                self.jitter += (change - self.jitter) / 16
        self._transit = transit

    @property
    def expected(self) -> int:
        """How many packets should have come since the first."""
        return self.highest - self._first + 1 if self._first >= 0 else 0

    @property
    def lost(self) -> int:
        """How many packets never came; negative when some came that are older than the first."""
        return self.expected - self.received
