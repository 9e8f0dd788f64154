"""The audit log goes to a real syslog daemon over TLS, whatever happens in between."""

import asyncio
import contextlib
import hashlib
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from security.audit.syslog import Sender
from security.errors import Unavailable
from security.policy.model import BASELINE_POLICY, Policy
from server.audit_export import AuditExport
from server.check import services
from server.check.finding import State
from server.clock import utc_now
from server.db.audit_export import SqlExported
from server.demo.authority import issue
from server.settings import Settings
from server.syslog_link import Receiver, SyslogLink

WITHIN_SECONDS = 20.0
ENTRY = re.compile(
    rb'municipality="(?P<home>[^"]*)" position="(?P<position>\d+)" link="(?P<link>[0-9a-f]{64})"'
    rb"[^]]*\] \xef\xbb\xbf(?P<entry>.*)"
)
CONFIGURATION = """
global(workDirectory="{folder}" maxMessageSize="64k" defaultNetstreamDriver="ossl"
  defaultNetstreamDriverCAFile="{folder}/ca.pem"
  defaultNetstreamDriverCertFile="{folder}/cert.pem"
  defaultNetstreamDriverKeyFile="{folder}/key.pem")
module(load="imtcp" StreamDriver.Name="ossl" StreamDriver.Mode="1" StreamDriver.AuthMode="anon")
template(name="raw" type="string" string="%rawmsg%\\n")
ruleset(name="keep") {{ action(type="omfile" file="{folder}/kept" template="raw") }}
input(type="imtcp" port="{port}" address="127.0.0.1" ruleset="keep")
"""


@dataclass
class Daemon:
    """rsyslogd on a port of this machine, with a certificate of its own authority."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def receiver(self) -> Receiver:
        """How it is reached."""
        return Receiver("127.0.0.1", self.port, self.folder / "ca.pem")

    def start(self) -> None:
        """Return once it takes connections."""
        self.process = subprocess.Popen(
            [_rsyslogd(), "-n", "-f", str(self.folder / "conf"), "-i", str(self.folder / "pid")],
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + WITHIN_SECONDS
        while time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.02)
        raise TimeoutError("rsyslogd did not come up")

    def kill(self) -> None:
        """End it as a power cut does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def kept(self) -> list[re.Match[bytes]]:
        """Return the entries that it has written down, in the order in which they came."""
        file = self.folder / "kept"
        lines = file.read_bytes().splitlines() if file.exists() else []
        return [found for line in lines if (found := ENTRY.search(line))]

    def positions(self) -> list[int]:
        """Return the positions of what it has written down."""
        return [int(found["position"]) for found in self.kept()]


