"""What a line does to packets in one direction. Pure: the time comes with every call.

Loss is drawn from a seeded generator, so the same packets in the same order are lost again.
"""

import heapq
import itertools
import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one direction; as it stands, nothing.

    `loss` is the share of packets that vanish (0 to 1) and `burst` how many in a row on average
    (None: each by itself). `rate_bps` is the speed of the line; what would wait longer than
    `queue_seconds` for it is dropped. `delay_seconds` is added to all, and up to `jitter_seconds`
    more at random without overtaking. `cut` loses everything.
    """

    delay_seconds: float = 0.0
    jitter_seconds: float = 0.0
    loss: float = 0.0
    burst: float | None = None
    rate_bps: float | None = None
    queue_seconds: float = 0.2
    cut: bool = False


NOTHING_WRONG = Fault()


@dataclass(slots=True)
class Counts:
    """What became of the packets of one direction."""

    passed: int = 0
    passed_bytes: int = 0
    lost: int = 0
    dropped: int = 0


class Way:
    """One direction of a line: packets go in, and come out when they are due."""

    def __init__(self, seed: int) -> None:
        self.fault = NOTHING_WRONG
        self.counts = Counts()
        self._random = random.Random(seed)
        self._in_burst = False
        self._sent_at = 0.0  # when the line has sent what it has taken so far
        self._due_at = 0.0
        self._numbers = itertools.count()
        self._heap: list[tuple[float, int, bytes]] = []

    def put(self, packet: bytes, now: float) -> None:
        """Take a packet; it may be lost."""
        fault = self.fault
        if fault.cut or self._is_lost():
            self.counts.lost += 1
            return
        leaves = now
        if fault.rate_bps is not None:
            begins = max(now, self._sent_at)
            if begins - now > fault.queue_seconds:
                self.counts.dropped += 1
                return
            leaves = self._sent_at = begins + len(packet) * 8 / fault.rate_bps
        wobble = self._random.random() * fault.jitter_seconds if fault.jitter_seconds else 0.0
        self._due_at = max(self._due_at, leaves + fault.delay_seconds + wobble)
        heapq.heappush(self._heap, (self._due_at, next(self._numbers), packet))

    def due(self, now: float) -> list[bytes]:
        """Return what has arrived by now, in order."""
        found = []
        while self._heap and self._heap[0][0] <= now:
            packet = heapq.heappop(self._heap)[2]
            self.counts.passed += 1
            self.counts.passed_bytes += len(packet)
            found.append(packet)
        return found

    def next_at(self) -> float | None:
        """Return when the next packet is due, None when there is none."""
        return self._heap[0][0] if self._heap else None

    def change(self, fault: Fault) -> None:
        """Be wrong in another way from now on; what is under way keeps its time."""
        self.fault = fault
        self._due_at = self._sent_at = 0.0
        if fault.cut:
            self.counts.lost += len(self._heap)
            self._heap.clear()

    def _is_lost(self) -> bool:
        """Draw whether the next packet vanishes (Gilbert's model when it comes in bursts)."""
        fault = self.fault
        if not fault.loss:
            return False
        if fault.burst is None:
            return self._random.random() < fault.loss
        ends = 1.0 / fault.burst
        begins = ends * fault.loss / (1.0 - fault.loss)
        self._in_burst = (
            self._random.random() >= ends if self._in_burst else (self._random.random() < begins)
        )
        return self._in_burst
