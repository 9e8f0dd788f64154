"""Whatever breaks, the same call goes on at the same point."""

import asyncio
from typing import Any

import pytest


async def test_a_cut_socket_is_seen_within_a_second_and_what_was_missed_follows(
    world: Any,
) -> None:
    counter, desk, _ = await world.talking()
    welcome = next(m for m in counter.inbox if m["type"] == "welcome")
    seen = counter.last_seq
    await counter.leave()
    async with asyncio.timeout(1.0):
        lost = await desk.until_state("interrupted")
    assert lost["interrupted"]["lost"] == ["counter"]
    await desk.do("chat.send", text="もしもし")
    back = await counter.connect(epoch=welcome["epoch"], seq=seen)
    assert back["resumed"] is True
    assert back["state"] is None
    chat = await counter.until("chat")
    assert chat["message"]["text"] == "もしもし"
    assert (await counter.until_state("talking"))["number"] == lost["number"]
    numbers = [m["seq"] for m in counter.inbox if "seq" in m and m["type"] != "ping"]
    assert numbers == list(range(seen + 1, seen + 1 + len(numbers)))


async def test_a_reloaded_page_is_told_everything(world: Any) -> None:
    counter, desk, call = await world.talking()
    await desk.do("chat.send", text="ようこそ")
    await counter.until("chat")
    await counter.leave()
    welcome = await counter.connect()
    assert welcome["resumed"] is False
    assert welcome["state"]["call"]["id"] == call["id"]
    assert [m["text"] for m in welcome["state"]["chat"]] == ["ようこそ"]


async def test_a_restarted_server_goes_on_with_the_same_call(make_world: Any) -> None:
    world = await make_world()
    counter, desk, call = await world.talking()
    await counter.do("chat.send", text="一つ目", id="a1")
    old = next(m for m in counter.inbox if m["type"] == "welcome")["epoch"]
    await desk.do("call.decide")
    for client in (counter, desk):
        await client.leave()
    again = await make_world.restart(world)
    counter.base_url = desk.base_url = again.service.base_url
    counter_welcome = await counter.connect(epoch=old, seq=3)
    desk_welcome = await desk.connect(epoch=old, seq=3)
    assert counter_welcome["resumed"] is False
    assert desk_welcome["state"]["call"]["state"] == "deciding"
    assert desk_welcome["state"]["call"]["id"] == call["id"]
    assert [m["text"] for m in desk_welcome["state"]["chat"]] == ["一つ目"]
    assert (await counter.until("please-offer"))["reason"] == "new_connection"
    again_sent = await counter.do("chat.send", text="一つ目", id="a1")
    assert again_sent["number"] == 1


async def test_the_seat_is_freed_after_the_resume_time(make_world: Any) -> None:
    world = await make_world(calls={"resume_seconds": 10})
    counter, desk, _ = await world.talking()
    world.service.parts.registry.limits = type(world.service.parts.registry.limits)(0.2, 20)
    await counter.leave()
    closed = await desk.until_state("closed")
    assert (closed["outcome"], closed["reason"]) == ("aborted", "line_lost")


async def test_a_lost_desk_gives_the_resident_back_to_the_queue(make_world: Any) -> None:
    world = await make_world()
    counter, desk, call = await world.talking()
    world.service.parts.registry.limits = type(world.service.parts.registry.limits)(0.2, 20)
    await desk.do("chat.send", text="少々お待ちください")
    counter.inbox.clear()
    await desk.leave()
    await counter.until_state("waiting")
    other = await world.desk(1)
    await other.connect()
    taken_up = await other.do("call.accept", call=call["id"])
    assert [m["text"] for m in taken_up["chat"]] == ["少々お待ちください"]
    assert (await counter.until_state("talking"))["desk"]["name"].startswith("verifier-2")


@pytest.mark.parametrize("state", ["waiting", "ringing"])
async def test_a_waiting_call_survives_a_reload_of_the_counter(world: Any, state: str) -> None:
    counter, desk = await world.counter(), await world.desk()
    await counter.connect()
    await desk.connect()
    if state == "ringing":
        await desk.do("desk.state", state="open")
    call = (
        await counter.do(
            "call.place",
            procedure="new-issue",
            consent={"video": True, "text_version": "1", "language": "ja"},
        )
    )["call"]
    await counter.until_state(state)
    await counter.leave()
    welcome = await counter.connect()
    assert welcome["state"]["call"]["id"] == call["id"]
    assert welcome["state"]["position"]["ahead"] == 0


async def test_chat_is_stored_once_however_often_it_is_sent(world: Any) -> None:
    counter, desk, _ = await world.talking()
    first = await counter.do("chat.send", text="はい", id="same")
    second = await counter.do("chat.send", text="はい", id="same")
    assert first["number"] == second["number"] == 1
    await desk.do("chat.send", text="次")
    await desk.until_that(lambda m: m["type"] == "chat" and m["message"]["number"] == 2)
    assert [m["message"]["number"] for m in desk.inbox if m["type"] == "chat"] == [1, 2]


async def test_a_desk_that_was_open_is_open_after_a_restart_until_it_signs_out(
    make_world: Any,
) -> None:
    world = await make_world()
    desk = await world.desk()
    await desk.connect()
    await desk.do("desk.state", state="open")
    await desk.leave()
    again = await make_world.restart(world)
    desk.base_url = again.service.base_url
    assert (await desk.connect())["you"]["desk_state"] == "open"
    await desk.request("POST", "/api/v1/sign-out")
    await desk.until_closed()
    await desk.leave()
    same_person = await again.desk()
    assert (await same_person.connect())["you"]["desk_state"] == "away"
