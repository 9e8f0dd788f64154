"""What one party's connection carries, and what it is sent for that. Pure; one object a connection.

Where the receiver counts arrivals for us (transport-cc), its feedback says what the line carries:
`tests/bench/LINKS.md` compares. Where it does not, its own estimate does (media/feedback.py).
Rates are bit/s, times monotonic seconds.
"""

from collections.abc import Iterable

from media.estimator import Estimator
from media.feedback import RateCap
from media.path import Flow
from media.sent import Feedback, Sent
from media.thinning import Strain, Thinning, repairs_per_second

COUNTED_SECONDS = 5.0  # feedback older than that does not speak of the line any more
JUDGE_SECONDS = 0.1
SMOOTHING = 0.1  # of what came in `JUDGE_SECONDS`
CALM_QUEUE_SECONDS = 0.05


class Steering:
    """Takes what is sent and what comes back; says what may be sent."""

    __slots__ = (
        "_audio_bps",
        "_counted_at",
        "_estimator",
        "_judged_at",
        "_octets",
        "_sent",
        "_thinning",
        "_video_bps",
        "cap",
        "pictures",
        "sound_counted",
    )

    def __init__(self) -> None:
        self.cap = RateCap()
        self.pictures = 1  # how many streams of them share the line
        self.sound_counted = True  # whether sound goes under transport-wide numbers too
        self._sent = Sent()
        self._estimator = Estimator()
        self._thinning = Thinning()
        self._counted_at: float | None = None
        self._judged_at: float | None = None
        self._octets = (0, 0)
        self._video_bps = self._audio_bps = 0.0

    @property
    def flow(self) -> int:
        """Which frames of pictures to send (media/path.py, `Flow`)."""
        return self._thinning.flow

    @property
    def paused(self) -> bool:
        """Whether the line carries no picture, so that people should be told."""
        return self._thinning.paused

    def repairs_per_second(self, now: float) -> float:
        """Return how many packets of pictures may be sent again; sound is not counted."""
        return repairs_per_second(self.limit(now), self._estimator.queue_seconds)

    def sent(self, packets: Iterable[tuple[int, float, int]]) -> None:
        """Take (transport-wide number, time, bytes) of what left."""
        for number, at, size in packets:
            self._sent.note(number, at, size)

    def feedback(self, feedback: Feedback, now: float) -> None:
        """Take what the receiver says of numbered packets."""
        seen = self._sent.take(feedback)
        if seen:
            self._counted_at = now
            self._estimator.take(seen, now)

    def limit(self, now: float) -> int | None:
        """Return what may be sent, None when nothing speaks against anything."""
        if self._counted_at is None:
            return self.cap.current(now)
        counted = self._estimator.limit(now)
        if counted is None or self.sound_counted:
            return counted
        return counted + int(self._audio_bps)

    def share(self, now: float) -> int | None:
        """Return what one of the pictures may take, sound with it; None without a limit."""
        limit = self.limit(now)
        return None if limit is None else limit // max(1, self.pictures)

    def is_calm(self, now: float) -> bool:
        """Tell whether there is nothing to judge: no limit, no queue, and all frames are sent."""
        queued = self._estimator.queue_seconds > CALM_QUEUE_SECONDS
        return self.flow == Flow.ALL and not queued and self.limit(now) is None

    def judge(self, video_octets: int, audio_octets: int, now: float) -> None:
        """Take the running totals of what sources bring for this line, and judge `flow` anew.

        Does its work ten times a second however often it is called.
        """
        if self._judged_at is not None and now - self._judged_at < JUDGE_SECONDS:
            return
        self._measure(video_octets, audio_octets, now)
        paused = self._thinning.paused
        fresh = self._counted_at is not None and now - self._counted_at < COUNTED_SECONDS
        queue = self._estimator.queue_seconds if fresh else 0.0
        strain = Strain(self.limit(now), queue, int(self._video_bps), int(self._audio_bps))
        self._thinning.judge(strain, now)
        if paused and not self._thinning.paused:
            self._estimator.try_again()

    def _measure(self, video_octets: int, audio_octets: int, now: float) -> None:
        if self._judged_at is not None:
            gone = now - self._judged_at
            share = 1 - (1 - SMOOTHING) ** (gone / JUDGE_SECONDS)
            video, audio = video_octets - self._octets[0], audio_octets - self._octets[1]
            self._video_bps += share * (max(0, video) * 8 / gone - self._video_bps)
            self._audio_bps += share * (max(0, audio) * 8 / gone - self._audio_bps)
        self._judged_at, self._octets = now, (video_octets, audio_octets)
