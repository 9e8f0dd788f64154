"""Third parties: who can be asked into a call, asking, coming, leaving. PROTOCOL.md §3.3."""

import functools

from aiohttp import web

from security.errors import Conflict, Denied, NotFound
from security.people import DESK_ROLES, INVITABLE_ROLES, Person, Role
from server.api import messages as m
from server.api.body import answer
from server.api.calls import find
from server.api.commands import Context, command, find_call, let_in
from server.api.keys import PARTS
from server.api.nouns import InvitableAnswer, InvitablePerson
from server.api.speaker import Speaker, path_id, speaker_of
from server.api.views import Json, dump
from server.api.welcome import call_state
from server.calls import events as ev
from server.calls.guests import guest_of
from server.parts import Parts

routes = web.RouteTableDef()
ORDER = ("free", "busy", "away")


@routes.get("/api/v1/calls/{call}/invitable")
async def invitable(request: web.Request) -> web.Response:
    """List who could be asked into the call, and who could go on with it, for its desk."""
    parts = request.app[PARTS]
    speaker = await speaker_of(parts, request)
    call = await find(parts, speaker, path_id(request, "call"))
    facts = speaker.facts(call.id, now=parts.clock(), call=call)
    await parts.gate.ask("call.invitable", facts)
    found = [
        noun
        for person in await parts.people.people(speaker.municipality.id)
        if person.disabled_at is None and person.id != speaker.seat[1]
        if (noun := _listed(parts, speaker, person)) is not None
    ]
    found.sort(key=lambda x: (ORDER.index(x.state), x.kind, x.name))
    return answer(dump(InvitableAnswer(people=tuple(found))))


def _listed(parts: Parts, speaker: Speaker, person: Person) -> InvitablePerson | None:
    """Return what the desk is told of a person, None for who neither comes nor takes over now."""
    calls, state = speaker.in_force.policy.calls, _state(parts, person)
    joins = person.role in calls.third_parties
    named = calls.assignment != "random" or person.role is Role.SENIOR
    receives = person.role in DESK_ROLES and named
    if not joins and (not receives or state == "away"):
        return None
    said = {"id": person.id, "name": person.name, "kind": person.role.value, "state": state}
    return InvitablePerson.model_validate({**said, "joins": joins, "receives": receives})


def _state(parts: Parts, person: Person) -> str:
    registry = parts.registry
    if not (registry.desks.is_open(person.id) and registry.desks.is_connected(person.id)):
        return "away"
    rings = registry.ringing_at(person.id) or registry.asks_for(person.id)
    return "busy" if rings or registry.of_person(person.id) else "free"


@command("call.invite")
async def invite(context: Context, message: m.Invite) -> Json:
    """Ask somebody into the call; who was told and agreed stands in the audit log."""
    parts, call = context.parts, context.own_call()
    person = await parts.people.person(call.municipality_id, message.person)
    if person is None or person.disabled_at is not None or person.role not in INVITABLE_ROLES:
        raise NotFound("no such person")
    await context.ask("call.invite", call, invited=person.role.value, consented=message.agreed)
    if _state(parts, person) != "free":
        raise Conflict("is not free now", code="not_free")
    await parts.registry.apply(call.id, ev.GuestAsked(person.id, person.role.value))
    return {}


@command("call.uninvite")
async def uninvite(context: Context, message: m.Uninvite) -> Json:
    """Take an invitation back, or send a guest away."""
    call = context.own_call()
    await context.ask("call.uninvite", call)
    await context.parts.registry.apply(call.id, ev.GuestLeft(message.person))
    return {}


@command("call.join")
async def join(context: Context, message: m.Join) -> Json:
    """Come into the call that one is asked into."""
    parts, speaker = context.parts, context.speaker
    call = find_call(parts, speaker, message.call)
    if call is None or guest_of(call, speaker.seat[1]) is None:
        raise Conflict("the call is gone", code="call_taken")
    permit = await context.ask("call.join", call)
    if speaker.person is None:
        raise Denied("nobody is signed in", code="signed_out")
    joined = await parts.registry.join(
        permit, speaker.person.id, call.id, functools.partial(let_in, context)
    )
    return await call_state(parts, speaker, joined)


@command("call.leave")
async def leave(context: Context, message: m.Leave) -> Json:
    """Leave the call as a guest, or say no to being asked."""
    person_id, registry = context.speaker.seat[1], context.parts.registry
    call = registry.of_guest(person_id) or registry.asks_for(person_id)
    if call is None:
        raise Conflict("this page is in no call", code="wrong_state")
    await context.ask("call.leave", call)
    await registry.apply(call.id, ev.GuestLeft(person_id))
    return {}


@command("call.hand-over")
async def hand_over(context: Context, message: m.HandOver) -> Json:
    """Let the running call ring at another desk, which goes on where this one stopped."""
    parts, call = context.parts, context.own_call()
    person = await parts.people.person(call.municipality_id, message.person)
    if person is None or person.disabled_at is not None or person.role not in DESK_ROLES:
        raise NotFound("no such person")
    await context.ask("call.hand_over", call, invited=person.role.value)
    if _state(parts, person) != "free":
        raise Conflict("is not free now", code="not_free")

    def is_gone() -> bool:
        return _state(parts, person) != "free"

    await parts.registry.apply(call.id, ev.HandedOver(person.id), unless=is_gone)
    return {}
