"""HTTP routes by which two administrators recover a lost second factor. PROTOCOL.md section 5.1."""

from typing import Any

from aiohttp import web

from security.errors import NotFound
from security.gate import Permit
from security.people import LINK_LIFETIME, Factor, LinkPurpose, Person, Role
from security.recovery import Recovery
from security.second_factor import person_of
from server.api.body import answer
from server.api.keys import PARTS
from server.api.speaker import Speaker, path_id, speaker_of
from server.parts import Parts

routes = web.RouteTableDef()
PATH = "/factor"


@routes.get("/api/v1/recoveries")
async def recoveries(request: web.Request) -> web.Response:
    """List staff with their factors and how far a recovery has come."""
    parts = request.app[PARTS]
    speaker = await speaker_of(parts, request)
    home = speaker.municipality.id
    await parts.gate.ask("recovery.read", speaker.facts(home, now=parts.clock()))
    people = [one for one in await parts.people.people(home) if _takes_part(one)]
    return answer({"people": await _views(parts, speaker, people)})


def _takes_part(person: Person) -> bool:
    return person.role is not Role.CLERK and person.disabled_at is None


async def _views(parts: Parts, speaker: Speaker, people: list[Person]) -> list[dict[str, Any]]:
    home = speaker.municipality.id
    kinds = await parts.factors.kinds(home)
    names = {one.id: one.name for one in await parts.people.people(home)}
    found = {one.person_id: one for one in await parts.factors.recoveries(home)}
    me = person_of(speaker.principal).id

    def view(person: Person) -> dict[str, Any]:
        item = found.get(person.id, Recovery(home, person.id))
        state = item.state(parts.clock())
        started = item.started_by if state in ("started", "confirmed") else None
        return {
            "id": person.id,
            "name": person.name,
            "role": person.role.value,
            "factors": sorted(kind.value for kind in kinds.get(person.id, set[Factor]())),
            "state": state,
            "asked_at": item.asked_at and item.asked_at.isoformat(),
            "started_by": names.get(started or ""),
            "mine": me in (started, person.id),
        }

    return [view(person) for person in people]


async def _asked(request: web.Request, action: str) -> tuple[Parts, Speaker, Person, Permit]:
    parts, person_id = request.app[PARTS], path_id(request, "person")
    speaker = await speaker_of(parts, request)
    home, now = speaker.municipality.id, parts.clock()
    person = await parts.people.person(home, person_id)
    facts = speaker.facts(person_id, now=now, subject_municipality_id=home if person else "another")
    permit = await parts.gate.ask(action, facts)
    if person is None:
        raise NotFound("no such person")
    return parts, speaker, person, permit


@routes.post("/api/v1/recoveries/{person}/start")
async def start(request: web.Request) -> web.Response:
    """Start a recovery, as the first of two administrators."""
    parts, speaker, person, permit = await _asked(request, "recovery.start")
    await parts.recoveries.start(permit, person, person_of(speaker.principal).id)
    return answer((await _views(parts, speaker, [person]))[0])


@routes.post("/api/v1/recoveries/{person}/confirm")
async def confirm(request: web.Request) -> web.Response:
    """Confirm a recovery, as the second administrator, and return the link for the person."""
    parts, speaker, person, permit = await _asked(request, "recovery.confirm")
    me = person_of(speaker.principal).id
    _, token = await parts.recoveries.confirm(permit, person, me)
    expires_at = parts.clock() + LINK_LIFETIME[LinkPurpose.FACTOR]
    origin = request.headers["Origin"]
    return answer({"link": f"{origin}{PATH}#{token}", "expires_at": expires_at.isoformat()})


@routes.post("/api/v1/recoveries/{person}/withdraw")
async def withdraw(request: web.Request) -> web.Response:
    """Take a recovery back."""
    parts, speaker, person, permit = await _asked(request, "recovery.withdraw")
    await parts.recoveries.withdraw(permit, person, person_of(speaker.principal).id)
    return answer((await _views(parts, speaker, [person]))[0])
