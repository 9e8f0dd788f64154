"""Which frames a listener on a poor line is sent. Pure; `now` is monotonic seconds.

Sound comes first, then a sharp picture, then a moving one: the encoder keeps its resolution and
gives up frames, and what it sends too much is left out here by whole frames, those first that no
other frame needs. When a line carries no picture at all, the picture is paused and people are told;
it is tried again after 8 s, and after twice as long each time that this fails.
"""

from dataclasses import dataclass

from media.path import Flow

FULL_SECONDS = 0.25  # of queue: leave out what can be
OVERFULL_SECONDS = 0.7  # send sound alone until it is empty
EMPTY_SECONDS = 0.1
LONGEST_EMPTYING_SECONDS = 2.5
BREATH_SECONDS = 2.0  # after emptying: a keyframe fills the queue again, and that is no sign
TOO_MUCH, ENOUGH = 1.5, 1.3  # of what the line carries besides sound
TOO_MUCH_SECONDS = 0.6
ENOUGH_SECONDS = 1.5
LEAST_PICTURE_BPS = 50_000  # at one frame a second in 720p
HOPELESS_SECONDS = 2.5
FIRST_REST_SECONDS, LONGEST_REST_SECONDS = 8.0, 60.0
WELL_SECONDS = 10.0

REPAIR_SHARE = 0.15  # of what a narrow line carries: to repeat all that it loses makes it narrower
LOSSY_REPAIR_SHARE, REPAIR_QUEUE_SECONDS = 0.6, 0.08
REPAIR_BYTES = 1200
MOST_REPAIRS, LEAST_REPAIRS = 400.0, 5.0  # packets a second


def repairs_per_second(limit_bps: int | None, queue_seconds: float) -> float:
    """Return how many packets of pictures a second may be sent again over a line of that limit.

    A line without a queue loses by its nature, and to repeat is all that helps.
    """
    if limit_bps is None:
        return MOST_REPAIRS
    share = REPAIR_SHARE if queue_seconds > REPAIR_QUEUE_SECONDS else LOSSY_REPAIR_SHARE
    packets = share * limit_bps / 8 / REPAIR_BYTES
    return min(MOST_REPAIRS, max(LEAST_REPAIRS, packets))


@dataclass(frozen=True, slots=True)
class Strain:
    """How a listener's line does: `limit_bps` is None when nothing speaks against anything."""

    limit_bps: int | None
    queue_seconds: float
    video_bps: int  # as it comes from the source
    audio_bps: int


class Thinning:
    """Decides for one listener. `paused` tells whether people are to be told of it."""

    __slots__ = (
        "_emptying_until",
        "_enough_since",
        "_hopeless_since",
        "_next_rest",
        "_rests_until",
        "_too_much_since",
        "_tried_at",
        "flow",
        "paused",
    )

    def __init__(self) -> None:
        self.flow = Flow.ALL
        self.paused = False
        self._emptying_until = 0.0
        self._rests_until = 0.0
        self._next_rest = FIRST_REST_SECONDS
        self._tried_at = -LONGEST_REST_SECONDS
        self._too_much_since: float | None = None
        self._enough_since: float | None = None
        self._hopeless_since: float | None = None

    def judge(self, strain: Strain, now: float) -> int:
        """Return the flow from now on; to be called several times a second."""
        if self.paused:
            return self._rest(now)
        if self._is_hopeless(strain, now):
            self.paused = True
            self._rests_until = now + self._next_rest
            self._next_rest = min(LONGEST_REST_SECONDS, 2 * self._next_rest)
            self.flow = Flow.NONE
        elif self.flow == Flow.NONE:
            self._empty(strain, now)
        elif strain.queue_seconds > OVERFULL_SECONDS and now > self._tried_at + BREATH_SECONDS:
            self._emptying_until = now + LONGEST_EMPTYING_SECONDS
            self.flow = Flow.NONE
        else:
            self._thin(strain, now)
        return self.flow

    def _rest(self, now: float) -> int:
        if now >= self._rests_until:
            self.paused = False
            self._hopeless_since = None
            self._tried_at = now
            self.flow = Flow.BASE
        return self.flow

    def _is_hopeless(self, strain: Strain, now: float) -> bool:
        """Tell whether the line has carried no picture for a while."""
        limit = strain.limit_bps
        if limit is None or limit - strain.audio_bps >= LEAST_PICTURE_BPS:
            self._hopeless_since = None
            if now - self._tried_at > WELL_SECONDS:
                self._next_rest = FIRST_REST_SECONDS
            return False
        if self._hopeless_since is None:
            self._hopeless_since = now
        return now - self._hopeless_since > HOPELESS_SECONDS

    def _empty(self, strain: Strain, now: float) -> None:
        if strain.queue_seconds < EMPTY_SECONDS or now >= self._emptying_until:
            self._tried_at = now
            self.flow = Flow.BASE

    def _thin(self, strain: Strain, now: float) -> None:
        carries = None if strain.limit_bps is None else max(0, strain.limit_bps - strain.audio_bps)
        full = strain.queue_seconds > FULL_SECONDS
        too_much = carries is not None and strain.video_bps > TOO_MUCH * carries
        enough = carries is None or strain.video_bps <= ENOUGH * carries
        self._too_much_since = (self._too_much_since or now) if too_much else None
        self._enough_since = (self._enough_since or now) if enough and not full else None
        if full or (self._too_much_since and now - self._too_much_since > TOO_MUCH_SECONDS):
            self.flow = Flow.BASE
        elif self._enough_since and now - self._enough_since > ENOUGH_SECONDS:
            self.flow = Flow.ALL
