"""How often the gate was asked: every question counts, those that leave no entry as well."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from security.policy.baseline import BASELINE
from security.policy.rehearse import count
from server.db.migrations.versions import v0015_gate_tally
from tests.server.test_policy_versions import asked, officer

TIMES = {"network.vpn": "required", "network.vpn_networks": ["192.0.2.0/24"]}


async def counted(world: Any, days: int = 1) -> Mapping[tuple[str, str], int]:
    parts = world.service.parts
    since = parts.clock() - timedelta(days=days)
    return dict(await parts.tallies.since(world.town.municipality.id, since))


async def test_what_is_allowed_without_an_entry_is_counted_and_outlives_a_restart(
    make_world: Any,
) -> None:
    world = await make_world()
    page = await officer(world, "first")
    for _ in range(3):
        await asked(page, "GET", "/policy/roles")
    found = await counted(world)
    assert found["policy.read", ""] == 3
    entries = await world.service.parts.audit.since(
        world.town.municipality.id, world.clock() - timedelta(days=1), limit=1000
    )
    assert "gate:policy:read" not in [one.tag for one in entries]
    await asked(page, "GET", "/policy/roles")
    again = await make_world.restart(world)
    assert (await counted(again))["policy.read", ""] == 4


async def test_a_refusal_counts_once_for_each_of_its_reasons_and_ages_out(world: Any) -> None:
    desk = await world.desk()
    world.enforce(TIMES)
    status, _ = await desk.request("POST", f"/api/v1/tablets/{world.town.tablet.id}/revoke")
    assert status == 403
    found = await counted(world)
    asked_of = ("tablet.revoke", "")
    assert (found[asked_of], found["tablet.revoke", "outside_vpn"]) == (1, 1)
    world.clock.advance(days=2)
    assert asked_of not in await counted(world, 1)
    assert asked_of in await counted(world, 7)
    world.clock.advance(days=31)
    await world.service.parts.tallies.sweep(world.service.parts.clock())
    assert asked_of not in await counted(world, 90)


async def test_the_counts_of_another_municipality_are_not_shown(world: Any) -> None:
    await (await world.desk()).connect()
    other = await world.town_of("ibara")
    parts = world.service.parts
    since = parts.clock() - timedelta(days=1)
    assert await parts.tallies.since(other.municipality.id, since) == {}


def test_a_setting_is_asked_once_with_each_question_whose_rule_reads_it() -> None:
    found = count(BASELINE, {("file.offer", ""): 5, ("file.offer", "malware"): 1}).by_setting
    assert (found["files.scan"].asked, found["files.scan"].refused) == (5, 1)
    found = count(BASELINE, {("call.place", ""): 7, ("call.place", "outside_vpn"): 2}).by_setting
    for key in ("network.vpn", "network.vpn_networks"):
        assert (found[key].asked, found[key].refused) == (7, 2)
    assert found["recording.mode"].asked == 0


async def test_the_page_counts_what_the_gate_asks_and_says_what_is_only_a_value(
    world: Any,
) -> None:
    page = await officer(world, "first")
    shown = await asked(page, "GET", "/policy")
    settings = {one["key"]: one for part in shown["sections"] for one in part["settings"]}
    assert settings["calls.resume_seconds"]["counts"] is None
    assert settings["network.vpn"]["counts"]["30"]["asked"] >= 1


async def test_what_the_log_tells_goes_in_when_an_older_installation_is_updated(
    world: Any,
) -> None:
    counter, _, _ = await world.talking()
    world.enforce(TIMES)
    with pytest.raises(Exception, match="outside_vpn"):
        await counter.do("chat.send", text="外から")
    kept = {key: n for key, n in (await counted(world)).items() if key[0] != "socket.open"}
    async with world.service.parts.database.writing() as connection:
        await connection.execute(sa.text("DELETE FROM gate_tally"))
        for filling in (v0015_gate_tally._ASKED, v0015_gate_tally._REFUSED):
            await connection.execute(sa.text(filling))
    again = await counted(world)
    assert again["chat.send", "outside_vpn"] == 1
    quiet = {action for action, rule in BASELINE.items() if rule.quiet}
    for key, n in kept.items():
        assert key[0] in quiet or again[key] == n
