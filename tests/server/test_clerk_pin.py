"""A clerk at the tablet: who there is, PIN, waiting, the end of a shift during a call."""

import json
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from server.api.housekeeping import watch_clerks
from server.db import schema as t
from server.demo.soft_key import SoftKey
from tests.server.conftest import PLACE, Json

PIN, OTHER = "730184", "59172640"


async def enter(page: Any, clerk: str, pin: str, **more: str) -> tuple[int, Json]:
    """Type a PIN; return status and answer."""
    body = {"clerk": clerk, "pin": pin, **more}
    status, said = await page.request("POST", "/api/v1/clerk", body=body)
    return status, said


async def tablet_alone(world: Any) -> Any:
    """Return an enrolled tablet that nobody is signed in on, connected."""
    counter = await world.counter()
    await counter.request("POST", "/api/v1/sign-out")
    await counter.connect()
    return counter


async def noted(world: Any, tag: str) -> list[Json]:
    """Return the entries of the audit log under a tag."""
    parts = world.service.parts
    since = parts.clock() - timedelta(hours=1)
    found = await parts.audit.since(world.town.municipality.id, since, limit=1000)
    return [json.loads(one.entry) for one in found if one.tag == tag]


async def test_tablet_and_pin_are_two_factors(world: Any) -> None:
    counter, clerk = await tablet_alone(world), world.town.clerk
    first = await world.service.parts.clerks.first_pin(clerk)
    world.enforce({"people.second_factor_roles": ["clerk"]})
    assert (await enter(counter, clerk.id, first, new_pin=PIN))[0] == 200
    await counter.leave()
    assert (await counter.connect())["you"]["clerk"]["name"] == "clerk kasaoka"
    begun = await noted(world, "sign-in:clerk:begin")
    assert begun[-1]["detail"]["factor"] == "tablet"


async def test_a_first_pin_is_changed_at_the_tablet_and_the_clerk_places_calls(world: Any) -> None:
    counter, clerk = await tablet_alone(world), world.town.clerk
    other = await world.second_clerk()
    first = await world.service.parts.clerks.first_pin(clerk)
    _, listed = await counter.request("GET", "/api/v1/clerks")
    assert listed["clerks"] == [
        {"id": clerk.id, "name": "clerk kasaoka", "pin": True},
        {"id": other.id, "name": "次の 局員", "pin": False},
    ]
    status, said = await enter(counter, clerk.id, first)
    assert (status, said["error"]["code"]) == (403, "pin_change")
    status, said = await enter(counter, clerk.id, first, new_pin="123456")
    assert (status, said["error"]["code"]) == (400, "weak_pin")
    assert [reason["code"] for reason in said["error"]["reasons"]] == ["pin_trivial"]
    status, said = await enter(counter, clerk.id, first, new_pin=PIN)
    assert (status, said["you"]["clerk"]["name"]) == (200, "clerk kasaoka")
    told = await counter.until_that(lambda m: m["type"] == "you" and m["you"]["clerk"])
    assert told["you"]["clerk"]["name"] == "clerk kasaoka"
    call = (await counter.do("call.place", **PLACE))["call"]
    assert call["clerk"]["name"] == "clerk kasaoka"


async def test_wrong_pins_wait_with_the_seconds_and_nothing_begins(world: Any) -> None:
    counter, clerk = await tablet_alone(world), world.town.clerk
    await world.pin(clerk)
    for _ in range(2):
        status, said = await enter(counter, clerk.id, OTHER)
        assert (status, said["error"]["code"]) == (401, "bad_pin")
    for pin in (OTHER, PIN):
        status, said = await enter(counter, clerk.id, pin)
        error = said["error"]
        assert (status, error["code"], error["unit"]) == (429, "pin_wait", "seconds")
        assert 4 <= error["limit"] <= 5
    assert "__Host-clerk" not in str(counter.last_headers.getall("Set-Cookie", []))


async def test_the_pin_is_worth_nothing_without_the_tablets_key(world: Any) -> None:
    counter, clerk = await tablet_alone(world), world.town.clerk
    pin = await world.pin(clerk)
    thief = world.another(counter)
    thief.key, thief.csrf = SoftKey(), ""
    assert (await enter(thief, clerk.id, pin))[1]["error"]["code"] == "csrf"
    assert (await thief.request("GET", "/api/v1/clerks"))[1]["error"]["code"] == "csrf"
    desk = await world.desk()
    assert (await enter(desk, clerk.id, pin))[0] == 401
    assert (await desk.request("GET", "/api/v1/clerks"))[0] == 401


