"""What goes on beside the conversations: ended sign-ins, idle desks, silent and slow pages."""

import asyncio
import socket as net
import time
from datetime import timedelta
from typing import Any

import pytest

from security.errors import Unavailable
from server.api import housekeeping, seats

PLACE = {
    "procedure": "new-issue",
    "consent": {"video": True, "text_version": "1", "language": "ja"},
}


async def test_a_desk_that_signs_out_in_a_call_is_missed_at_once(world: Any) -> None:
    counter, desk, _ = await world.talking()
    await desk.request("POST", "/api/v1/sign-out")
    lost = await counter.until_state("interrupted")
    assert lost["interrupted"]["lost"] == ["desk"]


async def test_a_person_disabled_in_a_call_is_missed_at_once(world: Any) -> None:
    counter, _, _ = await world.talking()
    parts, town = world.service.parts, world.town
    await parts.people.disable_person(town.municipality.id, town.verifiers[0].id, parts.clock())
    await counter.until_state("interrupted")


async def test_a_call_that_rings_at_a_desk_that_signs_out_goes_to_the_next(world: Any) -> None:
    counter, one, two = await world.counter(), await world.desk(0), await world.desk(1)
    for page in (counter, one, two):
        await page.connect()
    await one.do("desk.state", state="open")
    call = (await counter.do("call.place", **PLACE))["call"]
    await counter.until_state("ringing")
    await two.do("desk.state", state="open")
    await one.request("POST", "/api/v1/sign-out")
    await two.until_that(lambda m: m["type"] == "queue" and m["queue"]["offered"] == call["id"])


async def test_a_desk_that_is_away_is_signed_out_when_idle_and_an_open_one_is_not(
    make_world: Any,
) -> None:
    world = await make_world(sessions={"idle_minutes": 1})
    away, open_desk = await world.desk(0), await world.desk(1)
    for page in (away, open_desk):
        await page.connect()
    await open_desk.do("desk.state", state="open")
    parts = world.service.parts
    later = parts.clock() + timedelta(minutes=2)
    for page in (away, open_desk):
        await age(parts, page, later)
    await housekeeping.touch_open_desks(parts)
    assert await away.until_closed() == 4004
    assert [m["code"] for m in away.inbox if m["type"] == "ended"] == ["expired"]
    assert (await open_desk.request("GET", "/api/v1/me"))[0] == 200


async def test_an_idle_sign_in_opens_nothing_and_does_not_revive(make_world: Any) -> None:
    world = await make_world(sessions={"idle_minutes": 1})
    desk = await world.desk()
    parts = world.service.parts
    await age(parts, desk, parts.clock() + timedelta(minutes=2))
    for path in ("/api/v1/calls", "/api/v1/procedures", "/api/v1/me"):
        assert (await desk.request("GET", path))[0] == 401
    with pytest.raises(Exception, match="401"):
        await desk.open_socket()


async def test_an_idle_lock_never_ends_a_running_call(make_world: Any) -> None:
    world = await make_world(sessions={"idle_minutes": 1})
    counter, desk, call = await world.talking()
    parts = world.service.parts
    for page in (counter, desk):
        await age(parts, page, parts.clock() + timedelta(minutes=2))
    await housekeeping.touch_open_desks(parts)
    for page in (counter, desk):
        assert (await page.request("GET", f"/api/v1/calls/{call['id']}"))[0] == 200
        await page.leave()
        assert (await page.connect())["state"]["call"]["id"] == call["id"]


async def age(parts: Any, page: Any, seen_from: Any) -> None:
    """Make every sign-in of a page look unused for two minutes."""
    from security.tokens import token_hash

    long_ago = parts.clock() - (seen_from - parts.clock())
    for token in page.cookies.values():
        await parts.sessions.touch(token_hash(token), long_ago)


async def test_a_silent_page_is_closed(world: Any) -> None:
    desk = await world.desk()
    await desk.connect()
    for _, live in world.service.parts.hub.seats.live():
        live.last_heard = time.monotonic() - housekeeping.SILENT_SECONDS - 1
    await housekeeping.watch_silence(world.service.parts)
    assert await desk.until_closed() == 1001


async def test_a_page_whose_command_waits_is_not_silent(world: Any) -> None:
    desk = await world.desk()
    await desk.connect()
    for _, live in world.service.parts.hub.seats.live():
        live.last_heard = time.monotonic() - housekeeping.SILENT_SECONDS - 1
        live.working = True
    await housekeeping.watch_silence(world.service.parts)
    await desk.do("desk.state", state="open")


