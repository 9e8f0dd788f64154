"""How many calls a node takes, by number and by what it measures of itself. Pure.

A call more is refused before the ones that are there suffer: at a number that was measured to go
without loss, and earlier on a slower or busier machine, when the loop that carries the packets has
little time left, comes late, or has had to drop what was too old (media/overload.py).
"""

from dataclasses import dataclass

# Four fifths of what went without loss on one core of the machine of DESIGN's table: 30 and 80
# calls of 1280x720 at 30 frames/s, 1.5 Mbit/s and Opus each way, which are 418 packets a second.
DEFAULT_CALLS = {"python": 24, "native": 64}
PACKETS_PER_CALL = 418

BUSY, BUSY_NO_MORE = 0.85, 0.75
LATE, LATE_NO_MORE = 0.10, 0.05
LATE_BY_SECONDS = 0.020
CALM_SECONDS = 10.0
STRAIN_FROM = 0.1  # of the packets that it may carry
SAMPLE_SECONDS = 1.0
WEIGHT = 0.3  # of the newest second in the averages


@dataclass(frozen=True, slots=True)
class Load:
    """What a node did in one second.

    `busy` is the share of one core that the loop's thread used, `late` the share of its ticks that
    came more than 20 ms late, `stale` how many packets were dropped for their age.
    """

    calls: int
    packets_per_second: float
    busy: float
    late: float
    stale: int


class Sampler:
    """Makes a `Load` of each second out of the ticks in it."""

    __slots__ = ("_at", "_cpu", "_late", "_packets", "_stale", "_ticks")

    def __init__(self) -> None:
        self._at: float | None = None
        self._cpu = 0.0
        self._packets = self._stale = 0
        self._ticks = self._late = 0

    def tick(self, now: float, late_by: float) -> bool:
        """Count a tick that came `late_by` seconds late; tell whether to `take` the second."""
        self._ticks += 1
        self._late += late_by > LATE_BY_SECONDS
        return self._at is None or now - self._at >= SAMPLE_SECONDS

    def take(self, now: float, *, cpu: float, packets: int, stale: int, calls: int) -> Load | None:
        """Return the load since the last call, None at the first.

        `cpu` is the thread's time, `packets` and `stale` are totals; all only grow.
        """
        load, begun = None, self._at
        if begun is not None and now > begun:
            seconds = now - begun
            load = Load(
                calls,
                max(0, packets - self._packets) / seconds,
                min(1.0, max(0.0, cpu - self._cpu) / seconds),
                self._late / max(1, self._ticks),
                max(0, stale - self._stale),
            )
        self._at, self._cpu, self._packets, self._stale = now, cpu, packets, stale
        self._ticks = self._late = 0
        return load


class Admission:
    """Says whether a node takes a further call.

    By measure it stops when one more call of the present kind would leave the thread too little
    time, when too many ticks come late or when packets grow stale, and goes on after 10 s without.
    A node that carries less than a tenth of its packets is not strained by them, whatever it
    measures: somebody else is at work on the machine, and refusing calls would not help.
    """

    def __init__(self, max_calls: int) -> None:
        self.max_calls = max_calls
        self.busy = 0.0
        self.late = 0.0
        self.packets_per_second = 0.0
        self.strained = False
        self._calm_since: float | None = None

    def step(self, load: Load, now: float) -> None:
        """Take one second."""
        self.busy += (load.busy - self.busy) * WEIGHT
        self.late += (load.late - self.late) * WEIGHT
        self.packets_per_second = load.packets_per_second
        with_one_more = self.busy + self.busy / max(1, load.calls)
        if with_one_more > BUSY or self.late > LATE or load.stale:
            self.strained, self._calm_since = True, None
        elif with_one_more < BUSY_NO_MORE and self.late < LATE_NO_MORE:
            self._calm_since = now if self._calm_since is None else self._calm_since
            self.strained = self.strained and now - self._calm_since < CALM_SECONDS
        else:
            self._calm_since = None

    def accepts(self, calls: int) -> bool:
        """Tell whether there is room beside the `calls` under way."""
        in_use = self._in_use()
        strained = self.strained and in_use >= STRAIN_FROM
        return calls < self.max_calls and not strained and in_use < 1.0

    def load(self, calls: int) -> float:
        """Return which part of the node is in use; 1 is full."""
        by_number = calls / self.max_calls if self.max_calls else 1.0
        return min(1.0, max(by_number, self._in_use(), self.busy))

    def _in_use(self) -> float:
        """Return the share of the packets that it may carry."""
        budget = self.max_calls * PACKETS_PER_CALL
        return self.packets_per_second / budget if budget else 0.0
