"""What a node leaves out when it cannot keep up, so that a late voice never becomes the rule. Pure.

The system holds what has arrived until the loop reads it. When the loop falls behind, that queue
(4 MiB, some 3,600 packets) grows full and stays full: every packet then comes late by its length
for as long as more comes than can be carried, and a second of delay is worse than gaps. So the
age of what is read decides: pictures older than 100 ms are left out, by whole frames up to the next
keyframe, and beyond 400 ms sound as well, because nobody would play it. To leave a packet out
costs a tenth of carrying it, so the queue drains at once. Connection checks,
handshakes and reports are always taken: without them calls would be lost.
"""

from enum import IntEnum

STALE_PICTURE_SECONDS, FRESH_PICTURE_SECONDS = 0.100, 0.030
STALE_SOUND_SECONDS, FRESH_SOUND_SECONDS = 0.400, 0.200


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
