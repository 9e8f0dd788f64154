"""What each message of PROTOCOL.md section 3 does: one function per type, found by name."""

import functools
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from media.engine import Joined
from media.quality_lines import Received, Report, Sent
from security.errors import Conflict, Denied, NotFound, Reason
from security.gate import Permit
from security.numbers import holds_insurer_number, holds_my_number
from security.tablet_key import Challenge
from server.api import messages as m
from server.api.eligibility import asked
from server.api.speaker import Speaker, note_refused
from server.api.tablet_proof import require_signed_offer
from server.api.views import Json, time_view
from server.api.welcome import call_state
from server.calls import events as ev
from server.calls.call import GUEST_PARTIES, Call
from server.calls.machine import GOOD_OUTCOMES
from server.calls.registry import IN_QUEUE
from server.consents import consent_sha256
from server.parts import Parts


@dataclass(slots=True)
class Context:
    """One page's side of the conversation. `speak` asks anew who is signed in.

    `warm` tells that the page has connected ahead of a call (PROTOCOL.md section 3.1),
    `challenge` is what a counter's offers are bound to.
    """

    parts: Parts
    speaker: Speaker
    speak: Callable[[], Awaitable[Speaker]]
    warm: bool = False
    challenge: Challenge | None = None  # of a counter's socket

    def own_call(self) -> Call:
        """Return the open call that this page is a party of. Raises `Conflict`."""
        registry = self.parts.registry
        kind, key = self.speaker.seat
        call = registry.of_tablet(key) if kind == "counter" else registry.of_person(key)
        if call is None:
            raise Conflict("this page is in no call", code="wrong_state")
        return call

    async def ask(self, action: str, call: Call, **known: Any) -> Permit:
        """Ask the gate about an action on a call; `known` are facts of this action alone."""
        facts = self.speaker.facts(call.id, now=self.parts.clock(), call=call)
        return await self.parts.gate.ask(action, replace(facts, **known))


Handler = Callable[[Context, Any], Awaitable[Json]]
HANDLERS: dict[str, Handler] = {}


def command(name: str) -> Callable[[Handler], Handler]:
    """Register the function that answers messages of type `name`."""

    def register(handler: Handler) -> Handler:
        HANDLERS[name] = handler
        return handler

    return register


@command("call.place")
async def place(context: Context, message: m.Place) -> Json:
    """Put the tablet's call into the queue, a real one when every term of a real call holds."""
    parts, speaker = context.parts, await context.speak()
    tablet, person, office = speaker.tablet, speaker.person, speaker.office
    wanted = await asked(parts, speaker, message.procedure, practise=message.training)
    permit = await parts.gate.ask("call.place", wanted.facts)
    if tablet is None or person is None or office is None:
        raise Denied("no clerk is signed in on the tablet", code="no_clerk")

    said = message.consent
    sha256 = consent_sha256(said.text_version, said.language)
    consent = json.dumps({**said.model_dump(), "sha256": sha256})

    def make(number: str, call_id: str, now: datetime) -> tuple[Call, bytes]:
        wrapped = parts.keys.fresh_call(call_id)
        call = Call(
            id=call_id,
            number=number,
            municipality_id=speaker.municipality.id,
            office_id=office.id,
            tablet_id=tablet.id,
            clerk_id=person.id,
            procedure=message.procedure,
            training=wanted.training,
            consent=consent,
            placed_at=now,
        )
        return call, wrapped

    call = await parts.registry.place(permit, make, training=wanted.training)
    return {"call": await parts.hub.draw_call(call)}


@command("call.withdraw")
async def withdraw(context: Context, message: m.Withdraw) -> Json:
    """Take the counter's call out of the queue."""
    call = context.own_call()
    await context.ask("call.withdraw", call)
    await context.parts.registry.apply(call.id, ev.Withdrawn())
    return {}


@command("call.accept")
async def accept(context: Context, message: m.Accept) -> Json:
    """Answer the named call, or the one whose turn it is: the gate is asked about that very one."""
    parts, speaker = context.parts, await context.speak()
    home, person = speaker.municipality.id, speaker.person
    if message.call is not None:
        call = find_call(parts, speaker, message.call)
    else:
        call = parts.registry.next_for(home, person.id) if person is not None else None
    wanted = message.call or (call.id if call is not None else None)
    facts = speaker.facts(wanted or home, now=parts.clock(), call=call)
    permit = await parts.gate.ask("call.accept", facts)
    if person is None:
        raise Denied("nobody is signed in", code="signed_out")
    if wanted is None:
        raise Conflict("nobody is waiting", code="nothing_waiting")
    answered = await parts.registry.accept(
        permit, person.id, wanted, admit=functools.partial(let_in, context)
    )
    return await call_state(parts, speaker, answered)


@command("call.pass")
async def pass_on(context: Context, message: m.Pass) -> Json:
    """Let the ringing call go to the next desk."""
    parts, speaker = context.parts, context.speaker
    call = find_call(parts, speaker, message.call)
    if call is None:
        raise Conflict("the call is gone", code="call_taken")
    await context.ask("call.pass", call)
    await parts.registry.pass_on(call.id, speaker.seat[1])
    return {}


