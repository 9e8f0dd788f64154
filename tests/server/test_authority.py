"""Who may do what: the counter never decides, strangers do nothing, refusals are written down."""

from typing import Any

import pytest
import sqlalchemy as sa

from server.db import schema as t


async def code_of(awaited: Any) -> str:
    with pytest.raises(Exception, match=r"^[a-z_]+$") as refused:
        await awaited
    return str(refused.value)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("call.decide", {}),
        ("call.reopen", {}),
        ("call.close", {"outcome": "verified", "reason": None}),
        ("call.close", {"outcome": "aborted", "reason": "x"}),
        ("call.accept", {}),
        ("desk.state", {"state": "open"}),
    ],
)
async def test_a_counter_cannot_decide_by_any_message(
    world: Any, kind: str, fields: dict[str, Any]
) -> None:
    counter, desk, _ = await world.talking()
    await desk.do("call.decide")
    assert await code_of(counter.do(kind, **fields)) == "counter_cannot_decide"
    assert (await desk.request("GET", "/api/v1/calls"))[1]["calls"][0]["state"] == "deciding"


async def test_a_counter_cannot_decide_by_saying_that_it_is_a_desk(world: Any) -> None:
    counter, _, _ = await world.talking()
    counter.page = "desk"
    status, body = await counter.request("GET", "/api/v1/me")
    assert (status, body["error"]["code"]) == (401, "signed_out")
    with pytest.raises(Exception, match="401"):
        await counter.open_socket()


async def test_another_desk_of_the_same_town_cannot_decide(world: Any) -> None:
    await world.talking()
    other = await world.desk(1)
    await other.connect()
    assert await code_of(other.do("call.decide")) == "wrong_state"


async def test_an_administrator_takes_no_calls(world: Any) -> None:
    page = await world.signed_in(world.town.administrator)
    await page.connect()
    assert await code_of(page.do("call.accept")) == "counter_cannot_decide"


async def test_no_call_without_a_clerk(world: Any) -> None:
    counter = await world.counter()
    await counter.request("POST", "/api/v1/sign-out")
    counter.cookies.pop("__Host-clerk")
    await counter.connect()
    place = {
        "procedure": "new-issue",
        "consent": {"video": True, "text_version": "1", "language": "ja"},
    }
    assert await code_of(counter.do("call.place", **place)) == "no_clerk"


async def test_refusals_stand_in_the_audit_log(world: Any) -> None:
    counter, _, _ = await world.talking()
    await code_of(counter.do("call.close", outcome="verified", reason=None))
    async with world.service.parts.database.reading() as connection:
        rows = (await connection.execute(sa.select(t.audit_entry.c.entry))).scalars().all()
    refused = [row for row in rows if b"gate:call:close" in row and b"counter_cannot_decide" in row]
    assert len(refused) == 1


async def test_only_the_counter_lifts_the_veil(world: Any) -> None:
    counter, desk, _ = await world.talking()
    await desk.do("call.veil", on=True)
    assert await counter.until_that(lambda m: m["type"] == "call" and m["call"]["veiled"])
    assert await code_of(desk.do("call.veil", on=False)) == "not_your_call"
    await counter.do("call.veil", on=False)
