"""The packet path in C: what is asked of it, and what its thread hands over.

Implements `PacketPath` of media/path.py. Which thread may do what is said at the head of
media/native/path.c; on this side everything runs on the event loop's thread:

 1. One ctypes call is one turn of the lock, microseconds long. Removing, closing and changing keys
    also wait until what was sealed before has left (under a millisecond): nothing older leaves.
 2. SRTP sessions given to the library are held here until the call that takes them away has
    returned, and used by nobody else. It seals all that leaves, RTP and RTCP: nobody else can.
 3. The thread reads the socket, both sides send on it, each datagram by itself and never waiting.
 4. What is not for the path comes over a socket pair, in order and bounded: it is lost, not waited
    for, when the loop is behind. An address of a party has 400 a second; strangers share 1,000, of
    which those of one place (an IPv4 address, an IPv6 network) have 500 at most.
"""

import asyncio
import ctypes
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence, Set
from socket import (
    AF_UNIX,
    SO_SNDBUF,
    SOCK_SEQPACKET,
    SOL_SOCKET,
    socket,
    socketpair,
)
from struct import Struct
from typing import Any

from media.ice import Address
from media.libs import PacketBuffer, SrtpSession, srtp_functions
from media.native import library as lib
from media.path import (
    NOBODY,
    Agreed,
    LegState,
    Outsider,
    PathCounts,
    Route,
    Seeds,
    SinkState,
    SourceState,
    StreamSend,
)
from security.errors import Unavailable

HAND_OVER_BYTES = 1 << 20
# Per turn of the event loop, which no callback may hold for 20 ms (a handshake takes 1 to 2).
BATCH = 64
BATCH_SECONDS = 0.008
MAX_REMEMBERED = 4096
_HEAD = Struct("@24sdIxxxx")  # `envelope` of path.h
_TO_STREAM = 1
_PASSAGE = Struct("@dHHxxxx")  # `passage` of path.h
_SOURCE = Struct("@5q2d5q?xxx2ixxxx")  # `source_facts`, in the order of `SourceState`
_SINK = Struct("@?xxxxxxx4q")  # `sink_facts`, in the order of `SinkState`


