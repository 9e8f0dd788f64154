"""What one node measures of itself: load each second, totals of its life, room for calls."""

import logging
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

from media.capacity import DEFAULT_CALLS, Admission, Sampler
from media.engine import Capacity, Figures
from media.path import PathCounts
from media.settings import PartyStats

_STATM = Path("/proc/self/statm")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Totals:
    """Sums over parties; the names are those of `PartyStats` and of `Figures`."""

    packets_received: int = 0
    bytes_received: int = 0
    packets_forwarded: int = 0
    bytes_forwarded: int = 0
    lost: int = 0
    repaired: int = 0
    resent: int = 0
    refused: int = 0

    def add(self, stats: PartyStats) -> None:
        """Count a party in."""
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(stats, field.name))


class _Busiest:
    """Sums, look by look, what the busier of two threads used: either may be what fills a core."""

    def __init__(self) -> None:
        self._before: tuple[float, float] = (0.0, 0.0)
        self._sum = 0.0

    def take(self, first: float, second: float) -> float:
        """Return the sum after a further look at both totals, in seconds."""
        self._sum += max(first - self._before[0], second - self._before[1], 0.0)
        self._before = (first, second)
        return self._sum


class Workload:
    """Follows a node tick by tick. The heavy part runs once a second."""

    def __init__(self, packet_path: str, max_calls: int | None, *, alone: bool = False) -> None:
        """`alone`: nothing else runs in this process, so all of its time is the node's."""
        most = DEFAULT_CALLS[packet_path] if max_calls is None else max_calls
        self._packet_path = packet_path
        self._admission = Admission(most)
        self._sampler = Sampler()
        self._past = Totals()
        self._totals = Totals()
        self._counts = PathCounts()
        self._alone = alone
        self._busiest = _Busiest()
        self._due: float | None = None

    def ended(self, stats: PartyStats) -> None:
        """Keep the sums of a party that leaves."""
        self._past.add(stats)

    def tick(self, now: float, next_due: float) -> bool:
        """Note a tick and when the next one should come; tell whether to `measure`."""
        late_by = 0.0 if self._due is None else now - self._due
        self._due = next_due
        return self._sampler.tick(now, late_by)

    def measure(
        self, now: float, parties: Iterable[PartyStats], *, counts: PathCounts, calls: int
    ) -> None:
        """Take the second that is over. `counts` are totals; `parties` are those here now."""
        totals = Totals()
        for stats in parties:
            totals.add(stats)
        for field in fields(totals):
            name = field.name
            known = getattr(self._totals, name)
            setattr(totals, name, max(known, getattr(totals, name) + getattr(self._past, name)))
        self._totals, self._counts = totals, counts
        load = self._sampler.take(
            now,
            cpu=self._cpu_seconds(),
            packets=totals.packets_received,
            stale=counts.stale,
            calls=calls,
        )
        if load is not None:
            self._admission.step(load, now)
            if load.stale:
                _log.warning("%d packets were too old to be carried: too much comes", load.stale)

    def _cpu_seconds(self) -> float:
        """Return the time of the thread that works most: the loop's, or the packet path's own."""
        loop = time.thread_time()
        return self._busiest.take(loop, time.process_time() - loop) if self._alone else loop

    def capacity(self, calls: int, *, serving: bool) -> Capacity:
        """Return how much room there is beside `calls`."""
        admission = self._admission
        return Capacity(
            admission.load(calls),
            accepting=serving and admission.accepts(calls),
            max_calls=admission.max_calls,
            figures=self._figures(calls),
        )

    def _figures(self, calls: int) -> Figures:
        sums = {field.name: getattr(self._totals, field.name) for field in fields(Totals)}
        return Figures(
            packet_path=self._packet_path,
            calls=calls,
            **sums,
            **self._counts._asdict(),
            cpu_seconds=time.process_time(),
            resident_bytes=_resident_bytes(),
            busy=self._admission.busy,
            late=self._admission.late,
            strained=self._admission.strained,
        )


def _resident_bytes() -> int:
    """Return the memory of this process; 0 where the system does not say."""
    try:
        return int(_STATM.read_text().split()[1]) * _PAGE_BYTES
    except (OSError, ValueError, IndexError):
        return 0
