"""The packet path: unprotect in place, rewrite, protect, send.

Runs once per packet, so it allocates little and calls no more than it must. One object serves the
whole node; it knows connections, sources and downlinks, and nothing of calls.
"""

from collections.abc import Callable

from media.ice import Address
from media.leg import Leg, Route
from media.libs import PacketBuffer
from media.rtp import FIXED, MIN_BYTES, header_bytes, rename_extensions, starts_keyframe, unwrap_rtx
from media.source import Downlink, Source

Send = Callable[[memoryview, Address], bool]
MAX_BYTES = PacketBuffer.SIZE - 160  # leaves room for an RTX number and SRTP's longest trailer


class PacketPath:
    """Forwards RTP. `send` gets a datagram and an address and tells whether it went."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._out = PacketBuffer()
        self._kept = PacketBuffer()

    def receive(
        self, leg: Leg, buffer: PacketBuffer, size: int, address: Address, now: float
    ) -> None:
        """Take the SRTP packet of `size` bytes in `buffer`, which is changed."""
        data, transport = buffer.data, leg.transport
        if transport.inbound is None or not MIN_BYTES <= size <= MAX_BYTES:
            return
        ssrc = int.from_bytes(data[8:12], "big")
        if not transport.admits(ssrc):
            return
        size = transport.inbound.unprotect(buffer.pointer, size)
        if size < 0:
            transport.counters.refused += 1
            return
        transport.heard(ssrc, address, now)
        payload = header_bytes(data, size)
        route = leg.routes.get(data[1] & 0x7F)
        if payload < 0 or route is None:
            return
        transport.counters.packets_received += 1
        transport.counters.bytes_received += size
        if data[0] & 0x10:
            number = rename_extensions(data, payload, route.table, route.cc)
            if number >= 0:
                leg.arrivals.note(number, now)
        if route.repairs is not None:
            self._repair(route, buffer, payload, size, now)
        elif route.source.admits(ssrc, now):
            self._take(route.source, buffer, payload, size, now)

    def _repair(
        self, route: Route, buffer: PacketBuffer, payload: int, size: int, now: float
    ) -> None:
        """Take a retransmission if what it repeats is missing; browsers also probe with them."""
        source = route.source
        if source.ssrc is None or route.repairs is None:
            return
        seq, size = unwrap_rtx(buffer.data, payload, size, route.repairs, source.ssrc)
        if seq >= 0 and seq in source.missing:
            self._take(source, buffer, payload, size, now)

    def _take(
        self, source: Source, buffer: PacketBuffer, payload: int, size: int, now: float
    ) -> None:
        data = buffer.data
        _, _, seq, time, _ = FIXED.unpack_from(data)
        if not source.count(seq, time, now):
            return
        keyframe = source.kind == "video" and starts_keyframe(data, payload, size)
        if not source.open:
            source.keyframes.heard(now, keyframe=False)
            return
        source.keyframes.heard(now, keyframe=keyframe)
        if keyframe:
            source.missing.forget_before(seq)
        source.cache.store(seq, buffer.view, size)
        may_attach = keyframe or source.kind == "audio"
        for downlink in source.listeners:
            if not downlink.transport.may_send(now):
                continue
            if downlink.attached_epoch != source.epoch:
                if not may_attach:
                    source.keyframes.want()
                    continue
                downlink.attach(seq, time, now)
            self._forward(downlink, buffer, payload, size, seq, time, now)

    def _forward(
        self,
        downlink: Downlink,
        buffer: PacketBuffer,
        payload: int,
        size: int,
        seq: int,
        time: int,
        now: float,
    ) -> None:
        seq_out = downlink.numbers.seq_out(seq)
        if seq_out < 0:
            return
        out, data = self._out, self._out.data
        out.view[:size] = buffer.view[:size]
        time_out = downlink.numbers.time_out(time)
        kind = data[1] & 0x80 | downlink.payload_type
        FIXED.pack_into(data, 0, data[0], kind, seq_out, time_out, downlink.ssrc)
        if downlink.table is not None and data[0] & 0x10:
            rename_extensions(data, payload, downlink.table, 0)
        if self._protect_and_send(downlink, size):
            downlink.numbers.sent(seq_out, time_out, now)
            downlink.packets += 1
            downlink.octets += size - payload

    def _protect_and_send(self, downlink: Downlink, size: int) -> bool:
        transport = downlink.transport
        address = transport.addresses.current
        if transport.outbound is None or address is None:
            return False
        size = transport.outbound.protect(self._out.pointer, size)
        if size < 0:
            transport.counters.refused += 1
            return False
        # Protected means that the number is used up, whether the socket took it or not.
        if self._send(self._out.view[:size], address):
            transport.counters.packets_forwarded += 1
            transport.counters.bytes_forwarded += size
        return True

    def resend(self, downlink: Downlink, seq_out: int) -> bool:
        """Send packet `seq_out` of `downlink` again from the cache; tell whether it was there."""
        source = downlink.source
        if source is None or not source.open or not downlink.attached:
            return False
        seq = downlink.numbers.seq_in(seq_out)
        kept, data = self._kept, self._kept.data
        size = source.cache.fetch(seq, kept.view) if seq >= 0 else 0
        payload = header_bytes(data, size) if size else -1
        if payload < 0:
            return False
        if downlink.rtx_type is None:
            self._repeat(downlink, payload, size, seq_out)
        else:
            self._wrap(downlink, payload, size, seq_out)
        return True

    def _repeat(self, downlink: Downlink, payload: int, size: int, seq_out: int) -> None:
        """Send the very same packet again: same bytes, same nonce."""
        self._out.view[:size] = self._kept.view[:size]
        self._head(downlink, downlink.payload_type, seq_out, downlink.ssrc, payload)
        self._protect_and_send(downlink, size)

    def _wrap(self, downlink: Downlink, payload: int, size: int, seq_out: int) -> None:
        """Send the packet in the stream of retransmissions (RFC 4588 section 4)."""
        out, kept = self._out, self._kept
        out.view[:payload] = kept.view[:payload]
        out.data[payload : payload + 2] = seq_out.to_bytes(2, "big")
        out.view[payload + 2 : size + 2] = kept.view[payload:size]
        downlink.rtx_seq = (downlink.rtx_seq + 1) & 0xFFFF
        number = downlink.rtx_type or 0
        self._head(downlink, number, downlink.rtx_seq, downlink.rtx_ssrc, payload)
        self._protect_and_send(downlink, size + 2)

    def _head(self, downlink: Downlink, kind: int, seq: int, ssrc: int, payload: int) -> None:
        data = self._out.data
        time_out = downlink.numbers.time_out(int.from_bytes(data[4:8], "big"))
        FIXED.pack_into(data, 0, data[0], data[1] & 0x80 | kind, seq, time_out, ssrc)
        if downlink.table is not None and data[0] & 0x10:
            rename_extensions(data, payload, downlink.table, 0)
