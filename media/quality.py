"""How good each direction of a call is, in one word and one cause, told calmly. Pure.

A `Line` is one direction between a party and the node, over one look of a few seconds. Two sources
fill it in. The engine knows round trip, jitter, loss, rate, repairs and frames of what a party
sends, and its size, whatever a page says. What is shown (frame rate, size, freezes) comes
from the page's `getStats`: only who shows a picture knows it, and it holds for every codec. What a
page tells is used for words on screen and for offers to a person; it decides nothing.
"""

from dataclasses import dataclass
from enum import StrEnum

LOOK_SECONDS = 3.0
WORSE_SECONDS = 2.5  # two looks that agree
BETTER_SECONDS = 10.0


class Level(StrEnum):
    """良好, 注意, 不良; unknown while nothing is measured."""

    UNKNOWN = "unknown"
    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"


class Cause(StrEnum):
    """What is wrong with a line, the most telling first."""

    PAUSED = "paused"  # the line carries sound alone
    BUSY = "busy"  # the sender's processor
    LOSS = "loss"
    FROZEN = "frozen"
    DELAY = "delay"
    JITTER = "jitter"
    COARSE = "coarse"
    SLOW = "slow"


class Place(StrEnum):
    """Whose line it is."""

    COUNTER = "counter"
    DESK = "desk"


@dataclass(frozen=True, slots=True)
class Line:
    """One direction over one look; what nobody knows is None.

    `loss` is a share from 0 to 1 after repair, `frozen` the share of the time in which the picture
    stood still, `limited_by` what the sender's encoder says holds it back (`cpu`, `bandwidth`).
    """

    rtt_ms: int | None = None
    jitter_ms: int | None = None
    loss: float | None = None
    kbps: int | None = None
    fps: float | None = None
    width: int | None = None
    height: int | None = None
    frozen: float | None = None
    freezes: int | None = None
    repaired: int | None = None
    packets: int | None = None
    lost: int | None = None
    limited_by: str | None = None
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """A level, and what brings it about; a good line has no cause."""

    level: Level
    cause: Cause | None = None
    place: Place | None = None


NOTHING = Verdict(Level.UNKNOWN)
SEVERITY = {Level.UNKNOWN: 0, Level.GOOD: 1, Level.FAIR: 2, Level.POOR: 3}

# From these values on a line is fair or poor. Loss: repair hides 2 % and Opus 10 %; delay: ITU-T
# G.114 calls 150 ms one way good and 400 ms the end; rate and size: a paper held still can be read
# at 5 frames a second but not at 240 lines.
_RISING: tuple[tuple[Cause, str, float, float], ...] = (
    (Cause.LOSS, "loss", 0.03, 0.10),
    (Cause.FROZEN, "frozen", 0.05, 0.25),
    (Cause.DELAY, "rtt_ms", 300, 800),
    (Cause.JITTER, "jitter_ms", 50, 120),
)
_FALLING: tuple[tuple[Cause, str, float, float], ...] = (
    (Cause.COARSE, "short_side", 480, 240),
    (Cause.SLOW, "fps", 10, 4),
)


def judge(line: Line, place: Place) -> Verdict:
    """Return the level of one line and its first cause; unknown when nothing was measured."""
    if line.paused:
        return Verdict(Level.POOR, Cause.PAUSED, place)
    found = [NOTHING]
    for cause, name, fair, poor in _RISING:
        value = getattr(line, name)
        if value is not None:
            found.append(_verdict(cause, place, value >= fair, value >= poor))
    sizes = {"short_side": short_side(line), "fps": line.fps}
    for cause, name, fair, poor in _FALLING:
        size = sizes[name]
        if size is not None:
            found.append(_verdict(cause, place, size < fair, size < poor))
    worst = max(found, key=lambda v: SEVERITY[v.level])
    if line.limited_by == "cpu" and worst.cause in (Cause.COARSE, Cause.SLOW):
        return Verdict(worst.level, Cause.BUSY, place)
    return worst


