"""ICE-TCP (RFC 6544, passive): connections on the media port's number, each like an address.

A packet that comes over one is treated as a datagram from the address (host, port, 0, 0, "tcp").
What a slow connection does not take is dropped whole, as a full line drops it: waiting in a
buffer, it would only come too late.
"""

import asyncio
import fcntl
import logging
import socket
import sys
from collections import deque
from collections.abc import Callable, Set
from contextlib import suppress

from media.crowd import TORN_SECONDS, Crowd
from media.framing import HEADER_BYTES, Unframer, framed
from media.ice import Address
from media.path import STREAM

BACKLOG = 128
ACCEPTS_PER_TURN = 16
READ_BYTES = 16 * 1024
# What waits longer for a slow connection only comes too late.
MAX_WAIT_SECONDS = 0.4
# A keyframe fits, and what controls the call finds room behind media.
MAX_UNSENT_BYTES, ROOM_FOR_CONTROL_BYTES = 256 * 1024, 16 * 1024
# What the network has not taken waits here, where it can still be left out, not in the kernel.
MAX_WAITING_IN_KERNEL_BYTES = 16 * 1024
TCP_NOTSENT_LOWAT, SIOCOUTQNSD = 25, 0x894B  # Linux
ACCEPT_AGAIN_SECONDS = 1.0
SWEEP_SECONDS = 1.0

_log = logging.getLogger(__name__)
Receive = Callable[[bytes, Address], None]
Gone = Callable[[Address], None]


class Stream:
    """One connection."""

    __slots__ = (
        "_torn",
        "_unsent",
        "_unsent_bytes",
        "address",
        "frames",
        "plain",
        "torn_since",
        "writing",
    )

    def __init__(self, plain: socket.socket, address: Address) -> None:
        self.plain = plain
        self.address = address
        self.frames = Unframer()
        self.writing = False
        self.torn_since: float | None = None
        self._unsent: deque[tuple[float, memoryview]] = deque()
        self._unsent_bytes = 0
        self._torn = False  # part of the first has been sent

    def admit(self, data: bytes | memoryview, now: float) -> bool:
        """Queue a packet, unless it would come too late; what is not media nearly always."""
        media = _is_media(data)
        free = MAX_UNSENT_BYTES - self._unsent_bytes - (ROOM_FOR_CONTROL_BYTES if media else 0)
        late = media and self._unsent and now - self._unsent[0][0] > MAX_WAIT_SECONDS
        if late or len(data) > free:
            return False
        self._unsent.append((now, memoryview(framed(data))))
        self._unsent_bytes += len(data) + HEADER_BYTES
        return True

    def write(self) -> bool:
        """Hand over what the network takes now; tell whether all went. Raises `OSError`."""
        while self._unsent:
            if self._waiting_in_kernel() >= MAX_WAITING_IN_KERNEL_BYTES:
                return False
            since, data = self._unsent[0]
            try:
                sent = self.plain.send(data)
            except BlockingIOError:
                return False
            self._unsent_bytes -= sent
            if sent < len(data):
                # The rest of a packet has to follow, whatever comes.
                self._unsent[0] = (since, data[sent:])
                self._torn = self._torn or sent > 0
                return False
            self._torn = False
            self._unsent.popleft()
        return True

    def recall(self, ssrcs: Set[int]) -> None:
        """Drop media of these SSRCs that waits; what has begun to leave has to end."""
        held = deque(self._unsent)
        kept = deque([held.popleft()] if self._torn else [])
        for since, data in held:
            if _ssrc(data[HEADER_BYTES:]) in ssrcs:
                self._unsent_bytes -= len(data)
            else:
                kept.append((since, data))
        self._unsent = kept

    def _waiting_in_kernel(self) -> int:
        with suppress(OSError):
            return int.from_bytes(fcntl.ioctl(self.plain, SIOCOUTQNSD, bytes(4)), sys.byteorder)
        return 0


def _is_media(data: bytes | memoryview) -> bool:
    return 128 <= data[0] < 192 and not (len(data) > 1 and 192 <= data[1] <= 223)


def _ssrc(data: memoryview) -> int:
    return int.from_bytes(data[8:12], "big") if _is_media(data) and len(data) >= 12 else -1