@command("call.decide")
async def decide(context: Context, message: m.Decide) -> Json:
    """Open 判定."""
    return await _as_desk(context, "call.decide", ev.DecisionBegun())


@command("call.reopen")
async def reopen(context: Context, message: m.Reopen) -> Json:
    """Go back to the talk."""
    return await _as_desk(context, "call.reopen", ev.DecisionPutOff())


@command("call.close")
async def close(context: Context, message: m.Close) -> Json:
    """Decide. 確認済み and 対応済み are locked until the steps of the procedure are done."""
    outcome, steps = message.outcome, context.parts.steps
    event = ev.Closed(outcome, message.reason)
    if context.speaker.page == "counter":
        return await _as_desk(context, "call.close", event)
    call = context.own_call()
    allowed = context.parts.procedures.allows(call, outcome)
    lock = steps.lock(call, await steps.of(call)) if outcome in GOOD_OUTCOMES else None
    undone = lock.steps if lock is not None else ()
    known = {"steps_missing": bool(undone), "approval_missing": bool(lock and lock.approval)}
    try:
        await context.ask("call.close", call, outcome_allowed=allowed, **known)
    except Denied as no:
        raise _naming(no, undone) from no
    if outcome not in GOOD_OUTCOMES:
        await context.parts.registry.apply(call.id, event)
        return {}
    async with steps.deciding(call) as undone_meanwhile:
        await context.parts.registry.apply(call.id, event, unless=undone_meanwhile)
    return {}


def _naming(refused: Denied, undone: tuple[str, ...]) -> Denied:
    """Return the refusal with a reason for each step that is not done, its id as message."""
    reasons: list[Reason] = []
    for one in refused.reasons:
        named = [Reason(one.code, step, one.clause) for step in undone]
        reasons += named if one.code == "steps_missing" else [one]
    return Denied(
        refused.message, code=refused.code, reasons=tuple(reasons), http_status=refused.status
    )


async def _as_desk(
    context: Context, action: str, event: ev.Event, **known: Callable[[Call], Any]
) -> Json:
    if context.speaker.page == "counter":
        # Asked all the same, so that the attempt stands in the audit log with its refusal.
        call = context.parts.registry.of_tablet(context.speaker.seat[1])
        facts = context.speaker.facts(call.id if call else "", now=context.parts.clock(), call=call)
        await context.parts.gate.ask(action, facts)
    call = context.own_call()
    await context.ask(action, call, **{name: of(call) for name, of in known.items()})
    await context.parts.registry.apply(call.id, event)
    return {}


@command("call.veil")
async def veil(context: Context, message: m.Veil) -> Json:
    """Withhold the counter's picture; only the counter shows it again."""
    call = context.own_call()
    await context.ask("call.veil" if message.on else "call.unveil", call)
    await context.parts.registry.apply(call.id, ev.Veiled(message.on))
    return {}


@command("call.devices")
async def devices(context: Context, message: m.Devices) -> Json:
    """Tell the other side about camera and microphone."""
    call = context.own_call()
    await context.ask("call.devices", call)
    party, person_id = context.speaker.party_in(call), context.speaker.seat[1]
    event: ev.Event = ev.DevicesChanged(party, message.camera, message.microphone)
    if party in GUEST_PARTIES:
        event = ev.GuestDevices(person_id, message.camera, message.microphone)
    await context.parts.registry.apply(call.id, event)
    return {}


@command("call.quality")
async def quality(context: Context, message: m.Quality) -> Json:
    """Take what the page measures of its own connection; nothing is decided by it."""
    call = context.own_call()
    await context.ask("call.quality", call)
    report = Report(
        message.seconds,
        message.rtt_ms,
        Received(**message.received.model_dump()),
        Sent(**message.sent.model_dump()),
    )
    context.parts.quality.heard(call, context.speaker.party_in(call).value, report)
    return {}


@command("desk.state")
async def desk_state(context: Context, message: m.DeskState) -> Json:
    """受付中 or 離席."""
    parts, speaker = context.parts, context.speaker
    facts = speaker.facts(speaker.seat[1], now=parts.clock())
    await parts.gate.ask("desk.state", facts)
    is_open = message.state == "open"
    await parts.people.set_desk_open(speaker.municipality.id, speaker.seat[1], open=is_open)
    parts.registry.desks.set_open(speaker.seat[1], open=is_open)
    ringing = parts.registry.ringing_at(speaker.seat[1])
    if ringing is not None and not is_open:
        await parts.registry.apply(ringing.id, ev.Passed(speaker.seat[1]))
    asked = parts.registry.asks_for(speaker.seat[1])
    if asked is not None and not is_open:
        await parts.registry.apply(asked.id, ev.GuestLeft(speaker.seat[1]))
    if not is_open:
        await parts.media.dismiss(speaker.seat[1])
    parts.hub.seats.send(speaker.seat, {"type": "desk", "state": message.state})
    await parts.registry.settle(speaker.municipality.id)
    return {}


