"""A packet path on a real socket, and ends that speak SRTP with it over sockets of their own."""

import asyncio
import contextlib
import secrets
import socket
import struct
from dataclasses import dataclass, field

from media import rtcp
from media.ice import Address
from media.libs import PROFILES, PacketBuffer, SrtpSession
from media.path import NOBODY, Agreed, Codec, PacketPath, Route, Seeds
from media.paths import Maker
from tests.media.basics import Clock

PROFILE = PROFILES[0][1]
ALL = bytes(range(16))
KEY, DELTA = b"\x10\x50", b"\x10\x51"
AUDIO_TYPE, VIDEO_TYPE, RTX_TYPE = 111, 96, 97
CC, STAMP, MID = 3, 2, 4


@dataclass(frozen=True)
class Packet:
    """What an end got: the datagram as it came, and what was in it."""

    sealed: bytes
    marker: bool
    payload_type: int
    seq: int
    time: int
    ssrc: int
    extensions: bytes
    payload: bytes


def element(number: int, value: bytes) -> bytes:
    """Return a header extension in the one-byte form."""
    return bytes((number << 4 | len(value) - 1,)) + value


def check(ufrag: str, name: bytes = b"somebody") -> bytes:
    """Return a check addressed to `ufrag` by somebody of another name; it is not signed."""
    said = ufrag.encode() + b":" + name
    said = struct.pack("!HH", 6, len(said)) + said + bytes(-len(said) % 4)
    return struct.pack("!HHI12s", 1, len(said), 0x2112A442, b"transaction.") + said


