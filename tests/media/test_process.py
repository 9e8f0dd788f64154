"""Media in processes of their own: real processes, real sound and pictures, real signals."""

import asyncio
import contextlib
import os
import signal
import socket
import stat
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from media.engine import CallMedia
from media.fleet import Fleet
from media.remote import RemoteNode
from media.settings import MediaSettings
from security.errors import Denied, NotFound, ProtocolError, Unavailable
from tests.media.basics import CALL, Events, make_permit, until
from tests.media.clients import Client

pytestmark = [pytest.mark.fault, pytest.mark.timeout(120)]
HERE = MediaSettings("127.0.0.1", 0, ("127.0.0.1",))
COUNTER, DESK = "counter", "desk"


class Fleets:
    """Makes fleets over one folder and takes them down, with their processes."""

    def __init__(self, folder: Path, events: Events) -> None:
        self.folder = folder
        self._events = events
        self._made: list[Fleet] = []

    async def __call__(self, *settings: MediaSettings, resume_seconds: float = 60.0) -> Fleet:
        fleet = Fleet(
            settings or (HERE,),
            self.folder,
            self._events,
            resume_seconds=resume_seconds,
            ends_with_us=lambda: True,
        )
        self._made.append(fleet)
        await fleet.start()
        return fleet

    async def leave(self, fleet: Fleet) -> None:
        """Stop a fleet as a server does that will be started again."""
        fleet._ends_with_us = lambda: False
        await fleet.stop()
        self._made.remove(fleet)

    async def stop(self) -> None:
        for fleet in self._made:
            await fleet.stop()


@pytest.fixture
async def fleets(tmp_path: Path, events: Events) -> AsyncIterator[Fleets]:
    # Deeper than the name of a Unix socket may be long.
    made = Fleets(tmp_path.joinpath(*["a-rather-long-name-of-a-folder"] * 4, "media"), events)
    yield made
    await made.stop()


def pid_of(fleet: Fleet, index: int = 0) -> int:
    """Return the number of a process of the fleet."""
    node = fleet._keepers[index].node
    assert node is not None
    return node.process.pid


async def join(fleet: Fleet, client: Client, party: str, call: str = CALL) -> str:
    """Connect a client and return the epoch of the process that has it."""
    joined = await fleet.join(await make_permit(call), call, party, await client.offer())
    await client.take(joined.sdp)
    return joined.epoch


async def open_pair(
    fleet: Fleet, make_client: Callable[..., Client], call: str = CALL
) -> tuple[Client, Client]:
    """Open a call and connect both ends."""
    await fleet.open_call(call)
    await fleet.set_gate(call, open=True)
    pair = make_client(), make_client()
    for client, party in zip(pair, (COUNTER, DESK), strict=True):
        await join(fleet, client, party, call)
    return pair


def hearing(*clients: Client) -> Callable[[], bool]:
    """Tell whether each client gets further pictures and sounds from now on."""
    marks = [(client, client.frames, client.sounds) for client in clients]
    return lambda: all(c.frames > frames and c.sounds > sounds for c, frames, sounds in marks)


async def test_a_call_goes_on_with_nobody_there_and_a_new_fleet_takes_it_up(
    fleets: Fleets, make_client: Callable[..., Client]
) -> None:
    first = await fleets()
    pair = await open_pair(first, make_client)
    await first.set_veil(CALL, "third", on=True)
    assert await until(hearing(*pair))
    was = pid_of(first)
    await fleets.leave(first)
    assert await until(hearing(*pair))
    second = await fleets()
    assert pid_of(second) == was
    held = second.held(CALL)
    assert held is not None
    assert held.gate_open
    assert held.veiled == {"third"}
    assert held.connected == {COUNTER, DESK}
    assert held.joined == {COUNTER, DESK}
    assert held.paths.keys() == {COUNTER, DESK}
    assert (await second.stats(CALL))[COUNTER].packets_received > 0
    told = await second.all_stats()
    assert told.keys() == {CALL}
    assert told[CALL].keys() == {COUNTER, DESK}
    assert told[CALL][COUNTER].packets_received > 0
    await second.keep_only([])
    assert second.held(CALL) is None
    with pytest.raises(NotFound):
        await second.stats(CALL)


