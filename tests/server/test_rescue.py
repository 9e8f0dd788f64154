"""Officers appointed at set-up; the policy in force for commands; the way back from a lock-out."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from media.control_folder import ControlFolder
from security.people import Role
from security.policy.model import BASELINE_POLICY
from security.policy.versions import Version
from server.cli.house import make_house
from server.cli.root import commands
from server.clock import utc_now
from server.db import schema as t
from server.db.policies import SqlPolicies
from server.policy_text import edited
from server.settings import Settings

INIT = ("--municipality", "kasaoka", "--name", "笠岡市", "--administrator", "admin")
OFFICERS = ("--officer", "first", "架空 一", "--officer", "second", "架空 二")
LOCKED_OUT = {"network.vpn": "required", "network.vpn_networks": ["198.51.100.0/24"]}
QUESTION = ("policy", "explain", "--training", "--action", "start-call", "--from", "10.0.0.1")


def command(*words: str | Path) -> Result:
    return CliRunner().invoke(commands, [str(word) for word in words])


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The settings of a service with two officers."""
    made = command("init", tmp_path / "m", *INIT, "--administrator-name", "架空 花子", *OFFICERS)
    assert made.exit_code == 0, made.output
    assert made.output.count("/password#") == 3
    return tmp_path / "m" / "madoguchi.toml"


async def enforce(
    config: Path, values: dict[str, Any], *, days: int = 0, withdrawn: bool = False
) -> int:
    """Put a policy in force as two officers, in `days` days; return its number."""
    house, now = make_house(Settings.load(config)), utc_now()
    store, home = SqlPolicies(house.database), await house.municipality(None)
    first, second = [await house.person(home, login) for login in ("first", "second")]
    text = edited(BASELINE_POLICY, values, {}, {})
    made = await store.add(home.id, base=0, text=text, note="", author_id=first.id, now=now)
    starts_at = now + timedelta(days=days)
    approved = replace(made, approved_by=second.id, approved_at=now, starts_at=starts_at)
    await store.settle(made, approved)
    if withdrawn:
        await store.settle(
            approved, replace(approved, withdrawn_by=second.id, withdrawn_at=utc_now())
        )
    await house.database.engine.dispose()
    return made.number


async def stored(config: Path) -> tuple[list[Version], list[bytes]]:
    """Return the versions and the entries of the audit log."""
    house = make_house(Settings.load(config))
    home = await house.municipality(None)
    versions = await SqlPolicies(house.database).versions(home.id)
    async with house.database.reading() as connection:
        entries = (await connection.execute(sa.select(t.audit_entry.c.entry))).scalars().all()
    await house.database.engine.dispose()
    return versions, list(entries)


def allowed(config: Path) -> bool:
    """Tell what `policy explain` says of a call from 10.0.0.1."""
    return command(*QUESTION, "--config", config).exit_code == 0


async def appointed(config: Path) -> dict[str, bool]:
    """Return who of the officers is appointed, and that nobody has proposed them."""
    house = make_house(Settings.load(config))
    home = await house.municipality(None)
    every = await SqlPolicies(house.database).appointments(home.id)
    names = {one.id: one for one in await house.people.people(home.id)}
    await house.database.engine.dispose()
    assert all(one.proposed_by is None and one.confirmed_by is None for one in every)
    assert all(names[one.person_id].role is Role.OFFICER for one in every)
    return {names[one.person_id].login: one.holds for one in every}


def test_officers_are_appointed_at_set_up_without_an_administrator(config: Path) -> None:
    assert asyncio.run(appointed(config)) == {"first": True, "second": True}


def test_explain_asks_the_policy_in_force_at_that_moment(config: Path) -> None:
    assert allowed(config)
    asyncio.run(enforce(config, LOCKED_OUT))
    told = command(*QUESTION, "--config", config)
    assert told.exit_code == 1
    assert "unmet   outside_vpn" in told.output
    assert command(*QUESTION, "--config", config, "--at", "2026-01-01T10:00").exit_code == 0


def test_the_policy_before_is_put_in_force_again_and_nobody_has_approved_it(config: Path) -> None:
    asyncio.run(enforce(config, {"people.idle_minutes": 14}))
    asyncio.run(enforce(config, LOCKED_OUT))
    assert not allowed(config)
    told = command("policy", "rescue", "--because", "VPNの範囲の誤り", "--config", config)
    assert told.exit_code == 0, told.output
    assert allowed(config)
    versions, entries = asyncio.run(stored(config))
    assert versions[-1].text == versions[0].text
    assert (versions[-1].number, versions[-1].rescued, versions[-1].approved_by) == (3, True, None)
    (entry,) = [json.loads(one) for one in entries if b"policy:rescue" in one]
    assert entry["detail"] | {"uid": 0} == {"number": 3, "of": 1, "instead": 2, "uid": 0}
    assert "VPN" not in json.dumps(entry, ensure_ascii=False)


def test_the_baseline_may_be_put_in_force_again(config: Path) -> None:
    asyncio.run(enforce(config, LOCKED_OUT))
    assert command("policy", "rescue", "--because", "x", "--config", config).exit_code == 0
    assert allowed(config)


@pytest.mark.parametrize(
    ("more", "what"),
    [(("--version", "7"), "no version 7"), ((), "the baseline is in force")],
)
def test_there_is_no_way_back_to_what_was_never_in_force(
    config: Path, more: tuple[str, ...], what: str
) -> None:
    if more:
        asyncio.run(enforce(config, LOCKED_OUT))
    told = command("policy", "rescue", "--because", "x", "--config", config, *more)
    assert told.exit_code == 1
    assert what in told.output


@pytest.mark.parametrize("withdrawn", [True, False])
def test_what_was_withdrawn_or_has_not_started_is_not_put_in_force_by_the_host(
    config: Path, *, withdrawn: bool
) -> None:
    asyncio.run(enforce(config, LOCKED_OUT))
    number = asyncio.run(enforce(config, {"people.idle_minutes": 14}, days=5, withdrawn=withdrawn))
    told = command(
        "policy", "rescue", "--because", "x", "--config", config, "--version", str(number)
    )
    assert told.exit_code == 1
    assert f"no version {number} that was ever in force" in told.output
    versions, _ = asyncio.run(stored(config))
    assert len(versions) == 2


def test_a_running_service_is_not_rescued_behind_its_back(config: Path) -> None:
    asyncio.run(enforce(config, LOCKED_OUT))
    control = ControlFolder(config.parent / "data" / "media")
    control.lock()
    told = command("policy", "rescue", "--because", "x", "--config", config)
    control.close()
    assert "another server runs" in told.output
    assert not allowed(config)
