"""Which numbers of a source have not come. Pure; rule 11 of media/path.py."""

MAX_MISSING = 192
MISSING_SECONDS = 1.5


class Gaps:
    """Numbers with the time (monotonic seconds) at which they were missed, oldest first."""

    __slots__ = ("_since",)

    def __init__(self) -> None:
        self._since: dict[int, float] = {}

    def __len__(self) -> int:
        return len(self._since)

    def __contains__(self, seq: int) -> bool:
        return seq in self._since

    def open(self, after: int, before: int, now: float) -> bool:
        """Note that everything between the two numbers is missing.

        Returns False, and forgets all, when that is too much: a keyframe is cheaper.
        """
        count = (before - after - 1) & 0xFFFF
        self.expire(now)
        if len(self._since) + count > MAX_MISSING:
            self._since.clear()
            return False
        for step in range(1, count + 1):
            self._since[(after + step) & 0xFFFF] = now
        return True

    def arrived(self, seq: int) -> None:
        """Note that `seq` is there after all."""
        self._since.pop(seq, None)

    def forget(self) -> None:
        """Miss nothing any more."""
        self._since.clear()

    def forget_before(self, seq: int) -> None:
        """Miss nothing older than `seq` any more: with it a keyframe begins."""
        for number in [x for x in self._since if 0 < (seq - x) & 0xFFFF < 0x8000]:
            del self._since[number]

    def expire(self, now: float) -> None:
        """Forget what has been missing for 1.5 s."""
        for number in [x for x, since in self._since.items() if now - since > MISSING_SECONDS]:
            del self._since[number]

    def items(self, now: float) -> list[tuple[int, float]]:
        """Return each number and since when."""
        self.expire(now)
        return list(self._since.items())
