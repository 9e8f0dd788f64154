"""A token bucket: so many at once, so many a second. Pure."""


class Bucket:
    """Holds at most `burst` tokens, gains `per_second`."""

    __slots__ = ("_burst", "_filled_at", "_per_second", "_tokens")

    def __init__(self, burst: float, per_second: float) -> None:
        self._burst = burst
        self._per_second = per_second
        self._tokens = burst
        self._filled_at: float | None = None

    def refit(self, burst: float, per_second: float) -> None:
        """Take other limits from now on."""
        self._burst = burst
        self._per_second = per_second
        self._tokens = min(self._tokens, burst)

    def _fill(self, now: float) -> None:
        if self._filled_at is not None and now > self._filled_at:
            gained = (now - self._filled_at) * self._per_second
            self._tokens = min(self._burst, self._tokens + gained)
        self._filled_at = now

    def has(self, now: float) -> bool:
        """Tell whether a token is there."""
        self._fill(now)
        return self._tokens >= 1

    def whole(self, now: float) -> int:
        """Return how many tokens are there."""
        self._fill(now)
        return int(self._tokens)

    def spend(self, count: int) -> None:
        """Take `count` tokens, which are there."""
        self._tokens -= count

    def take(self, now: float) -> bool:
        """Take a token and tell whether there was one."""
        if not self.has(now):
            return False
        self._tokens -= 1
        return True
