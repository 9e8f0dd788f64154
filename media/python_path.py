"""The packet path in Python: handles, the socket's reader, and what is asked of it.

Implements `PacketPath` of media/path.py; the packets themselves go through media/packets.py.
"""

from collections.abc import Callable, Sequence, Set
from itertools import count
from socket import socket

from media.ice import Address, addressed_ufrag
from media.libs import PacketBuffer
from media.outbox import Outbox
from media.overload import Shed
from media.packets import Forwarder
from media.path import (
    MAX_RTCP_BYTES,
    NOBODY,
    TELL_LATE_SECONDS,
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
from media.pathleg import PathLeg
from media.reader import Reader
from media.rtp import MIN_BYTES
from media.sink import Sink
from media.source import Source
from media.tap import Tap
from security.errors import Unavailable


class PythonPath:
    """Forwards on the event loop. `clock` gives monotonic seconds."""

    name = "python"

    def __init__(
        self, clock: Callable[[], float], outsider: Outsider, stream_send: StreamSend
    ) -> None:
        self._clock = clock
        self._outsider = outsider
        self._stream_send = stream_send
        self._udp: socket | None = None
        self._buffer = PacketBuffer()
        self._forwarder = Forwarder(self._send)
        self._outbox = Outbox()
        self._reader = Reader(clock, self._buffer, self._on_datagram, self._outbox.flush)
        self._handles = count()
        self._by_address: dict[Address, PathLeg] = {}
        self._legs: dict[int, PathLeg] = {}
        self._sources: dict[int, Source] = {}
        self._sinks: dict[int, Sink] = {}
        self._taps: dict[int, tuple[Tap, Source]] = {}
        self._behind: set[Source] = set()  # those left behind in this spell of lateness
        self._spell = 0
        self._stale = self._unsent = 0
        self._names: set[str] = set()

    # --- life

    def start(self, udp: socket) -> None:
        """Read `udp` from now on."""
        self._udp = udp
        self._reader.start(udp)

    def stop(self) -> None:
        """Read and send no more; forget everything."""
        self._reader.stop()
        self._udp = None
        self._outbox.clear()
        for held in (self._by_address, self._legs, self._sources, self._sinks, self._taps):
            held.clear()

    def feed(self, data: bytes, address: Address) -> None:
        """Take one datagram that came over a TCP connection."""
        if 1 <= len(data) < PacketBuffer.SIZE:
            self._buffer.view[: len(data)] = data
            self._on_datagram(self._buffer, len(data), address, self._clock())

    def tick(self, now: float) -> None:
        """Size the caches, look at the clocks."""
        self._reader.look_at_clocks()
        for source in self._sources.values():
            source.measure(now)
        for leg in self._legs.values():
            if leg.arrivals and leg.tells_as != NOBODY and now - leg.told_at >= TELL_LATE_SECONDS:
                self._forwarder.tell(leg, now)

    def recall(self, ssrcs: Set[int]) -> None:
        """Do nothing: nothing waits here."""

    def counts(self) -> PathCounts:
        """Return what was not carried."""
        return PathCounts(self._stale, self._forwarder.excess, self._unsent + self._outbox.unsent)

    def expect_checks(self, ufrag: str) -> None:
        """Let checks addressed to `ufrag` come out."""
        self._names.add(ufrag)

    def ignore_checks(self, ufrag: str) -> None:
        """Let them come out no more."""
        self._names.discard(ufrag)

    def needy(self) -> list[int]:
        """Return the sources that miss numbers or want a keyframe."""
        return [x for x, source in self._sources.items() if source.wanted or len(source.gaps)]

    def moved(self) -> list[int]:
        """Return the legs that moved to another address since the last call."""
        legs = [x for x, leg in self._legs.items() if leg.moved]
        for handle in legs:
            self._legs[handle].moved = False
        return legs

    # --- datagrams

    def _leave_out(self, leg: PathLeg, data: bytearray, size: int) -> bool:
        """Tell whether a packet is left out, and count it."""
        if size < MIN_BYTES or int.from_bytes(data[8:12], "big") not in leg.ssrcs:
            return False
        way = leg.routes.get(data[1] & 0x7F)
        if way is None or (self._reader.shed is Shed.PICTURES and not way[0].pictures):
            return False
        self._stale += 1
        if self._spell != self._reader.spell:
            self._spell = self._reader.spell
            self._behind.clear()
        if way[0] not in self._behind:
            self._behind.add(way[0])
            way[0].fall_behind()
        return True

    def _on_datagram(self, buffer: PacketBuffer, size: int, address: Address, now: float) -> None:
        data = buffer.data
        first = data[0]
        if 128 <= first < 192:
            leg = self._by_address.get(address)
            if leg is None:
                return
            if size < 2 or not 192 <= data[1] <= 223:
                if self._reader.shed and self._leave_out(leg, data, size):
                    return
                self._forwarder.take(leg, buffer, size, address, now)
                return
        elif first < 4:
            if addressed_ufrag(buffer.view[:size]) not in self._names:
                return
        elif not (20 <= first < 64 and address in self._by_address):
            return
        reader = self._reader
        draining, reader.draining = reader.draining, False
        if self._udp is not None:
            self._outbox.flush(self._udp)
        self._outsider(bytes(buffer.view[:size]), address, now)
        reader.draining = draining

    def _send(self, data: memoryview, leg: PathLeg, sink: Sink | None, octets: int) -> bool:
        """Send one datagram; what is not taken is lost, as on any line."""
        address = leg.address
        if address is None or self._udp is None:
            return False
        if leg.stream:
            return self._stream_send(data, address)
        if self._reader.draining:
            self._outbox.put(leg, (bytes(data), sink, octets))
            return True
        try:
            self._udp.sendto(data, address)
        except OSError:
            self._unsent += 1
            return False
        return True

    # --- legs

    def add_leg(self) -> int:
        """Return a leg without keys, addresses and routes."""
        handle = next(self._handles)
        self._legs[handle] = PathLeg(handle)
        return handle

    def remove_leg(self, leg: int) -> None:
        """Forget the leg with its sinks and addresses."""
        gone = self._legs.pop(leg)
        for sink in [x for x in self._sinks.values() if x.leg is gone]:
            self.remove_sink(sink.handle)
        for address in gone:
            self._disown(gone, address)

    def _disown(self, leg: PathLeg, address: Address) -> None:
        if self._by_address.get(address) is leg:
            del self._by_address[address]

    def set_keys(self, leg: int, profile: int, inbound: bytes, outbound: bytes) -> None:
        """Let media of the leg pass."""
        self._legs[leg].set_keys(profile, inbound, outbound)

    def clear_keys(self, leg: int) -> None:
        """Neither take nor send media any more."""
        self._legs[leg].inbound = self._legs[leg].outbound = None

    def allow(self, leg: int, address: Address, until: float) -> None:
        """Take media from `address`, and send there until `until`."""
        ours = self._legs[leg]
        ours.allow(address, until)
        if address in ours:
            self._by_address[address] = ours

    def forbid(self, leg: int, address: Address) -> None:
        """Forget an address of the leg."""
        self._legs[leg].forbid(address)
        self._disown(self._legs[leg], address)

    def use(self, leg: int, address: Address) -> None:
        """Send to `address` from now on."""
        self._legs[leg].use(address)

    def set_routes(self, leg: int, routes: Sequence[Route]) -> None:
        """Put these routes in place of the leg's."""
        ways = {}
        for route in routes:
            source = self._sources[route.source]
            source.set_ids((route.table, route.cc, route.stamp, route.mid))
            ways[route.payload_type] = (source, *route[2:])
        self._legs[leg].routes = ways

    def leg_state(self, leg: int) -> LegState:
        """Return how the leg does."""
        return self._legs[leg].state()

    def send_control(self, leg: int, packet: bytes) -> bool:
        """Seal RTCP and send it to the address in use."""
        if not 8 <= len(packet) <= MAX_RTCP_BYTES:
            raise Unavailable("the packet path has no space")
        return self._forwarder.send_control(self._legs[leg], packet, self._clock())

    def tell_arrivals(self, leg: int, ssrc: int) -> None:
        """Tell the sender when its packets arrived."""
        self._legs[leg].tells_as = ssrc

    def take_sent(self, leg: int, first: int, count: int) -> list[tuple[int, float, int]]:
        """Return (number, time, bytes) of what was sent under these numbers, each once."""
        return self._legs[leg].take_sent(first, count)

    # --- sources

    def add_source(self, codec: int) -> int:
        """Return a closed source that expects any SSRC."""
        handle = next(self._handles)
        self._sources[handle] = Source(handle, codec)
        return handle

    def remove_source(self, source: int) -> None:
        """Forget the source with its taps."""
        gone = self._sources.pop(source)
        for sink in gone.sinks:
            sink.listen(None)
        for tap in [x for x, (_, owner) in self._taps.items() if owner is gone]:
            del self._taps[tap]
        for leg in self._legs.values():
            leg.routes = {x: way for x, way in leg.routes.items() if way[0] is not gone}

    def set_codec(self, source: int, codec: int) -> None:
        """Take packets for another codec of the same kind."""
        self._sources[source].set_codec(codec)

    def expect(self, source: int, announced: Sequence[int], *, repairable: bool) -> None:
        """Accept these SSRCs only, or any when there are none."""
        self._sources[source].expect(frozenset(announced), repairable=repairable)

    def replace(self, source: int) -> None:
        """Note that its connection is gone and another one may follow."""
        self._sources[source].replaced()

    def set_open(self, source: int, *, is_open: bool) -> None:
        """Let packets through or not."""
        self._sources[source].set_open(is_open)

    def set_window(self, source: int, seconds: float) -> None:
        """Size the cache for repairs within `seconds`."""
        self._sources[source].set_window(seconds)

    def want_keyframe(self, source: int) -> None:
        """Note a wish that lasts until a keyframe begins."""
        self._sources[source].wanted = True

    def source_state(self, source: int) -> SourceState:
        """Return what the source brought."""
        return self._sources[source].state()

    def source_octets(self, source: int) -> int:
        """Return how many bytes the source brought."""
        return self._sources[source].octets

    def missing(self, source: int) -> list[tuple[int, float]]:
        """Return (number, time noticed) of what is missing, oldest first."""
        return self._sources[source].gaps.items(self._clock())

    # --- sinks

    def add_sink(self, leg: int, codec: int, seeds: Seeds) -> int:
        """Return a stream towards the leg that listens to nobody."""
        handle = next(self._handles)
        self._sinks[handle] = Sink(handle, self._legs[leg], codec, seeds)
        return handle

    def remove_sink(self, sink: int) -> None:
        """End the stream."""
        self.listen(sink, NOBODY)
        del self._sinks[sink]

    def agree(self, sink: int, agreed: Agreed) -> None:
        """Take what the listener negotiated."""
        self._sinks[sink].agree(agreed)

    def listen(self, sink: int, source: int) -> None:
        """Send what `source` brings, or nothing."""
        ours = self._sinks[sink]
        heard = None if source == NOBODY else self._sources[source]
        before = ours.source
        if heard is before:
            return
        if before is not None:
            before.sinks = tuple(x for x in before.sinks if x is not ours)
        ours.listen(heard)
        if heard is not None:
            heard.sinks += (ours,)
            heard.wanted |= heard.pictures

    def set_flow(self, sink: int, flow: int) -> None:
        """Say which frames are sent, from the next frame on."""
        self._sinks[sink].set_flow(flow)

    def set_twice(self, sink: int, *, on: bool) -> None:
        """Send sound twice from now on, or once."""
        ours = self._sinks[sink]
        ours.twice = on and not ours.pictures

    def resend(self, sink: int, seqs: Sequence[int], limit: int) -> int:
        """Send packets of the sink again, at most `limit`; return how many."""
        return self._forwarder.resend(self._sinks[sink], seqs, limit, self._clock())

    def sink_state(self, sink: int) -> SinkState:
        """Return what was sent."""
        return self._sinks[sink].state()

    def time_out(self, sink: int, time: int) -> int:
        """Return the sink's timestamp for its source's, `NOBODY` while not attached."""
        ours = self._sinks[sink]
        return ours.numbers.time_out(time) if ours.attached else NOBODY

    # --- taps

    def add_tap(self, source: int, size: int) -> int:
        """Return a tap that holds up to `size` bytes of the source."""
        handle, tap, tapped = next(self._handles), Tap(size), self._sources[source]
        self._taps[handle] = tap, tapped
        tapped.taps += (tap,)
        return handle

    def read_tap(self, tap: int) -> tuple[bytes, int]:
        """Return what came, and how many packets were lost."""
        return self._taps[tap][0].take()

    def remove_tap(self, tap: int) -> None:
        """End the tap."""
        gone, source = self._taps.pop(tap)
        source.taps = tuple(x for x in source.taps if x is not gone)
