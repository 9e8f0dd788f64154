"""The machine of a call: one table, one function. Pure.

Two rules hold everywhere:

1. The next state is what TRANSITIONS says for (state, type of event). A pair that is not in the
   table, or that a guard refuses, raises `Conflict`, and the call is as it was.
2. `BACK` stands for the state that an interruption began in; it is taken once nobody is lost,
   until then the call stays interrupted.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from types import MappingProxyType

from security.errors import Conflict
from server.calls import events as ev
from server.calls import guests
from server.calls.call import Call, Outcome, Party, PartyName, State


class Choice(Enum):
    """The one target that depends on more than state and event."""

    BACK = "back"


BACK = Choice.BACK
W, R, T, I, D, C = (  # noqa: E741
    State.WAITING,
    State.RINGING,
    State.TALKING,
    State.INTERRUPTED,
    State.DECIDING,
    State.CLOSED,
)

TRANSITIONS: Mapping[tuple[State, type[ev.Event]], State | Choice] = MappingProxyType(
    {
        (W, ev.Offered): R,
        (W, ev.Accepted): T,
        (W, ev.Withdrawn): C,
        (W, ev.Lost): W,
        (W, ev.CameBack): W,
        (W, ev.CounterSeatExpired): C,
        (W, ev.DevicesChanged): W,
        (W, ev.TabletRevoked): C,
        (W, ev.Forbidden): C,
        (W, ev.TimeUp): C,
        (W, ev.ServerStarted): W,
        (R, ev.Passed): W,
        (R, ev.Accepted): T,
        (R, ev.Withdrawn): C,
        (R, ev.Lost): W,
        (R, ev.DevicesChanged): R,
        (R, ev.TabletRevoked): C,
        (R, ev.Forbidden): C,
        (R, ev.TimeUp): C,
        (R, ev.ServerStarted): W,
        (T, ev.Lost): I,
        (T, ev.DecisionBegun): D,
        (T, ev.Closed): C,
        (T, ev.HandedOver): R,
        (T, ev.Veiled): T,
        (T, ev.DevicesChanged): T,
        (T, ev.TabletRevoked): C,
        (T, ev.Forbidden): C,
        (T, ev.TimeUp): C,
        (T, ev.ServerStarted): I,
        (I, ev.Lost): I,
        (I, ev.CameBack): BACK,
        (I, ev.CounterSeatExpired): C,
        (I, ev.DeskSeatExpired): W,
        (I, ev.Closed): C,
        (I, ev.Veiled): I,
        (I, ev.DevicesChanged): I,
        (I, ev.TabletRevoked): C,
        (I, ev.Forbidden): C,
        (I, ev.TimeUp): C,
        (I, ev.ServerStarted): I,
        (D, ev.Lost): I,
        (D, ev.DecisionPutOff): T,
        (D, ev.Closed): C,
        (D, ev.HandedOver): R,
        (D, ev.Veiled): D,
        (D, ev.DevicesChanged): D,
        (D, ev.TabletRevoked): C,
        (D, ev.Forbidden): C,
        (D, ev.TimeUp): C,
        (D, ev.ServerStarted): I,
        # A shift ends; the call goes on.
        **{(state, ev.ClerkChanged): state for state in (W, R, T, I, D)},
        # Guests come and go while the call is what it is.
        **{(state, event): state for state in (T, I, D) for event in guests.HANDLERS},
    }
)

GOOD_OUTCOMES = frozenset({Outcome.VERIFIED, Outcome.COMPLETED})
EARLY_OUTCOMES = frozenset({Outcome.RETURNED, Outcome.ABORTED})
MAX_REASON_CHARACTERS = 500
MAX_OFFERED = 50


@dataclass(frozen=True, slots=True)
class Limits:
    """What holds of calls in a municipality; times in seconds.

    `at_random`: a free desk is drawn by lot, and answers only what rings there.
    """

    resume_seconds: float = 120
    ring_seconds: float = 20
    waiting_seconds: float = 3600
    talking_seconds: float = 3600
    at_random: bool = False


def step(
    call: Call, event: ev.Event, *, now: datetime, limits: Limits
) -> tuple[Call, tuple[ev.Effect, ...]]:
    """Return the call after `event` and the effects, in the order in which they must happen.

    Raises `Conflict` when the event does not fit the state; the call is unchanged.
    """
    target = TRANSITIONS.get((call.state, type(event)))
    if target is None:
        raise Conflict(f"{type(event).__name__} does not fit {call.state}", code="wrong_state")
    changed = _HANDLERS[type(event)](call, event, now)
    if target is BACK:
        target = call.interrupted_from if not changed.lost_since else I
    if not isinstance(target, State):
        raise Conflict("the interruption began nowhere", code="wrong_state")
    after = _enter(changed, call, target, now)
    after = replace(after, version=call.version + 1)
    return after, _effects(call, after, event, limits)


def _enter(changed: Call, before: Call, target: State, now: datetime) -> Call:
    """Set what every call in `target` must have, wherever it comes from."""
    if target is I and before.state is not I:
        changed = replace(changed, interrupted_from=before.state)
    if target in (T, D):
        changed = replace(changed, interrupted_from=None)
    if target is W:
        changed = replace(changed, desk_id=None, ringing_since=None, interrupted_from=None)
        if before.state is I:
            changed = replace(changed, waiting_since=now)
        changed = replace(changed, guests=())
    if target is R and before.state in (T, D):
        changed = replace(changed, waiting_since=now, guests=())
    if target is C:
        desk_id = changed.desk_id or changed.answered_by
        changed = replace(changed, closed_at=now, interrupted_from=None, desk_id=desk_id)
    return replace(changed, state=target)


def _lose(call: Call, party: PartyName, now: datetime) -> Call:
    lost = dict(call.lost_since)
    lost.setdefault(party, now)
    return _with_party(replace(call, lost_since=lost), party, present=False)


def _without(call: Call, party: PartyName) -> dict[PartyName, datetime]:
    return {lost: at for lost, at in call.lost_since.items() if lost != party}


def _with_party(call: Call, party: PartyName, **changes: object) -> Call:
    old: Party = getattr(call, party.value)
    return replace(call, **{party.value: replace(old, **changes)})  # type: ignore[arg-type]


def _offered(call: Call, event: ev.Offered, now: datetime) -> Call:
    if call.lost_since:
        raise Conflict("the counter is not there", code="line_lost")
    return replace(
        call,
        desk_id=event.desk_id,
        ringing_since=now,
        offered=(*call.offered, event.desk_id)[-MAX_OFFERED:],
    )


def _passed(call: Call, event: ev.Passed, now: datetime) -> Call:
    if call.desk_id != event.desk_id:
        raise Conflict("it does not ring at this desk", code="wrong_state")
    return call


def _accepted(call: Call, event: ev.Accepted, now: datetime) -> Call:
    if call.lost_since:
        raise Conflict("the counter is not there", code="line_lost")
    before = (*call.desks_before, call.answered_by)
    return replace(
        call,
        desk_id=event.desk_id,
        desks_before=tuple(x for x in before if x is not None and x != event.desk_id),
        ringing_since=None,
        answered_at=call.answered_at or now,
        answered_by=event.desk_id,
        offered=(),
        desk=Party(present=True),
    )


def _handed_over(call: Call, event: ev.HandedOver, now: datetime) -> Call:
    if event.desk_id == call.desk_id:
        raise Conflict("it is this desk's already", code="wrong_state")
    offered = (event.desk_id,)
    return replace(call, desk_id=event.desk_id, ringing_since=now, offered=offered, desk=Party())


def _withdrawn(call: Call, event: ev.Withdrawn, now: datetime) -> Call:
    return replace(call, desk_id=None, outcome=_broken_off(call), reason="withdrawn")


def _lost(call: Call, event: ev.Lost, now: datetime) -> Call:
    if call.state in (W, R) and event.party is not PartyName.COUNTER:
        raise Conflict("no desk is in the call yet", code="wrong_state")
    return _lose(call, event.party, now)


def _came_back(call: Call, event: ev.CameBack, now: datetime) -> Call:
    back = replace(call, lost_since=_without(call, event.party))
    return _with_party(back, event.party, present=True)


def _counter_seat_expired(call: Call, event: ev.CounterSeatExpired, now: datetime) -> Call:
    if PartyName.COUNTER not in call.lost_since:
        raise Conflict("the counter is there", code="wrong_state")
    return replace(call, outcome=_broken_off(call), reason="line_lost")


def _desk_seat_expired(call: Call, event: ev.DeskSeatExpired, now: datetime) -> Call:
    if PartyName.DESK not in call.lost_since:
        raise Conflict("the desk is there", code="wrong_state")
    lost = _without(call, PartyName.DESK)
    return replace(call, lost_since=lost, offered=(), desk=Party())


def _same(call: Call, event: ev.Event, now: datetime) -> Call:
    return call


def _closed(call: Call, event: ev.Closed, now: datetime) -> Call:
    if call.state is not D and event.outcome not in EARLY_OUTCOMES:
        code = "line_lost" if call.state is I else "wrong_state"
        raise Conflict(f"{event.outcome} is not given from {call.state}", code=code)
    reason = (event.reason or "").strip() or None
    if reason is None and event.outcome not in GOOD_OUTCOMES:
        raise Conflict("say why", code="reason_required")
    return replace(call, outcome=event.outcome, reason=reason)


def _veiled(call: Call, event: ev.Veiled, now: datetime) -> Call:
    return replace(call, veiled=event.on)


def _clerk_changed(call: Call, event: ev.ClerkChanged, now: datetime) -> Call:
    if event.clerk_id == call.clerk_id:
        raise Conflict("this clerk is at the counter already", code="wrong_state")
    before = tuple(x for x in call.clerks_before if x != call.clerk_id)
    return replace(call, clerk_id=event.clerk_id, clerks_before=(*before, call.clerk_id))


def _devices_changed(call: Call, event: ev.DevicesChanged, now: datetime) -> Call:
    return _with_party(call, event.party, camera=event.camera, microphone=event.microphone)


def _tablet_revoked(call: Call, event: ev.TabletRevoked, now: datetime) -> Call:
    return _cut_off(call, "tablet_revoked")


def _forbidden(call: Call, event: ev.Forbidden, now: datetime) -> Call:
    return _cut_off(call, event.code)


def _time_up(call: Call, event: ev.TimeUp, now: datetime) -> Call:
    return _cut_off(call, event.code)


def _cut_off(call: Call, code: str) -> Call:
    desk_id = None if call.state is R else call.desk_id
    return replace(call, desk_id=desk_id, outcome=_broken_off(call), reason=code)


def _broken_off(call: Call) -> Outcome | None:
    """Return how a call ends that nobody decides: one that was answered is broken off."""
    return Outcome.ABORTED if call.answered_at else None


def _server_started(call: Call, event: ev.ServerStarted, now: datetime) -> Call:
    # Both terms begin anew: nobody could come back while the server was away.
    veiled = call.veiled or (event.veiled and call.state in (T, I, D))
    call = replace(call, lost_since={}, offered=(), veiled=veiled)
    call = guests.lose_everybody(call, now)
    call = _lose(call, PartyName.COUNTER, now)
    return _lose(call, PartyName.DESK, now) if call.state in (T, I, D) else call


_HANDLERS: Mapping[type[ev.Event], Callable[..., Call]] = MappingProxyType(
    {
        ev.Offered: _offered,
        ev.Passed: _passed,
        ev.Accepted: _accepted,
        ev.HandedOver: _handed_over,
        ev.Withdrawn: _withdrawn,
        ev.Lost: _lost,
        ev.CameBack: _came_back,
        ev.CounterSeatExpired: _counter_seat_expired,
        ev.DeskSeatExpired: _desk_seat_expired,
        ev.DecisionBegun: _same,
        ev.DecisionPutOff: _same,
        ev.Closed: _closed,
        ev.Veiled: _veiled,
        ev.DevicesChanged: _devices_changed,
        ev.ClerkChanged: _clerk_changed,
        ev.TabletRevoked: _tablet_revoked,
        ev.Forbidden: _forbidden,
        ev.TimeUp: _time_up,
        ev.ServerStarted: _server_started,
        **guests.HANDLERS,
    }
)


def _effects(before: Call, after: Call, event: ev.Event, limits: Limits) -> tuple[ev.Effect, ...]:
    media = _media_effects(before, after, event)
    if event == ev.Veiled(on=True):
        # A picture that must stop does not wait for a disk.
        return (*media, ev.Persist(), ev.Tell())
    return (
        ev.Persist(),
        *media,
        *_timer_effects(before, after, limits),
        *_guest_timers(before, after, limits),
        ev.Tell(),
        *_step_effects(before, after, event),
        *guests.dismissed(before, after),
        *((ev.Release(before.desk_id),) if _lets_go(before, after) else ()),
        *((ev.DropUnfinishedFiles(),) if after.state is C else ()),
    )


def _lets_go(before: Call, after: Call) -> bool:
    if after.state is R:
        return before.state in (T, D)
    return after.state in (C, W) and before.state is not W


def _step_effects(before: Call, after: Call, event: ev.Event) -> tuple[ev.Effect, ...]:
    if after.state in (W, R):
        # Between two desks a tablet that is lost may come back with somebody else before it.
        lost = isinstance(event, ev.Lost | ev.ServerStarted) and after.answered_at is not None
        return (ev.SettleSteps(),) if lost else ()
    if after.state is C or {before.state, after.state} <= {T, D}:
        return ()
    return (ev.SettleSteps(),)


def _media_effects(before: Call, after: Call, event: ev.Event) -> tuple[ev.Effect, ...]:
    if after.state is C:
        return (ev.CloseMedia(),)
    if after.state is R and before.state in (T, D):
        return (ev.HoldMedia(), *guests.media_effects(before, after), ev.AskNearer())
    if after.state is W and before.state is I:
        return (ev.HoldMedia(), *guests.media_effects(before, after))
    effects: list[ev.Effect] = []
    if after.state in (T, I, D) and (before.state in (W, R) or isinstance(event, ev.ServerStarted)):
        effects += [ev.OpenMedia(), ev.SetVeil(after.veiled)]
        effects += [ev.AdmitDesk()] if isinstance(event, ev.Accepted) else []
        effects.append(ev.OpenGate())
    elif after.veiled != before.veiled:
        effects.append(ev.SetVeil(after.veiled))
    elif isinstance(event, ev.Offered):
        effects.append(ev.AskNearer())
    return (*effects, *guests.media_effects(before, after))


def _guest_timers(before: Call, after: Call, limits: Limits) -> tuple[ev.Effect, ...]:
    if after.state is C:
        return ()  # all of a closed call's timers are forgotten with it
    return guests.timer_effects(
        before, after, ring_seconds=limits.ring_seconds, resume_seconds=limits.resume_seconds
    )


def _timer_effects(before: Call, after: Call, limits: Limits) -> tuple[ev.Effect, ...]:
    effects: list[ev.Effect] = []
    if after.state is R and before.state is not R and after.ringing_since and after.desk_id:
        at = after.ringing_since + timedelta(seconds=limits.ring_seconds)
        effects.append(ev.SetTimer("ring", at, ev.Passed(after.desk_id)))
    elif before.state is R and after.state is not R:
        effects.append(ev.CancelTimer("ring"))
    seats = (
        (PartyName.COUNTER, ev.CounterSeatExpired()),
        (PartyName.DESK, ev.DeskSeatExpired()),
    )
    for party, expired in seats:
        lost_at = after.lost_since.get(party) if after.state is not C else None
        if lost_at is not None and lost_at != before.lost_since.get(party):
            at = lost_at + timedelta(seconds=limits.resume_seconds)
            effects.append(ev.SetTimer(f"seat-{party}", at, expired))
        elif lost_at is None and party in before.lost_since:
            effects.append(ev.CancelTimer(f"seat-{party}"))
    return tuple(effects)
