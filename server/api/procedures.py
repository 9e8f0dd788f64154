"""HTTP routes of a municipality's own templates of procedures. PROTOCOL.md section 5."""

from datetime import datetime
from typing import Annotated, Any

from aiohttp import web
from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

from security.errors import NotFound
from server.administration import Hand
from server.api.administration import hand_of
from server.api.body import answer, read_body
from server.api.keys import PARTS
from server.api.speaker import speaker_of
from server.parts import Parts
from server.procedures.versions import TemplateVersion, state_of

routes = web.RouteTableDef()
_VERSIONS = "/api/v1/procedures/versions"


class TemplateBody(BaseModel):
    """A draft: the whole template as TOML, and why it changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    text: Annotated[str, StringConstraints(max_length=65_536)]
    note: Annotated[str, StringConstraints(max_length=1000)] = ""


class BeginBody(BaseModel):
    """For calls placed from when on; null means now."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    starts_at: AwareDatetime | None = None


async def _asked(request: web.Request, action: str) -> tuple[Parts, Hand]:
    parts = request.app[PARTS]
    speaker = await speaker_of(parts, request)
    home = speaker.municipality.id
    await parts.gate.ask(action, speaker.facts(home, now=parts.clock()))
    return parts, hand_of(parts, speaker)


def _number(request: web.Request) -> int:
    text = request.match_info["number"]
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise NotFound("no such thing")
    return int(text)


@routes.get("/api/v1/procedures/texts")
async def texts(request: web.Request) -> web.Response:
    """Return the template of each procedure that is in force, as TOML."""
    parts, hand = await _asked(request, "procedure.read")
    home = hand.municipality_id
    every = parts.procedures.catalog(home, parts.clock()).procedures
    return answer({"texts": {one.id: parts.templates.text(home, one.id) for one in every}})


@routes.get(_VERSIONS)
async def versions(request: web.Request) -> web.Response:
    """List all versions of the municipality, newest first."""
    parts, hand = await _asked(request, "procedure.read")
    found = await parts.procedure_store.versions(hand.municipality_id)
    names = await _names(parts, hand)
    return answer({"versions": [_view(parts, one, names, hand) for one in reversed(found)]})


@routes.post(_VERSIONS)
async def draft(request: web.Request) -> web.Response:
    """Store a draft."""
    parts, hand = await _asked(request, "procedure.draft")
    body = await read_body(request, TemplateBody)
    made = await parts.templates.draft(hand, body.text, body.note)
    return answer(_view(parts, made, await _names(parts, hand), hand), status=201)


@routes.get(_VERSIONS + "/{number}")
async def version(request: web.Request) -> web.Response:
    """Return one version with its text and what it changes, in words."""
    parts, hand = await _asked(request, "procedure.read")
    found = await parts.templates.version(hand.municipality_id, _number(request))
    view = _view(parts, found, await _names(parts, hand), hand)
    return answer({**view, "text": found.text, "changes": parts.templates.changes(found)})


@routes.post(_VERSIONS + "/{number}/approve")
async def approve(request: web.Request) -> web.Response:
    """Put a draft in force that another has drawn up."""
    parts, hand = await _asked(request, "procedure.approve")
    body = await read_body(request, BeginBody)
    found = await parts.templates.approve(hand, _number(request), body.starts_at)
    return answer(_view(parts, found, await _names(parts, hand), hand))


@routes.post(_VERSIONS + "/{number}/withdraw")
async def withdraw(request: web.Request) -> web.Response:
    """Take back a draft, or what has not begun."""
    parts, hand = await _asked(request, "procedure.withdraw")
    found = await parts.templates.withdraw(hand, _number(request))
    return answer(_view(parts, found, await _names(parts, hand), hand))


async def _names(parts: Parts, hand: Hand) -> dict[str, str]:
    return {one.id: one.name for one in await parts.people.people(hand.municipality_id)}


def _view(parts: Parts, one: TemplateVersion, names: dict[str, str], hand: Hand) -> dict[str, Any]:
    now = parts.clock()
    current = parts.procedures.version(one.municipality_id, one.procedure, now)
    return {
        "number": one.number,
        "procedure": one.procedure,
        "state": state_of(one, current, now),
        "note": one.note,
        "author": names.get(one.author_id or ""),
        "drafted_at": _time(one.drafted_at),
        "approved_by": names.get(one.approved_by or ""),
        "approved_at": _time(one.approved_at),
        "starts_at": _time(one.starts_at),
        "mine": one.author_id == hand.person_id,
    }


def _time(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
