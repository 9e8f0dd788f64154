"""HTTP routes of records (本人確認記録): list, one, verification, correction, bundle, PDF.

Every look is a question to the gate and so an entry of the audit log: who looked at which.
"""

import asyncio
import io
import json
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, StringConstraints

from security.errors import Corrupt, NotFound, ProtocolError
from security.ids import is_id
from security.people import DESK_ROLES, Role
from server.api.body import answer, read_body
from server.api.bundles import send_bundle, with_bundle
from server.api.keys import PARTS
from server.api.speaker import Speaker, path_id, speaker_of
from server.db.records import Kept, Row, Wanted
from server.parts import Parts
from server.policies import ZONE
from server.procedures.documents import KINDS
from server.records.bundle import sha256_hex
from server.records.record import MAX_ADDITION_CHARACTERS, read_addition, read_record
from server.records.verify import Failed, Verifier
from server.words import Language

routes = web.RouteTableDef()
MAX_ROWS = 200
PATH = "/api/v1/records/{record}"
Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_ADDITION_CHARACTERS),
]


class AdditionBody(BaseModel):
    """A correction; `after`: how many additions its writer has seen."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    after: int
    text: Text


async def _asked(request: web.Request, action: str) -> tuple[Parts, Speaker, str]:
    parts, record_id = request.app[PARTS], path_id(request, "record")
    speaker = await speaker_of(parts, request)
    home = speaker.municipality.id
    there = await parts.records.store.has(home, record_id)
    facts = speaker.facts(
        record_id, now=parts.clock(), subject_municipality_id=home if there else "another"
    )
    if there and action == "record.export" and speaker.person is not None:
        facts = await with_bundle(parts, facts, record_id, speaker.person.id)
    await parts.gate.ask(action, facts)
    if not there:
        raise NotFound("there is no such record")
    return parts, speaker, record_id


@routes.get("/api/v1/records")
async def search(request: web.Request) -> web.Response:
    """Return records, newest first, and by what they can be searched for."""
    parts = request.app[PARTS]
    speaker = await speaker_of(parts, request)
    home = speaker.municipality.id
    await parts.gate.ask("record.read", speaker.facts(home, now=parts.clock()))
    rows = await parts.records.store.search(home, _wanted(request), limit=MAX_ROWS + 1)
    offices = {one.id: one.name for one in await parts.people.offices(home)}
    people = {
        one.id: one.name
        for one in await parts.people.people(home)
        if one.role in DESK_ROLES | {Role.CLERK}
    }
    procedures = {one.id: one.name.model_dump() for one in parts.catalog.procedures}
    return answer(
        {
            "records": [_row(row) for row in rows[:MAX_ROWS]],
            "more": len(rows) > MAX_ROWS,
            "offices": offices,
            "people": people,
            "procedures": procedures,
        }
    )


def _wanted(request: web.Request) -> Wanted:
    asked = {name: request.query.get(name) or None for name in ("number", "office", "person")}
    if any(
        asked[name] is not None and not is_id(asked[name] or "") for name in ("office", "person")
    ):
        raise ProtocolError("office and person are ids")
    since = until = None
    if day := request.query.get("day"):
        try:
            since = datetime.combine(date.fromisoformat(day), time(), ZONE)
            until = since + timedelta(days=1)
        except (ValueError, OverflowError):
            raise ProtocolError("day is a date, as 2026-11-24") from None
    return Wanted(asked["number"], since, until, asked["office"], asked["person"])


def _row(row: Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "number": row.number,
        "at": row.at.isoformat(),
        "training": row.training,
        "procedure": row.procedure,
        "outcome": row.outcome,
        "office": row.office_id,
        "clerk": row.clerk_id,
        "verifier": row.desk_id,
        "additions": row.additions,
    }


@routes.get(PATH)
async def one(request: web.Request) -> web.Response:
    """Return a record with what was added and the words of its steps."""
    parts, speaker, record_id = await _asked(request, "record.read")
    return answer(await _view(parts, speaker, record_id))


async def _view(parts: Parts, speaker: Speaker, record_id: str) -> dict[str, Any]:
    home = speaker.municipality.id
    kept = await parts.records.store.get(home, record_id)
    record = read_record(kept.record.content)
    template = json.loads(await parts.records.store.basis(home, record.procedure.template.sha256))
    kinds = {one.kind for one in record.documents}
    return {
        "record": json.loads(kept.record.content),
        "sha256": sha256_hex(kept.record.content),
        "signature": kept.record.signature.hex(),
        "key": (await parts.records.keys.public_key(home)).hex(),
        "additions": _additions(kept),
        "titles": {step["id"]: step["title"] for step in template["steps"]},
        "name": template["name"],
        "documents": {
            kind: words.model_dump()
            for of_class in KINDS.values()
            for kind, words in of_class.items()
            if kind in kinds
        },
    }


def _additions(kept: Kept) -> list[dict[str, Any]]:
    found = []
    for each in kept.additions:
        said = read_addition(each.content)
        by = {"id": said.by.id, "name": said.by.name}
        found.append({"number": said.number, "at": said.at, "by": by, "text": said.text})
    return found


@routes.post(f"{PATH}/verify")
async def verify(request: web.Request) -> web.Response:
    """再検証: make the bundle and go through every step of FORMAT.md with our own key."""
    parts, speaker, record_id = await _asked(request, "record.read")
    home = speaker.municipality.id
    key = await parts.records.keys.public_key(home)
    try:
        _, content = await parts.bundles.make(home, record_id, parts.clock())
    except Corrupt as error:
        return answer({"steps": [], "failed": {"number": 0, "name": "", "why": error.message}})
    return answer(await asyncio.to_thread(_verified, content, key))


def _verified(content: bytes, key: bytes) -> dict[str, Any]:
    done, failed = [], None
    try:
        for step in Verifier(io.BytesIO(content), key).run():
            done.append({"number": step.number, "name": step.name, "note": step.note})
    except Failed as error:
        failed = {"number": error.number, "name": error.name, "why": error.why}
    return {"steps": done, "failed": failed}


@routes.post(f"{PATH}/additions")
async def add(request: web.Request) -> web.Response:
    """Add a correction; what stands in the record stays. 409 when somebody else was first."""
    parts, speaker, record_id = await _asked(request, "record.correct")
    body = await read_body(request, AdditionBody)
    if speaker.person is None:
        raise NotFound("there is no such record")
    home = speaker.municipality.id
    await parts.records.add(
        home, record_id, body.text, speaker.person, parts.clock(), after=body.after
    )
    return answer(await _view(parts, speaker, record_id))


@routes.get(f"{PATH}/bundle")
async def bundle(request: web.Request) -> web.StreamResponse:
    """Return the bundle, to be kept and verified elsewhere."""
    parts, speaker, record_id = await _asked(request, "record.export")
    home, taker = speaker.municipality.id, speaker.person.id if speaker.person else ""
    return await send_bundle(parts, request, home, record_id, taker)


@routes.get(f"{PATH}/pdf")
async def pdf(request: web.Request) -> web.Response:
    """Return the record's page as PDF: what its reader could print. It is noted in the log."""
    parts, speaker, record_id = await _asked(request, "record.read")
    language: Language = "en" if request.query.get("language") == "en" else "ja"
    home, now = speaker.municipality.id, parts.clock()
    person = speaker.person
    by = person.name if person else ""
    said = {"language": language, "person": person.id if person else ""}
    await parts.audit.note(home, "record:pdf:make", record_id, said, now=now)
    record, content = await parts.paper.pdf(home, record_id, language=language, by=by, now=now)
    headers = {"Content-Disposition": f'attachment; filename="{record.number}.pdf"'}
    return web.Response(body=content, content_type="application/pdf", headers=headers)
