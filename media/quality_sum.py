"""What is kept of the quality of one direction over a whole call. Pure."""

from dataclasses import dataclass, replace

from media.quality import Level, Line, short_side


@dataclass(frozen=True, slots=True)
class Summary:
    """Sums over the looks of one direction; means weigh each look by its seconds.

    Whole numbers throughout, so that a database keeps them as they are. `*_known` are the seconds
    that a mean stands on. Nothing here tells of a person.
    """

    seconds: int = 0
    good_seconds: int = 0
    fair_seconds: int = 0
    poor_seconds: int = 0
    packets: int = 0
    lost: int = 0
    repaired: int = 0
    freezes: int = 0
    frozen_ms: int = 0
    rtt_known: int = 0
    rtt_ms: int = 0
    rtt_ms_worst: int = 0
    jitter_ms_worst: int = 0
    kbps_known: int = 0
    kbps: int = 0
    fps_known: int = 0
    fps_tenths: int = 0
    width_least: int = 0
    height_least: int = 0
    width_most: int = 0
    height_most: int = 0

    @property
    def loss(self) -> float | None:
        """The share of packets that never came, after repair; None before the first."""
        expected = self.packets + self.lost
        return self.lost / expected if expected else None


def add(sum_: Summary, line: Line, level: Level, seconds: int) -> Summary:
    """Return the summary with one look of `seconds` more."""
    known = replace(
        sum_,
        seconds=sum_.seconds + seconds,
        good_seconds=sum_.good_seconds + (seconds if level is Level.GOOD else 0),
        fair_seconds=sum_.fair_seconds + (seconds if level is Level.FAIR else 0),
        poor_seconds=sum_.poor_seconds + (seconds if level is Level.POOR else 0),
        packets=sum_.packets + (line.packets or 0),
        lost=sum_.lost + (line.lost or 0),
        repaired=sum_.repaired + (line.repaired or 0),
        freezes=sum_.freezes + (line.freezes or 0),
        frozen_ms=sum_.frozen_ms + round((line.frozen or 0) * seconds * 1000),
        rtt_ms_worst=max(sum_.rtt_ms_worst, line.rtt_ms or 0),
        jitter_ms_worst=max(sum_.jitter_ms_worst, line.jitter_ms or 0),
    )
    return _sizes(_means(known, line, seconds), line)


def _means(sum_: Summary, line: Line, seconds: int) -> Summary:
    if line.rtt_ms is not None:
        mean = _mean(sum_.rtt_ms, sum_.rtt_known, line.rtt_ms, seconds)
        sum_ = replace(sum_, rtt_ms=mean, rtt_known=sum_.rtt_known + seconds)
    if line.kbps is not None:
        mean = _mean(sum_.kbps, sum_.kbps_known, line.kbps, seconds)
        sum_ = replace(sum_, kbps=mean, kbps_known=sum_.kbps_known + seconds)
    if line.fps is not None:
        mean = _mean(sum_.fps_tenths, sum_.fps_known, line.fps * 10, seconds)
        sum_ = replace(sum_, fps_tenths=mean, fps_known=sum_.fps_known + seconds)
    return sum_


def _mean(mean: int, weight: int, value: float, seconds: int) -> int:
    total = weight + seconds
    return round((mean * weight + value * seconds) / total) if total else mean


def _sizes(sum_: Summary, line: Line) -> Summary:
    """Take the smallest and the largest picture, by the shorter side."""
    side = short_side(line)
    if side is None or not side:
        return sum_
    width, height = line.width or 0, line.height or 0
    least = min(sum_.width_least, sum_.height_least)
    if not least or side < least:
        sum_ = replace(sum_, width_least=width, height_least=height)
    if side > min(sum_.width_most, sum_.height_most):
        sum_ = replace(sum_, width_most=width, height_most=height)
    return sum_