def _verdict(cause: Cause, place: Place, is_fair: bool, is_poor: bool) -> Verdict:
    if not is_fair and not is_poor:
        return Verdict(Level.GOOD)
    return Verdict(Level.POOR if is_poor else Level.FAIR, cause, place)


def short_side(line: Line) -> int | None:
    """Return the shorter side of the picture in pixels: a tablet may stand upright."""
    if line.width is None or line.height is None:
        return None
    return min(line.width, line.height)


def worst(verdicts: tuple[Verdict, ...]) -> Verdict:
    """Return the worst of several, the first of equals; unknown only when all are."""
    return max(verdicts, key=lambda v: SEVERITY[v.level], default=NOTHING)


class Calm:
    """Holds back what changes: worse waits for two looks that agree, anything else for 10 s.

    A picture that is paused, and one that goes on, is told at once.

    What is shown then is the mildest of what would have been worse, or the worst of what would
    have been better, so that a line that swings is not called by its extremes.
    """

    __slots__ = ("_pending", "_since", "shown")

    def __init__(self) -> None:
        self.shown = NOTHING
        self._pending: Verdict | None = None
        self._since = 0.0

    def step(self, verdict: Verdict, now: float) -> Verdict:
        """Take what was found at `now` (monotonic seconds) and return what to show."""
        if self.shown.level is Level.UNKNOWN or Cause.PAUSED in (verdict.cause, self.shown.cause):
            self.shown, self._pending = verdict, None
        elif verdict == self.shown:
            self._pending = None
        else:
            self._wait(verdict, now)
        return self.shown

    def _wait(self, verdict: Verdict, now: float) -> None:
        pending = self._pending
        if pending is None or self._worse(pending) != self._worse(verdict):
            self._pending, self._since = verdict, now
        else:
            pick = min if self._worse(verdict) else max
            self._pending = pick(verdict, pending, key=lambda v: SEVERITY[v.level])
        patience = WORSE_SECONDS if self._worse(verdict) else BETTER_SECONDS
        if self._pending is not None and now - self._since >= patience:
            self.shown, self._pending = self._pending, None

    def _worse(self, verdict: Verdict) -> bool:
        return SEVERITY[verdict.level] > SEVERITY[self.shown.level]


@dataclass(frozen=True, slots=True)
class MinimumPicture:
    """The least picture that an identity check may go on with, and how long it may be missed.

    `side` is the shorter side in pixels, so that it holds of a picture lying or upright.
    """

    side: int
    fps: int
    seconds: int

    def met(self, line: Line) -> bool | None:
        """Tell whether the picture shown is enough; None while there is none to judge."""
        if line.width is None or line.height is None or line.fps is None:
            return None
        return min(line.width, line.height) >= self.side and line.fps >= self.fps


class BelowMinimum:
    """For how long the picture has been less than the minimum.

    It is offered to break off the call once that lasts as long as set, until the picture has been
    enough for 10 s. A picture that is withheld is neither.
    """

    __slots__ = ("_enough_since", "_since", "offered")

    def __init__(self) -> None:
        self.offered = False
        self._since: float | None = None
        self._enough_since: float | None = None

    def step(self, minimum: MinimumPicture, line: Line, now: float) -> bool:
        """Take a look and tell whether breaking off is offered."""
        met = minimum.met(line)
        if met is None:
            self._since = self._enough_since = None
            self.offered = False
        elif met:
            self._enough(now)
        else:
            self._enough_since = None
            self._since = now if self._since is None else self._since
            self.offered = self.offered or now - self._since >= minimum.seconds
        return self.offered

    def _enough(self, now: float) -> None:
        self._since = None
        self._enough_since = now if self._enough_since is None else self._enough_since
        if now - self._enough_since >= BETTER_SECONDS:
            self.offered = False
