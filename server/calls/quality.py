"""The quality of one running call: what was found, what is shown, what is kept. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from media.quality import (
    NOTHING,
    BelowMinimum,
    Calm,
    Level,
    Line,
    MinimumPicture,
    Place,
    Verdict,
    judge,
)
from media.quality_lines import Lines, Report, lines_of, own_verdict, verdict_of
from media.quality_sum import Summary, add
from media.settings import PartyStats

REPORT_SECONDS = 10.0
MAX_LOOK_SECONDS = 30.0
NO_LINES = Lines()
Summaries = dict[tuple[str, str], Summary]  # by party and "sends" or "receives"


@dataclass(frozen=True, slots=True)
class Shown:
    """What the two ends are shown. `lines` and the offer are for the desk alone."""

    desk: Verdict
    counter: Verdict
    abort_offered: bool
    lines: dict[str, Lines]


class CallQuality:
    """Follows one call. Times are monotonic seconds."""

    def __init__(self) -> None:
        self.summaries: Summaries = {}
        self.shown = Shown(NOTHING, NOTHING, False, {})
        self._desk, self._counter = Calm(), Calm()
        self._below = BelowMinimum()
        self._before: Mapping[str, PartyStats] = {}
        self._looked_at: float | None = None
        self._reports: dict[str, tuple[Report, float]] = {}
        self._counted: set[str] = set()

    def report(self, party: str, report: Report, now: float) -> None:
        """Take what a party's page says of its own connection; it holds for 10 s."""
        before = self._reports.get(party)
        if before is not None and party not in self._counted:
            report = _joined(before[0], report)
        self._reports[party] = (report, now)
        self._counted.discard(party)

    def look(
        self,
        stats: Mapping[str, PartyStats],
        now: float,
        *,
        picture: bool,
        minimum: MinimumPicture,
    ) -> Shown:
        """Take the engine's figures and return what to show from now on.

        `picture` is false while the counter's picture is withheld: then it is not judged.
        `minimum` is what the policy asks of the picture at the desk now.
        """
        since = self._looked_at
        seconds = 0.0 if since is None else min(MAX_LOOK_SECONDS, now - since)
        lines = {party: self._lines(party, stats[party], seconds, now) for party in stats}
        if not picture:
            lines = {party: _without_picture(party, x) for party, x in lines.items()}
        self._before, self._looked_at = dict(stats), now
        if since is not None:
            self._keep(lines, round(now) - round(since))
        counter, desk = lines.get("counter", NO_LINES), lines.get("desk", NO_LINES)
        self.shown = Shown(
            self._desk.step(verdict_of(counter, desk), now),
            self._counter.step(own_verdict(counter, Place.COUNTER), now),
            self._below.step(minimum, desk.receives, now),
            lines,
        )
        return self.shown

    def _lines(self, party: str, stats: PartyStats, seconds: float, now: float) -> Lines:
        found = self._reports.get(party)
        report = found[0] if found and now - found[1] < REPORT_SECONDS else None
        if report is not None and party in self._counted:
            # Its freezes stand in the last look already.
            report = replace(
                report, received=replace(report.received, freezes=None, frozen_ms=None)
            )
        self._counted.add(party)
        return lines_of(self._before.get(party), stats, report, seconds)

    def _keep(self, lines: Mapping[str, Lines], seconds: int) -> None:
        for party, both in lines.items():
            place = Place.COUNTER if party == "counter" else Place.DESK
            for way, line in (("sends", both.sends), ("receives", both.receives)):
                level = judge(line, place).level
                if level is not Level.UNKNOWN:
                    kept = self.summaries.get((party, way), Summary())
                    self.summaries[party, way] = add(kept, line, level, seconds)


def _joined(first: Report, second: Report) -> Report:
    """Return two reports in a row as one: sums of what is counted, the rest of the second."""
    got = second.received
    return replace(
        second,
        seconds=first.seconds + second.seconds,
        received=replace(
            got,
            freezes=_sum(first.received.freezes, got.freezes),
            frozen_ms=_sum(first.received.frozen_ms, got.frozen_ms),
        ),
    )


def _sum(first: int | None, second: int | None) -> int | None:
    return second if first is None else first + (second or 0)


def _without_picture(party: str, lines: Lines) -> Lines:
    """Leave out what is said of a picture that nobody is to see: the counter's."""
    none: Line = lines.sends if party == "counter" else lines.receives
    none = replace(none, fps=None, width=None, height=None, frozen=None, freezes=None)
    if party == "counter":
        return Lines(none, lines.receives)
    return Lines(lines.sends, none)
