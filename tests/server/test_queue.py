"""The queue, the ring, two desks, and every way a call goes from 呼出 to its end."""

import asyncio
from typing import Any

import pytest

PLACE = {
    "procedure": "new-issue",
    "consent": {"video": True, "text_version": "1", "language": "ja"},
}


async def code_of(awaited: Any) -> str:
    """Return the error code of a command that must be refused."""
    with pytest.raises(Exception, match=r"^[a-z_]+$") as refused:
        await awaited
    return str(refused.value)


async def test_a_placed_call_waits_with_its_number_office_and_place(world: Any) -> None:
    counter = await world.counter()
    welcome = await counter.connect()
    assert welcome["state"]["call"] is None
    call = (await counter.do("call.place", **PLACE))["call"]
    assert call["state"] == "waiting"
    assert call["training"] is True
    assert call["number"].startswith("R-")
    assert call["number"].endswith("-0001")
    position = (await counter.until("position"))["position"]
    assert position["ahead"] == 0
    assert position["desks_open"] == 0
    assert position["closed_notice"] == {"hours": "平日 9時〜16時", "telephone": "0865-00-0000"}


async def test_a_ring_reaches_an_open_desk_and_talking_reaches_both(world: Any) -> None:
    counter, desk = await world.counter(), await world.desk()
    await counter.connect()
    await desk.connect()
    await desk.do("desk.state", state="open")
    call = (await counter.do("call.place", **PLACE))["call"]
    await desk.until_that(lambda m: m["type"] == "queue" and m["queue"]["offered"] == call["id"])
    position = await counter.until_that(
        lambda m: m["type"] == "position" and m["position"]["offered_to"] is not None
    )
    assert position["position"]["closed_notice"] is None
    answered = (await desk.do("call.accept"))["call"]
    assert answered["id"] == call["id"]
    talking = await counter.until_state("talking")
    assert talking["desk"]["name"].startswith("verifier-1")


async def test_an_unanswered_ring_goes_to_the_next_desk_and_the_call_keeps_its_place(
    make_world: Any,
) -> None:
    world = await make_world(calls={"ring_seconds": 5})
    counter = await world.counter()
    desks = [await world.desk(0), await world.desk(1)]
    for desk in desks:
        await desk.connect()
        await desk.do("desk.state", state="open")
    await counter.connect()
    call = (await counter.do("call.place", **PLACE))["call"]

    def offered(m: dict[str, Any]) -> bool:
        return bool(m["type"] == "queue" and m["queue"]["offered"] == call["id"])

    await asyncio.gather(*(desk.until_that(offered) for desk in desks))
    waiting = [m for m in counter.inbox if m["type"] == "call" and m["call"]["state"] == "waiting"]
    assert all(m["call"]["placed_at"] == call["placed_at"] for m in waiting)


async def test_two_desks_at_once_one_gets_it_and_the_other_is_told(world: Any) -> None:
    counter, one, two = await world.counter(), await world.desk(0), await world.desk(1)
    for page in (counter, one, two):
        await page.connect()
    call = (await counter.do("call.place", **PLACE))["call"]
    results = await asyncio.gather(
        one.do("call.accept", call=call["id"]),
        two.do("call.accept", call=call["id"]),
        return_exceptions=True,
    )
    refused = [r for r in results if isinstance(r, BaseException)]
    assert len(refused) == 1
    assert str(refused[0]) == "call_taken"


async def test_accept_takes_the_oldest_and_each_counter_sees_its_place(world: Any) -> None:
    first, desk = await world.counter(), await world.desk()
    second = await world.counter(tablet=world.town.second_tablet)
    for page in (first, second, desk):
        await page.connect()
    assert await code_of(desk.do("call.accept")) == "nothing_waiting"
    older = (await first.do("call.place", **PLACE))["call"]
    newer = (await second.do("call.place", **PLACE))["call"]
    assert newer["number"] > older["number"]
    await second.until_that(lambda m: m["type"] == "position" and m["position"]["ahead"] == 1)
    assert (await desk.do("call.accept"))["call"]["id"] == older["id"]
    second.inbox.clear()
    await desk.do("call.close", outcome="aborted", reason="終了")
    moved = await second.until_that(
        lambda m: m["type"] == "position" and m["position"]["ahead"] == 0
    )
    assert moved["position"]["desks_open"] == 0
    assert (await desk.do("call.accept"))["call"]["id"] == newer["id"]


async def test_the_counter_may_withdraw_until_it_is_answered(world: Any) -> None:
    counter = await world.counter()
    await counter.connect()
    await counter.do("call.place", **PLACE)
    await counter.do("call.withdraw")
    closed = await counter.until_state("closed")
    assert (closed["outcome"], closed["reason"]) == (None, "withdrawn")
    second = (await counter.do("call.place", **PLACE))["call"]
    assert second["number"].endswith("-0002")


async def test_a_tablet_has_one_call_at_a_time(world: Any) -> None:
    counter = await world.counter()
    await counter.connect()
    await counter.do("call.place", **PLACE)
    assert await code_of(counter.do("call.place", **PLACE)) == "already_in_call"


async def test_a_procedure_in_preparation_is_refused(world: Any) -> None:
    counter = await world.counter()
    await counter.connect()
    refused = counter.do("call.place", **(PLACE | {"procedure": "renewal"}))
    assert await code_of(refused) == "procedure_not_open"


@pytest.mark.parametrize("outcome", ["verified", "returned", "refused", "aborted"])
async def test_each_outcome_reaches_the_counter_with_its_reason(world: Any, outcome: str) -> None:
    counter, desk, call = await world.talking()
    if outcome == "verified":
        await world.do_steps(counter, desk, call["id"])
    await desk.do("call.decide")
    assert (await counter.until_state("deciding"))["outcome"] is None
    reason = None if outcome == "verified" else "写真がはっきり見えません"
    await desk.do("call.close", outcome=outcome, reason=reason)
    closed = await counter.until_state("closed")
    assert (closed["outcome"], closed["reason"]) == (outcome, reason)


async def test_a_decision_can_be_put_off(world: Any) -> None:
    counter, desk, _ = await world.talking()
    await desk.do("call.decide")
    await counter.until_state("deciding")
    await desk.do("call.reopen")
    await counter.until_that(
        lambda m: (
            m["type"] == "call" and m["call"]["state"] == "talking" and m["call"]["version"] > 3
        )
    )


@pytest.mark.parametrize("outcome", ["returned", "refused", "aborted"])
async def test_a_reason_is_required(world: Any, outcome: str) -> None:
    _, desk, _ = await world.talking()
    await desk.do("call.decide")
    refused = desk.do("call.close", outcome=outcome, reason=None)
    assert await code_of(refused) == "reason_required"


async def test_the_desk_sees_its_own_calls_of_today(world: Any) -> None:
    _, desk, call = await world.talking()
    status, body = await desk.request("GET", "/api/v1/calls")
    assert status == 200
    assert [c["id"] for c in body["calls"]] == [call["id"]]


async def test_an_idle_counter_sees_whether_a_desk_is_open(world: Any) -> None:
    counter, desk = await world.counter(), await world.desk()
    welcome = await counter.connect()
    assert welcome["state"]["position"]["closed_notice"]["telephone"] == "0865-00-0000"
    await desk.connect()
    await desk.do("desk.state", state="open")
    opened = await counter.until_that(
        lambda m: m["type"] == "position" and m["position"]["desks_open"] == 1
    )
    assert opened["position"] == {
        "ahead": 0,
        "wait_seconds": 0,
        "desks_open": 1,
        "offered_to": None,
        "busy": False,
        "closed_notice": None,
    }
