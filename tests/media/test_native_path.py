"""The native packet path does what the Python one does: the same datagrams leave, bit for bit."""

import random
import struct
from collections.abc import AsyncIterator
from socket import AF_INET, SOCK_DGRAM, socket

import pytest

from media.ice import Address
from media.libs import PROFILES, PacketBuffer, SrtpSession
from media.native_path import NativePath
from media.path import (
    NOBODY,
    STREAM,
    Agreed,
    Codec,
    Flow,
    PacketPath,
    Route,
    Seeds,
)
from media.python_path import PythonPath

PROFILE = PROFILES[0][1]
FROM: tuple[Address, ...] = tuple((f"192.0.2.{n}", 4000 + n, 0, 0, STREAM) for n in range(4))
KEYS = tuple(bytes((n,)) * 28 for n in range(1, 5))
MEDIA = ((111, Codec.OPUS), (96, Codec.VP8))
RTX = 97
CC, STAMP, MID, ORIENTATION = 3, 2, 4, 5
KEPT = bytes(n if n in (CC, STAMP, MID, ORIENTATION) else 0 for n in range(16))
TABLE = bytes((0, 0, 7, 8, 9, 10, *range(6, 16)))


class Rig:
    """One path with two legs that listen to each other, and all that it sent."""

    def __init__(self, make: type[PythonPath] | type[NativePath]) -> None:
        self.now = 1000.0
        self.sent: list[tuple[bytes, Address]] = []
        self.handed: list[tuple[bytes, Address, float]] = []
        self.path: PacketPath = make(lambda: self.now, self._outsider, self._stream_send)
        self.legs: list[int] = []
        self.sources: list[int] = []
        self.sinks: list[int] = []
        self.taps: list[int] = []

    def _outsider(self, data: bytes, address: Address, now: float) -> None:
        self.handed.append((data, address, now))

    def _stream_send(self, data: memoryview, address: Address) -> bool:
        self.sent.append((bytes(data), address))
        return True

    def settle(self) -> None:
        """Take all that the path hands over; what begins with 255 is nothing at all."""
        before = -1
        while before != len(self.sent):
            before = len(self.sent)
            self.path.feed(b"\xff", FROM[0])

    def lay(self) -> None:
        """Wire two parties of sound and pictures."""
        for number in range(2):
            leg = self.path.add_leg()
            self.legs.append(leg)
            self.path.set_keys(leg, PROFILE, KEYS[number], KEYS[number + 2])
            self.path.tell_arrivals(leg, 7 + number)
            self.path.allow(leg, FROM[number], self.now + 30)
            routes = []
            for kind, codec in MEDIA:
                source = self.path.add_source(codec)
                self.sources.append(source)
                self.taps.append(self.path.add_tap(source, 20_000))
                self.path.expect(source, (), repairable=codec != Codec.OPUS)
                self.path.set_open(source, is_open=True)
                routes.append(Route(kind, source, KEPT, CC, STAMP, MID, NOBODY))
            routes.append(Route(RTX, self.sources[-1], KEPT, CC, STAMP, MID, 96))
            self.path.set_routes(leg, routes)
        for number in range(2):
            for kind, codec in MEDIA:
                ssrc = 5000 + 200 * number + kind
                seeds = Seeds(ssrc, ssrc + 2000, 300, 70_000, 9)
                sink = self.path.add_sink(self.legs[number], codec, seeds)
                self.sinks.append(sink)
                self.path.agree(sink, Agreed(kind, RTX, b"", stamps=True, numbers=True, mid=b"1"))
        for number, sink in enumerate(self.sinks):
            self.path.listen(sink, self.sources[(number + 2) % 4])

    def shown(self) -> object:
        """Return everything that can be read."""
        path = self.path
        return (
            [path.leg_state(x) for x in self.legs],
            [path.take_sent(x, 0, 65536) for x in self.legs],
            [path.source_state(x) for x in self.sources],
            [path.missing(x) for x in self.sources],
            [path.sink_state(x) for x in self.sinks],
            sorted(self.sources.index(x) for x in path.needy()),
            sorted(self.legs.index(x) for x in path.moved()),
            [path.time_out(x, 77) for x in self.sinks],
            [path.read_tap(x) for x in self.taps],
        )