async def test_the_veil_is_up_on_a_new_process_before_anybody_can_join(
    fleets: Fleets, events: Events, make_client: Callable[..., Client]
) -> None:
    fleet = await fleets()
    counter, desk = await open_pair(fleet, make_client)
    assert await until(hearing(counter, desk))
    await fleet.set_veil(CALL, COUNTER, on=True)
    events.told.clear()
    os.kill(pid_of(fleet), signal.SIGKILL)
    asked = {("new_connection", CALL, COUNTER), ("new_connection", CALL, DESK)}
    assert await until(lambda: asked <= set(events.told) and bool(fleet.ports), 30)
    again = make_client(), make_client()
    for client, party in zip(again, (COUNTER, DESK), strict=True):
        await join(fleet, client, party)
    assert await until(lambda: again[0].frames > 3 and again[1].sounds > 10)
    assert again[1].frames == 0
    await fleet.set_veil(CALL, COUNTER, on=False)
    assert await until(lambda: again[1].frames > 0)


async def test_calls_are_spread_and_one_process_dies_alone(
    fleets: Fleets, make_client: Callable[..., Client]
) -> None:
    fleet = await fleets(HERE, HERE)
    first, second = [await open_pair(fleet, make_client, call) for call in ("one", "two")]
    assert len(set(fleet.ports)) == 2
    assert await until(hearing(*first, *second))
    where = {index: fleet._keepers[index] for index in (0, 1)}
    dies = next(index for index in where if fleet._calls["one"].keeper is where[index])
    still = hearing(*second)
    os.kill(pid_of(fleet, dies), signal.SIGKILL)
    assert await until(lambda: fleet._calls["one"].keeper is where[1 - dies])
    assert await until(still)
    again = make_client(), make_client()
    for client, party in zip(again, (COUNTER, DESK), strict=True):
        await join(fleet, client, party, "one")
    assert await until(hearing(*again))


async def wait(fleet: Fleet, client: Client, seat: str, beside: str | None = None) -> None:
    """Connect a client that is in no call."""
    permit = await make_permit(seat, "media.warm")
    await client.take((await fleet.warm(permit, seat, await client.offer(), beside=beside)).sdp)


async def test_a_waiting_desk_follows_the_call_to_its_process_and_is_let_in_there(
    fleets: Fleets, make_client: Callable[..., Client]
) -> None:
    fleet, seat = await fleets(HERE, HERE), "person-1"
    elsewhere, beside, counter = make_client(), make_client(), make_client()
    await wait(fleet, elsewhere, seat)
    await fleet.open_call("other")
    await fleet.open_call(CALL)
    assert fleet._calls[CALL].keeper is not fleet._lobby[seat]
    assert not fleet.near(CALL, seat)
    await join(fleet, counter, COUNTER)
    await wait(fleet, beside, seat, beside=CALL)
    assert fleet.near(CALL, seat)
    await fleet.set_gate(CALL, open=True)
    with pytest.raises(Denied):
        await fleet.adopt(await make_permit("other"), CALL, DESK, seat)
    assert await fleet.adopt(await make_permit(), CALL, DESK, seat)
    assert await until(hearing(counter, beside))
    assert elsewhere.frames == 0


async def test_a_desk_that_waits_in_another_process_or_in_a_dead_one_is_not_let_in(
    fleets: Fleets, make_client: Callable[..., Client]
) -> None:
    fleet = await fleets(HERE, HERE)
    await wait(fleet, make_client(), "person-1")
    await wait(fleet, make_client(), "person-2")
    await fleet.open_call("other")
    await fleet.open_call(CALL)
    assert not await fleet.adopt(await make_permit(), CALL, DESK, "person-1")
    assert "person-1" not in fleet._lobby
    dies = fleet._keepers.index(fleet._lobby["person-2"])
    os.kill(pid_of(fleet, dies), signal.SIGKILL)
    assert await until(lambda: "person-2" not in fleet._lobby)
    assert not await fleet.adopt(await make_permit("other"), "other", DESK, "person-2")


