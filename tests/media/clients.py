"""Clients of another make, with generated sound and pictures, and lossy lines for them."""

import asyncio
import fractions
import re
import socket
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame, VideoFrame

from media.node import MediaNode
from tests.media.basics import CALL, make_permit


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
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
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

    async def join(self, node: MediaNode, party: str, *, port: int | None = None) -> str:
        """Offer and take the answer; `port` leads through a line of a test's own."""
        answer = node.join(await make_permit(), CALL, party, await self.offer())
        if port is not None:
            answer = re.sub(rf"\b{node.port}\b", str(port), answer)
        await self.take(answer)
        return answer

    async def close(self) -> None:
        await self.connection.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class Line:
    """A line of one client to the node that loses every packet for which `loses` says so.

    Each way takes `delay_seconds`. `loses` gets "up" or "down" and the packet's number in that
    direction, STUN and DTLS excepted.
    """

    def __init__(
        self,
        node: MediaNode,
        loses: Callable[[str, int], bool],
        *,
        delay_seconds: float = 0.0,
    ) -> None:
        self._node = ("127.0.0.1", node.port)
        self._loses = loses
        self._delay_seconds = delay_seconds
        self._counts = {"up": 0, "down": 0}
        self.lost = 0
        self._client: tuple[str, int] | None = None
        self._sockets = []
        for way in ("up", "down"):
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.setblocking(False)
            sock.bind(("127.0.0.1", 0))
            self._sockets.append(sock)
            asyncio.get_running_loop().add_reader(sock.fileno(), self._carry, way, sock)
        self.port: int = self._sockets[0].getsockname()[1]

    def _carry(self, way: str, sock: socket.socket) -> None:
        data, source = sock.recvfrom(4096)
        if data[0] >= 128:
            self._counts[way] += 1
            if self._loses(way, self._counts[way]):
                self.lost += 1
                return
        if way == "up":
            self._client = source
        if self._delay_seconds:
            asyncio.get_running_loop().call_later(self._delay_seconds, self._deliver, way, data)
        else:
            self._deliver(way, data)

    def _deliver(self, way: str, data: bytes) -> None:
        if self._sockets[0].fileno() < 0:
            return
        if way == "up":
            self._sockets[1].sendto(data, self._node)
        elif self._client is not None:
            self._sockets[0].sendto(data, self._client)

    def close(self) -> None:
        for sock in self._sockets:
            asyncio.get_running_loop().remove_reader(sock.fileno())
            sock.close()
