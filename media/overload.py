"""What a node leaves out when it cannot keep up, so that a late voice never becomes the rule. Pure.

The system holds what has arrived until the loop reads it. When the loop falls behind, that queue
(4 MiB, some 3,600 packets) grows full and stays full: every packet then comes late by its length
for as long as more comes than can be carried, and a second of delay is worse than gaps. So the
age of what is read decides: pictures older than 100 ms are left out, by whole frames up to the next
keyframe, and beyond 400 ms sound as well, because nobody would play it. To leave a packet out
costs a tenth of carrying it, so the queue drains at once. Connection checks,
handshakes and reports are always taken: without them calls would be lost. The system notes arrivals
by the wall clock: for a second after that was put, no age is known.
"""

from enum import IntEnum

STALE_PICTURE_SECONDS, FRESH_PICTURE_SECONDS = 0.100, 0.030
STALE_SOUND_SECONDS, FRESH_SOUND_SECONDS = 0.400, 0.200

STEP_SECONDS, DOUBTED_SECONDS = 0.02, 1.0
READING_SECONDS = 0.005


class Shed(IntEnum):
    """What is left out: nothing, pictures, all media."""

    NOTHING, PICTURES, MEDIA = range(3)


class Staleness:
    """Follows the age of what is read; goes back to less only well below where it began."""

    __slots__ = ("shed",)

    def __init__(self) -> None:
        self.shed = Shed.NOTHING

    def step(self, age: float) -> Shed:
        """Take the age (seconds since it arrived) of the packet just read."""
        if age >= STALE_SOUND_SECONDS:
            self.shed = Shed.MEDIA
        elif self.shed is Shed.MEDIA and age >= FRESH_SOUND_SECONDS:
            return self.shed
        elif age >= STALE_PICTURE_SECONDS or (self.shed and age >= FRESH_PICTURE_SECONDS):
            self.shed = Shed.PICTURES
        else:
            self.shed = Shed.NOTHING
        return self.shed


class WallClock:
    """Tells whether the wall clock was put, so that for a second no age can be told by it."""

    __slots__ = ("_ahead", "_until")

    def __init__(self) -> None:
        self._ahead: float | None = None  # of the monotonic clock
        self._until = 0.0

    def is_doubtful(self, wall: float, monotonic: float, *, took: float = 0.0) -> bool:
        """Take what both clocks say; to be asked often, for they drift apart by themselves.

        `took` is how long the reading of both took: on a busy machine something else may run
        between, and then nothing can be told by them.
        """
        if took > READING_SECONDS:
            return monotonic < self._until
        before, self._ahead = self._ahead, wall - monotonic
        if before is not None and abs(self._ahead - before) > STEP_SECONDS:
            self._until = monotonic + DOUBTED_SECONDS
        return monotonic < self._until
