"""How good a whole call was, out of what is kept of its directions. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from media.quality import Cause, Line, Place, judge
from media.quality_lines import SHOWN
from media.quality_sum import Summary

PICTURES_COUNT = frozenset({("counter", "sends"), ("desk", "receives")})


@dataclass(frozen=True, slots=True)
class Total:
    """Shares of the time in which the worst direction was good, fair and poor; they make 100.

    `cause` is what its figures say of it and `place` whose connection it is; None when nothing.
    """

    good_percent: int
    fair_percent: int
    poor_percent: int
    cause: Cause | None = None
    place: Place | None = None


def total_of(summaries: Mapping[tuple[str, str], Summary]) -> Total | None:
    """Return what to say of a call; None when nothing was measured.

    Only the picture on its way to the desk is held against it, as in the word during the call.
    """
    found = [
        (kept, cause, place)
        for (party, direction), kept in sorted(summaries.items())
        for place in [Place.COUNTER if party == "counter" else Place.DESK]
        for cause in [_cause(kept, place)]
        if kept.seconds and ((party, direction) in PICTURES_COUNT or cause not in SHOWN)
    ]
    if not found:
        return None
    kept, cause, place = max(found, key=lambda x: _badness(x[0]))
    fair, poor = (round(100 * x / kept.seconds) for x in (kept.fair_seconds, kept.poor_seconds))
    poor = min(poor, 100 - fair)
    return Total(100 - fair - poor, fair, poor, cause, place if cause else None)


def _badness(kept: Summary) -> tuple[float, float]:
    return kept.poor_seconds / kept.seconds, kept.fair_seconds / kept.seconds


def _cause(kept: Summary, place: Place) -> Cause | None:
    """Return the first cause that the figures of the whole call show, None of a good one."""
    if not kept.fair_seconds + kept.poor_seconds:
        return None
    line = Line(
        rtt_ms=kept.rtt_ms if kept.rtt_known else None,
        jitter_ms=kept.jitter_ms_worst,
        loss=kept.loss,
        frozen=kept.frozen_ms / 1000 / kept.seconds,
        fps=kept.fps_tenths / 10 if kept.fps_known else None,
        width=kept.width_least or None,
        height=kept.height_least or None,
    )
    return judge(line, place).cause