async def test_a_picture_that_must_stop_does_not_depend_on_a_process_that_stands_still(
    fleets: Fleets, make_client: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media.remote.HIDE_SECONDS", 0.3)
    fleet = await fleets()
    await open_pair(fleet, make_client)
    hung = pid_of(fleet)
    os.kill(hung, signal.SIGSTOP)
    await fleet.set_veil(CALL, COUNTER, on=True)
    assert await until(lambda: not Path(f"/proc/{hung}").exists())
    held = fleet.held(CALL)
    assert held is not None
    assert held.veiled == {COUNTER}
    assert await until(lambda: bool(fleet.ports) and pid_of(fleet) != hung, 30)


async def test_a_process_that_is_late_to_show_something_is_told_again_and_lives(
    fleets: Fleets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media.remote.HIDE_SECONDS", 0.2)
    fleet = await fleets()
    await fleet.open_call(CALL)
    await fleet.open_call("another")
    await fleet.set_veil(CALL, COUNTER, on=True)
    slow = pid_of(fleet)
    os.kill(slow, signal.SIGSTOP)
    await fleet.set_gate(CALL, open=True)
    await fleet.set_veil(CALL, COUNTER, on=False)
    await fleet.close_call("another")
    with pytest.raises(Unavailable):
        await fleet.open_call("third")
    os.kill(slow, signal.SIGCONT)
    assert await until(lambda: not fleet._calls[CALL].is_behind)
    assert await until(lambda: fleet._calls["third"].keeper is not None)
    await fleet.close_call("third")
    assert await until(lambda: len(fleet._tasks) == 2)
    assert pid_of(fleet) == slow
    await fleets.leave(fleet)
    again = await fleets()
    assert again.held(CALL) == CallMedia(gate_open=True)
    assert [again.held(x) for x in ("another", "third")] == [None, None]
    assert pid_of(again) == slow


async def test_a_call_that_is_refused_for_want_of_room_waits_for_it(fleets: Fleets) -> None:
    fleet = await fleets(MediaSettings("127.0.0.1", 0, ("127.0.0.1",), max_calls=1))
    await fleet.open_call("one")
    await fleet.set_gate("one", open=True)
    assert await until(lambda: not fleet.capacity().accepting)
    tasks = len(fleet._tasks)
    for _ in range(3):
        with pytest.raises(Unavailable):
            await fleet.open_call("two")
    for on in (True, False, True):
        await fleet.set_veil("one", COUNTER, on=on)
    assert fleet._calls["two"].keeper is None
    assert len(fleet._tasks) == tasks + 1
    await fleet.set_gate("one", open=False)
    assert await until(lambda: fleet._calls["two"].keeper is not None)


async def test_a_process_that_does_not_answer_a_new_server_is_replaced(
    fleets: Fleets, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await fleets()
    hung = pid_of(first)
    await fleets.leave(first)
    os.kill(hung, signal.SIGSTOP)
    monkeypatch.setattr("media.remote.ANSWER_SECONDS", 0.3)
    second = await fleets()
    assert pid_of(second) != hung
    assert await until(lambda: not Path(f"/proc/{hung}").exists())


async def test_changed_settings_end_the_old_process_and_its_calls_are_not_taken_up(
    fleets: Fleets,
) -> None:
    first = await fleets()
    await first.open_call(CALL)
    old = pid_of(first)
    await fleets.leave(first)
    second = await fleets(MediaSettings("127.0.0.1", 0, ("127.0.0.2",)))
    assert second.held(CALL) is None
    assert await until(lambda: not Path(f"/proc/{old}").exists())


async def test_without_a_server_nothing_is_forwarded_after_the_resume_time_and_then_it_ends(
    fleets: Fleets, make_client: Callable[..., Client]
) -> None:
    fleet = await fleets(resume_seconds=1.0)
    pair = await open_pair(fleet, make_client)
    assert await until(hearing(*pair))
    alone = pid_of(fleet)
    left = time.monotonic()
    await fleets.leave(fleet)
    while await until(hearing(pair[0]), within_seconds=0.4):
        assert time.monotonic() - left < 10
    assert time.monotonic() - left > 1.0
    assert await until(lambda: gone(alone))


def gone(pid: int) -> bool:
    """Tell whether our child has ended (it is ours to bury)."""
    return os.waitpid(pid, os.WNOHANG)[0] == pid


async def test_errors_come_through_as_what_they_are(fleets: Fleets) -> None:
    fleet = await fleets()
    await fleet.open_call(CALL)
    permit = await make_permit()
    with pytest.raises(ProtocolError) as bad:
        await fleet.join(permit, CALL, COUNTER, "v=0\r\nnonsense")
    assert bad.value.code == "bad_sdp"
    with pytest.raises(Denied):
        await fleet.join(await make_permit("another"), CALL, COUNTER, "")
    with pytest.raises(NotFound):
        await fleet.join(await make_permit("another"), "another", COUNTER, "")
    with pytest.raises(ProtocolError):
        await fleet.join(permit, CALL, "a party/../", "v=0")
    for long in ("x" * 200_000, "\x01" * 65_000):
        with pytest.raises(ProtocolError) as bad:
            await fleet.join(permit, CALL, COUNTER, long)
        assert bad.value.code == "bad_sdp"
    with pytest.raises(ProtocolError):
        await fleet.warm(await make_permit("a/../b", "media.warm"), "a/../b", "v=0", beside=None)
    await fleet.leave(CALL, COUNTER)
    await fleet.close_call(CALL)
    await fleet.close_call(CALL)
    await fleet.open_call(CALL)
    assert fleet.capacity().accepting


async def test_a_second_server_is_told_what_is_in_its_way_and_harms_nothing(
    fleets: Fleets, tmp_path: Path
) -> None:
    first = await fleets()
    with pytest.raises(Unavailable, match="another server"):
        await fleets()
    taken = MediaSettings("127.0.0.1", first.ports[0], ("127.0.0.1",))
    fleets.folder = tmp_path / "another"
    with pytest.raises(Unavailable, match="media port cannot be opened"):
        await fleets(taken)
    assert first.ports


async def test_only_this_user_can_reach_a_process(fleets: Fleets, tmp_path: Path) -> None:
    await fleets()
    found = fleets.folder / "node-0.sock"
    assert stat.S_IMODE(found.stat().st_mode) == 0o600
    assert stat.S_IMODE(found.parent.stat().st_mode) == 0o700
    fleets.folder = tmp_path / "open"
    fleets.folder.mkdir(mode=0o755)
    with pytest.raises(Unavailable, match="mode 0700"):
        await fleets()
    fleets.folder = tmp_path / "link"
    fleets.folder.symlink_to(found.parent)
    with pytest.raises(Unavailable, match="cannot be used"):
        await fleets()


async def test_a_process_that_cannot_be_started_turns_calls_away_until_it_can(
    fleets: Fleets, events: Events, make_client: Callable[..., Client], monkeypatch: Any
) -> None:
    monkeypatch.setattr("media.spawn.READY_AFTER_SECONDS", 1000.0)
    monkeypatch.setattr("media.fleet.PLACE_SECONDS", 0.2)
    fleet = await fleets()
    await fleet.open_call(CALL)
    assert fleet.capacity().accepting
    with monkeypatch.context() as broken:
        broken.setattr("media.spawn.COMMAND", ("-c", "raise SystemExit(1)"))
        os.kill(pid_of(fleet), signal.SIGKILL)
        assert await until(lambda: not fleet.ports)
        assert not fleet.capacity().accepting
        with pytest.raises(Unavailable):
            await fleet.open_call("another")
        with pytest.raises(Unavailable):
            await join(fleet, make_client(), COUNTER)
        with pytest.raises(Unavailable):
            await fleet.stats(CALL)
        assert await fleet.all_stats() == {}
        events.told.clear()
    assert await until(lambda: ("new_connection", CALL, COUNTER) in events.told, 30)
    assert await until(lambda: all(fleet._calls[c].keeper is not None for c in ("another", CALL)))


async def test_a_stranger_who_listens_there_is_not_taken_for_a_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "node-0.sock"
    server = await asyncio.start_unix_server(lambda _r, w: w.close(), path)
    monkeypatch.setattr("media.remote.is_ours", lambda uid: False)
    assert await RemoteNode.connect(str(path)) is None
    server.close()
    await server.wait_closed()


async def test_a_socket_that_takes_nobody_at_the_moment_is_not_taken_for_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media.remote.ANSWER_SECONDS", 0.2)
    path = str(tmp_path / "node-0.sock")
    with contextlib.ExitStack() as held:
        full = held.enter_context(socket.socket(socket.AF_UNIX))
        full.bind(path)
        full.listen(0)
        with contextlib.suppress(BlockingIOError):
            while True:
                waits = held.enter_context(socket.socket(socket.AF_UNIX))
                waits.setblocking(False)
                waits.connect(path)
        with pytest.raises(BlockingIOError):
            RemoteNode.listener(path)
        with pytest.raises(Unavailable):
            await RemoteNode.connect(path)


def dead_children() -> set[str]:
    """Return the numbers of our children that have ended and that nobody waited for."""
    found = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = status.read_text().rpartition(")")[2].split()
            if fields[0] == "Z" and int(fields[1]) == os.getpid():
                found.add(status.parent.name)
    return found


async def test_a_process_that_dies_before_it_is_spoken_to_is_waited_for(
    fleets: Fleets, monkeypatch: pytest.MonkeyPatch
) -> None:
    says = "import sys; sys.stdin.read(); print('{\"ready\": true}')"
    monkeypatch.setattr("media.spawn.COMMAND", ("-c", says))
    before = dead_children()
    with pytest.raises(Unavailable, match="cannot be reached"):
        await fleets()
    assert dead_children() <= before