async def test_a_page_that_never_reads_is_dropped(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seats, "SEND_SECONDS", 0.2)
    counter, desk, _ = await world.talking()
    raw = desk._ws.get_extra_info("socket")
    raw.setsockopt(net.SOL_SOCKET, net.SO_RCVBUF, 4096)
    desk._ws._conn.protocol.pause_reading()
    parts = world.service.parts
    async with asyncio.timeout(10):
        while parts.hub.seats.present(desk_key := ("desk", world.town.verifiers[0].id)):
            parts.hub.seats.send(desk_key, {"type": "chat", "padding": "x" * 100_000})
            await asyncio.sleep(0.005)
    await counter.until_state("interrupted")


async def test_a_page_that_returns_while_its_loss_is_still_written_is_not_lost(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter, desk, _ = await world.talking()
    store, save = world.service.parts.calls, world.service.parts.calls.save

    async def slowly(call: Any) -> None:
        await asyncio.sleep(0.3)
        await save(call)

    monkeypatch.setattr(type(store), "save", lambda self, call: slowly(call))
    await counter.leave()
    await counter.connect()
    await asyncio.sleep(1.5)
    call = world.service.parts.registry.of_tablet(world.town.tablet.id)
    assert (call.state, call.lost_since) == ("talking", {})
    assert desk.close_code is None


async def test_a_loss_that_could_not_be_written_is_written_later(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter, desk, _ = await world.talking()
    parts = world.service.parts
    save, refusals = parts.calls.save, [1, 1]

    async def sometimes(call: Any) -> None:
        if refusals:
            refusals.pop()
            raise Unavailable("the disk is full", code="disk_full")
        await save(call)

    monkeypatch.setattr("server.calls.registry.RETRY_SECONDS", 0.05)
    monkeypatch.setattr(type(parts.calls), "save", lambda self, call: sometimes(call))
    await counter.leave()
    assert (await desk.until_state("interrupted"))["interrupted"]["lost"] == ["counter"]
    assert not refusals


async def test_an_effect_that_fails_does_not_keep_the_others_from_happening(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter, desk, _ = await world.talking()

    async def broken(self: Any, call: Any) -> None:
        raise Unavailable("the disk is full", code="disk_full")

    monkeypatch.setattr(type(world.service.parts.hub), "drop_unfinished_files", broken)
    await desk.do("call.close", outcome="aborted", reason="終了")
    assert (await counter.until_state("closed"))["outcome"] == "aborted"
    await counter.do("call.place", **PLACE)


async def test_the_veil_goes_up_although_the_disk_is_full(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter, _, call = await world.talking()
    parts = world.service.parts
    veils: list[bool] = []

    async def full(self: Any, call: Any) -> None:
        raise Unavailable("the disk is full", code="disk_full")

    monkeypatch.setattr(type(parts.calls), "save", full)

    async def set_veil(self: Any, call_id: str, party: str, *, on: bool) -> None:
        veils.append(on)

    monkeypatch.setattr(type(parts.media), "set_veil", set_veil)
    with pytest.raises(Exception, match="disk_full"):
        await counter.do("call.veil", on=True)
    assert veils == [True]
    assert parts.registry.get(call["id"]).veiled is False


async def test_a_desk_that_lets_the_only_call_go_has_peace_for_the_ring_time(world: Any) -> None:
    counter, desk = await world.counter(), await world.desk()
    await counter.connect()
    await desk.connect()
    await desk.do("desk.state", state="open")
    call = (await counter.do("call.place", **PLACE))["call"]
    await counter.until_state("ringing")
    await desk.do("call.pass", call=call["id"])
    parts = world.service.parts
    await parts.registry.settle(world.town.municipality.id)
    await asyncio.sleep(0.2)
    assert parts.registry.ringing_at(world.town.verifiers[0].id) is None
    assert (await desk.do("call.accept", call=call["id"]))["call"]["id"] == call["id"]


async def test_a_ring_is_not_given_to_a_desk_that_has_gone_meanwhile(world: Any) -> None:
    counter, desk = await world.counter(), await world.desk()
    await counter.connect()
    await desk.connect()
    call = (await counter.do("call.place", **PLACE))["call"]
    registry = world.service.parts.registry
    person = world.town.verifiers[0].id
    registry.desks.set_open(person, open=True)
    registry._dispatch(world.town.municipality.id)
    registry.desks.set_open(person, open=False)
    await asyncio.sleep(0.2)
    assert registry.get(call["id"]).state == "waiting"


async def test_an_error_names_no_id_that_could_not_be_one(world: Any) -> None:
    desk = await world.desk()
    await desk.connect()
    for bad in ("\ud800", "x" * 65, "a b", 5):
        desk.inbox.clear()
        await desk.send_raw({"type": "chat.send", "id": bad, "text": "x"})
        assert (await desk.until("error"))["re"] is None
    await desk.do("desk.state", state="open")
