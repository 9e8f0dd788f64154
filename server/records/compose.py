"""Puts the record of a call together from what is known when it closes. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from chat.message import Message
from files.entry import FileEntry, FileState
from media.quality_sum import Summary
from security.audit.chain import canonical, time_text
from server.calls.call import Call
from server.procedures.documents import CLASS_OF
from server.procedures.progress import missing
from server.procedures.sheet import Approval as Asked
from server.procedures.sheet import Chip as Read
from server.procedures.sheet import Sheet
from server.procedures.template import StillNeed, Template
from server.records.bundle import sha256_hex
from server.records.record import (
    Approval,
    AuditPlace,
    Basis,
    Chat,
    Chip,
    Consent,
    Document,
    Earlier,
    Evidence,
    Named,
    Need,
    People,
    Procedure,
    Quality,
    Record,
    Step,
    Times,
)

ZONE = "Asia/Tokyo"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a call that closes. `names` gives municipality, office, tablet and persons.

    `seniors` joined the call; `sheet` says what was done of the steps, by whom.
    `template_version` and `policy_version` are 0 for what is shipped. `earlier_number` is the
    受付番号 of the call of which something was taken over.
    """

    record_id: str
    call: Call
    day: date
    names: Mapping[str, str]
    seniors: Sequence[str]
    template: Template
    template_version: int
    sheet: Sheet
    files: Sequence[FileEntry]
    transcript: bytes
    messages: int
    policy_text: bytes
    policy_version: int
    quality: Mapping[tuple[str, str], Summary]
    audit: AuditPlace
    earlier_number: str = ""


def compose(known: Known) -> Record:
    """Return the record. Raises `ValueError` for a call that nobody answered or decided."""
    call = known.call
    if call.desk_id is None or call.outcome is None or call.closed_at is None:
        raise ValueError("there is a record of what a desk has answered alone")
    return Record(
        id=known.record_id,
        call=call.id,
        number=call.number,
        earlier=_earlier(known),
        training=call.training,
        municipality=_named(known, call.municipality_id),
        office=_named(known, call.office_id),
        tablet=_named(known, call.tablet_id),
        procedure=Procedure(
            id=known.template.id,
            name=known.template.name.ja,
            template=Basis(
                version=known.template_version, sha256=sha256_hex(template_bytes(known.template))
            ),
        ),
        times=_times(call, call.closed_at),
        people=People(
            verifier=_named(known, call.desk_id),
            verifiers_before=tuple(_named(known, one) for one in call.desks_before),
            clerk=_named(known, call.clerk_id),
            clerks_before=tuple(_named(known, one) for one in call.clerks_before),
            seniors=tuple(_named(known, one) for one in known.seniors),
        ),
        outcome=call.outcome,
        reason=call.reason,
        consent=_consent(call),
        steps=_steps(known),
        documents=_documents(known),
        pin=known.sheet.progress.pin,
        notice=known.sheet.progress.notice,
        approvals=tuple(_approval(known, one) for one in known.sheet.approvals),
        chips=tuple(_chip(known, one) for one in known.sheet.chips),
        evidence=tuple(_evidence(one, _stills(known)) for one in known.files),
        chat=Chat(messages=known.messages, sha256=sha256_hex(known.transcript)),
        policy=Basis(version=known.policy_version, sha256=sha256_hex(known.policy_text)),
        quality=_quality(known.quality),
        audit=known.audit,
    )


def template_bytes(template: Template) -> bytes:
    """Return a template as it stands in a bundle."""
    return canonical(template.model_dump(mode="json"))


def transcript_bytes(messages: Sequence[Message]) -> bytes:
    """Return a chat as it stands in a bundle."""
    lines = [
        {
            "number": one.number,
            "party": one.party,
            "person": one.person_id,
            "at": time_text(one.at),
            "text": one.text,
        }
        for one in messages
    ]
    return canonical({"v": 1, "messages": lines})


def _named(known: Known, each: str) -> Named:
    return Named(id=each, name=known.names.get(each, ""))


