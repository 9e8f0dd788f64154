"""Connections of the media port: what abuses them is closed, what is slow loses its own packets."""

import asyncio
import socket
import struct
import time
from collections.abc import AsyncIterator

import pytest

from media.crowd import (
    MAX_STRANGERS_PER_ADDRESS,
    SILENT_SECONDS,
    STRANGER_FRAMES,
    STRANGER_SECONDS,
    TORN_SECONDS,
)
from media.framing import Unframer, framed
from media.ice import Address
from media.tcp import MAX_UNSENT_BYTES, MAX_WAIT_SECONDS, Stream, Streams
from tests.media.basics import Clock, until

PICTURE = b"\x80\x60" + bytes(1198)
CONTROL = b"\x80\xc9" + bytes(10)


class Place:
    """A listening port, what it received, and connections to it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.received: list[tuple[bytes, Address]] = []
        self.gone: list[Address] = []
        self.streams = Streams(
            lambda data, address: self.received.append((data, address)),
            self.gone.append,
            clock=self.clock,
        )
        listening = socket.socket()
        listening.setblocking(False)
        listening.bind(("127.0.0.1", 0))
        self.name = listening.getsockname()
        self.streams.open(listening)
        self._made: list[socket.socket] = []

    async def connect(self, *, receive_bytes: int | None = None) -> socket.socket:
        """Return a connected socket, once it is taken."""
        made = socket.socket()
        if receive_bytes:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        made.setblocking(False)
        self._made.append(made)
        before = len(self.streams) + len(self.gone)
        await asyncio.get_running_loop().sock_connect(made, self.name)
        assert await until(lambda: len(self.streams) + len(self.gone) > before)
        return made

    async def prove(self, made: socket.socket) -> Address:
        """Return the address of a connection that a check has come over."""
        await self.say(made, framed(b"\0\1check"))
        assert await until(lambda: self.address(made) in [x for _, x in self.received])
        self.streams.prove(self.address(made))
        return self.address(made)

    def address(self, made: socket.socket) -> Address:
        return (*made.getsockname(), 0, 0, "tcp")

    async def say(self, made: socket.socket, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(made, data)

    def later(self, seconds: float) -> None:
        """Let time pass, and what is due be done."""
        self.clock.ahead += seconds
        self.streams.tick(self.clock())

    def close(self) -> None:
        self.streams.close()
        for made in self._made:
            made.close()


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    made = Place()
    yield made
    made.close()


async def heard(made: socket.socket, seconds: float = 1.0) -> list[bytes]:
    """Return the packets that arrive until nothing more comes."""
    frames, found = Unframer(), list[bytes]()
    loop = asyncio.get_running_loop()
    try:
        while True:
            async with asyncio.timeout(seconds):
                data = await loop.sock_recv(made, 65536)
            if not data:
                return found
            found += frames.feed(data)
    except TimeoutError:
        return found


async def test_packets_go_both_ways_with_the_connection_as_their_address(place: Place) -> None:
    made = await place.connect()
    address = await place.prove(made)
    await place.say(made, framed(PICTURE)[:700])
    await place.say(made, framed(PICTURE)[700:] + framed(CONTROL))
    assert await until(lambda: len(place.received) == 3)
    assert place.received[1:] == [(PICTURE, address), (CONTROL, address)]
    assert place.streams.send(PICTURE, address)
    assert await heard(made, 0.2) == [PICTURE]
    assert not place.streams.send(PICTURE, ("127.0.0.1", 1, 0, 0, "tcp"))


@pytest.mark.parametrize(
    "abuse", [b"\0\0", b"\xff\xff", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01"]
)
async def test_what_is_not_framed_is_closed_at_once(place: Place, abuse: bytes) -> None:
    made = await place.connect()
    await place.say(made, abuse)
    assert await until(lambda: len(place.gone) == 1)
    assert place.received == []


async def test_who_never_sends_a_check_is_closed_and_may_not_say_much(place: Place) -> None:
    silent, talker = await place.connect(), await place.connect()
    await place.say(talker, framed(b"\0\1") * (STRANGER_FRAMES + 1))
    assert await until(lambda: place.gone == [place.address(talker)])
    assert len(place.received) == STRANGER_FRAMES
    place.later(STRANGER_SECONDS + 0.1)
    assert place.gone[1:] == [place.address(silent)]


async def test_a_packet_that_comes_byte_by_byte_is_not_waited_for(place: Place) -> None:
    made, other = await place.connect(), await place.connect()
    address = await place.prove(made)
    await place.prove(other)
    for number, byte in enumerate(framed(PICTURE)[:4]):
        await place.say(made, bytes([byte]))
        # What came later elsewhere is here: so is this byte.
        await place.say(other, framed(CONTROL))
        assert await until(lambda: len(place.received) == 3 + number)  # noqa: B023
        place.later(TORN_SECONDS / 3)
    place.later(1.0)
    assert place.gone == [address]


async def test_a_connection_that_is_silent_for_half_a_minute_is_closed(place: Place) -> None:
    made, other = await place.connect(), await place.connect()
    address, kept = await place.prove(made), await place.prove(other)
    place.later(SILENT_SECONDS - 1)
    await place.say(other, framed(CONTROL))
    assert await until(lambda: (CONTROL, kept) in place.received)
    place.later(2.0)
    assert place.gone == [address]


async def test_a_crowd_from_one_address_is_bounded(place: Place) -> None:
    for _ in range(MAX_STRANGERS_PER_ADDRESS + 5):
        await place.connect()
    assert len(place.streams) == MAX_STRANGERS_PER_ADDRESS
    assert len(place.gone) == 5


async def test_a_connection_that_takes_nothing_loses_its_own_packets_whole(place: Place) -> None:
    made = await place.connect(receive_bytes=4096)
    address = await place.prove(made)
    sent = 0
    while place.streams.send(PICTURE, address):
        sent += 1
        assert sent * len(PICTURE) < 4 * MAX_UNSENT_BYTES
    # What steers the call still finds room behind the pictures.
    assert place.streams.send(CONTROL, address)
    assert place.streams.dropped == 1
    place.clock.ahead += MAX_WAIT_SECONDS + 0.1
    found = await heard(made)
    assert found == [PICTURE] * sent + [CONTROL]
    assert place.streams.send(PICTURE, address)
    assert await heard(made, 0.2) == [PICTURE]


async def test_pictures_that_would_come_too_late_are_left_out(place: Place) -> None:
    made = await place.connect(receive_bytes=4096)
    address = await place.prove(made)
    for _ in range(100):
        assert place.streams.send(PICTURE, address)
    place.clock.ahead += MAX_WAIT_SECONDS + 0.1
    assert not place.streams.send(PICTURE, address)
    assert place.streams.send(CONTROL, address)


async def test_a_connection_that_breaks_is_told_of_once(place: Place) -> None:
    made = await place.connect()
    address = await place.prove(made)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    made.close()
    began = time.monotonic()
    while place.gone == [] and time.monotonic() - began < 5:
        place.streams.send(PICTURE, address)
        await asyncio.sleep(0)
    assert place.gone == [address]
    assert not place.streams.send(PICTURE, address)


def reset(made: socket.socket) -> None:
    """Close a connection by a reset, so that its port can be had again at once."""
    made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    made.close()


def reused(place: Place, port: int = 0) -> socket.socket:
    """Return a connection from `port`, made without a turn of the loop."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", port))
    made.connect(place.name)
    made.setblocking(False)
    place._made.append(made)
    return made