def _rsyslogd() -> str:
    found = shutil.which("rsyslogd", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    assert found, "rsyslogd is missing: tools/debian-packages.sh installs it"
    return found


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A receiver that runs."""
    folder = tmp_path / "syslog"
    folder.mkdir()
    issued = issue(("127.0.0.1",), now=datetime.now(UTC))
    (folder / "ca.pem").write_bytes(issued.authority)
    (folder / "cert.pem").write_bytes(issued.chain)
    (folder / "key.pem").write_bytes(issued.key)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    (folder / "conf").write_text(CONFIGURATION.format(folder=folder, port=port), "utf-8")
    daemon = Daemon(folder, port)
    daemon.start()
    yield daemon
    daemon.kill()


async def until(true: Callable[[], bool]) -> None:
    """Return once it is so."""

    async def really() -> bool:
        return true()

    await until_told(really)


async def until_told(true: Callable[[], Awaitable[bool]]) -> None:
    """Return once the answer is yes."""
    async with asyncio.timeout(WITHIN_SECONDS):
        while True:
            if await true():
                return
            await asyncio.sleep(0.02)


def set_for(daemon: Daemon) -> dict[str, Any]:
    receiver = daemon.receiver
    return {"host": receiver.host, "port": receiver.port, "ca_file": receiver.ca_file}


@contextlib.asynccontextmanager
async def exporting(
    world: Any, receiver: Receiver, *, settle_seconds: float = 0.0
) -> AsyncIterator[AuditExport]:
    """Send the town's log for as long as the block lasts."""
    parts, home = world.service.parts, world.town.municipality.id

    async def wanted() -> list[str]:
        return [home]

    export = AuditExport(
        parts.audit,
        SqlExported(parts.database),
        wanted,
        Sender("here", 32473),
        receiver,
        settle_seconds=settle_seconds,
        first_pause_seconds=0.05,
    )
    parts.audit.when_committed(export.committed)
    task = asyncio.create_task(export.run())
    yield export
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def write(world: Any, count: int) -> None:
    """Put entries into the town's log."""
    home = world.town.municipality.id
    notes = (
        world.service.parts.audit.note(home, "test:a:b", f"s{i}", {}, now=utc_now())
        for i in range(count)
    )
    await asyncio.gather(*notes)


async def test_every_entry_arrives_and_the_messages_alone_prove_the_chain(
    make_world: Any, daemon: Daemon
) -> None:
    world = await make_world(syslog=set_for(daemon))
    parts, home = world.service.parts, world.town.municipality.id
    await write(world, 3)
    world.enforce({"audit.export": "syslog"})
    await world.desk()
    head = await parts.audit.verify(home)
    await until(lambda: len(daemon.positions()) >= head.count)
    _, metrics = await world.stranger().request("GET", "/metrics")
    assert b"madoguchi_audit_export_connected 1.0" in metrics
    link = bytes(32)
    for position, found in enumerate(daemon.kept(), start=1):
        link = hashlib.sha256(b"\x01" + link + found["entry"]).digest()
        assert (found["home"].decode(), int(found["position"])) == (home, position)
        assert found["link"].decode() == link.hex()
    assert link == head.link


async def test_a_municipality_that_has_not_chosen_it_sends_nothing(
    make_world: Any, daemon: Daemon
) -> None:
    world = await make_world(syslog=set_for(daemon))
    other = await world.town_of("okayama")
    world.enforce({"audit.export": "syslog"})
    audit = world.service.parts.audit
    await audit.note(other.municipality.id, "test:a:b", "s", {}, now=utc_now())
    await write(world, 1)
    await until(lambda: len(daemon.kept()) >= 1)
    assert {found["home"].decode() for found in daemon.kept()} == {world.town.municipality.id}
    assert BASELINE_POLICY.audit.export == "none"


async def test_entries_of_an_outage_arrive_after_it_and_no_commit_waits(
    world: Any, daemon: Daemon
) -> None:
    async with exporting(world, daemon.receiver) as export:
        await write(world, 5)
        await until(lambda: len(daemon.positions()) >= 5)
        daemon.kill()
        async with asyncio.timeout(5):
            await write(world, 300)
        await until(lambda: not export.connected)
        daemon.start()
        await until(lambda: set(daemon.positions()) >= set(range(1, 306)))


async def test_after_a_kill_of_the_server_nothing_is_left_out(world: Any, daemon: Daemon) -> None:
    """What has not settled is sent again; what has settled is not."""
    home, exported = world.town.municipality.id, SqlExported(world.service.parts.database)
    async with exporting(world, daemon.receiver):
        await write(world, 4)
        await until(lambda: len(daemon.positions()) >= 4)

        async def settled() -> bool:
            return await exported.position(home) == 4

        await until_told(settled)
    async with exporting(world, daemon.receiver, settle_seconds=3600):
        await write(world, 3)
        await until(lambda: len(daemon.positions()) >= 7)
    assert await exported.position(home) == 4
    async with exporting(world, daemon.receiver):
        await until(lambda: daemon.positions() == [1, 2, 3, 4, 5, 6, 7, 5, 6, 7])


async def test_a_position_never_goes_back(world: Any) -> None:
    home, exported = world.town.municipality.id, SqlExported(world.service.parts.database)
    for position in (3, 7, 5):
        await exported.advance(home, position)
    assert await exported.position(home) == 7


async def test_a_receiver_that_takes_nothing_keeps_no_entry_waiting(world: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        receiver = Receiver("127.0.0.1", silent.getsockname()[1])
        async with exporting(world, receiver) as export:
            await asyncio.sleep(0)
            async with asyncio.timeout(5):
                await write(world, 50)
            assert not export.connected


async def test_the_check_asks_the_receiver(daemon: Daemon) -> None:
    settings = Settings.model_validate({"syslog": set_for(daemon)})
    policies = {"kasaoka": Policy.model_validate({"audit": {"export": "syslog"}})}
    states = []
    for one in (policies, {}):
        states += [found.state async for found in services.syslog(settings, one)]
    daemon.kill()
    states += [found.state async for found in services.syslog(settings, policies)]
    assert states == [State.OK, State.WARNING, State.FAULT]


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_a_receiver_that_cannot_prove_its_name_gets_nothing(daemon: Daemon, name: str) -> None:
    """`localhost` is not in its certificate; the other time nobody vouches for it."""
    authority = daemon.receiver.ca_file if name == "localhost" else None
    with pytest.raises(Unavailable, match=r"certificate|mismatch|self-signed|local issuer"):
        SyslogLink(Receiver(name, daemon.port, authority))
    assert daemon.kept() == []


async def test_a_failure_of_an_unforeseen_kind_does_not_end_the_export(
    world: Any, daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [ValueError("unforeseen")]
    position = SqlExported.position

    async def once(self: SqlExported, municipality_id: str) -> int:
        if left:
            raise left.pop()
        return await position(self, municipality_id)

    monkeypatch.setattr(SqlExported, "position", once)
    async with exporting(world, daemon.receiver):
        await write(world, 3)
        await until(lambda: len(daemon.positions()) >= 3)
    assert not left
