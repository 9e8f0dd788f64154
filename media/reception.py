"""What arrived of one stream, and what did not (RFC 3550 sections 6.4.1 and A.3). Pure."""

from collections import OrderedDict

MAX_DROPOUT = 3000
MAX_LATE = 1024  # as many as SRTP remembers (media/libs.py)
_WINDOW = (1 << MAX_LATE) - 1
FIRST_ASK_SECONDS = 0.01
ASK_AGAIN_SECONDS = 0.1
MAX_ASKS = 6
MAX_MISSING = 128


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
        "_expected_before",
        "_first",
        "_here",
        "_received_before",
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
        self._expected_before = 0
        self._received_before = 0

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
    def lost(self) -> int:
        """How many packets never came; negative when some came that are older than the first."""
        return self.highest - self._first + 1 - self.received if self._first >= 0 else 0

    def fraction_lost(self) -> int:
        """Return the loss since the last call in 1/256 (one call per report)."""
        expected = self.highest - self._first + 1 if self._first >= 0 else 0
        wanted = expected - self._expected_before
        got = self.received - self._received_before
        self._expected_before, self._received_before = expected, self.received
        return min(255, ((wanted - got) << 8) // wanted) if wanted > got else 0


class Missing:
    """The numbers to ask a sender for again: after 10 ms, then each 100 ms, six times at most."""

    __slots__ = ("_asks",)

    def __init__(self) -> None:
        self._asks: OrderedDict[int, tuple[float, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._asks)

    def __contains__(self, seq: int) -> bool:
        return seq in self._asks

    def gap(self, after: int, before: int, now: float) -> bool:
        """Note that everything between the two numbers is missing.

        Returns False, and forgets all, when it is too much to ask for: a keyframe is cheaper.
        """
        count = (before - after - 1) & 0xFFFF
        if len(self._asks) + count > MAX_MISSING:
            self._asks.clear()
            return False
        for step in range(1, count + 1):
            self._asks[(after + step) & 0xFFFF] = (now + FIRST_ASK_SECONDS, 0)
        return True

    def arrived(self, seq: int) -> None:
        """Note that `seq` is there after all."""
        self._asks.pop(seq, None)

    def forget(self) -> None:
        """Ask for nothing any more."""
        self._asks.clear()

    def forget_before(self, seq: int) -> None:
        """Ask for nothing older than `seq` any more: with it a keyframe begins."""
        for number in [x for x in self._asks if 0 < (seq - x) & 0xFFFF < 0x8000]:
            del self._asks[number]

    def due(self, now: float) -> list[int]:
        """Return the numbers to ask for now, oldest first."""
        asked = []
        for seq, (at, asks) in list(self._asks.items()):
            if at > now:
                continue
            if asks >= MAX_ASKS:
                del self._asks[seq]
                continue
            self._asks[seq] = (now + ASK_AGAIN_SECONDS, asks + 1)
            asked.append(seq)
        return asked