class Sender:
    """Makes what two parties send, in order and out of it, sound and broken."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self._seal = [SrtpSession(KEYS[n], PROFILE, inbound=False) for n in range(2)]
        self._seq = [[self.draw.randrange(65536) for _ in range(3)] for _ in range(2)]
        self._time = [[self.draw.randrange(1 << 32) for _ in range(2)] for _ in range(2)]
        self._ssrc = [[100, 200, 300], [400, 500, 600]]
        self._held: list[tuple[int, bytes]] = []
        self._buffer = PacketBuffer()
        self._picture = self.draw.randrange(1 << 15)

    def _sealed(self, party: int, packet: bytes) -> bytes:
        self._buffer.view[: len(packet)] = packet
        size = self._seal[party].protect(self._buffer.pointer, len(packet))
        return bytes(self._buffer.view[: max(size, 0)]) or b"\x80"

    def _extension(self) -> bytes:
        draw = self.draw
        what = draw.randrange(8)
        if what < 2:
            return b""
        elements = b""
        for _ in range(draw.randrange(5)):
            number = draw.choice((CC, STAMP, MID, ORIENTATION, draw.randrange(16)))
            size = draw.choice(({CC: 2, STAMP: 3}.get(number, 1), draw.randrange(1, 17)))
            if what == 2:
                elements += bytes((number, size % 16)) + draw.randbytes(size % 16)
            else:
                elements += bytes((number << 4 | size - 1,)) + draw.randbytes(size)
            elements += bytes(draw.randrange(2))
        if what == 3 and elements:
            elements = elements[: draw.randrange(len(elements)) + 1]
        elements += bytes(-len(elements) % 4)
        form = {2: 0x1000, 4: draw.randrange(65536)}.get(what, 0xBEDE)
        return struct.pack("!HH", form, len(elements) // 4) + elements

    def _picture_payload(self) -> bytes:
        draw = self.draw
        if draw.random() < 0.05:
            return draw.randbytes(draw.randrange(12))
        first = 0x10 if draw.random() < 0.5 else 0x00
        first |= 0x80 if draw.random() < 0.9 else 0
        first |= 0x20 if draw.random() < 0.3 else 0
        head = bytes((first,))
        if first & 0x80:
            bits = draw.choice((0x80, 0xC0, 0xE0, 0xF0, 0x90, 0x00))
            self._picture += draw.randrange(2)
            head += bytes((bits,))
            if bits & 0x80:
                long = struct.pack("!H", 0x8000 | self._picture & 0x7FFF)
                head += long if draw.random() < 0.8 else bytes((self._picture & 0x7F,))
            if bits & 0x40:
                head += draw.randbytes(1)
            if bits & 0x30:
                head += draw.choice((b"\x00", b"\x40", b"\x60", b"\x80"))
        key = draw.random() < 0.2
        frame = bytes((0x50 if key else 0x51, 0, 0)) + b"\x9d\x01\x2a\x00\x05\xd0\x02"
        return head + frame + draw.randbytes(draw.choice((0, 5, 300, 1400)))

    def next(self) -> tuple[int, bytes]:
        """Return who sends and the datagram."""
        draw = self.draw
        if self._held and draw.random() < 0.1:
            return self._held.pop(draw.randrange(len(self._held)))
        party, kind = draw.randrange(2), draw.choice((0, 1, 1, 1, 2))
        lane = min(kind, 1)
        self._seq[party][kind] += draw.choice((1, 1, 1, 1, 1, 1, 2, 4))
        if draw.random() < 0.003:
            self._seq[party][kind] += draw.choice((150, 2999, 9000))
        if draw.random() < 0.5:
            self._time[party][lane] += 3000
        if draw.random() < 0.002:
            self._ssrc[party][kind] += 1
        extension = self._extension()
        payload = self._picture_payload() if kind else draw.randbytes(40)
        if kind == 2:
            lost = self._seq[party][1] - draw.randrange(8) & 0xFFFF
            payload = struct.pack("!H", lost) + payload if draw.random() < 0.9 else b"\0"
        first = 0x80 | (0x10 if extension else 0)
        if draw.random() < 0.05:
            first, payload = first | 0x20, payload + bytes((draw.randrange(6),))
        head = struct.pack(
            "!BBHII",
            first,
            (111, 96, 97)[kind] | draw.choice((0, 0x80)),
            self._seq[party][kind] & 0xFFFF,
            self._time[party][lane] & 0xFFFFFFFF,
            self._ssrc[party][kind],
        )
        datagram = self._sealed(party, head + extension + payload)
        if draw.random() < 0.05:
            self._held.append((party, datagram))
        if draw.random() < 0.02:
            broken = bytearray(datagram)
            broken[draw.randrange(len(broken))] ^= 1 << draw.randrange(8)
            datagram = bytes(broken)
        return party, datagram


def disturb(rig: Rig, draw: random.Random) -> None:
    """Do one thing that the rest of the engine does now and then."""
    path = rig.path
    source, sink = draw.randrange(4), draw.randrange(4)
    kind = MEDIA[sink % 2][0]
    match draw.randrange(16):
        case 0:
            path.set_open(rig.sources[source], is_open=draw.random() < 0.9)
        case 1:
            path.replace(rig.sources[source])
        case 2 | 3 | 4:
            path.set_flow(rig.sinks[sink], draw.choice((Flow.ALL, Flow.BASE, Flow.KEYS)))
        case 5:
            table = draw.choice((b"", TABLE))
            agreed = Agreed(kind, RTX, table, stamps=draw.random() < 0.5, numbers=True, mid=b"12")
            path.agree(rig.sinks[sink], agreed)
        case 6:
            heard = NOBODY if draw.random() < 0.2 else rig.sources[(sink + 2) % 4]
            path.listen(rig.sinks[sink], heard)
        case 7:
            path.want_keyframe(rig.sources[source])
        case 8 | 9 | 10 | 11:
            rig.now += draw.choice((0.02, 0.3, 1.1))
            path.tick(rig.now)
            for number, leg in enumerate(rig.legs):
                path.allow(leg, FROM[number], rig.now + 30)
        case 12:
            path.allow(rig.legs[sink % 2], FROM[sink], rig.now + draw.choice((5, 30)))
        case 13:
            path.set_window(rig.sources[source], draw.choice((0.1, 0.4, 2.0)))
        case 14:
            path.set_codec(rig.sources[3], draw.choice((Codec.VP8, Codec.VP8, Codec.H264)))
        case 15:
            path.forbid(rig.legs[sink % 2], FROM[2 + sink % 2])


@pytest.fixture
async def rigs() -> AsyncIterator[list[Rig]]:
    """A Python and a native path, told the same."""
    made = [Rig(PythonPath), Rig(NativePath)]
    sockets = []
    for rig in made:
        udp = socket(AF_INET, SOCK_DGRAM)
        udp.setblocking(False)
        udp.bind(("127.0.0.1", 0))
        sockets.append(udp)
        rig.path.start(udp)
        rig.lay()
    yield made
    for rig, udp in zip(made, sockets, strict=True):
        rig.path.stop()
        udp.close()


@pytest.mark.parametrize("seed", range(12))
async def test_both_paths_send_and_say_the_same(rigs: list[Rig], seed: int) -> None:
    sender, draw = Sender(seed), random.Random(seed)
    for step in range(1500):
        party, datagram = sender.next()
        moves = draw.random() < 0.01
        what, again, advance = draw.randbytes(8), draw.random() < 0.1, draw.choice((0.0, 0.004))
        for rig in rigs:
            rig.now += advance
            before = len(rig.sent)
            rig.path.feed(datagram, FROM[party + 2 * moves])
            rig.settle()
            if step % 15 == 0:
                disturb(rig, random.Random(what))
                rig.settle()
            if again:
                numbers = [x[2] << 8 | x[3] for x, _ in rig.sent[-40:]]
                rig.path.resend(rig.sinks[step % 4], numbers, 9)
                rig.settle()
            assert rig.sent[before:] == rigs[0].sent[before:], step
        shown = [rig.shown() for rig in rigs] if step % 20 == 0 else [0, 0]
        assert shown[0] == shown[1], step
    assert len(rigs[1].sent) > 400