def _earlier(known: Known) -> Earlier | None:
    call_id = known.sheet.earlier
    return Earlier(call=call_id, number=known.earlier_number) if call_id is not None else None


def _times(call: Call, closed_at: datetime) -> Times:
    answered = time_text(call.answered_at) if call.answered_at else None
    return Times(
        placed=time_text(call.placed_at), answered=answered, closed=time_text(closed_at), zone=ZONE
    )


def _consent(call: Call) -> Consent:
    """Return what stands with the call: the consent as its page sent it and its hash, JSON."""
    try:
        said = json.loads(call.consent)
    except ValueError:
        said = {}
    return Consent(
        what=tuple(sorted(name for name, value in said.items() if value is True)),
        version=str(said.get("text_version", "")),
        language=str(said.get("language", "")),
        sha256=said.get("sha256"),
        at=time_text(call.placed_at),
    )


def _steps(known: Known) -> tuple[Step, ...]:
    progress = known.sheet.progress
    # What was let pass was missing all the same: the approvals say who let it.
    plain = replace(progress, excused=False)
    left = {(one.step, one.need): one.left for one in missing(known.template, plain, known.day)}
    found = []
    for step in known.template.steps:
        needs = []
        for number, need in enumerate(step.needs):
            place = (step.id, number)
            code = progress.codes.get(place)
            mark = known.sheet.marks.get(place)
            needs.append(
                Need(
                    kind=need.kind,
                    left=left.get(place, 0),
                    ticked=tuple(sorted(progress.ticks.get(place, ()))),
                    drawn=progress.drawn.get(place, ()),
                    draws=progress.draws.get(place, 0),
                    answer=progress.answers.get(place),
                    by=_named(known, mark.person_id) if mark else None,
                    at=time_text(mark.at) if mark else None,
                    bound=progress.bound.get(place, ()),
                    tries=code.tries if code else 0,
                )
            )
        found.append(Step(id=step.id, needs=tuple(needs)))
    return tuple(found)


def _approval(known: Known, one: Asked) -> Approval:
    return Approval(
        about=one.about.value,
        reason=one.reason,
        asked_by=_named(known, one.asked_by),
        asked_at=time_text(one.asked_at),
        approved=one.approved,
        answer=one.answer,
        answered_by=_named(known, one.answered_by) if one.answered_by else None,
        answered_at=time_text(one.answered_at) if one.answered_at else None,
    )


def _chip(known: Known, one: Read) -> Chip:
    by = _named(known, one.person_id)
    return Chip(
        document=one.document, tool=one.tool, result=one.result, by=by, at=time_text(one.at)
    )


def _documents(known: Known) -> tuple[Document, ...]:
    return tuple(
        Document(
            kind=one.kind,
            document_class=CLASS_OF[one.kind].value,
            expires=one.expires.isoformat() if one.expires else None,
            counts=one.counts_on(known.day),
        )
        for one in known.sheet.progress.documents
    )


def _stills(known: Known) -> frozenset[str]:
    places = [
        (step.id, number)
        for step in known.template.steps
        for number, need in enumerate(step.needs)
        if isinstance(need, StillNeed)
    ]
    return frozenset(each for place in places for each in known.sheet.progress.bound.get(place, ()))


def _evidence(file: FileEntry, stills: frozenset[str]) -> Evidence:
    offered = file.state is FileState.OFFERED and file.sha256_offered is not None
    return Evidence(
        kind="still" if file.id in stills else "file",
        id=file.id,
        party=file.party,
        state=file.state.value,
        media_type=file.media_type,
        size_bytes=(file.offered_bytes if offered else None) or file.size_bytes,
        sha256=(file.sha256_offered if offered else None) or file.sha256_sent,
    )


def _quality(found: Mapping[tuple[str, str], Summary]) -> tuple[Quality, ...]:
    return tuple(
        Quality(
            party=party,
            direction=direction,
            seconds=one.seconds,
            good=one.good_seconds,
            fair=one.fair_seconds,
            poor=one.poor_seconds,
            freezes=one.freezes,
        )
        for (party, direction), one in sorted(found.items())
    )
