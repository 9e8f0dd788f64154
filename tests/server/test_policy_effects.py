"""Each setting of the policy is changed by a version in force, and its effect is seen.

A setting that the operator's file has as well: the stricter one takes effect. The docstring-free
tests of other files that do the same are named in tests/server/test_policy_enforced.py.
"""

import asyncio
import ssl
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp import web

from security.people import LinkPurpose, Role, SessionKind
from security.tokens import token_hash
from server.api import housekeeping
from server.api.speaker import COOKIES
from server.calls.events import DeskSeatExpired
from server.db import schema as t
from server.demo.authority import issue
from server.policies import ZONE
from server.tls import Certificate

PLACE: dict[str, Any] = {
    "procedure": "new-issue",
    "consent": {"video": True, "text_version": "1", "language": "ja"},
}


async def test_the_time_to_come_back_is_the_shorter_one(make_world: Any) -> None:
    world = await make_world(calls={"resume_seconds": 60})
    for number, (said, held) in enumerate([(120, 60), (10, 10)], start=1):
        world.enforce({"calls.resume_seconds": said}, number)
        desk = await world.desk()
        assert (await desk.connect())["limits"]["resume_seconds"] == held
        await desk.leave()
    counter, desk, _ = await world.talking()
    await counter.leave()
    broken = (await desk.until_state("interrupted"))["interrupted"]
    since, until = (datetime.fromisoformat(broken[key]) for key in ("since", "gives_up_at"))
    assert until - since == timedelta(seconds=10)


async def test_a_desk_rings_no_longer_than_the_policy_says(world: Any) -> None:
    world.enforce({"calls.ring_seconds": 5})
    counter, desks = await world.counter(), [await world.desk(0), await world.desk(1)]
    for desk in desks:
        assert (await desk.connect())["limits"]["ring_seconds"] == 5
        await desk.do("desk.state", state="open")
    await counter.connect()
    consent = {"video": True, "text_version": "1", "language": "ja"}
    call = (await counter.do("call.place", procedure="new-issue", consent=consent))["call"]

    def offered(message: dict[str, Any]) -> bool:
        return bool(message["type"] == "queue" and message["queue"]["offered"] == call["id"])

    await asyncio.gather(*(desk.until_that(offered) for desk in desks))  # within 10 s, not 20


async def test_a_page_left_alone_is_locked_when_the_policy_says(world: Any) -> None:
    desk, parts = await world.desk(), world.service.parts
    hashed = token_hash(desk.cookies[COOKIES[SessionKind.DESK]])
    await parts.sessions.touch(hashed, parts.clock() - timedelta(minutes=2))
    assert (await desk.request("GET", "/api/v1/me"))[0] == 200
    await parts.sessions.touch(hashed, parts.clock() - timedelta(minutes=2))
    world.enforce({"people.idle_minutes": 1})
    status, said = await desk.request("GET", "/api/v1/me")
    assert (status, said["error"]["code"]) == (401, "signed_out")


@pytest.mark.parametrize(("said", "held"), [(1, 1), (24, 12)])
async def test_a_sign_in_lasts_no_longer_than_both_say(world: Any, said: int, held: int) -> None:
    world.enforce({"people.absolute_hours": said})
    desk, parts = await world.desk(), world.service.parts
    token = desk.cookies[COOKIES[SessionKind.DESK]]
    session = (await parts.sign_in.authenticate(token, SessionKind.DESK)).session
    assert session.expires_at - session.created_at == timedelta(hours=held)


async def test_a_password_is_as_long_as_the_policy_says(world: Any) -> None:
    parts, town = world.service.parts, world.town
    token = await parts.sign_in.make_link(
        LinkPurpose.PASSWORD, town.municipality.id, person_id=town.verifiers[0].id
    )

    async def put(password: str) -> int:
        body = {"token": token, "password": password}
        status, _ = await world.stranger().request("POST", "/api/v1/password", body=body)
        return int(status)

    world.enforce({"people.password_min_characters": 8}, 1)
    assert await put("みなとまち26") == 400  # the house's own 12 stand
    world.enforce({"people.password_min_characters": 20}, 2)
    assert await put("なつかしい-みなとまち-2026") == 400
    assert await put("なつかしい-みなとまち-2026-あきのゆうべ") == 204


async def test_another_municipality_keeps_its_own_times(world: Any) -> None:
    world.enforce({"calls.resume_seconds": 10})
    town = await world.town_of("ibara")
    desk = await world.desk(town=town)
    assert (await desk.connect())["limits"]["resume_seconds"] == 120


@pytest.mark.parametrize(
    "text", ["123456789018", "番号は １２３４－５６７８－９０１８ です", "1234 5678\n9018"]
)
async def test_an_individual_number_does_not_get_into_the_chat(world: Any, text: str) -> None:
    counter, desk, _ = await world.talking()
    with pytest.raises(Exception, match="my_number"):
        await counter.do("chat.send", text=text)
    await counter.do("chat.send", text="0865-00-0000 に 123456789012")  # its check digit is wrong
    shown = await desk.until("chat")
    assert shown["message"]["number"] == 1
    world.enforce({"numbers.my_number": "warn"})
    told = await counter.do("chat.send", text=text)
    assert (told["number"], told["warning"]) == (2, "my_number")


