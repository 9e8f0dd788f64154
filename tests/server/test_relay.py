"""Pages are told of the relay in time, and only where the settings let them use it."""

import functools
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from security.errors import Unavailable
from security.secret_file import write_secret
from server.api.housekeeping import renew_relay
from server.relay import Relay, credential
from server.relay_addresses import with_addresses
from tests.media.basics import until
from tests.media.probe import Probe
from tests.server.conftest import PLACE, MakeWorld

Json = dict[str, Any]
URLS = ["turn:relay.example:3478?transport=udp", "turns:relay.example:5349"]


def relayed(folder: Path, use: str) -> Json:
    """Return the settings of a relay whose secret is in `folder`."""
    file = folder / "relay-secret"
    if not file.exists():
        write_secret(file, "shared")
    return {"relay": {"urls": URLS, "use": use, "secret_file": file}}


@pytest.mark.parametrize("use", ["fallback", "only"])
async def test_every_page_is_told_of_the_relay_with_credentials_of_its_own(
    make_world: MakeWorld, tmp_path: Path, use: str
) -> None:
    world = await make_world(**relayed(tmp_path, use))
    counter, desk = await world.counter(), await world.desk()
    told = [(await counter.connect())["relay"], (await desk.connect())["relay"]]
    for relay in told:
        assert relay["use"] == use
        (server,) = relay["servers"]
        assert server["urls"] == URLS
        assert re.fullmatch(r"[0-9]{10}:[A-Za-z0-9_-]{22}", server["username"])
        assert server["credential"] == credential("shared", server["username"])
    assert told[0]["servers"] != told[1]["servers"]


async def test_fresh_credentials_come_before_the_old_ones_expire_and_at_each_return(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    world = await make_world(**relayed(tmp_path, "fallback"))
    counter = await world.counter()
    welcome = await counter.connect()
    await renew_relay(world.service.parts)
    fresh = await counter.until("relay")
    assert "seq" not in fresh
    assert fresh["relay"]["servers"] != welcome["relay"]["servers"]
    await counter.cut()
    back = await counter.connect(epoch=welcome["epoch"], seq=counter.last_seq)
    assert back["resumed"]
    assert back["relay"]["servers"] not in (welcome["relay"]["servers"], fresh["relay"]["servers"])


@pytest.mark.parametrize("use", ["none", None])
async def test_without_a_relay_or_leave_to_use_it_pages_are_told_so(
    make_world: MakeWorld, tmp_path: Path, use: str | None
) -> None:
    world = await make_world(**(relayed(tmp_path, use) if use else {}))
    counter = await world.counter()
    assert (await counter.connect())["relay"] is None


def tells(use: str, message: Json) -> bool:
    """Tell whether a message says that the relay is used so."""
    if message["type"] != "relay":
        return False
    return (message["relay"]["use"] if message["relay"] else "none") == use


async def test_the_policy_says_how_the_relay_is_used_and_pages_are_told_at_once(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    changes = relayed(tmp_path, "fallback")
    changes["relay"]["addresses"] = ["192.0.2.9"]
    world = await make_world(**changes)
    parts, home = world.service.parts, world.town.municipality.id
    counter = await world.counter()
    assert (await counter.connect())["relay"]["use"] == "fallback"
    assert parts.media_from(home) is None
    for number, (use, addresses) in enumerate((("only", {"192.0.2.9"}), ("none", None)), 1):
        world.enforce({"network.relay": use}, number)
        told = await counter.until_that(functools.partial(tells, use))
        assert (told["relay"] is None) is (use == "none")
        taken_from = parts.media_from(home)
        assert addresses is None or addresses <= set(taken_from or ())
        assert (taken_from is None) is (addresses is None)


async def test_where_only_the_relay_may_be_used_nothing_is_taken_by_another_way(
    make_world: MakeWorld,
) -> None:
    world = await make_world()
    counter = await world.counter()
    await counter.connect()
    world.enforce({"network.relay": "only"})  # and there is none
    await counter.do("call.place", **PLACE)
    probe = Probe(ssrc=1000)
    for number, answered in ((1, False), (2, True)):
        answer = await counter.offer(number, probe.offer())
        probe.take(answer["sdp"], world.service.parts.media.ports[0])
        probe.check()
        assert await until(lambda: bool(probe.stun), 0.5) is answered
        world.enforce({"network.relay": "none"}, 2)
    probe.close()


async def test_the_relays_addresses_are_looked_up_with_those_that_are_set(
    tmp_path: Path,
) -> None:
    urls = ("turn:127.0.0.1:3478", "turn:[::1]:3478", "turns:localhost", "turn:nowhere.invalid")
    relay = Relay(urls, "shared", timedelta(hours=1), addresses=("192.0.2.1",))
    found = await with_addresses(relay)
    assert found is not None
    assert {"127.0.0.1", "::1", "192.0.2.1"} == set(found.addresses)
    assert await with_addresses(None) is None


async def test_a_secret_that_others_can_read_is_refused_at_start(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    changes = relayed(tmp_path, "only")
    (tmp_path / "relay-secret").chmod(0o644)
    with pytest.raises(Unavailable, match="mode 0644"):
        await make_world(**changes)
