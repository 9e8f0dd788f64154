"""What media tests share: a running node, permits, clients with generated sound and pictures."""

import asyncio
import fractions
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame, VideoFrame

from media.node import MediaNode, MediaSettings
from security.errors import Reason
from security.gate import Gate, Permit
from security.policy.decide import Decision, Rule, Term
from security.policy.facts import Actor, Facts

CALL = "call-1"


class _NoAudit:
    async def write(self, decision: Decision, facts: Facts) -> None:
        return


async def make_permit(call_id: str = CALL, action: str = "media.join") -> Permit:
    """Return a permit as the gate gives it."""
    yes = Rule(action, (Term(lambda _: True, Reason("no", "never")),))
    facts = Facts(datetime(2026, 11, 23, tzinfo=UTC), Actor("desk", "m"), call_id, "m")
    return await Gate({action: yes}, _NoAudit()).ask(action, facts)


class Events:
    """Remembers what the node told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, str]] = []

    def media_up(self, call_id: str, party: str) -> None:
        self.told.append(("up", call_id, party))

    def media_lost(self, call_id: str, party: str) -> None:
        self.told.append(("lost", call_id, party))


class Picture(MediaStreamTrack):
    """A moving bar, 160 by 120, 30 times a second; `level` is the brightness of the ground."""

    kind = "video"

    def __init__(self, level: int = 40) -> None:
        super().__init__()
        self._level = level
        self._count = 0
        self._begun = time.monotonic()

    async def recv(self) -> VideoFrame:
        if self.readyState != "live":
            raise MediaStreamError
        self._count += 1
        await asyncio.sleep(max(0.0, self._begun + self._count / 30 - time.monotonic()))
        pixels = np.full((120, 160, 3), self._level, np.uint8)
        column = self._count * 4 % 150
        pixels[:, column : column + 8] = 250
        frame = VideoFrame.from_ndarray(pixels, format="rgb24")
        frame.pts, frame.time_base = self._count * 3000, fractions.Fraction(1, 90000)
        return frame


class Tone(MediaStreamTrack):
    """Quiet noise in packets of 20 ms."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._count = 0
        self._begun = time.monotonic()

    async def recv(self) -> AudioFrame:
        if self.readyState != "live":
            raise MediaStreamError
        self._count += 1
        await asyncio.sleep(max(0.0, self._begun + self._count / 50 - time.monotonic()))
        wave = (3000 * np.sin(np.arange(960) * 0.06)).astype(np.int16)
        frame = AudioFrame.from_ndarray(wave.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = 48000
        frame.pts, frame.time_base = self._count * 960, fractions.Fraction(1, 48000)
        return frame


class Client:
    """A client of aiortc that counts what it gets and remembers how bright the picture was."""

    def __init__(self, level: int = 40) -> None:
        self.connection = RTCPeerConnection()
        self.frames = 0
        self.sounds = 0
        self.level = 0.0
        self._tasks: list[asyncio.Task[None]] = []
        self.connection.addTrack(Tone())
        self.connection.addTrack(Picture(level))
        self.connection.on("track", self._on_track)

    def _on_track(self, track: Any) -> None:
        self._tasks.append(asyncio.ensure_future(self._drain(track)))

    async def _drain(self, track: Any) -> None:
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            if track.kind == "video":
                self.frames += 1
                self.level = float(np.median(frame.to_ndarray(format="gray")))
            else:
                self.sounds += 1

    async def offer(self) -> str:
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return str(self.connection.localDescription.sdp)

    async def take(self, answer: str) -> None:
        await self.connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def join(self, node: MediaNode, party: str, call_id: str = CALL) -> str:
        answer = node.join(await make_permit(call_id), call_id, party, await self.offer())
        await self.take(answer)
        return answer

    async def close(self) -> None:
        await self.connection.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def until(met: Callable[[], bool], within_seconds: float = 15.0) -> bool:
    """Wait until `met()` is true and tell whether it became so in time."""
    end = time.monotonic() + within_seconds
    while not met():
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.01)
    return True


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
async def node(events: Events) -> AsyncIterator[MediaNode]:
    """A running node on loopback with one call whose gate is open."""
    made = MediaNode(MediaSettings("127.0.0.1", 0, ("127.0.0.1",)), events)
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
def permit() -> Callable[..., Awaitable[Permit]]:
    return make_permit


@pytest.fixture
def eventually() -> Callable[..., Awaitable[bool]]:
    return until
