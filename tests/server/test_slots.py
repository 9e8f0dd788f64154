"""How many calls go on at once: the rules, and what counters and desks are told when it is full."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from media.engine import Capacity
from server.calls.call import Call, State
from server.calls.slots import is_next, slots

Json = dict[str, Any]
START = datetime(2026, 11, 23, tzinfo=UTC)
PLACE: Json = {
    "procedure": "new-issue",
    "consent": {"video": True, "text_version": "1", "language": "ja"},
}


def call(number: int, state: State = State.WAITING, home: str = "a") -> Call:
    return Call(
        id=f"call-{number}",
        number=str(number),
        municipality_id=home,
        office_id="office",
        tablet_id=f"tablet-{number}",
        clerk_id="clerk",
        procedure="new-issue",
        training=True,
        consent="",
        placed_at=START + timedelta(seconds=number),
        state=state,
    )


@pytest.mark.parametrize(
    ("state", "holds"),
    [
        (State.WAITING, False),
        (State.RINGING, True),
        (State.TALKING, True),
        (State.INTERRUPTED, True),
        (State.DECIDING, True),
        (State.CLOSED, False),
    ],
)
def test_a_call_holds_a_slot_from_its_ring_to_its_end(state: State, holds: bool) -> None:
    free = slots(Capacity(0.0, accepting=True, max_calls=5), [call(1, state)], ())
    assert free == (4 if holds else 5)


def test_a_call_that_is_just_being_answered_holds_its_slot_once() -> None:
    capacity = Capacity(0.0, accepting=True, max_calls=2)
    assert slots(capacity, [call(1), call(2)], {"call-1"}) == 1
    assert slots(capacity, [call(1, State.TALKING)], {"call-1"}) == 1


def test_an_engine_that_takes_none_has_no_slot_and_never_a_negative_number() -> None:
    assert slots(Capacity(1.0, accepting=False, max_calls=9), [], ()) == 0
    both = [call(1, State.TALKING), call(2, State.TALKING)]
    assert slots(Capacity(1.0, accepting=True, max_calls=1), both, ()) == 0


@pytest.mark.parametrize(
    ("free", "elsewhere", "first"),
    [(1, (), True), (1, (6,), True), (1, (3,), False), (2, (3,), True), (2, (3, 4), False)],
)
def test_the_last_slots_go_to_who_has_waited_longest_wherever(
    free: int, elsewhere: tuple[int, ...], first: bool
) -> None:
    others = [call(n, home="b") for n in elsewhere]
    assert is_next(call(5), free, others) is first


def position(**fields: Any) -> Any:
    return lambda m: (
        m["type"] == "position" and all(m["position"][k] == v for k, v in fields.items())
    )


def queue(**fields: Any) -> Any:
    return lambda m: m["type"] == "queue" and all(m["queue"][k] == v for k, v in fields.items())


async def code_of(doing: Any) -> str:
    with pytest.raises(Exception) as refused:  # noqa: PT011
        await doing
    return str(refused.value)


async def test_a_full_engine_lets_the_queue_wait_in_its_order_and_go_on_by_itself(
    make_world: Any,
) -> None:
    world = await make_world(media={"host": "127.0.0.1", "port": 0, "max_calls": 1})
    first, second = await world.counter(), await world.counter(tablet=world.town.second_tablet)
    one, two = await world.desk(0), await world.desk(1)
    for page in (first, second, one, two):
        await page.connect()
    talking = (await first.do("call.place", **PLACE))["call"]
    await one.do("call.accept", call=talking["id"])
    await two.do("desk.state", state="open")

    waiting = (await second.do("call.place", **PLACE))["call"]
    await second.until_that(position(busy=True, ahead=0, offered_to=None))
    assert (await two.until_that(queue(busy=True)))["queue"]["offered"] is None
    assert await code_of(two.do("call.accept", call=waiting["id"])) == "busy"
    assert await code_of(two.do("call.accept")) == "busy"

    await one.do("call.close", outcome="aborted", reason="終了")
    await two.until_that(queue(offered=waiting["id"]))
    await second.until_that(position(busy=False))
    assert (await two.do("call.accept"))["call"]["id"] == waiting["id"]
    assert (await second.until_state("talking"))["placed_at"] == waiting["placed_at"]


async def test_a_slot_that_comes_free_goes_to_who_waited_longest_in_any_town(
    make_world: Any,
) -> None:
    world = await make_world(media={"host": "127.0.0.1", "port": 0, "max_calls": 1})
    town = await world.town_of("ibara")
    talking, small = await world.counter(), await world.counter(town)
    newer = await world.counter(tablet=world.town.second_tablet)
    one, two, theirs = await world.desk(0), await world.desk(1), await world.desk(0, town)
    for page in (talking, small, newer, one, two, theirs):
        await page.connect()
    await talking.do("call.place", **PLACE)
    await one.do("call.accept")
    first = (await small.do("call.place", **PLACE))["call"]
    last = (await newer.do("call.place", **PLACE))["call"]
    for desk in (two, theirs):
        await desk.do("desk.state", state="open")
    await newer.until_that(position(busy=True))

    await one.do("call.close", outcome="aborted", reason="終了")
    await theirs.until_that(queue(offered=first["id"]))
    registry = world.service.parts.registry
    assert registry.get(last["id"]).state is State.WAITING
    await theirs.do("call.accept")
    assert await code_of(two.do("call.accept")) == "busy"
