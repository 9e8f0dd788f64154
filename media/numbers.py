"""Sequence numbers and timestamps that go on without a break whatever the source does. Pure."""


class Numbers:
    """Maps the numbers of one source after another onto one stream.

    Within one attachment the mapping is fixed, and no number is given again by a later one, so that
    one number is one packet if its source brings each number once (media/reception.py): an SRTP
    nonce depends on it. `clock_rate` is in Hz, `now` in monotonic seconds.
    """

    __slots__ = (
        "_base",
        "_clock_rate",
        "_last_at",
        "_last_seq",
        "_last_time",
        "_seq_offset",
        "_started",
        "_time_offset",
    )

    def __init__(self, clock_rate: int, *, first_seq: int, first_time: int) -> None:
        self._clock_rate = clock_rate
        self._last_seq = (first_seq - 1) & 0xFFFF
        self._last_time = first_time
        self._last_at = 0.0
        self._started = False
        self._base = 0
        self._seq_offset = 0
        self._time_offset = 0

    def attach(self, seq: int, time: int, *, same_clock: bool, now: float) -> None:
        """Let the source's packet `seq` with timestamp `time` follow the last one sent.

        With `same_clock` the source is the one from before a pause and its timestamps keep
        their meaning; otherwise the stream's clock goes on by the time gone by.
        """
        self._base = seq
        self._seq_offset = (self._last_seq + 1 - seq) & 0xFFFF
        if not (same_clock and self._started):
            gone = now - self._last_at if self._started else 0.0
            target = self._last_time + max(1, int(gone * self._clock_rate))
            self._time_offset = (target - time) & 0xFFFFFFFF
        self._started = True

    def seq_out(self, seq: int) -> int:
        """Return the stream's number for the source's, or -1 when it lies before the attachment."""
        if (seq - self._base) & 0xFFFF >= 0x8000:
            return -1
        return (seq + self._seq_offset) & 0xFFFF

    def seq_in(self, seq: int) -> int:
        """Return the source's number for the stream's, or -1 when it lies before the attachment."""
        source = (seq - self._seq_offset) & 0xFFFF
        return -1 if (source - self._base) & 0xFFFF >= 0x8000 else source

    def time_out(self, time: int) -> int:
        """Return the stream's timestamp for the source's."""
        return (time + self._time_offset) & 0xFFFFFFFF

    def sent(self, seq_out: int, time_out: int, now: float) -> None:
        """Note that packet `seq_out` has left."""
        ahead = (seq_out - self._last_seq) & 0xFFFF
        if ahead >= 0x8000:
            return
        self._last_seq = seq_out
        self._last_time = time_out
        self._last_at = now
        # The base trails behind, lest the wrap of 16 bits make new packets look old.
        source = (seq_out - self._seq_offset) & 0xFFFF
        if (source - self._base) & 0xFFFF > 0x4000:
            self._base = (source - 0x2000) & 0xFFFF