def rtp(
    kind: int,
    seq: int,
    time: int,
    ssrc: int,
    payload: bytes,
    *,
    extensions: bytes = b"",
    form: int = 0xBEDE,
) -> bytes:
    """Return an RTP packet."""
    first = 0x90 if extensions else 0x80
    head = struct.pack("!BBHII", first, kind, seq & 0xFFFF, time & 0xFFFFFFFF, ssrc)
    if extensions:
        extensions += bytes(-len(extensions) % 4)
        head += struct.pack("!HH", form, len(extensions) // 4) + extensions
    return head + payload


class End:
    """One party at the far end of a leg, with one source of sound and one of pictures."""

    def __init__(self, world: "World", ssrc: int, *, codec: int = Codec.VP8) -> None:
        self.world, self.path, self.codec = world, world.path, codec
        self.audio_ssrc, self.video_ssrc, self.rtx_ssrc = ssrc, ssrc + 1, ssrc + 2
        self._keys = secrets.token_bytes(28), secrets.token_bytes(28)
        self._out = SrtpSession(self._keys[0], PROFILE, inbound=False)
        self._in = SrtpSession(self._keys[1], PROFILE, inbound=True)
        self._buffer = PacketBuffer()
        self.sockets: list[socket.socket] = []
        self.move()
        self.leg = self.path.add_leg()
        self.path.set_keys(self.leg, PROFILE, *self._keys)
        self.path.allow(self.leg, self.address, world.clock() + 30)
        self.audio = self.path.add_source(Codec.OPUS)
        self.video = self.path.add_source(codec)
        self.route()
        for source, repairable in ((self.audio, False), (self.video, True)):
            self.path.expect(source, (), repairable=repairable)
            self.path.set_open(source, is_open=True)
        self.sinks: dict[int, int] = {}
        self._rtx_seq = 0

    def route(self, table: bytes = ALL) -> None:
        """Lead the three payload types to the sources."""
        ids = (table, CC, STAMP, MID)
        self.path.set_routes(
            self.leg,
            [
                Route(AUDIO_TYPE, self.audio, *ids, NOBODY),
                Route(VIDEO_TYPE, self.video, *ids, NOBODY),
                Route(RTX_TYPE, self.video, *ids, VIDEO_TYPE),
            ],
        )

    def hears(
        self,
        source: int,
        *,
        kind: int = VIDEO_TYPE,
        rtx: int = RTX_TYPE,
        table: bytes = b"",
        stamps: bool = False,
        numbers: bool = False,
        mid: bytes = b"",
        seeds: Seeds | None = None,
    ) -> int:
        """Listen to a source by a new sink, which is returned."""
        codec = Codec.OPUS if kind == AUDIO_TYPE else self.codec
        number = len(self.sinks)
        seeds = seeds or Seeds(5000 + 10 * number, 5001 + 10 * number, 100, 5000, 7)
        sink = self.path.add_sink(self.leg, codec, seeds)
        self.path.agree(sink, Agreed(kind, rtx, table, stamps, numbers, mid))
        self.path.listen(sink, source)
        self.sinks[sink] = seeds.ssrc
        return sink

    # --- the line

    def move(self) -> None:
        """Go on from another port."""
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        sock.setblocking(False)
        sock.bind(("127.0.0.1", 0))
        self.sockets.append(sock)

    @property
    def address(self) -> Address:
        name: Address = self.sockets[-1].getsockname()
        return name

    def send(self, data: bytes) -> None:
        """Send a datagram as it is."""
        self.sockets[-1].sendto(data, self.world.address)

    def seal(self, packet: bytes) -> bytes:
        """Return the SRTP packet."""
        self._buffer.view[: len(packet)] = packet
        size = self._out.protect(self._buffer.pointer, len(packet))
        return bytes(self._buffer.view[: max(0, size)])

    def says(self, packet: bytes) -> None:
        """Send an RTP packet; one that SRTP refuses (a number far back) is not sent."""
        sealed = self.seal(packet)
        if sealed:
            self.send(sealed)

    def shows(
        self,
        seq: int,
        payload: bytes = DELTA,
        *,
        time: int | None = None,
        extensions: bytes = b"",
        marker: bool = False,
    ) -> None:
        """Send a packet of pictures; each number is a frame of its own unless `time` says so."""
        stamp = seq * 3000 if time is None else time
        kind = VIDEO_TYPE | (0x80 if marker else 0)
        self.says(rtp(kind, seq, stamp, self.video_ssrc, payload, extensions=extensions))

    def repeats(self, seq: int, payload: bytes = DELTA, *, time: int | None = None) -> None:
        """Send a retransmission of packet `seq`, whether anybody asked for it or not."""
        self._rtx_seq += 1
        stamp = seq * 3000 if time is None else time
        body = struct.pack("!H", seq & 0xFFFF) + payload
        self.says(rtp(RTX_TYPE, self._rtx_seq, stamp, self.rtx_ssrc, body))

    def speaks(self, seq: int, payload: bytes = b"sound", *, extensions: bytes = b"") -> None:
        """Send a packet of sound."""
        self.says(rtp(AUDIO_TYPE, seq, seq * 960, self.audio_ssrc, payload, extensions=extensions))

    def got(self) -> list[Packet]:
        """Return what has come since the last call, in order, from any of the end's ports."""
        return [self.open(x) for x in self._waiting()]

    def _waiting(self) -> list[bytes]:
        found = []
        for sock in self.sockets:
            while True:
                try:
                    found.append(sock.recv(4096))
                except BlockingIOError:
                    break
        return found

    def told(self) -> dict[int, float]:
        """Return what feedback has said since the last call: times by transport-wide number."""
        found: dict[int, float] = {}
        for data in self._waiting():
            for message in rtcp.parse(self.open_control(data)):
                assert isinstance(message, rtcp.Counted)
                for step, at in enumerate(message.feedback.arrivals):
                    if at is not None:
                        found[(message.feedback.first + step) & 0xFFFF] = at
        return found

    def controls(self) -> list[bytes]:
        """Return the RTCP that has come since the last call."""
        return [self.open_control(x) for x in self._waiting()]

    def open_control(self, sealed: bytes) -> bytes:
        """Open an SRTCP packet of the path."""
        self._buffer.view[: len(sealed)] = sealed
        size = self._in.unprotect_rtcp(self._buffer.pointer, len(sealed))
        assert size > 0, "a number came twice, or the packet was sealed wrongly"
        return bytes(self._buffer.view[:size])

    def open(self, sealed: bytes) -> Packet:
        """Open an SRTP packet of the path."""
        self._buffer.view[: len(sealed)] = sealed
        size = self._in.unprotect(self._buffer.pointer, len(sealed))
        assert size > 0, "a number came twice, or the packet was sealed wrongly"
        data = bytes(self._buffer.view[:size])
        first, kind, seq, time, ssrc = struct.unpack_from("!BBHII", data)
        end = 16 + 4 * struct.unpack_from("!H", data, 14)[0] if first & 0x10 else 12
        extensions = data[16:end] if first & 0x10 else b""
        return Packet(
            sealed, bool(kind & 0x80), kind & 0x7F, seq, time, ssrc, extensions, data[end:]
        )


@dataclass
class World:
    """A path, its socket, its clock, and what came out of it."""

    make: Maker
    clock: Clock = field(default_factory=Clock)
    outside: list[tuple[bytes, Address]] = field(default_factory=list)
    streamed: list[tuple[bytes, Address]] = field(default_factory=list)
    _ends: list[End] = field(default_factory=list)
    _count: int = 0
    _mark: bytes = b""
    _reached: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.path: PacketPath = self.make(self.clock, self._come_out, self._stream)
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.udp.setblocking(False)
        self.udp.bind(("127.0.0.1", 0))
        self.path.expect_checks("world")
        self.address: Address = self.udp.getsockname()
        self._stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.path.start(self.udp)

    def _come_out(self, data: bytes, address: Address, now: float) -> None:
        assert abs(now - self.clock()) < 1.0
        if data == self._mark:
            self._reached.set()
        elif b":mark" not in data:
            self.outside.append((data, address))

    def _stream(self, data: memoryview, address: Address) -> bool:
        self.streamed.append((bytes(data), address))
        return True

    def end(self, ssrc: int = 1000, *, codec: int = Codec.VP8) -> End:
        """Return a new end that nobody hears yet."""
        self._ends.append(End(self, ssrc, codec=codec))
        return self._ends[-1]

    def pair(self, *, codec: int = Codec.VP8) -> tuple[End, End, int]:
        """Return two ends, the second shown the first's pictures by the sink that is returned."""
        sender, listener = self.end(1000, codec=codec), self.end(2000, codec=codec)
        return sender, listener, listener.hears(sender.video)

    def advance(self, seconds: float) -> None:
        """Put the clock forward, and let the path know as its owner does."""
        self.clock.ahead += seconds
        self.path.tick(self.clock())

    async def settle(self) -> None:
        """Wait until the path has done with all that was sent to it.

        A check of a stranger comes out after all that arrived before it.
        """
        self._count += 1
        self._mark = check("world", b"mark" + struct.pack("!I", self._count))
        self._reached.clear()
        async with asyncio.timeout(10):
            while not self._reached.is_set():  # of very many strangers some are not heard
                self._stranger.sendto(self._mark, self.address)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._reached.wait(), 0.2)

    async def close(self) -> None:
        self.path.stop()
        self.udp.close()
        self._stranger.close()
        for end in self._ends:
            for sock in end.sockets:
                sock.close()
        await asyncio.sleep(0)
