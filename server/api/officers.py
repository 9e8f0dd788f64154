"""HTTP routes by which two administrators appoint who signs policies."""

from datetime import datetime
from typing import Any

from aiohttp import web

from security.errors import NotFound
from security.officers import Appointment, confirm, propose
from security.people import Person, Role
from server.api.body import answer
from server.api.keys import PARTS
from server.api.policies import asked, names_of, person_here
from server.api.speaker import path_id, speaker_of

routes = web.RouteTableDef()


@routes.get("/api/v1/officers")
async def officers(request: web.Request) -> web.Response:
    """List the officers and who appointed them."""
    parts, speaker, _ = await asked(request, "policy.read")
    home, now = speaker.municipality.id, parts.clock()
    names = await names_of(parts, home)
    by_id = {one.person_id: one for one in await parts.policy_store.appointments(home)}
    every = [p for p in await parts.people.people(home) if p.role is Role.OFFICER]
    return answer({"officers": [_officer(p, by_id.get(p.id), names, now) for p in every]})


def _officer(
    person: Person, found: Appointment | None, names: dict[str, str], now: datetime
) -> dict[str, Any]:
    if found is not None and not found.stands(now):
        found = None
    return {
        "id": person.id,
        "name": person.name,
        "appointed": bool(found and found.holds),
        "proposed_by": names.get(found.proposed_by or "", "init") if found else None,
        "confirmed_by": names.get(found.confirmed_by or "") if found else None,
        "confirm_until": found.confirm_until.isoformat() if found and not found.holds else None,
    }


@routes.post("/api/v1/officers/{person}/appoint")
async def appoint(request: web.Request) -> web.Response:
    """Propose an officer, or confirm another administrator's proposal."""
    parts, person_id = request.app[PARTS], path_id(request, "person")
    speaker = await speaker_of(parts, request)
    home, now, administrator = speaker.municipality.id, parts.clock(), person_here(speaker).id
    person = await parts.people.person(home, person_id)
    facts = speaker.facts(person_id, now=now, subject_municipality_id=home if person else "another")
    await parts.gate.ask("officer.appoint", facts)
    if person is None:
        raise NotFound("there is no such person")
    before = await parts.policy_store.appointment(home, person.id)
    proposer = await parts.people.person(home, (before and before.proposed_by) or "")
    if before is None or before.must_be_renewed(proposer, now):
        after = propose(person, administrator=administrator, now=now)
    else:
        after = confirm(before, person, administrator=administrator, now=now)
    what = "confirm" if after.holds else "propose"
    # Noted before it is done: nobody signs policies whose appointment no entry tells of.
    await parts.audit.note(
        home, f"policy:officer:{what}", person.id, {"by": administrator}, now=now
    )
    if after.holds:
        # Whoever added the person had the first link: what it opened must sign no policies.
        await parts.people.end_entrances(home, person.id, now)
    await parts.policy_store.put_appointment(after)
    return answer(_officer(person, after, await names_of(parts, home), now))
