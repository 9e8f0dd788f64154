"""A simulated line: what it carries, how long it takes, what it loses. All from one seed."""

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass


class Clock:
    """Runs what is planned, in order of time; `now` is seconds from the start."""

    def __init__(self) -> None:
        self.now = 0.0
        self._planned: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def at(self, time: float, run: Callable[[], None]) -> None:
        heapq.heappush(self._planned, (max(time, self.now), next(self._numbers), run))

    def every(self, seconds: float, run: Callable[[], None]) -> None:
        def again() -> None:
            run()
            self.at(self.now + seconds, again)

        self.at(self.now + seconds, again)

    def run(self, until: float) -> None:
        while self._planned and self._planned[0][0] <= until:
            self.now, _, run = heapq.heappop(self._planned)
            run()


@dataclass(frozen=True)
class Loss:
    """Gilbert and Elliott's line: `share` of all is lost, in bursts of `burst` packets on average.

    Within a burst four of five are lost.
    """

    share: float = 0.0
    burst: float = 1.0


@dataclass(frozen=True)
class LineKind:
    """A line of `bps` that delays by `delay` seconds one way, and queues up to `queue` seconds."""

    bps: float
    delay: float
    loss: Loss = Loss()
    queue: float = 1.5


class Line:
    """One direction of a line."""

    def __init__(self, clock: Clock, kind: LineKind, seed: int) -> None:
        self._clock = clock
        self._kind = kind
        self._random = random.Random(seed)
        self._free_at = 0.0
        self._bad = False
        self.dropped = 0

    @property
    def waiting_seconds(self) -> float:
        """How long a packet would now wait in the queue."""
        return max(0.0, self._free_at - self._clock.now)

    def send(self, size: int, arrive: Callable[[], None]) -> None:
        """Carry a packet of `size` bytes; `arrive` is called unless it is lost."""
        if self.waiting_seconds > self._kind.queue:
            self.dropped += 1
            return
        self._free_at = self._clock.now + self.waiting_seconds + size * 8 / self._kind.bps
        if not self._loses():
            self._clock.at(self._free_at + self._kind.delay, arrive)

    def _loses(self) -> bool:
        loss = self._kind.loss
        if not loss.share:
            return False
        if loss.burst <= 1:
            return self._random.random() < loss.share
        leave = 1 / loss.burst
        enter = leave * (loss.share / 0.8) / (1 - loss.share / 0.8)
        self._bad = self._random.random() >= leave if self._bad else self._random.random() < enter
        return self._bad and self._random.random() < 0.8