class NativePath:
    """Forwards in a thread of its own. `clock` gives monotonic seconds."""

    name = "native"

    def __init__(
        self, clock: Callable[[], float], outsider: Outsider, stream_send: StreamSend
    ) -> None:
        """Raises `Unusable` when the library was not built from this source."""
        self._lib: Any = lib.load()
        self._clock = clock
        self._outsider = outsider
        self._stream_send = stream_send
        self._path: Any = self._lib.path_new(*srtp_functions()[:3])
        if not self._path:
            raise Unavailable("the packet path has no memory")
        weakref.finalize(self, self._lib.path_free, self._path)
        self._pair: tuple[socket, socket] | None = None
        self._late: deque[tuple[bytes, Address, float]] = deque()
        self._buffer = PacketBuffer()
        self._sessions: dict[int, tuple[SrtpSession, SrtpSession]] = {}
        self._taps: dict[int, int] = {}
        self._wheres: dict[Address, lib.Where] = {}
        self._addresses: dict[bytes, Address] = {}
        self._passages = (lib.Passage * lib.MAX_SENT)()
        self._written = memoryview(self._passages).cast("B")
        # Read many times a second: one call, and no object for each field.
        self._source_facts, self._sink_facts = lib.SourceFacts(), lib.SinkFacts()
        self._gaps = (lib.Gap * lib.MAX_MISSING)()
        self._listed = (ctypes.c_int32 * lib.MAX_LISTED)()
        self.tick(clock())

    # --- life

    def start(self, udp: socket) -> None:
        """Read `udp` from now on. Raises `Unavailable` when there is no thread to be had."""
        ours, thread = self._pair = socketpair(AF_UNIX, SOCK_SEQPACKET)
        for end in self._pair:
            end.setblocking(False)
            end.setsockopt(SOL_SOCKET, SO_SNDBUF, HAND_OVER_BYTES)
        asyncio.get_running_loop().add_reader(ours.fileno(), self._on_handed_over)
        if self._lib.path_start(self._path, udp.fileno(), thread.fileno()):
            self.stop()
            raise Unavailable("the packet path has no thread")

    def stop(self) -> None:
        """End the thread and forget everything."""
        self._lib.path_stop(self._path)
        self._sessions.clear()
        self._taps.clear()
        self._late.clear()
        if self._pair is not None:
            asyncio.get_running_loop().remove_reader(self._pair[0].fileno())
            for end in self._pair:
                end.close()
            self._pair = None

    def feed(self, data: bytes, address: Address) -> None:
        """Take one datagram that came over a TCP connection."""
        if 1 <= len(data) < PacketBuffer.SIZE:
            where = self._where(address)
            self._lib.path_feed(self._path, where, data, len(data), self._clock())
            self._on_handed_over()

    def tick(self, now: float) -> None:
        """Set the thread's clock and size the caches."""
        self._lib.path_tick(self._path, now)

    def expect_checks(self, ufrag: str) -> None:
        """Let checks addressed to `ufrag` come out."""
        name = ufrag.encode("ascii", "replace")
        self._done(self._lib.path_expect(self._path, name, len(name)))

    def ignore_checks(self, ufrag: str) -> None:
        """Let them come out no more."""
        name = ufrag.encode("ascii", "replace")
        self._lib.path_ignore(self._path, name, len(name))

    def counts(self) -> PathCounts:
        """Return what was not carried."""
        facts = lib.PathFacts()
        self._lib.path_read(self._path, facts)
        unheard = facts.hand_overs_lost + facts.refused_to_hand
        return PathCounts(facts.stale, facts.excess, facts.unsent, unheard)

    def needy(self) -> list[int]:
        """Return the sources that miss numbers or want a keyframe."""
        count = self._lib.source_needy(self._path, self._listed, lib.MAX_LISTED)
        return list(self._listed[:count])

    def moved(self) -> list[int]:
        """Return the legs that moved to another address since the last call."""
        return list(self._listed[: self._lib.leg_moved(self._path, self._listed, lib.MAX_LISTED)])

    def recall(self, ssrcs: Set[int]) -> None:
        """Give up media of these SSRCs that the thread has handed over and nobody has taken yet."""
        while self._pair is not None:
            try:
                message = self._pair[0].recv(PacketBuffer.SIZE)
            except BlockingIOError:
                break
            where, at, what = _HEAD.unpack_from(message)
            address, data = self._address(where), memoryview(message)[_HEAD.size :]
            if what != _TO_STREAM:
                self._late.append((bytes(data), address, at))
            elif 192 <= data[1] <= 223 or int.from_bytes(data[8:12], "big") not in ssrcs:
                self._stream_send(data, address)
        if self._late:
            asyncio.get_running_loop().call_soon(self._on_handed_over)

    def _pass_late(self) -> None:
        """Pass on what came for others while something was recalled."""
        while self._late:
            self._outsider(*self._late.popleft())

    def _on_handed_over(self) -> None:
        """Pass on what the thread handed over."""
        self._pass_late()
        buffer, begun = self._buffer, time.monotonic()
        for _ in range(BATCH):
            if self._pair is None:
                return
            try:
                size = self._pair[0].recv_into(buffer.data)
            except BlockingIOError:
                return
            where, at, what = _HEAD.unpack_from(buffer.data)
            address = self._address(where)
            if what == _TO_STREAM:
                self._stream_send(buffer.view[_HEAD.size : size], address)
            else:
                self._outsider(bytes(buffer.view[_HEAD.size : size]), address, at)
            if time.monotonic() - begun > BATCH_SECONDS:
                return

    # --- addresses

    def _where(self, address: Address) -> lib.Where:
        """Return the address as the library has it."""
        found = self._wheres.get(address)
        if found is None:
            if len(self._wheres) >= MAX_REMEMBERED:
                self._wheres.clear()
                self._addresses.clear()
            found = self._wheres[address] = lib.to_where(address)
            self._addresses[bytes(found)] = address
        return found

    def _address(self, where: bytes) -> Address:
        """Return an address of the library, the very one that was given if it was."""
        return self._addresses.get(where) or lib.to_address(lib.Where.from_buffer_copy(where))

    # --- legs

    def _done(self, result: int) -> int:
        if result == lib.GONE:
            raise LookupError("the packet path has no such handle any more")
        if result == lib.FULL:
            raise Unavailable("the packet path has no space")
        return result

    def add_leg(self) -> int:
        """Return a leg without keys, addresses and routes."""
        return self._done(self._lib.leg_add(self._path))

    def remove_leg(self, leg: int) -> None:
        """Forget the leg with its sinks and addresses."""
        self._done(self._lib.leg_remove(self._path, leg))
        self._sessions.pop(leg, None)

    def set_keys(self, leg: int, profile: int, inbound: bytes, outbound: bytes) -> None:
        """Let media of the leg pass."""
        into = SrtpSession(inbound, profile, inbound=True)
        out = SrtpSession(outbound, profile, inbound=False)
        self._done(self._lib.leg_keys(self._path, leg, into.address, out.address))
        self._sessions[leg] = into, out

    def clear_keys(self, leg: int) -> None:
        """Neither take nor send media any more."""
        self._done(self._lib.leg_keys(self._path, leg, None, None))
        self._sessions.pop(leg, None)

    def allow(self, leg: int, address: Address, until: float) -> None:
        """Take media from `address`, and send there until `until`."""
        self._done(self._lib.leg_allow(self._path, leg, self._where(address), until))

    def forbid(self, leg: int, address: Address) -> None:
        """Forget an address of the leg."""
        self._done(self._lib.leg_forbid(self._path, leg, self._where(address)))

    def use(self, leg: int, address: Address) -> None:
        """Send to `address` from now on."""
        self._done(self._lib.leg_use(self._path, leg, self._where(address)))

    def set_routes(self, leg: int, routes: Sequence[Route]) -> None:
        """Put these routes in place of the leg's."""
        entries = (lib.RouteEntry * len(routes))()
        for entry, route in zip(entries, routes, strict=True):
            entry.payload_type, entry.source = route.payload_type, route.source
            entry.table[:] = route.table
            entry.cc, entry.stamp, entry.mid = route.cc, route.stamp, route.mid
            entry.repairs, entry.carries = route.repairs, route.carries
        self._done(self._lib.leg_routes(self._path, leg, entries, len(routes)))

    def leg_state(self, leg: int) -> LegState:
        """Return how the leg does."""
        facts = lib.LegFacts()
        self._done(self._lib.leg_read(self._path, leg, facts))
        return LegState(
            facts.heard_at,
            self._address(bytes(facts.heard_from)) if facts.heard_from.kind else None,
            self._address(bytes(facts.used)) if facts.used.kind else None,
            facts.packets_received,
            facts.bytes_received,
            facts.packets_forwarded,
            facts.bytes_forwarded,
            facts.refused,
        )

    def send_control(self, leg: int, packet: bytes) -> bool:
        """Seal RTCP and send it to the address in use."""
        send, size = self._lib.leg_control, len(packet)
        return self._done(send(self._path, leg, packet, size, self._clock())) > 0

    def tell_arrivals(self, leg: int, ssrc: int) -> None:
        """Tell the sender when its packets arrived."""
        self._done(self._lib.leg_tell(self._path, leg, ssrc))

    def take_sent(self, leg: int, first: int, count: int) -> list[tuple[int, float, int]]:
        """Return (number, time, bytes) of what was sent under these numbers, each once."""
        found = self._done(self._lib.leg_sent(self._path, leg, first, count, self._passages))
        written = self._written[: found * _PASSAGE.size]
        return [(number, at, size) for at, number, size in _PASSAGE.iter_unpack(written)]

    # --- sources

    def add_source(self, codec: int) -> int:
        """Return a closed source that expects any SSRC."""
        return self._done(self._lib.source_add(self._path, codec))

    def remove_source(self, source: int) -> None:
        """Forget the source with its taps."""
        self._done(self._lib.source_remove(self._path, source))

    def set_codec(self, source: int, codec: int) -> None:
        """Take packets for another codec of the same kind."""
        self._done(self._lib.source_codec(self._path, source, codec))

    def expect(self, source: int, announced: Sequence[int], *, repairable: bool) -> None:
        """Accept these SSRCs only, or any when there are none."""
        numbers = (ctypes.c_uint32 * len(announced))(*announced)
        done = self._lib.source_expect(self._path, source, numbers, len(announced), repairable)
        self._done(done)

    def replace(self, source: int) -> None:
        """Note that its connection is gone and another one may follow."""
        self._done(self._lib.source_replace(self._path, source))

    def set_open(self, source: int, *, is_open: bool) -> None:
        """Let packets through or not. Once this returns, nothing older leaves."""
        self._done(self._lib.source_open(self._path, source, is_open))

    def set_window(self, source: int, seconds: float) -> None:
        """Size the cache for repairs within `seconds`."""
        self._done(self._lib.source_window(self._path, source, seconds))

    def want_keyframe(self, source: int) -> None:
        """Note a wish that lasts until a keyframe begins."""
        self._done(self._lib.source_want(self._path, source))

    def source_state(self, source: int) -> SourceState:
        """Return what the source brought."""
        self._done(self._lib.source_read(self._path, source, self._source_facts))
        return SourceState._make(_SOURCE.unpack_from(self._source_facts))

    def source_octets(self, source: int) -> int:
        """Return how many bytes the source brought."""
        return self._done(self._lib.source_octets(self._path, source))

    def missing(self, source: int) -> list[tuple[int, float]]:
        """Return (number, time noticed) of what is missing, oldest first."""
        now = self._clock()
        count = self._done(self._lib.source_missing(self._path, source, self._gaps, now))
        return [(x.seq, x.at) for x in self._gaps[:count]]

    # --- sinks

    def add_sink(self, leg: int, codec: int, seeds: Seeds) -> int:
        """Return a stream towards the leg that listens to nobody."""
        begin = lib.SinkSeeds(
            ssrc=seeds.ssrc,
            rtx_ssrc=seeds.rtx_ssrc,
            first_time=seeds.first_time,
            first_seq=seeds.first_seq,
            first_rtx_seq=seeds.first_rtx_seq,
        )
        return self._done(self._lib.sink_add(self._path, leg, codec, begin))

    def remove_sink(self, sink: int) -> None:
        """End the stream."""
        self._done(self._lib.sink_remove(self._path, sink))

    def agree(self, sink: int, agreed: Agreed) -> None:
        """Take what the listener negotiated."""
        entry = lib.SinkAgreed(
            payload_type=agreed.payload_type,
            rtx_type=agreed.rtx_type,
            has_table=bool(agreed.table),
            stamps=agreed.stamps,
            numbers=agreed.numbers,
            mid_size=min(len(agreed.mid), lib.MID_BYTES),  # over 16 fits nowhere
        )
        if agreed.table:
            entry.table[:] = agreed.table
        entry.mid[: entry.mid_size] = agreed.mid[: lib.MID_BYTES]
        self._done(self._lib.sink_agree(self._path, sink, entry))

    def listen(self, sink: int, source: int) -> None:
        """Send what `source` brings, or nothing."""
        self._done(self._lib.sink_listen(self._path, sink, source))

    def set_flow(self, sink: int, flow: int) -> None:
        """Say which frames are sent, from the next frame on."""
        self._done(self._lib.sink_flow(self._path, sink, flow))

    def set_twice(self, sink: int, *, on: bool) -> None:
        """Send sound twice from now on, or once."""
        self._done(self._lib.sink_twice(self._path, sink, on))

    def resend(self, sink: int, seqs: Sequence[int], limit: int) -> int:
        """Send packets of the sink again, at most `limit`; return how many."""
        numbers = (ctypes.c_uint16 * len(seqs))(*seqs)
        again, now = self._lib.sink_resend, self._clock()
        return self._done(again(self._path, sink, numbers, len(seqs), limit, now))

    def sink_state(self, sink: int) -> SinkState:
        """Return what was sent."""
        self._done(self._lib.sink_read(self._path, sink, self._sink_facts))
        return SinkState._make(_SINK.unpack_from(self._sink_facts))

    def time_out(self, sink: int, time: int) -> int:
        """Return the sink's timestamp for its source's, `NOBODY` while not attached."""
        found: int = self._lib.sink_time_out(self._path, sink, time)
        return NOBODY if found == lib.DETACHED else self._done(found)

    # --- taps

    def add_tap(self, source: int, size: int) -> int:
        """Return a tap that holds up to `size` bytes of the source."""
        tap = self._done(self._lib.tap_add(self._path, source, size))
        self._taps[tap] = size
        return tap

    def read_tap(self, tap: int) -> tuple[bytes, int]:
        """Return what came, and how many packets were lost."""
        space, lost = self._taps.get(tap, 0), ctypes.c_uint64()
        out = ctypes.create_string_buffer(space)
        used = self._done(self._lib.tap_read(self._path, tap, out, space, lost))
        return out.raw[:used], lost.value

    def remove_tap(self, tap: int) -> None:
        """End the tap."""
        self._done(self._lib.tap_remove(self._path, tap))
        self._taps.pop(tap, None)