class Streams:
    """All TCP connections of a media port. All methods run on the loop."""

    def __init__(self, receive: Receive, gone: Gone, *, clock: Callable[[], float]) -> None:
        self._receive = receive
        self._gone = gone
        self._clock = clock
        self._listening: socket.socket | None = None
        self._streams: dict[Address, Stream] = {}
        self._crowd = Crowd()
        self._swept_at = 0.0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._streams)

    def open(self, listening: socket.socket) -> None:
        """Take connections of a bound socket from now on."""
        self._listening = listening
        listening.listen(BACKLOG)
        self._listen()

    def close(self) -> None:
        """Drop every connection and listen no more."""
        if self._listening is not None:
            asyncio.get_running_loop().remove_reader(self._listening.fileno())
            self._listening.close()
            self._listening = None
        for address in tuple(self._streams):
            self.drop(address)

    def send(self, data: bytes | memoryview, address: Address) -> bool:
        """Send one packet; False when it was dropped."""
        stream = self._streams.get(address)
        if stream is None:
            return False
        if not stream.admit(data, self._clock()):
            self.dropped += 1
            return False
        if not stream.writing:
            self._flush(stream)
        return True

    def recall(self, ssrcs: Set[int]) -> None:
        """Send no more of the media of these SSRCs than the network has already."""
        for stream in self._streams.values():
            stream.recall(ssrcs)

    def prove(self, address: Address) -> None:
        """Note that a genuine check came over a connection."""
        crowded_out = self._crowd.prove(address, self._clock())
        if crowded_out is not None:
            self.drop(crowded_out)

    def drop(self, address: Address) -> None:
        """Close a connection, if there is one."""
        stream = self._streams.get(address)
        if stream is not None:
            self._end(stream)

    def _end(self, stream: Stream) -> None:
        """Close this very connection: another one may have its address by now."""
        address = stream.address
        if self._streams.get(address) is not stream:
            return
        del self._streams[address]
        loop = asyncio.get_running_loop()
        loop.remove_reader(stream.plain.fileno())
        loop.remove_writer(stream.plain.fileno())
        stream.plain.close()
        self._crowd.leave(address)
        self._gone(address)

    def tick(self, now: float) -> None:
        """Close whoever is slow, silent or a stranger for too long; to be called often."""
        if now - self._swept_at < SWEEP_SECONDS:
            return
        self._swept_at = now
        for address in self._crowd.overdue(now):
            self.drop(address)
        torn = [
            x.address
            for x in self._streams.values()
            if x.torn_since is not None and now - x.torn_since > TORN_SECONDS
        ]
        for address in torn:
            self.drop(address)

    # --- inside

    def _on_connection(self) -> None:
        if self._listening is None:
            return
        for _ in range(ACCEPTS_PER_TURN):
            try:
                plain, name = self._listening.accept()
            except BlockingIOError:
                return
            except OSError as error:
                self._pause(error)
                return
            self._welcome(plain, name)

    def _pause(self, error: OSError) -> None:
        """Take no connection for a second: out of descriptors, the loop would turn for nothing."""
        if self._listening is None:
            return
        _log.warning("a connection to the media port was not taken: %s", error.strerror)
        loop, number = asyncio.get_running_loop(), self._listening.fileno()
        loop.remove_reader(number)
        loop.call_later(ACCEPT_AGAIN_SECONDS, self._listen)

    def _listen(self) -> None:
        if self._listening is not None:
            loop = asyncio.get_running_loop()
            loop.add_reader(self._listening.fileno(), self._on_connection)

    def _welcome(self, plain: socket.socket, name: Address) -> None:
        address: Address = (name[0], name[1], 0, 0, STREAM)
        self.drop(address)  # one that was reset, and whose port is in use again
        crowded_out = self._crowd.enter(address, self._clock())
        if crowded_out is not None:
            self.drop(crowded_out)
        plain.setblocking(False)
        with suppress(OSError):
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            plain.setsockopt(socket.IPPROTO_TCP, TCP_NOTSENT_LOWAT, MAX_WAITING_IN_KERNEL_BYTES)
        stream = self._streams[address] = Stream(plain, address)
        asyncio.get_running_loop().add_reader(plain.fileno(), self._on_readable, stream)

    def _on_readable(self, stream: Stream) -> None:
        try:
            data = stream.plain.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        frames = stream.frames.feed(data)
        now = self._clock()
        for frame in frames:
            if not self._crowd.hear(stream.address, now):
                self._end(stream)
                return
            self._receive(frame, stream.address)
            if self._streams.get(stream.address) is not stream:
                return
        if not data or stream.frames.broken:
            self._end(stream)
            return
        if not stream.frames.waiting:
            stream.torn_since = None
        elif frames or stream.torn_since is None:
            stream.torn_since = now

    def _flush(self, stream: Stream) -> None:
        """Send what waits; what is not taken now goes when it can."""
        loop = asyncio.get_running_loop()
        try:
            waits = not stream.write()
        except OSError:
            # Whoever called is in the middle of something: the connection goes in the next turn.
            loop.remove_writer(stream.plain.fileno())
            stream.writing = False
            loop.call_soon(self._end, stream)
            return
        if waits and not stream.writing:
            loop.add_writer(stream.plain.fileno(), self._flush, stream)
        elif not waits and stream.writing:
            loop.remove_writer(stream.plain.fileno())
        stream.writing = waits
