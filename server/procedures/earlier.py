"""A call that broke off for longer than seats are kept, taken up by the tablet's next one. Pure.

The new call starts afresh: face, spoken code, 原本確認 and all that an interruption undoes are done
again, since nobody knows yet that the same resident and the same clerk stand there.
What else was gathered may be taken over by the desk, once, with who did it and when.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from security.errors import Conflict
from server.calls.call import Call, Outcome, State
from server.procedures.lock import changed
from server.procedures.progress import Place, Progress, interrupted, whose
from server.procedures.sheet import Mark, Sheet
from server.procedures.template import Template

WITHIN = timedelta(minutes=60)
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the tablet's call before has left: when it broke off, and what stood by then."""

    call_id: str
    number: str
    closed_at: datetime
    progress: Progress
    marks: Mapping[Place, Mark]

    @property
    def files(self) -> tuple[str, ...]:
        """Return the ids of the pictures and papers that were bound, each once."""
        return tuple(dict.fromkeys(x for ids in self.progress.bound.values() for x in ids))

    @property
    def things(self) -> int:
        """Return how much there is beside documents and files: answers and ticks."""
        return len(self.progress.answers) + sum(map(len, self.progress.ticks.values()))

    @property
    def anything(self) -> bool:
        """Tell whether there is anything to take over."""
        return bool(self.things or self.files or self.progress.documents)


def follows(call: Call, before: Call) -> bool:
    """Tell whether `before`, the last call of the tablet, broke off and `call` takes it up."""
    return (
        (before.municipality_id, before.tablet_id) == (call.municipality_id, call.tablet_id)
        and (before.procedure, before.training) == (call.procedure, call.training)
        and before.state is State.CLOSED
        and (before.outcome, before.reason) == (Outcome.ABORTED, "line_lost")
        and before.answered_at is not None
        and before.closed_at is not None
        and timedelta(0) <= call.placed_at - before.closed_at <= WITHIN
    )


def gathered(template: Template, before: Call, sheet: Sheet) -> Gathered | None:
    """Return what is left of a call; None for nothing.

    Nothing of a step that reopens is, nor what the clerk ticked: originals are held again.
    """
    left = interrupted(template, sheet.progress)
    again = {step.id for step in template.steps if step.reopens}
    needs = {(s.id, i): need for s in template.steps for i, need in enumerate(s.needs)}
    clerks = {place for place, need in needs.items() if whose(need) == "counter"}
    bound = {place: ids for place, ids in left.bound.items() if place[0] not in again and ids}
    ticks = {place: items for place, items in left.ticks.items() if place not in clerks}
    progress = replace(left, ticks=ticks, bound=bound, excused=False, deferred=False)
    papers = {place for place, need in needs.items() if need.kind == "documents"}
    kept = {place for one in _by_place(progress) for place in one} | papers
    marks = {place: mark for place, mark in sheet.marks.items() if place in kept}
    if before.closed_at is None:
        return None
    found = Gathered(before.id, before.number, before.closed_at, progress, marks)
    return found if found.anything else None


def taken_over(sheet: Sheet, found: Gathered, files: Mapping[str, str]) -> Sheet:
    """Return the sheet with what was gathered, where nothing stands yet.

    `files` gives the ids that the files have in this call; one that is not there any more is left
    out. Raises `Conflict` `wrong_state` once something was taken over.
    """
    if sheet.earlier is not None:
        raise Conflict("it was taken over already", code="wrong_state")
    now, old = sheet.progress, found.progress
    bound = {
        place: tuple(files[one] for one in ids if one in files) for place, ids in old.bound.items()
    }
    progress = replace(
        now,
        ticks=_beside(now.ticks, old.ticks),
        answers=_beside(now.answers, old.answers),
        drawn=_beside(now.drawn, old.drawn),
        draws=_beside(now.draws, old.draws),
        bound=_beside(now.bound, bound),
        documents=now.documents or old.documents,
        pin=now.pin or old.pin,
        notice=now.notice or old.notice,
    )
    if _papers(progress) != _papers(now):
        progress = replace(progress, excused=False, deferred=False)
    marks = {place: mark for place, mark in found.marks.items() if place not in sheet.marks}
    return replace(changed(sheet, progress, marks), earlier=found.call_id)


def _beside(now: Mapping[Place, V], old: Mapping[Place, V]) -> dict[Place, V]:
    """Return both; what was done in this call stands."""
    return {**old, **{place: value for place, value in now.items() if value}}


def _by_place(progress: Progress) -> tuple[Mapping[Place, object], ...]:
    return (progress.ticks, progress.answers, progress.drawn, progress.bound)


def _papers(progress: Progress) -> tuple[object, ...]:
    return (progress.documents, progress.pin, progress.notice)
