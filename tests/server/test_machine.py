"""The machine of a call, state by state."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security.errors import Conflict
from server.calls import events as ev
from server.calls.call import Call, Device, Outcome, Party, PartyName, State
from server.calls.machine import BACK, TRANSITIONS, Limits, step

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
LIMITS = Limits(resume_seconds=120, ring_seconds=20)
COUNTER, DESK = PartyName.COUNTER, PartyName.DESK
EVENTS: tuple[ev.Event, ...] = (
    ev.Offered("d1"),
    ev.Passed("d1"),
    ev.Accepted("d1"),
    ev.HandedOver("d2"),
    ev.Withdrawn(),
    ev.Lost(COUNTER),
    ev.Lost(DESK),
    ev.CameBack(COUNTER),
    ev.CameBack(DESK),
    ev.CounterSeatExpired(),
    ev.DeskSeatExpired(),
    ev.DecisionBegun(),
    ev.DecisionPutOff(),
    ev.Closed(Outcome.RETURNED, "写真が古い"),
    ev.Closed(Outcome.VERIFIED, None),
    ev.Veiled(on=True),
    ev.DevicesChanged(COUNTER, Device.OFF, Device.ON),
    ev.ClerkChanged("q"),
    ev.TabletRevoked(),
    ev.Forbidden("outside_vpn"),
    ev.ServerStarted(),
)


def waiting() -> Call:
    return Call(
        id="c" * 22,
        number="R-261123-0001",
        municipality_id="m",
        office_id="o",
        tablet_id="t",
        clerk_id="p",
        procedure="new-issue",
        training=True,
        consent="{}",
        placed_at=NOW,
    )


def in_state(state: State) -> Call:
    call = waiting()
    if state is State.WAITING:
        return call
    if state is State.RINGING:
        return after(call, ev.Offered("d1"))
    call = after(call, ev.Accepted("d1"))
    if state is State.INTERRUPTED:
        return after(call, ev.Lost(COUNTER))
    if state is State.DECIDING:
        return after(call, ev.DecisionBegun())
    if state is State.CLOSED:
        return after(call, ev.Closed(Outcome.ABORTED, "停電"))
    return call


def after(call: Call, *events: ev.Event, now: datetime = NOW) -> Call:
    for event in events:
        call, _ = step(call, event, now=now, limits=LIMITS)
    return call


def effects_of(call: Call, event: ev.Event) -> tuple[ev.Effect, ...]:
    return step(call, event, now=NOW, limits=LIMITS)[1]


@pytest.mark.parametrize(
    ("state", "event"), list(itertools.product(State, EVENTS)), ids=lambda x: str(x)[:40]
)
def test_a_pair_outside_the_table_is_a_conflict_and_one_inside_lands_where_it_says(
    state: State, event: ev.Event
) -> None:
    call = in_state(state)
    target = TRANSITIONS.get((state, type(event)))
    try:
        changed, effects = step(call, event, now=NOW, limits=LIMITS)
    except Conflict:
        assert call == in_state(state)
        return
    assert target is not None
    if target is not BACK:
        assert changed.state is target
    assert changed.version == call.version + 1
    assert ev.Persist() in effects


def test_nothing_leaves_closed() -> None:
    assert not [pair for pair in TRANSITIONS if pair[0] is State.CLOSED]


@pytest.mark.parametrize("state", [s for s in State if s is not State.CLOSED])
def test_every_open_state_survives_a_restart_and_ends_with_the_tablet(state: State) -> None:
    assert (state, ev.ServerStarted) in TRANSITIONS
    assert after(in_state(state), ev.TabletRevoked()).state is State.CLOSED


def test_nobody_hears_of_a_change_before_it_is_on_disk() -> None:
    for state, event in itertools.product(State, EVENTS):
        try:
            effects = effects_of(in_state(state), event)
        except Conflict:
            continue
        kinds = [type(effect) for effect in effects]
        assert kinds.count(ev.Persist) == 1
        assert ev.Tell not in kinds[: kinds.index(ev.Persist)]


def test_a_call_comes_back_to_where_it_was_interrupted() -> None:
    deciding = in_state(State.DECIDING)
    lost = after(deciding, ev.Lost(DESK))
    assert lost.state is State.INTERRUPTED
    assert after(lost, ev.CameBack(DESK)).state is State.DECIDING


def test_a_call_stays_interrupted_until_both_are_back() -> None:
    lost = after(in_state(State.TALKING), ev.Lost(DESK), ev.Lost(COUNTER))
    one_back = after(lost, ev.CameBack(COUNTER))
    assert one_back.state is State.INTERRUPTED
    assert after(one_back, ev.CameBack(DESK)).state is State.TALKING


def test_a_restart_in_the_middle_of_an_interruption_remembers_where_it_began() -> None:
    call = after(in_state(State.DECIDING), ev.Lost(COUNTER), ev.ServerStarted())
    assert after(call, ev.CameBack(COUNTER), ev.CameBack(DESK)).state is State.DECIDING


def test_a_lost_counter_is_not_rung_for_and_not_answered() -> None:
    lost = after(waiting(), ev.Lost(COUNTER))
    for event in (ev.Offered("d1"), ev.Accepted("d1")):
        with pytest.raises(Conflict) as refused:
            step(lost, event, now=NOW, limits=LIMITS)
        assert refused.value.code == "line_lost"
    assert after(lost, ev.CameBack(COUNTER), ev.Offered("d1")).state is State.RINGING


def test_a_ring_that_is_not_answered_goes_back_to_its_place() -> None:
    ringing = in_state(State.RINGING)
    timer = next(e for e in effects_of(waiting(), ev.Offered("d1")) if isinstance(e, ev.SetTimer))
    assert timer.at == NOW + timedelta(seconds=20)
    back = after(ringing, timer.event)
    assert (back.state, back.desk_id, back.placed_at) == (State.WAITING, None, NOW)
    assert back.offered == ("d1",)


def test_a_late_ring_timer_of_another_desk_changes_nothing() -> None:
    with pytest.raises(Conflict):
        step(in_state(State.RINGING), ev.Passed("d2"), now=NOW, limits=LIMITS)


def test_the_seat_is_kept_for_the_resume_time_from_the_first_loss() -> None:
    talking = in_state(State.TALKING)
    first = next(e for e in effects_of(talking, ev.Lost(COUNTER)) if isinstance(e, ev.SetTimer))
    assert first.at == NOW + timedelta(seconds=120)
    lost = after(talking, ev.Lost(COUNTER))
    again = step(lost, ev.Lost(COUNTER), now=NOW + timedelta(seconds=60), limits=LIMITS)
    assert not [e for e in again[1] if isinstance(e, ev.SetTimer)]


def test_a_counter_that_does_not_come_back_ends_the_call() -> None:
    ended = after(in_state(State.TALKING), ev.Lost(COUNTER), ev.CounterSeatExpired())
    assert (ended.state, ended.outcome, ended.reason) == (
        State.CLOSED,
        Outcome.ABORTED,
        "line_lost",
    )


def test_a_desk_that_does_not_come_back_gives_the_resident_back_to_the_queue() -> None:
    call = after(in_state(State.TALKING), ev.Lost(DESK), ev.DeskSeatExpired())
    assert (call.state, call.desk_id, call.answered_at) == (State.WAITING, None, NOW)
    assert after(call, ev.Accepted("d2")).desk_id == "d2"


@pytest.mark.parametrize("outcome", [Outcome.RETURNED, Outcome.REFUSED, Outcome.ABORTED])
@pytest.mark.parametrize("reason", [None, "", "   "])
def test_every_outcome_but_verified_needs_a_reason(outcome: Outcome, reason: str | None) -> None:
    with pytest.raises(Conflict) as refused:
        step(in_state(State.DECIDING), ev.Closed(outcome, reason), now=NOW, limits=LIMITS)
    assert refused.value.code == "reason_required"


@pytest.mark.parametrize("outcome", [Outcome.VERIFIED, Outcome.REFUSED])
@pytest.mark.parametrize(
    ("state", "code"), [(State.TALKING, "wrong_state"), (State.INTERRUPTED, "line_lost")]
)
def test_verified_and_refused_are_given_from_deciding_only(
    outcome: Outcome, state: State, code: str
) -> None:
    with pytest.raises(Conflict) as refused:
        step(in_state(state), ev.Closed(outcome, "理由"), now=NOW, limits=LIMITS)
    assert refused.value.code == code


def test_the_veil_goes_up_before_the_disk_is_asked_and_comes_down_after() -> None:
    up = [type(e) for e in effects_of(in_state(State.TALKING), ev.Veiled(on=True))]
    assert up.index(ev.SetVeil) < up.index(ev.Persist) < up.index(ev.Tell)
    veiled = after(in_state(State.TALKING), ev.Veiled(on=True))
    down = [type(e) for e in effects_of(veiled, ev.Veiled(on=False))]
    assert down.index(ev.Persist) < down.index(ev.SetVeil)


def test_a_restart_gives_every_lost_party_its_whole_term_again() -> None:
    lost = after(in_state(State.TALKING), ev.Lost(COUNTER), ev.Lost(DESK))
    later = NOW + timedelta(hours=1)
    _, effects = step(lost, ev.ServerStarted(), now=later, limits=LIMITS)
    timers = {e.name: e.at for e in effects if isinstance(e, ev.SetTimer)}
    assert timers == dict.fromkeys(("seat-counter", "seat-desk"), later + timedelta(seconds=120))


def test_the_veil_outlives_an_interruption_and_a_restart() -> None:
    call = after(in_state(State.TALKING), ev.Veiled(on=True), ev.ServerStarted())
    assert call.veiled
    assert ev.SetVeil(True) in effects_of(call, ev.ServerStarted())


@given(st.lists(st.sampled_from(EVENTS), max_size=30))
def test_no_order_of_events_breaks_what_every_call_must_be(events: list[ev.Event]) -> None:
    call = waiting()
    for event in events:
        try:
            call, _ = step(call, event, now=NOW, limits=LIMITS)
        except Conflict:
            continue
        assert (call.state is State.INTERRUPTED) == (call.interrupted_from is not None)
        assert (call.state is State.CLOSED) == (call.closed_at is not None)
        if call.state in (State.TALKING, State.DECIDING):
            assert not call.lost_since
            assert call.desk_id is not None
        if call.state is State.WAITING:
            assert call.desk_id is None
        if call.outcome is Outcome.VERIFIED:
            assert call.state is State.CLOSED
        if call.state is State.CLOSED and call.answered_at is not None:
            assert call.outcome is not None
            assert call.desk_id == call.answered_by != "d2"


def test_devices_of_one_party_leave_the_other_alone() -> None:
    call = after(in_state(State.TALKING), ev.DevicesChanged(COUNTER, Device.LOST, Device.OFF))
    assert call.counter == Party(present=True, camera=Device.LOST, microphone=Device.OFF)
    assert call.desk == replace(call.desk, camera=Device.ON)


HANDED_OVER = (ev.HandedOver("d2"),)
DESK_GONE = (ev.Lost(DESK), ev.DeskSeatExpired())


@pytest.mark.parametrize("between", [HANDED_OVER, (*HANDED_OVER, ev.Passed("d2")), DESK_GONE])
@pytest.mark.parametrize(
    "end",
    [
        (ev.Withdrawn(),),
        (ev.Lost(COUNTER), ev.CounterSeatExpired()),
        (ev.TimeUp("max_length"),),
        (ev.TabletRevoked(),),
    ],
)
def test_a_call_that_ends_between_two_desks_is_broken_off_and_was_led_by_who_answered(
    between: tuple[ev.Event, ...], end: tuple[ev.Event, ...]
) -> None:
    closed = after(in_state(State.TALKING), *between, *end)
    assert (closed.state, closed.outcome, closed.desk_id) == (State.CLOSED, Outcome.ABORTED, "d1")


def test_a_call_that_nobody_answered_was_led_by_nobody() -> None:
    closed = after(in_state(State.RINGING), ev.Withdrawn())
    assert (closed.outcome, closed.desk_id) == (None, None)


@pytest.mark.parametrize("between", [HANDED_OVER, DESK_GONE])
@pytest.mark.parametrize("event", [ev.Lost(COUNTER), ev.ServerStarted()])
def test_a_tablet_that_is_lost_between_two_desks_opens_steps_again(
    between: tuple[ev.Event, ...], event: ev.Event
) -> None:
    assert ev.SettleSteps() in effects_of(after(in_state(State.TALKING), *between), event)
    assert ev.SettleSteps() not in effects_of(waiting(), event)
