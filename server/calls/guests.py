"""Third parties of a call: asked by the desk, in or not; the call goes on without them. Pure.

A guest is asked for a while, as a desk is rung, then in the call until it leaves, is sent away or
is lost for longer than seats are kept. Nothing here changes the call's state.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from security.errors import Conflict
from server.calls import events as ev
from server.calls.call import GUEST_PARTIES, Call, Guest, PartyName


def guest_of(call: Call, person_id: str) -> Guest | None:
    """Return the guest that a person is in a call, asked or in."""
    return next((x for x in call.guests if x.person_id == person_id), None)


def joined(call: Call) -> tuple[Guest, ...]:
    """Return the guests who are in the call, lost ones too."""
    return tuple(x for x in call.guests if x.joined_at is not None)


def party_of(call: Call, person_id: str) -> PartyName | None:
    """Return the end of the call that a person at a desk page is, None for nobody in it."""
    if call.desk_id == person_id:
        return PartyName.DESK
    guest = guest_of(call, person_id)
    return guest.party if guest is not None and guest.joined_at is not None else None


def person_at(call: Call, party: str) -> str | None:
    """Return who sits at the desk page of a party; None at the counter's and for nobody."""
    if party == PartyName.DESK:
        return call.desk_id
    return next((x.person_id for x in joined(call) if x.party == party), None)


def went_away(party: PartyName, person_id: str) -> ev.Event:
    """Return what happens to a call when the page of a party is gone."""
    return ev.GuestLost(person_id) if party in GUEST_PARTIES else ev.Lost(party)


def came_back(party: PartyName, person_id: str) -> ev.Event:
    """Return what happens to a call when the page of a party is back."""
    return ev.GuestBack(person_id) if party in GUEST_PARTIES else ev.CameBack(party)


def lose_everybody(call: Call, now: datetime) -> Call:
    """Return the call after a restart of the server: who was in is lost, who was asked is not."""
    return replace(call, guests=tuple(replace(x, lost_at=now) for x in joined(call)))


def _known(call: Call, person_id: str) -> Guest:
    guest = guest_of(call, person_id)
    if guest is None:
        raise Conflict("not asked into this call", code="wrong_state")
    return guest


def _put(call: Call, guest: Guest) -> Call:
    others = tuple(guest if x.person_id == guest.person_id else x for x in call.guests)
    return replace(call, guests=others)


def _without(call: Call, guest: Guest) -> Call:
    return replace(call, guests=tuple(x for x in call.guests if x is not guest))


def _asked(call: Call, event: ev.GuestAsked, now: datetime) -> Call:
    if event.person_id == call.desk_id or guest_of(call, event.person_id) is not None:
        raise Conflict("is in the call or asked already", code="already_in_call")
    taken = {x.party for x in call.guests}
    free = [party for party in GUEST_PARTIES if party not in taken]
    if not free:
        raise Conflict("the call is full", code="call_full")
    return replace(
        call, guests=(*call.guests, Guest(free[0], event.person_id, event.kind, asked_at=now))
    )


def _unanswered(call: Call, event: ev.GuestUnanswered, now: datetime) -> Call:
    guest = _known(call, event.person_id)
    if guest.joined_at is not None:
        raise Conflict("has answered", code="wrong_state")
    return _without(call, guest)


def _joined(call: Call, event: ev.GuestJoined, now: datetime) -> Call:
    guest = _known(call, event.person_id)
    if guest.joined_at is not None:
        raise Conflict("is in the call", code="already_in_call")
    return _put(call, replace(guest, joined_at=now))


def _left(call: Call, event: ev.GuestLeft, now: datetime) -> Call:
    return _without(call, _known(call, event.person_id))


def _lost(call: Call, event: ev.GuestLost, now: datetime) -> Call:
    guest = _known(call, event.person_id)
    if guest.joined_at is None:
        return _without(call, guest)
    return _put(call, replace(guest, lost_at=guest.lost_at or now))


def _back(call: Call, event: ev.GuestBack, now: datetime) -> Call:
    guest = _known(call, event.person_id)
    if guest.lost_at is None:
        raise Conflict("was not lost", code="wrong_state")
    return _put(call, replace(guest, lost_at=None))


def _expired(call: Call, event: ev.GuestSeatExpired, now: datetime) -> Call:
    guest = _known(call, event.person_id)
    if guest.lost_at is None:
        raise Conflict("is there", code="wrong_state")
    return _without(call, guest)


def _devices(call: Call, event: ev.GuestDevices, now: datetime) -> Call:
    guest = _known(call, event.person_id)
    return _put(call, replace(guest, camera=event.camera, microphone=event.microphone))


HANDLERS: Mapping[type[ev.Event], Callable[[Call, Any, datetime], Call]] = MappingProxyType(
    {
        ev.GuestAsked: _asked,
        ev.GuestUnanswered: _unanswered,
        ev.GuestJoined: _joined,
        ev.GuestLeft: _left,
        ev.GuestLost: _lost,
        ev.GuestBack: _back,
        ev.GuestSeatExpired: _expired,
        ev.GuestDevices: _devices,
    }
)


def media_effects(before: Call, after: Call) -> tuple[ev.Effect, ...]:
    """Return what the media engine and the guests' pages must do."""
    here = {x.person_id for x in after.guests}
    known = {x.person_id: x for x in before.guests}
    effects: list[ev.Effect] = [
        ev.DropGuest(x.party) for x in joined(before) if x.person_id not in here
    ]
    for guest in after.guests:
        old = known.get(guest.person_id)
        if old is None:
            effects.append(ev.AskGuestNearer(guest.person_id))
        elif old.joined_at is None and guest.joined_at is not None:
            effects.append(ev.AdmitGuest())
    return tuple(effects)


def timer_effects(
    before: Call, after: Call, *, ring_seconds: float, resume_seconds: float
) -> tuple[ev.Effect, ...]:
    """Return the timers to set and to forget."""
    effects: list[ev.Effect] = []
    due = {x.person_id: _due(x, ring_seconds, resume_seconds) for x in after.guests}
    was = {x.person_id: _due(x, ring_seconds, resume_seconds) for x in before.guests}
    for person_id in dict.fromkeys((*was, *due)):
        timer = due.get(person_id)
        if timer == was.get(person_id):
            continue
        name = f"guest-{person_id}"
        effects.append(ev.SetTimer(name, *timer) if timer else ev.CancelTimer(name))
    return tuple(effects)


def _due(
    guest: Guest, ring_seconds: float, resume_seconds: float
) -> tuple[datetime, ev.Event] | None:
    if guest.joined_at is None:
        at = guest.asked_at + timedelta(seconds=ring_seconds)
        return at, ev.GuestUnanswered(guest.person_id)
    if guest.lost_at is not None:
        at = guest.lost_at + timedelta(seconds=resume_seconds)
        return at, ev.GuestSeatExpired(guest.person_id)
    return None


def dismissed(before: Call, after: Call) -> tuple[ev.Effect, ...]:
    """Return who is to be shown the call a last time: who was in and is not any more."""
    here = {x.person_id for x in joined(after)}
    gone = tuple(x.person_id for x in joined(before) if x.person_id not in here)
    return (ev.Farewell(gone),) if gone else ()
