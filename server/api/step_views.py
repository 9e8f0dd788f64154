"""From a sheet to the noun "steps": for the desk whole, for the counter without what is the desk's.

The counter is told no script, no answer, no expiry and no reason; the desk is never told the code.
Pure.
"""

from collections.abc import Mapping
from datetime import date
from typing import cast

from server.api import step_nouns as n
from server.api.nouns import Named
from server.api.nouns import Place as PlaceNoun
from server.api.views import Json, dump
from server.api.views import Names as CallNames
from server.calls.call import Call
from server.procedures import template as t
from server.procedures.documents import CLASS_OF, KINDS, Lacking, lacking
from server.procedures.earlier import Gathered
from server.procedures.lock import Lock
from server.procedures.progress import (
    CODE_TRIES,
    MAX_DRAWS,
    Missing,
    Place,
    Progress,
    is_open,
    missing,
    whose,
)
from server.procedures.sheet import Approval, Chip, Sheet
from server.procedures.template import Step, Template
from server.procedures.words import Words

Names = Mapping[str, str]


def people_of(sheet: Sheet) -> set[str]:
    """Return the ids of everybody whose name the noun tells."""
    asked = {one.asked_by for one in sheet.approvals}
    answered = {one.answered_by for one in sheet.approvals if one.answered_by is not None}
    return asked | answered | {one.person_id for one in sheet.chips}


def steps_view(
    template: Template,
    sheet: Sheet,
    lock: Lock,
    day: date,
    names: Names,
    *,
    desk: bool,
    earlier: Gathered | None = None,
) -> Json:
    """Return the noun "steps"; `desk`: for the desk or a senior, else for the counter."""
    left = {(one.step, one.need): one for one in missing(template, sheet.progress, day)}
    drawing = _Drawing(template, sheet.progress, day, left, desk)
    steps = tuple(drawing.step(step) for step in template.steps)
    current = next((one.id for one in steps if one.state == "now"), None)
    return dump(
        n.StepsNoun(
            call=sheet.call_id,
            version=sheet.version,
            procedure=template.id,
            current=current,
            steps=steps,
            missing=tuple(
                n.MissingNoun(
                    step=one.step,
                    need=one.need,
                    kind=cast("n.NeedKind", one.kind),
                    left=one.left,
                )
                for one in lock.missing
            ),
            locked=not lock.open,
            approval_wanted=lock.approval,
            approvals=tuple(_approval(x, names) for x in sheet.approvals) if desk else (),
            chips=tuple(_chip(x, names) for x in sheet.chips) if desk else (),
            earlier=_earlier(earlier, sheet) if desk and earlier is not None else None,
        )
    )