def ends_after(call: dict[str, Any], since: str) -> timedelta:
    begun, ends = (datetime.fromisoformat(call[key]) for key in (since, "ends_at"))
    return ends - begun


@pytest.mark.parametrize("text", ["保険者番号は ３４１３２０１９ です", "基礎年金番号 1234-567890"])
async def test_a_number_of_an_insurer_is_refused_warned_of_or_not_looked_for(
    world: Any, text: str
) -> None:
    counter, desk, _ = await world.talking()
    told = await counter.do("chat.send", text=text)
    assert (told["number"], told["warning"]) == (1, "insurer_number")
    world.enforce({"numbers.insurer_number": "refuse"}, 1)
    with pytest.raises(Exception, match="insurer_number"):
        await counter.do("chat.send", text=text)
    world.enforce({"numbers.insurer_number": "off"}, 2)
    told = await desk.do("chat.send", text=text)
    assert (told["number"], told["warning"]) == (2, None)


async def test_whose_training_is_missing_or_too_old_starts_and_answers_no_call(world: Any) -> None:
    world.enforce({"people.training": "always", "people.training_months": 1})
    town, people = world.town, world.service.parts.people
    counter, desk = await world.counter(), await world.desk()
    await counter.connect()
    await desk.connect()
    today = world.clock().astimezone(ZONE).date()

    async def trained(person: Any, days_ago: int) -> None:
        day = today - timedelta(days=days_ago)
        await people.set_training(town.municipality.id, person.id, day)

    for days_ago in (None, 40):
        if days_ago:
            await trained(town.clerk, days_ago)
        with pytest.raises(Exception, match="training_not_current"):
            await counter.do("call.place", **PLACE)
    await trained(town.clerk, 20)
    call = (await counter.do("call.place", **PLACE))["call"]
    with pytest.raises(Exception, match="training_not_current"):
        await desk.do("call.accept", call=call["id"])
    await trained(town.verifiers[0], 40)
    with pytest.raises(Exception, match="training_not_current"):
        await desk.do("call.accept", call=call["id"])
    world.enforce({"people.training": "always", "people.training_months": 2}, 2)
    await desk.do("call.accept", call=call["id"])


async def test_a_call_ends_at_its_longest_time_and_both_ends_see_it_come(world: Any) -> None:
    counter, desk, call = await world.talking()
    assert ends_after(await desk.until_state("talking"), "answered_at") == timedelta(minutes=60)
    world.enforce({"calls.max_minutes": 5})
    for page in (counter, desk):  # told while the call goes on, without any other change

        def moved(message: dict[str, Any]) -> bool:
            call = message.get("call", {})
            if message["type"] != "call" or call["answered_at"] is None:
                return False
            return ends_after(call, "answered_at") == timedelta(minutes=5)

        assert (await page.until_that(moved))["call"]["version"] == 2
    await counter.do("chat.send", text="まだ途中です")
    world.clock.advance(minutes=4, seconds=30)
    await world.service.parts.times.look()
    assert world.service.parts.registry.get(call["id"]).state == "talking"
    world.clock.advance(seconds=31)
    for page in (counter, desk):
        ended = await page.until_state("closed")
        assert (ended["outcome"], ended["reason"], ended["ends_at"]) == (
            "aborted",
            "max_length",
            None,
        )
    _, kept = await desk.request("GET", f"/api/v1/calls/{call['id']}")
    assert [message["text"] for message in kept["chat"]] == ["まだ途中です"]
    assert await world.refusals("gate:call:continue") == [(call["id"], ["max_length"])]
    await counter.do("call.place", **PLACE)  # the seat is free at once


async def test_a_call_that_nobody_answers_is_taken_out_of_the_queue_in_time(world: Any) -> None:
    world.enforce({"calls.max_waiting_minutes": 1})
    counter, desk = await world.counter(), await world.desk()
    await counter.connect()
    await desk.connect()
    call = (await counter.do("call.place", **PLACE))["call"]
    assert ends_after(call, "placed_at") == timedelta(minutes=1)
    world.clock.advance(seconds=61)
    ended = await counter.until_state("closed")
    assert (ended["outcome"], ended["reason"]) == (None, "max_waiting")
    await desk.until_that(lambda m: m["type"] == "queue" and not m["queue"]["waiting"])
    assert await world.refusals("gate:call:continue") == [(call["id"], ["max_waiting"])]


