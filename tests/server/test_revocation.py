"""A revoked tablet's page and call end within a second, however it was revoked."""

import asyncio
from typing import Any


async def test_revoking_by_http_ends_the_call_within_a_second(world: Any) -> None:
    counter, desk, _ = await world.talking()
    administrator = await world.signed_in(world.town.administrator)
    path = f"/api/v1/tablets/{world.town.tablet.id}/revoke"
    async with asyncio.timeout(1.0):
        status, _ = await administrator.request("POST", path)
        assert status == 204
        assert await counter.until_closed() == 4004
        closed = await desk.until_state("closed")
    assert (closed["outcome"], closed["reason"]) == ("aborted", "tablet_revoked")
    assert [m["code"] for m in counter.inbox if m["type"] == "ended"] == ["tablet_revoked"]
    status, body = await counter.request("GET", "/api/v1/me")
    assert (status, body["error"]["code"]) == (401, "not_enrolled")


async def test_revoking_beside_the_server_ends_the_call_within_a_second(world: Any) -> None:
    counter, desk, _ = await world.talking()
    parts = world.service.parts
    async with asyncio.timeout(1.0):
        await parts.people.revoke_tablet(
            world.town.municipality.id, world.town.tablet.id, parts.clock()
        )
        assert await counter.until_closed() == 4004
        await desk.until_state("closed")


async def test_a_tablet_that_is_away_when_revoked_does_not_come_back(world: Any) -> None:
    counter, desk, _ = await world.talking()
    await counter.leave()
    await desk.until_state("interrupted")
    parts = world.service.parts
    await parts.sign_in.revoke_tablet(world.town.municipality.id, world.town.tablet.id)
    closed = await desk.until_state("closed")
    assert closed["reason"] == "tablet_revoked"


async def test_only_an_administrator_revokes(world: Any) -> None:
    desk = await world.desk()
    path = f"/api/v1/tablets/{world.town.tablet.id}/revoke"
    status, body = await desk.request("POST", path)
    assert (status, body["error"]["code"]) == (403, "denied")


async def test_a_person_disabled_elsewhere_is_signed_out_within_a_second(world: Any) -> None:
    desk = await world.desk()
    await desk.connect()
    parts = world.service.parts
    async with asyncio.timeout(1.0):
        await parts.people.disable_person(
            world.town.municipality.id, world.town.verifiers[0].id, parts.clock()
        )
        assert await desk.until_closed() == 4004


async def test_signing_out_closes_the_page(world: Any) -> None:
    desk = await world.desk()
    await desk.connect()
    status, _ = await desk.request("POST", "/api/v1/sign-out")
    assert status == 204
    assert await desk.until_closed() == 4004
    assert (await desk.request("GET", "/api/v1/me"))[0] == 401
