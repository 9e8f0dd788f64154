"""Numbers, times and picture ids that go on without a break whatever the source does. Pure.

Rules 18 to 20 of media/path.py.
"""

MAX_STRETCHES = 32


class Numbers:
    """Maps the numbers of one source after another onto one stream.

    Within one attachment the mapping is fixed, and no number is given again by a later one, so that
    one number is one packet if its source brings each number once (media/reception.py): an SRTP
    nonce depends on it. Leaving packets out ends one stretch of numbers and begins the next, which
    is shifted by one more. `clock_rate` is in Hz, `now` in monotonic seconds.
    """

    __slots__ = (
        "_clock_rate",
        "_earlier",
        "_last_at",
        "_last_id",
        "_last_level",
        "_last_seq",
        "_last_time",
        "_started",
        "base",
        "id_shift",
        "level_shift",
        "seq_shift",
        "time_shift",
    )

    def __init__(self, clock_rate: int, *, first_seq: int, first_time: int) -> None:
        self._clock_rate = clock_rate
        self._last_seq = (first_seq - 1) & 0xFFFF
        self._last_time = first_time
        self._last_at = 0.0
        self._last_id = self._last_level = -1
        self._started = False
        self._earlier: list[tuple[int, int, int]] = []  # base, seq_shift, id_shift; oldest first
        self.base = 0
        self.seq_shift = 0
        self.id_shift = 0
        self.level_shift = 0
        self.time_shift = 0

    def attach(self, seq: int, time: int, *, same_clock: bool, now: float) -> None:
        """Let the source's packet `seq` with timestamp `time` follow the last one sent.

        With `same_clock` the source is the one from before a pause and its timestamps keep
        their meaning; otherwise the stream's clock goes on by the time gone by.
        """
        self._earlier.clear()
        self.base = seq
        self.seq_shift = (self._last_seq + 1 - seq) & 0xFFFF
        if not (same_clock and self._started):
            gone = now - self._last_at if self._started else 0.0
            target = self._last_time + max(1, int(gone * self._clock_rate))
            self.time_shift = (target - time) & 0xFFFFFFFF
        self._started = True

    def attach_ids(self, picture: int, level: int) -> None:
        """Let a VP8 picture id and TL0PICIDX follow the last ones sent; -1 for none."""
        if picture >= 0:
            self.id_shift = 0 if self._last_id < 0 else (self._last_id + 1 - picture) & 0x7FFF
        if level >= 0:
            self.level_shift = 0 if self._last_level < 0 else (self._last_level + 1 - level) & 0xFF

    def stretch(self, seq: int) -> tuple[int, int] | None:
        """Return by how much the source's number `seq` and its picture id are shifted.

        None when it lies before the attachment, or further back than is remembered.
        """
        if (seq - self.base) & 0xFFFF < 0x8000:
            return self.seq_shift, self.id_shift
        for base, seq_shift, id_shift in reversed(self._earlier):
            if (seq - base) & 0xFFFF < 0x8000:
                return seq_shift, id_shift
        return None

    def seq_out(self, seq: int) -> int:
        """Return the stream's number for the source's, or -1 when there is none."""
        found = self.stretch(seq)
        return -1 if found is None else (seq + found[0]) & 0xFFFF

    def seq_in(self, seq: int) -> int:
        """Return the source's number for the stream's, or -1 when there is none."""
        source = (seq - self.seq_shift) & 0xFFFF
        if (source - self.base) & 0xFFFF < 0x8000:
            return source
        for base, seq_shift, _ in reversed(self._earlier):
            source = (seq - seq_shift) & 0xFFFF
            if (source - base) & 0xFFFF < 0x8000:
                return source
        return -1

    def time_out(self, time: int) -> int:
        """Return the stream's timestamp for the source's."""
        return (time + self.time_shift) & 0xFFFFFFFF

    def leave_out(self, seq: int, frames: int) -> None:
        """Close up over the source's newest packet `seq`, and over `frames` picture ids."""
        if self.base != seq:  # else nothing of this stretch has been sent
            self._earlier.append((self.base, self.seq_shift, self.id_shift))
            if len(self._earlier) > MAX_STRETCHES:
                del self._earlier[0]
        self.base = (seq + 1) & 0xFFFF
        self.seq_shift = (self.seq_shift - 1) & 0xFFFF
        self.id_shift = (self.id_shift - frames) & 0x7FFF

    def sent(self, seq_out: int, time_out: int, now: float) -> bool:
        """Note that packet `seq_out` has left, and tell whether it is the newest."""
        ahead = (seq_out - self._last_seq) & 0xFFFF
        if ahead >= 0x8000:
            return False
        self._last_seq = seq_out
        self._last_time = time_out
        self._last_at = now
        # The base trails behind, lest the wrap of 16 bits make new packets look old.
        source = (seq_out - self.seq_shift) & 0xFFFF
        if 0x4000 < (source - self.base) & 0xFFFF < 0x8000:
            self.base = (source - 0x2000) & 0xFFFF
            self._earlier.clear()
        return True

    def sent_ids(self, picture: int, level: int) -> None:
        """Note the source's picture id and TL0PICIDX of the newest packet; -1 for none."""
        if picture >= 0:
            self._last_id = (picture + self.id_shift) & 0x7FFF
        if level >= 0:
            self._last_level = (level + self.level_shift) & 0xFF
