"""HTTP routes of the clerk at a tablet: who there is, signing in by PIN, the end of a shift."""

from dataclasses import replace
from typing import Annotated

from aiohttp import web
from pydantic import StringConstraints

from security.errors import Conflict, NotFound
from security.people import Factor, Person, SessionKind, Tablet
from security.sign_in import Admit
from security.sign_in_rules import NewSession
from server.api.accounts import Body, Text, describe, set_cookies
from server.api.admission import admission
from server.api.body import answer, read_body
from server.api.keys import PARTS
from server.api.speaker import Speaker, new_speaker, speaker_of
from server.api.tablet_proof import of_counter
from server.calls import events as ev
from server.calls.call import Call
from server.parts import Parts

routes = web.RouteTableDef()
Pin = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class PinBody(Body):
    """A clerk's id and PIN; with `new_pin` the PIN is changed."""

    clerk: Text
    pin: Pin
    new_pin: Pin | None = None


@routes.get("/api/v1/clerks")
async def clerks(request: web.Request) -> web.Response:
    """List who may stand at this tablet."""
    parts = request.app[PARTS]
    tablet = of_counter((await speaker_of(parts, request)).tablet)
    every = await parts.clerks.clerks(tablet)
    shown = [{"id": one.id, "name": one.name, "pin": one.pin_hash is not None} for one in every]
    return answer({"clerks": shown})


@routes.post("/api/v1/clerk")
async def clerk(request: web.Request) -> web.Response:
    """Sign a clerk in by PIN, in the place of whoever is; a running call goes on."""
    parts = request.app[PARTS]
    speaker = await speaker_of(parts, request)
    tablet = of_counter(speaker.tablet)
    body = await read_body(request, PinBody)
    new, person = await parts.clerks.sign_in(
        tablet,
        body.clerk,
        body.pin,
        new_pin=body.new_pin,
        admit=_admission(parts, request, speaker),
    )
    shown = request.headers.get("X-CSRF-Token")
    response = answer(await describe(parts, await _speaker(request, speaker, new), shown))
    set_cookies(response, (new,), parts)
    await take_over(parts, tablet, person)
    await parts.shifts.change(speaker.seat, new.token)
    return response


def _admission(parts: Parts, request: web.Request, speaker: Speaker) -> Admit:
    """Return what asks whether a clerk may sign in, and take over the call that goes on."""
    begin = admission(parts, request, Factor.TABLET)

    async def admit(
        municipality_id: str, page: str, person: Person | None, tablet: Tablet | None
    ) -> bool:
        half = await begin(municipality_id, page, person, tablet)
        call = _anothers_call(parts, tablet, person) if tablet and person else None
        if call is not None:
            next_clerk = replace(speaker, principal=replace(speaker.principal, person=person))
            facts = next_clerk.facts(call.id, now=parts.clock(), call=call)
            await parts.gate.ask("call.take_over", facts)
        return half

    return admit


def _anothers_call(parts: Parts, tablet: Tablet, person: Person) -> Call | None:
    """Return the tablet's call when another clerk than `person` stands at it."""
    call: Call | None = parts.registry.of_tablet(tablet.id)
    return None if call is None or call.clerk_id == person.id else call


async def _speaker(request: web.Request, before: Speaker, new: NewSession) -> Speaker:
    parts = request.app[PARTS]
    principal = await parts.sign_in.authenticate(new.token, SessionKind.CLERK)
    return new_speaker(parts, request, "counter", principal, before.token)


async def take_over(parts: Parts, tablet: Tablet, person: Person) -> None:
    """Let a clerk go on with the tablet's call in the place of the one before; it is noted."""
    call = _anothers_call(parts, tablet, person)
    if call is None:
        return
    try:
        await parts.registry.apply(call.id, ev.ClerkChanged(person.id))
    except (Conflict, NotFound):  # it has just ended, or is this clerk's already
        return
    detail = {"from": call.clerk_id, "to": person.id, "tablet": tablet.id}
    home, now = tablet.municipality_id, parts.clock()
    await parts.audit.note(home, "call:clerk:changed", call.id, detail, now=now)
