"""The whole state that a page needs to draw itself: `state` of PROTOCOL.md section 4."""

from security.gate import Permit
from security.policy.baseline import BASELINE
from security.policy.decide import decide
from server.api.speaker import Speaker
from server.api.views import Json, file_view
from server.calls.call import GUEST_PARTIES, Call
from server.parts import Parts


async def welcome_state(parts: Parts, speaker: Speaker) -> Json:
    """Return what a page that starts, or has missed too much, is told."""
    registry, hub = parts.registry, parts.hub
    kind, key = speaker.seat
    call = registry.of_tablet(key) if kind == "counter" else registry.of_person(key)
    state: Json = {
        "call": None,
        "chat": [],
        "read": {"counter": 0, "desk": 0},
        "files": [],
        "steps": None,
        "queue": None,
        "position": None,
    }
    if call is not None:
        state |= await call_state(parts, speaker, call)
    if kind == "counter":
        state["position"] = await hub.position_of(speaker.seat, speaker.municipality.id)
    if kind == "desk":
        state["queue"] = await hub.draw_queue(speaker.municipality.id, key)
    return state


async def call_state(parts: Parts, speaker: Speaker, call: Call) -> Json:
    """Return a call with its chat and its files, for a party."""
    facts = speaker.facts(call.id, now=parts.clock(), call=call)
    if not decide(BASELINE, "chat.read", facts).allowed and speaker.party_in(call) in GUEST_PARTIES:
        # An interpreter sees and hears, and is given no papers.
        await parts.gate.ask("call.read", facts)
        none: Json = {"chat": [], "read": {"counter": 0, "desk": 0}, "files": []}
        none["steps"] = None
        return {"call": await parts.hub.draw_call(call), **none}
    may_chat = await parts.gate.ask("chat.read", facts)
    may_read = await parts.gate.ask("call.read", facts)
    key = await parts.calls.data_key(call.municipality_id, call.id)
    chat = await parts.chat.since(may_chat, call.id, 0, key=key)
    read = await parts.chat.read_by(may_chat, call.id)
    return {
        "call": await parts.hub.draw_call(call),
        "chat": [await parts.hub.draw_message(call, message) for message in chat],
        "read": {"counter": 0, "desk": 0, **read},
        "files": await _files(parts, may_read, call),
        "steps": await _steps(parts, speaker, call),
    }


async def _steps(parts: Parts, speaker: Speaker, call: Call) -> Json | None:
    if call.answered_at is None:
        return None
    return await parts.steps_told.draw(parts.steps, call, desk=speaker.page == "desk")


async def _files(parts: Parts, permit: Permit, call: Call) -> list[Json]:
    entries = await parts.uploads.list_of_call(permit, call.id)
    one_time = parts.uploads.limits_of(call.municipality_id).one_time
    return [
        file_view(entry, await parts.uploads.received_bytes(entry), one_time=one_time)
        for entry in entries
    ]