class _Drawing:
    """What every part of one picture is drawn from."""

    def __init__(
        self,
        template: Template,
        progress: Progress,
        day: date,
        left: Mapping[Place, Missing],
        desk: bool,
    ) -> None:
        self.template = template
        self.progress = progress
        self.day = day
        self.left = left
        self.desk = desk
        self.current = self._current()

    def _current(self) -> str | None:
        todo = [x for x in self.template.steps if any(x.id == step for step, _ in self.left)]
        return next((x.id for x in todo if self._open(x)), None)

    def _open(self, step: Step) -> bool:
        return is_open(self.template, self.progress, step, self.day)

    def step(self, step: Step) -> n.StepNoun:
        """Return one line."""
        return n.StepNoun(
            id=step.id,
            title=step.title,
            script=step.script if self.desk else None,
            now=step.now,
            state=self._state(step),
            reopens=step.reopens,
            needs=tuple(self._need(step, i, need) for i, need in enumerate(step.needs)),
        )

    def _state(self, step: Step) -> n.StepState:
        if step.id == self.current:
            return "now"
        if not any(step.id == one for one, _ in self.left):
            return "done"
        return "open" if self._open(step) else "locked"

    def _need(self, step: Step, number: int, need: t.Need) -> n.NeedNoun:
        place = (step.id, number)
        found = self.left.get(place)
        noun = n.NeedNoun(
            need=number,
            kind=need.kind,
            by=whose(need),
            done=found is None,
            left=found.left if found else 0,
        )
        return noun.model_copy(update=self._of_kind(place, need))

    def _of_kind(self, place: Place, need: t.Need) -> dict[str, object]:
        ticked = self.progress.ticks.get(place, frozenset())
        match need:
            case t.TickNeed(items=items):
                return {"items": _items(dict(enumerate(items)), ticked)}
            case t.PromptsNeed(prompts=prompts, draw=draw):
                drawn = {x: prompts[x] for x in self.progress.drawn.get(place, ())}
                left = MAX_DRAWS - self.progress.draws.get(place, 0)
                return {"items": _items(drawn, ticked), "draw": draw, "draws_left": left}
            case t.AnswerNeed(question=question):
                text = self.progress.answers.get(place) if self.desk else None
                return {"words": question, "text": text}
            case t.StillNeed(what=what, at_least=least) | t.FileNeed(what=what, at_least=least):
                bound = self.progress.bound.get(place, ())
                return {"words": what, "bound": bound, "at_least": least}
            case t.DocumentsNeed():
                return {"documents": self._documents()}
            case t.CodeNeed():
                return {"code": self._code(place)}

    def _code(self, place: Place) -> n.CodeNoun:
        code = self.progress.codes.get(place)
        if code is None:
            return n.CodeNoun(code=None, tries_left=CODE_TRIES, agreed=False)
        told = None if self.desk or code.agreed else code.code
        return n.CodeNoun(code=told, tries_left=CODE_TRIES - code.tries, agreed=code.agreed)

    def _documents(self) -> n.DocumentsNoun:
        progress, rule = self.progress, self.template.documents
        ways: tuple[Lacking, ...] = ()
        if rule is not None:
            shown, pin, notice = progress.documents, progress.pin, progress.notice
            ways = lacking(rule, shown, self.day, pin=pin, notice=notice)
        return n.DocumentsNoun(
            shown=_shown(progress, self.day, desk=self.desk),
            pin=progress.pin,
            notice=progress.notice,
            excused=progress.excused,
            ways=tuple(n.WayNoun(a=x.a, b=x.b, pin=x.pin, notice=x.notice) for x in ways),
        )


def _shown(progress: Progress, day: date, *, desk: bool) -> tuple[n.ShownNoun, ...]:
    return tuple(
        n.ShownNoun(
            kind=one.kind,
            document_class=CLASS_OF[one.kind],
            name=KINDS[CLASS_OF[one.kind]][one.kind],
            expires=one.expires if desk else None,
            counts=one.counts_on(day),
        )
        for one in progress.documents
    )


def asked_view(call: Call, names: CallNames, sheet: Sheet, one: Approval, day: date) -> Json:
    """Return what a senior is asked, as the list of a senior's desk shows it."""
    return dump(
        n.AskedNoun(
            call=call.id,
            number=call.number,
            procedure=call.procedure,
            office=PlaceNoun(id=call.office_id, name=names.office),
            tablet=PlaceNoun(id=call.tablet_id, name=names.tablet),
            desk=Named(name=names.desk or ""),
            about=one.about,
            reason=one.reason,
            asked_at=one.asked_at,
            documents=_shown(sheet.progress, day, desk=True),
        )
    )


def _items(words: Mapping[int, Words], ticked: frozenset[int]) -> tuple[n.ItemNoun, ...]:
    return tuple(n.ItemNoun(item=i, words=x, on=i in ticked) for i, x in words.items())


def _named(person_id: str | None, names: Names) -> Named | None:
    return None if person_id is None else Named(name=names.get(person_id, ""))


def _approval(one: Approval, names: Names) -> n.ApprovalNoun:
    return n.ApprovalNoun(
        about=one.about,
        reason=one.reason,
        asked_by=Named(name=names.get(one.asked_by, "")),
        asked_at=one.asked_at,
        approved=one.approved,
        answer=one.answer,
        answered_by=_named(one.answered_by, names),
        answered_at=one.answered_at,
    )


def _earlier(one: Gathered, sheet: Sheet) -> n.EarlierNoun:
    return n.EarlierNoun(
        call=one.call_id,
        number=one.number,
        closed_at=one.closed_at,
        documents=len(one.progress.documents),
        files=len(one.files),
        things=one.things,
        taken=sheet.earlier is not None,
    )


def _chip(one: Chip, names: Names) -> n.ChipNoun:
    return n.ChipNoun.model_validate(
        {
            "document": one.document,
            "tool": one.tool,
            "result": one.result,
            "by": Named(name=names.get(one.person_id, "")),
            "at": one.at,
        }
    )