async def test_a_call_given_back_waits_anew_but_not_past_its_longest_time(world: Any) -> None:
    world.enforce({"calls.max_waiting_minutes": 10, "calls.max_minutes": 30})
    counter, desk, call = await world.talking()
    world.clock.advance(minutes=25)
    await desk.leave()
    await counter.until_state("interrupted")
    parts = world.service.parts
    await parts.registry.apply(call["id"], DeskSeatExpired())
    again = await counter.until_that(
        lambda m: (
            m["type"] == "call"
            and m["call"]["state"] == "waiting"
            and m["call"]["answered_at"] is not None
        )
    )
    assert ends_after(again["call"], "answered_at") == timedelta(minutes=30)
    world.clock.advance(minutes=6)
    ended = await counter.until_state("closed")
    assert (ended["outcome"], ended["reason"]) == ("aborted", "max_length")


async def test_with_random_assignment_a_desk_answers_only_what_rings_there(world: Any) -> None:
    counter, one, two = await world.counter(), await world.desk(0), await world.desk(1)
    for page in (counter, one, two):
        await page.connect()
    assert (await one.until("queue"))["queue"]["picks"]
    world.enforce({"calls.assignment": "random"})
    call = (await counter.do("call.place", **PLACE))["call"]
    shown = await one.until_that(lambda m: m["type"] == "queue" and m["queue"]["waiting"])
    assert not shown["queue"]["picks"]
    for wanted in (call["id"], None):
        with pytest.raises(Exception, match="not_offered"):
            await one.do("call.accept", call=wanted)
    await two.do("desk.state", state="open")
    await two.until_that(lambda m: m["type"] == "queue" and m["queue"]["offered"] == call["id"])
    with pytest.raises(Exception, match="not_offered"):
        await one.do("call.accept", call=call["id"])
    assert (await two.do("call.accept", call=None))["call"]["id"] == call["id"]


@pytest.mark.parametrize("said", ["different", "may_be_same"])
async def test_who_was_the_clerk_answers_the_call_only_where_the_policy_lets_them(
    world: Any, said: str
) -> None:
    world.enforce({"people.clerk_and_verifier": said})
    counter, town, parts = await world.counter(), world.town, world.service.parts
    await counter.connect()
    call = (await counter.do("call.place", **PLACE))["call"]
    moved = sa.update(t.person).where(t.person.c.id == town.clerk.id)
    async with parts.database.writing() as connection:
        await connection.execute(moved.values(role="verifier", office_id=None))
    desk = await world.signed_in(replace(town.clerk, role=Role.VERIFIER, office_id=None))
    await desk.connect()
    if said == "different":
        for wanted in (call["id"], None):
            with pytest.raises(Exception, match="same_person"):
                await desk.do("call.accept", call=wanted)
    else:
        assert (await desk.do("call.accept", call=call["id"]))["call"]["state"] == "talking"


async def test_the_audit_log_is_signed_as_often_as_the_policy_says(world: Any) -> None:
    parts, home = world.service.parts, world.town.municipality.id

    async def signed(number: int) -> int:
        await parts.audit.note(home, "a:b:c", str(number), {}, now=parts.clock())
        await housekeeping.sign_logs(parts)
        return int((await parts.audit.verified(home)).signed)

    assert await signed(1) == 1
    world.clock.advance(minutes=5)
    assert await signed(2) == 1
    world.enforce({"audit.sign_minutes": 5})
    assert await signed(3) == 3


async def test_a_connection_of_an_older_tls_version_does_not_sign_in(
    world: Any, tmp_path: Path
) -> None:
    issued = issue(("127.0.0.1",), now=world.service.parts.clock())
    files = tmp_path / "leaf.pem", tmp_path / "leaf.key"
    for file, data in zip(files, (issued.chain, issued.key), strict=True):
        file.write_bytes(data)
    secured = web.TCPSite(
        world.service.runner, "127.0.0.1", 0, ssl_context=Certificate(*files).context
    )
    await secured.start()
    port = world.service.runner.addresses[-1][1]
    older = ssl.create_default_context(cadata=issued.authority.decode())
    older.maximum_version = ssl.TLSVersion.TLSv1_2
    newer = ssl.create_default_context(cadata=issued.authority.decode())
    token = await world.service.parts.sign_in.make_link(
        LinkPurpose.SIGN_IN, world.town.municipality.id, person_id=world.town.verifiers[0].id
    )

    async def use(context: ssl.SSLContext) -> Any:
        page = world.stranger()
        page.base_url = f"https://127.0.0.1:{port}"
        body = {"token": token}
        return await page.request("POST", "/api/v1/links", body=body, ssl=context)

    world.enforce({"network.tls_minimum": "1.3"})
    status, said = await use(older)
    assert (status, said["error"]["code"]) == (403, "tls_too_old")
    world.enforce({"network.tls_minimum": "1.2"}, 2)
    assert (await use(older))[0] == 200
    world.enforce({"network.tls_minimum": "1.3"}, 3)
    token = await world.service.parts.sign_in.make_link(
        LinkPurpose.SIGN_IN, world.town.municipality.id, person_id=world.town.verifiers[0].id
    )
    assert (await use(newer))[0] == 200
