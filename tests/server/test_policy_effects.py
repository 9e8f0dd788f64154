"""A setting that both the operator's file and the policy have: the stricter one takes effect."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from security.people import LinkPurpose, SessionKind
from security.tokens import token_hash
from server.api.speaker import COOKIES


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
    assert (await counter.do("chat.send", text=text))["number"] == 2