async def test_a_shift_ends_during_a_call_and_the_call_goes_on_with_the_next_clerk(
    world: Any,
) -> None:
    counter, desk, call = await world.talking()
    first, second = world.town.clerk, await world.second_clerk()
    pin = await world.pin(second)
    old = counter.cookies["__Host-clerk"]
    assert (await enter(counter, second.id, pin))[0] == 200
    changed = await desk.until_that(
        lambda m: m["type"] == "call" and m["call"]["clerk"]["name"] == "次の 局員"
    )
    assert (changed["call"]["id"], changed["call"]["state"]) == (call["id"], "talking")
    assert counter.close_code is None
    await counter.do("chat.send", text="交代しました。")
    assert (await desk.until("chat"))["message"]["name"] == "次の 局員"
    kept = world.service.parts.registry.get(call["id"])
    assert (kept.clerk_id, kept.clerks_before) == (second.id, (first.id,))
    (entry,) = await noted(world, "call:clerk:changed")
    assert entry["subject"] == call["id"]
    assert (entry["detail"]["from"], entry["detail"]["to"]) == (first.id, second.id)
    assert old != counter.cookies["__Host-clerk"]
    chats = [x for x in await noted(world, "gate:chat:send") if x["allowed"]]
    assert not [m for m in desk.inbox if m.get("call", {}).get("state") == "interrupted"]
    assert second.id in str(chats[-1]["facts"]["actor"])


async def test_a_clerk_whose_training_is_missing_takes_over_no_call(world: Any) -> None:
    counter, _, call = await world.talking()
    first, second = world.town.clerk, await world.second_clerk()
    pin = await world.pin(second)
    world.enforce({"people.training": "always"})
    old = counter.cookies["__Host-clerk"]
    status, said = await enter(counter, second.id, pin)
    assert (status, said["error"]["code"]) == (403, "training_not_current")
    assert counter.cookies["__Host-clerk"] == old
    parts = world.service.parts
    assert parts.registry.get(call["id"]).clerk_id == first.id
    assert await noted(world, "call:clerk:changed") == []
    (asked,) = await noted(world, "gate:call:take_over")
    assert asked["allowed"] is False
    assert second.id in str(asked)
    _, me = await counter.request("GET", "/api/v1/me")
    assert me["you"]["clerk"]["name"] == "clerk kasaoka"
    home, today = second.municipality_id, parts.clock().date()
    await parts.people.set_training(home, second.id, today - timedelta(days=2))
    assert (await enter(counter, second.id, pin))[0] == 200
    assert parts.registry.get(call["id"]).clerk_id == second.id
    assert len(await noted(world, "call:clerk:changed")) == 1


async def test_signing_out_and_in_on_an_open_page_locks_it_and_opens_it(world: Any) -> None:
    counter, clerk = await world.counter(), world.town.clerk
    await counter.connect()
    await counter.request("POST", "/api/v1/sign-out")
    assert (await counter.until("you"))["you"]["clerk"] is None
    assert len(await noted(world, "sign-in:clerk:end")) == 1
    await enter(counter, clerk.id, await world.pin(clerk))
    await counter.until_that(lambda m: m["type"] == "you" and m["you"]["clerk"] is not None)
    begun = (await noted(world, "sign-in:clerk:begin"))[-1]
    assert begun["detail"]["tablet"] == world.town.tablet.id


async def test_a_tablet_left_alone_locks_itself_but_not_in_a_call(world: Any) -> None:
    counter, parts = await world.counter(), world.service.parts
    await counter.connect()
    call = await counter.do("call.place", **PLACE)
    past = parts.clock() - timedelta(hours=1)

    async def leave_alone() -> None:
        async with parts.database.writing() as connection:
            clerks = sa.update(t.session).where(t.session.c.kind == "clerk")
            await connection.execute(clerks.values(last_seen_at=past))
        await watch_clerks(parts)

    await leave_alone()
    assert not [m for m in counter.inbox if m["type"] == "you"]
    await counter.do("call.withdraw")
    await watch_clerks(parts)
    assert not [m for m in counter.inbox if m["type"] == "you"], "the call was use of the tablet"
    await leave_alone()
    assert (await counter.until("you"))["you"]["clerk"] is None
    assert call["call"]["state"] == "waiting"
