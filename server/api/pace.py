"""How many messages a page may send. Pure: `now` is monotonic seconds."""

from collections import deque

PER_SECOND = 60
PER_MINUTE = 600


class Pace:
    """Counts messages in the last second and the last minute (PROTOCOL.md section 2)."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=2 * PER_MINUTE + 1)

    def count(self, now: float) -> float:
        """Note one message and return how full the fuller window is; above 1.0 is too fast."""
        self._times.append(now)
        while self._times and self._times[0] <= now - 60:
            self._times.popleft()
        second = 0
        for at in reversed(self._times):
            if at <= now - 1:
                break
            second += 1
        return max(second / PER_SECOND, len(self._times) / PER_MINUTE)
