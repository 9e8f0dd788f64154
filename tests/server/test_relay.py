"""Pages are told of the relay in time, and only where the settings let them use it."""

import re
from pathlib import Path
from typing import Any

import pytest

from security.errors import Unavailable
from security.secret_file import write_secret
from server.api.housekeeping import renew_relay
from server.relay import credential
from tests.server.conftest import MakeWorld

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


async def test_a_secret_that_others_can_read_is_refused_at_start(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    changes = relayed(tmp_path, "only")
    (tmp_path / "relay-secret").chmod(0o644)
    with pytest.raises(Unavailable, match="mode 0644"):
        await make_world(**changes)