@command("offer")
async def offer(context: Context, message: m.Offer) -> Json:
    """Join the call's sound and pictures, or be ready for those of the next call."""
    parts, (kind, key) = context.parts, context.speaker.seat
    if kind == "desk" and parts.registry.of_person(key) is None:
        joined = await keep_warm(context, message.sdp)
    else:
        call = context.own_call()
        await require_signed(context, call, message)
        permit = await context.ask("media.join", call)
        if call.state in IN_QUEUE:
            await parts.registry.open_media(call.id)
        party = context.speaker.party_in(call).value
        joined = await parts.media.join(
            permit, call.id, party, message.sdp, only_from=parts.media_from(call.municipality_id)
        )
    return {
        "type": "answer",
        "connection": message.connection,
        "sdp": joined.sdp,
        "media_epoch": joined.epoch,
    }


async def require_signed(context: Context, call: Call, message: m.Offer) -> None:
    """Raise `Denied` `offer_unsigned` unless a counter's offer is signed by its tablet's key."""
    tablet = context.speaker.tablet
    if tablet is None:
        return
    try:
        require_signed_offer(
            tablet, context.challenge, call.id, message.connection, message.sdp, message.signature
        )
    except Denied as refused:
        await note_refused(context.parts, tablet, "offer", refused.code)
        raise


@command("chat.send")
async def chat_send(context: Context, message: m.ChatSend) -> Json:
    """Store one chat message, then show it to both ends."""
    parts, speaker = context.parts, context.speaker
    call = context.own_call()
    found = {
        "my_number": holds_my_number(message.text),
        "insurer_number": holds_insurer_number(message.text),
    }
    permit = await context.ask("chat.send", call, **found)
    posted, is_new = await parts.chat.post(
        permit,
        call.id,
        speaker.party_in(call).value,
        writer_id(speaker, call),
        message.id,
        message.text,
        key=await parts.calls.data_key(call.municipality_id, call.id),
        now=parts.clock(),
    )
    if is_new:
        await parts.hub.tell_message(call, posted)
    asked = speaker.in_force.policy.numbers
    warning = next(
        (x for x, is_there in found.items() if is_there and getattr(asked, x) == "warn"), None
    )
    return {"number": posted.number, "at": time_view(posted.at), "warning": warning}


@command("chat.read")
async def chat_read(context: Context, message: m.ChatRead) -> Json:
    """Remember how far this end has read."""
    parts, call = context.parts, context.own_call()
    party = context.speaker.party_in(call).value
    permit = await context.ask("chat.read", call)
    number = await parts.chat.mark_read(permit, call.id, party, message.number)
    parts.hub.tell_parties(call, {"type": "chat.read", "party": party, "number": number})
    return {}


async def keep_warm(context: Context, sdp: str) -> Joined:
    """Connect a desk that is in no call: in its lobby, near the call that rings there.

    Raises `Conflict` while the desk is 離席.
    """
    parts, person_id = context.parts, context.speaker.seat[1]
    if not parts.registry.desks.is_open(person_id):
        raise Conflict("this desk takes no calls", code="wrong_state")
    facts = context.speaker.facts(person_id, now=parts.clock())
    permit = await parts.gate.ask("media.warm", facts)
    ringing = parts.registry.ringing_at(person_id) or parts.registry.asks_for(person_id)
    joined = await parts.media.warm(
        permit,
        person_id,
        sdp,
        beside=ringing.id if ringing is not None else None,
        only_from=parts.media_from(context.speaker.municipality.id),
    )
    context.warm = True
    return joined


async def let_in(context: Context, call: Call) -> None:
    """Move the connection that this very page made ready into the call that it has just answered.

    A page whose connection is not there any more is asked for another.
    """
    parts, speaker, was_warm = context.parts, context.speaker, context.warm
    if not was_warm:
        await parts.media.dismiss(speaker.seat[1])
        return
    context.warm, moved = False, False
    try:
        permit = await context.ask("media.join", call)
        party = speaker.party_in(call).value
        moved = await parts.media.adopt(permit, call.id, party, speaker.seat[1])
    finally:
        if not moved:
            again = {"type": "please-offer", "reason": "new_connection"}
            parts.hub.seats.send(speaker.seat, again)


def find_call(parts: Parts, speaker: Speaker, call_id: str) -> Call | None:
    """Return an open call of the speaker's municipality.

    None when it is over, unknown or another municipality's: nobody can tell which.
    """
    try:
        call = parts.registry.get(call_id)
    except NotFound:
        return None
    return call if call.municipality_id == speaker.municipality.id else None


def writer_id(speaker: Speaker, call: Call) -> str:
    """Return the person who writes; at the counter the call's clerk, signed in still or not."""
    if speaker.page == "counter":
        return call.clerk_id
    return speaker.seat[1]
