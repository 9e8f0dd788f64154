"""What still stands between a call and 確認済み or 対応済み, and what voids a confirmation. Pure.

差戻し, 不可 and 中断 are never locked: they say that something is missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from security.errors import Conflict, Denied
from server.procedures.progress import Missing, Place, Progress, is_open, missing
from server.procedures.sheet import About, Approval, Chip, Mark, Sheet
from server.procedures.template import Template


@dataclass(frozen=True, slots=True)
class Confirming:
    """When a senior confirms (上席確認), as the policy says; `percent` of calls with "sample"."""

    when: str = "override"  # "always" | "sample" | "override" | "never"
    percent: int = 0

    def wants(self, sheet: Sheet) -> bool:
        """Tell whether the decision of this call is confirmed by a senior."""
        return self.when == "always" or (self.when == "sample" and sheet.sample < self.percent)


@dataclass(frozen=True, slots=True)
class Lock:
    """What keeps the decision locked; open when nothing is left."""

    missing: tuple[Missing, ...]
    approval: bool  # a senior's confirmation of the decision is wanted and not there

    @property
    def open(self) -> bool:
        """Tell whether the call may be decided."""
        return not self.missing and not self.approval

    @property
    def steps(self) -> tuple[str, ...]:
        """Return the ids of the steps that miss something, in their order."""
        return tuple(dict.fromkeys(one.step for one in self.missing))


def lock_of(
    template: Template, sheet: Sheet, day: date, confirming: Confirming, desk_id: str | None
) -> Lock:
    """Return what keeps a call locked that `desk_id` would decide.

    A confirmation by who decides is none: with a hand-over the senior can have become the desk.
    What was let pass with no senior counts while the policy wants none.
    """
    progress, found = sheet.progress, sheet.approval(About.DOCUMENTS)
    alone = found is not None and found.answered_by is None and confirming.when != "never"
    if found is not None and (alone or found.answered_by == desk_id):
        progress = replace(progress, excused=False)
    said = sheet.approval(About.DECISION)
    confirmed = said is not None and said.approved is True and said.answered_by != desk_id
    wanted = confirming.wants(sheet) and not confirmed
    return Lock(missing(template, progress, day), wanted)


def changed(sheet: Sheet, progress: Progress, marks: Mapping[Place, Mark] | None = None) -> Sheet:
    """Return the sheet with another progress; what a senior confirmed of the former one is void."""
    if progress == sheet.progress and not marks:
        return sheet
    keeps = progress.excused or progress.deferred
    kept = _kept(sheet, About.DECISION, *(() if keeps else (About.DOCUMENTS,)))
    return replace(sheet, progress=progress, marks={**sheet.marks, **(marks or {})}, approvals=kept)


def ask(
    template: Template,
    sheet: Sheet,
    day: date,
    confirming: Confirming,
    about: About,
    *,
    reason: str,
    person_id: str,
    now: datetime,
) -> Sheet:
    """Return the sheet once the desk has asked a senior to confirm something, and why.

    Documents that are not enough are let pass at once where the policy wants no senior.
    Raises `Conflict` `reason_required`, `step_locked`, `nothing_to_approve`, `Denied`
    `steps_missing`.
    """
    reason = reason.strip()
    if not reason:
        raise Conflict("say why", code="reason_required")
    asked = Approval(about, reason, person_id, now)
    if about is About.DECISION:
        _require_ready(template, sheet, day, confirming)
        return _with(sheet, asked)
    step = next(
        (s for s in template.steps if any(need.kind == "documents" for need in s.needs)), None
    )
    left = lock_of(template, sheet, day, confirming, person_id).missing
    lacks = any(one.kind == "documents" for one in left)
    if step is None or not lacks:
        raise Conflict("no document is missing", code="nothing_to_approve")
    if not is_open(template, sheet.progress, step, day):
        raise Conflict("an earlier step is not done", code="step_locked")
    alone = confirming.when == "never"
    progress = replace(sheet.progress, excused=alone, deferred=not alone)
    if alone:
        asked = replace(asked, approved=True)
    return _with(changed(sheet, progress), asked)


def _require_ready(template: Template, sheet: Sheet, day: date, confirming: Confirming) -> None:
    if not confirming.wants(sheet):
        raise Conflict("no senior confirms this decision", code="nothing_to_approve")
    if missing(template, sheet.progress, day):
        raise Denied("steps are not done", code="steps_missing")


def answer(
    sheet: Sheet,
    about: About,
    *,
    approve: bool,
    reason: str | None,
    person_id: str,
    now: datetime,
) -> Sheet:
    """Return the sheet once a senior has confirmed, or refused and said why.

    Raises `Conflict` `nothing_to_approve` when nothing is asked (any more), `reason_required`,
    `Denied` `own_request` for who asked.
    """
    asked = sheet.approval(about)
    if asked is None or asked.approved is not None:
        raise Conflict("nothing is asked", code="nothing_to_approve")
    if person_id == asked.asked_by:
        raise Denied("who asks does not confirm", code="own_request")
    reason = (reason or "").strip() or None
    if reason is None and not approve:
        raise Conflict("say why", code="reason_required")
    said = replace(asked, approved=approve, answer=reason, answered_by=person_id, answered_at=now)
    if about is About.DOCUMENTS:
        progress = replace(sheet.progress, excused=approve, deferred=False)
        sheet = replace(sheet, progress=progress)
    return _with(sheet, said)


def _with(sheet: Sheet, approval: Approval) -> Sheet:
    return replace(sheet, approvals=(*_kept(sheet, approval.about), approval))


def _kept(sheet: Sheet, *void: About) -> tuple[Approval, ...]:
    """Return the confirmations without those about something; a refusal was said and stays."""
    return tuple(one for one in sheet.approvals if one.about not in void or one.approved is False)


def with_chip(sheet: Sheet, chip: Chip) -> Sheet:
    """Return the sheet with what a chip said, in place of what was read of that document before."""
    others = tuple(one for one in sheet.chips if one.document != chip.document)
    return replace(sheet, chips=(*others, chip), approvals=_kept(sheet, About.DECISION))