async def test_a_port_that_is_reset_and_used_again_is_one_connection_and_the_newer_one(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads, read = list[Stream](), Streams._on_readable

    def counted(streams: Streams, stream: Stream) -> None:
        reads.append(stream)
        read(streams, stream)

    monkeypatch.setattr(Streams, "_on_readable", counted)
    first = reused(place)
    address = place.address(first)
    assert await until(lambda: len(place.streams) == 1)
    # Both are ready in one turn: the listening socket first, then what is left of the old one.
    other = reused(place)
    reset(first)
    again = reused(place, address[1])
    assert await until(lambda: len(place.streams) == 2)
    await place.say(again, framed(b"\0\1new"))
    assert await until(lambda: (b"\0\1new", address) in place.received)
    assert place.gone == [address]
    assert len(place.streams._crowd) == 2
    reads.clear()
    for _ in range(50):
        await asyncio.sleep(0)
    assert reads == []
    reset(again)
    assert await until(lambda: place.gone == [address, address])
    reset(other)
    assert await until(lambda: len(place.streams) == 0)
    assert len(place.streams._crowd) == 0


async def test_a_place_that_resets_and_comes_again_and_again_is_still_let_in(place: Place) -> None:
    for _ in range(3 * MAX_STRANGERS_PER_ADDRESS):
        made = reused(place)
        port = made.getsockname()[1]
        await asyncio.sleep(0)
        reset(made)
        reset(reused(place, port))
        await asyncio.sleep(0)
    last = await place.connect()
    assert await until(lambda: len(place.streams) == 1)
    assert place.address(last) in place.streams._streams
    assert len(place.streams._crowd) == 1


def media(ssrc: int) -> bytes:
    return b"\x80\x60" + bytes(6) + ssrc.to_bytes(4, "big") + bytes(1188)


async def test_what_is_recalled_leaves_no_more_but_for_what_has_begun_to(place: Place) -> None:
    made, other = await place.connect(receive_bytes=4096), await place.connect(receive_bytes=4096)
    addresses = [await place.prove(made), await place.prove(other)]
    sent = 0
    while place.streams.send(media(7 + sent % 2), addresses[0]):
        sent += 1
        assert sent * 1200 < 4 * MAX_UNSENT_BYTES
    assert place.streams.send(media(7), addresses[1])
    waiting = place.streams._streams[addresses[0]]
    left = sent - len(waiting._unsent)
    place.streams.recall({7, 99})
    assert place.streams.send(CONTROL, addresses[0])
    assert place.streams.send(media(8), addresses[0])
    found = await heard(made)
    assert found[-2:] == [CONTROL, media(8)]
    assert found.count(media(7)) <= left // 2 + 1
    assert found.count(media(8)) == sent // 2 + 1
    assert waiting._unsent_bytes == 0
    assert await heard(other, 0.2) == [media(7)]
