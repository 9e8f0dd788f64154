"""The fixtures of media tests: a running node, clients, probes and lines that are taken down."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from media.native import build
from media.node import MediaNode, MediaSettings
from media.paths import MAKERS
from security.gate import Permit
from tests.media.basics import CALL, Clock, Events, make_permit, until
from tests.media.clients import Client, Line
from tests.media.path_world import World
from tests.media.probe import Probe


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session", autouse=True)
def native_library() -> None:
    """Build the packet path in C where that of this source is not there yet."""
    there = build.LIBRARY.read_bytes() if build.LIBRARY.exists() else b""
    if build.source_hash().encode() not in there:  # one that was loaded could not be replaced
        build.build()


@pytest.fixture(params=sorted(MAKERS))
async def node(
    request: pytest.FixtureRequest, events: Events, clock: Clock
) -> AsyncIterator[MediaNode]:
    """A running node on loopback with one call whose gate is open, on each packet path."""
    settings = MediaSettings("127.0.0.1", 0, ("127.0.0.1",), packet_path=request.param)
    made = MediaNode(settings, events, clock=clock)
    clock.told.append(made._port.path.tick)
    await made.start()
    made.open_call(CALL)
    made.set_gate(CALL, open=True)
    yield made
    await made.stop()


@pytest.fixture
async def make_client() -> AsyncIterator[Callable[..., Client]]:
    """Make clients that are closed at the end."""
    made: list[Client] = []

    def make(level: int = 40) -> Client:
        made.append(Client(level))
        return made[-1]

    yield make
    for client in made:
        await client.close()


@pytest.fixture
async def make_line(node: MediaNode) -> AsyncIterator[Callable[..., Line]]:
    """Make lossy lines to the node that are taken down at the end."""
    made: list[Line] = []

    def make(loses: Callable[[str, int], bool], *, delay_seconds: float = 0.0) -> Line:
        made.append(Line(node, loses, delay_seconds=delay_seconds))
        return made[-1]

    yield make
    for line in made:
        line.close()


@pytest.fixture
async def make_probe() -> AsyncIterator[Callable[..., Probe]]:
    """Make probes that are closed at the end."""
    made: list[Probe] = []

    def make(**settings: Any) -> Probe:
        made.append(Probe(**settings))
        return made[-1]

    yield make
    for probe in made:
        probe.close()
    assert [trouble for probe in made for trouble in probe.troubles] == []


@pytest.fixture(params=sorted(MAKERS))
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """A packet path of each implementation, on a socket."""
    made = World(MAKERS[request.param])
    yield made
    await made.close()


@pytest.fixture
def permit() -> Callable[..., Awaitable[Permit]]:
    return make_permit


@pytest.fixture
def eventually() -> Callable[..., Awaitable[bool]]:
    return until
