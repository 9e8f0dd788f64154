"""The way of a packet: opened in place, rewritten, sealed, sent. The rules: media/path.py.

Runs once per packet, so it allocates little and calls no more than it must.
"""

from collections.abc import Callable, Sequence

from media.frames import (
    BARE,
    BEGINS_KEY,
    SOUND,
    Frame,
    picture_id,
    read_h264,
    read_vp8,
    shift_ids,
    vp8_size,
)
from media.ice import Address
from media.libs import PacketBuffer
from media.path import (
    MAX_ARRIVALS,
    MAX_RTP_BYTES,
    MAX_SSRCS,
    NOBODY,
    PACKET_COST_BYTES,
    TELL_SECONDS,
    Codec,
    Flow,
)
from media.pathleg import PathLeg
from media.reception import Reception
from media.red import copy_before, read_red, unwrap_main
from media.rtp import (
    FIXED,
    MIN_BYTES,
    NOWHERE,
    Places,
    clean_extensions,
    header_bytes,
    put_mid,
    rename_extensions,
    unwrap_rtx,
)
from media.sink import Sink
from media.source import Source
from media.sps import h264_size

# Gets a datagram, the leg it is for, and what was counted for which sink; tells whether it went.
Send = Callable[[memoryview, PathLeg, Sink | None, int], bool]
NEW, REPEATED = Reception.NEW, Reception.REPEATED


class Forwarder:
    """Forwards RTP and seals what leaves."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._out = PacketBuffer()
        self._kept = PacketBuffer()
        self._before = PacketBuffer()
        self._control = PacketBuffer()
        self.excess = 0

    # --- in

    def take(
        self, leg: PathLeg, buffer: PacketBuffer, size: int, address: Address, now: float
    ) -> None:
        """Take the SRTP packet of `size` bytes in `buffer`, which is changed."""
        data, inbound, ssrcs = buffer.data, leg.inbound, leg.ssrcs
        if inbound is None or not MIN_BYTES <= size <= MAX_RTP_BYTES:
            return
        first, kind, seq, time, ssrc = FIXED.unpack_from(data)
        if ssrc not in ssrcs and len(ssrcs) >= MAX_SSRCS:
            return
        if not leg.measure.has(now):
            self.excess += 1
            return
        cost = size + PACKET_COST_BYTES
        size = inbound.unprotect(buffer.pointer, size)
        if size < 0:
            leg.refused += 1
            return
        leg.measure.spend(cost)
        ssrcs.add(ssrc)
        leg.heard_at = now
        if address != leg.live:
            leg.follow(address)
        payload = header_bytes(data, size)
        way = leg.routes.get(kind & 0x7F)
        if payload < 0 or way is None:
            return
        leg.packets_received += 1
        leg.bytes_received += size
        source, table, cc, stamp, mid, repairs, carries = way
        places = NOWHERE
        if first & 0x10:
            places = clean_extensions(data, payload, table, cc, stamp, mid)
            if places[0] >= 0 and len(leg.arrivals) < MAX_ARRIVALS:
                leg.arrivals.append((places[0], now))
            if places[0] >= 0 and now - leg.told_at >= TELL_SECONDS and leg.tells_as != NOBODY:
                self.tell(leg, now)
        if repairs != NOBODY:
            if source.ssrc == NOBODY:
                return
            seq, size = unwrap_rtx(data, payload, size, repairs, source.ssrc)
            if seq < 0 or seq not in source.gaps:
                return
            source.repaired += 1
        elif ssrc == source.ssrc or source.admits(ssrc, now):
            source.heard_at = now
        else:
            return
        if carries:
            size = self._unwrap(source, buffer, payload, size, carries, places, now)
        if size:
            self._pass(source, buffer, payload, size, seq, time, places, now)

    def _unwrap(
        self,
        source: Source,
        buffer: PacketBuffer,
        payload: int,
        size: int,
        carries: int,
        places: Places,
        now: float,
    ) -> int:
        """Make the packet a plain one and return its size, 0 for none (rule 33).

        The one before that it carries is passed on first, if that is not here.
        """
        red = read_red(buffer.data, payload, size, carries)
        if red is None:
            return 0
        before = (int.from_bytes(buffer.data[2:4], "big") - 1) & 0xFFFF
        if red.again_size and source.lacks(before):
            seq, time, told = copy_before(buffer.data, payload, red, carries, self._before.data)
            source.repaired += 1
            self._pass(source, self._before, payload, told, seq, time, places, now)
        return unwrap_main(buffer.data, payload, red, carries)

    def tell(self, leg: PathLeg, now: float) -> None:
        """Tell the leg's sender what arrived, if it may be sent to (rule 31)."""
        media = leg.media()
        if media and leg.may_send(now):
            for packet in leg.tell(media, now):
                self.send_control(leg, packet, now)

    def send_control(self, leg: PathLeg, packet: bytes, now: float) -> bool:
        """Seal RTCP and send it; tell whether it went (rule 30)."""
        if leg.outbound is None or not leg.may_send(now):
            return False
        self._control.view[: len(packet)] = packet
        size = leg.outbound.protect_rtcp(self._control.pointer, len(packet))
        return size > 0 and self._send(self._control.view[:size], leg, None, -1)

    def _pass(
        self,
        source: Source,
        buffer: PacketBuffer,
        payload: int,
        size: int,
        seq: int,
        time: int,
        places: Places,
        now: float,
    ) -> None:
        verdict = source.count(seq, time, now)
        if verdict == REPEATED:
            return
        source.octets += size
        new = verdict == NEW
        fresh = new and time != source.newest_time
        if fresh:
            source.newest_time = time
            source.frames += 1
        if not source.open:
            return
        data, frame, key = buffer.data, SOUND, False
        if source.pictures:
            frame = _frame(source.codec, data, payload, size)
            if frame[0] & BEGINS_KEY:
                key = source.begin_keyframe(seq, time, frame, now)
                if key and source.codec == Codec.VP8:
                    source.width, source.height = vp8_size(data, payload, size)
                elif key and not frame[0] & BARE:  # else the parameters before hold
                    source.width, source.height = h264_size(data, payload, size)
        source.cache.store(seq, buffer.view, size)
        for tap in source.taps:
            tap.put(buffer.view, size, now)
        for sink in source.sinks:
            leg = sink.leg
            if leg.outbound is None or now > leg.until:
                continue
            if fresh and sink.flow != sink.flow_next:
                sink.begin_frame(frame)
            if sink.attached_epoch != source.epoch:
                if sink.flow_next == Flow.NONE or not new:
                    continue
                if source.pictures and not key:
                    self._catch_up(sink, source, seq, now)
                    continue
                sink.attach(seq, time, _ids(data, frame), now)
            elif sink.flow:
                if key and new:
                    sink.key_time = time
                if sink.leaves_out(frame, time):
                    if new:
                        sink.leave_out(seq, time)
                    continue
            self._forward(sink, buffer, payload, size, seq, time, frame, places, now)
            if sink.twice:
                self._say_again(sink, source, seq - 1 & 0xFFFF if new else seq, now)

    def _catch_up(self, sink: Sink, source: Source, seq: int, now: float) -> None:
        """Send all since the last keyframe up to `seq` from the cache, or wish for another one."""
        count = source.burst(seq, now)
        if not count:
            source.wanted = True
            return
        kept, first = self._kept, source.key_seq
        for number in ((first + n) & 0xFFFF for n in range(count)):
            size = source.cache.fetch(number, kept.view)
            payload, time, frame, places = self._look_again(source, size)
            if number == first:
                sink.attach(number, time, _ids(kept.data, frame), now)
            elif sink.flow and sink.leaves_out(frame, time):
                sink.leave_out(number, time)
                continue
            self._forward(sink, kept, payload, size, number, time, frame, places, now)

    def _look_again(self, source: Source, size: int) -> tuple[int, int, Frame, Places]:
        """Return payload offset, timestamp, frame and places of the packet that was fetched."""
        data = self._kept.data
        payload = header_bytes(data, size)
        places = clean_extensions(data, payload, *source.ids) if data[0] & 0x10 else NOWHERE
        frame = _frame(source.codec, data, payload, size) if source.pictures else SOUND
        return payload, int.from_bytes(data[4:8], "big"), frame, places

    # --- out

    def _forward(
        self,
        sink: Sink,
        buffer: PacketBuffer,
        payload: int,
        size: int,
        seq: int,
        time: int,
        frame: Frame,
        places: Places,
        now: float,
    ) -> None:
        numbers = sink.numbers
        seq_shift, id_shift = numbers.seq_shift, numbers.id_shift
        if (seq - numbers.base) & 0xFFFF >= 0x8000:
            found = numbers.stretch(seq)
            if found is None:
                return
            seq_shift, id_shift = found
        out, data = self._out, self._out.data
        out.view[:size] = buffer.view[:size]
        first = data[0]
        seq_out = (seq + seq_shift) & 0xFFFF
        time_out = (time + numbers.time_shift) & 0xFFFFFFFF
        kind = data[1] & 0x80 | sink.payload_type
        FIXED.pack_into(data, 0, first, kind, seq_out, time_out, sink.ssrc)
        number = _dress(sink, data, payload, places, now) if first & 0x10 else -1
        if (frame[1] or frame[2]) and (id_shift or numbers.level_shift):
            shift_ids(data, frame, id_shift, numbers.level_shift)
        if self._seal(sink, size, number, size - payload, now):
            sink.packets += 1
            sink.octets += size - payload
        if numbers.sent(seq_out, time_out, now) and (frame[1] or frame[2]):
            numbers.sent_ids(*_ids(buffer.data, frame))

    def _seal(self, sink: Sink, size: int, number: int, octets: int, now: float) -> bool:
        """Protect and send what is in the out buffer; tell whether it went."""
        leg = sink.leg
        if leg.outbound is None:
            return False
        size = leg.outbound.protect(self._out.pointer, size)
        if size < 0:
            leg.refused += 1
            return False
        if number >= 0:
            leg.note_sent(number, size, now)
        if not self._send(self._out.view[:size], leg, sink, octets):
            return False
        leg.packets_forwarded += 1
        leg.bytes_forwarded += size
        return True

    # --- again

    def resend(self, sink: Sink, seqs: Sequence[int], limit: int, now: float) -> int:
        """Send packets of `sink` again from the cache, at most `limit`; return how many."""
        source, leg, sent = sink.source, sink.leg, 0
        if source is None or not (source.open and sink.attached and sink.repeats):
            return 0
        if leg.outbound is None or now > leg.until:
            return 0
        for seq_out in seqs:
            if sent >= limit:
                break
            seq = sink.numbers.seq_in(seq_out)
            size = source.cache.fetch(seq, self._kept.view) if seq >= 0 else 0
            if size:
                self._again(sink, source, seq, seq_out, size, now)
                sent += 1
        sink.resent += sent
        return sent

    def _say_again(self, sink: Sink, source: Source, seq: int, now: float) -> None:
        """Send the packet `seq` of sound a second time, if it is here (rule 34)."""
        seq_out = sink.numbers.seq_out(seq) if sink.repeats else -1
        size = source.cache.fetch(seq, self._kept.view) if seq_out >= 0 else 0
        if size:
            self._again(sink, source, seq, seq_out, size, now)
            sink.resent += 1

    def _again(
        self, sink: Sink, source: Source, seq: int, seq_out: int, size: int, now: float
    ) -> None:
        payload, time, frame, places = self._look_again(source, size)
        out, data, agreed = self._out, self._out.data, sink.agreed
        out.view[:size] = self._kept.view[:size]
        numbers = sink.numbers
        found = numbers.stretch(seq)
        id_shift = found[1] if found else 0
        if (frame[1] or frame[2]) and (id_shift or numbers.level_shift):
            shift_ids(data, frame, id_shift, numbers.level_shift)
        number = _dress(sink, data, payload, places, now) if data[0] & 0x10 else -1
        kind, ssrc = agreed.payload_type, sink.ssrc
        if agreed.rtx_type != NOBODY:  # RFC 4588 section 4
            data[payload + 2 : size + 2] = data[payload:size]
            data[payload : payload + 2] = seq_out.to_bytes(2, "big")
            size += 2
            kind, ssrc = agreed.rtx_type, sink.seeds.rtx_ssrc
            seq_out = sink.rtx_seq
            sink.rtx_seq = (seq_out + 1) & 0xFFFF
        kind |= data[1] & 0x80
        FIXED.pack_into(data, 0, data[0], kind, seq_out, numbers.time_out(time), ssrc)
        self._seal(sink, size, number, -1, now)


def _frame(codec: int, data: bytearray, payload: int, size: int) -> Frame:
    return (read_vp8 if codec == Codec.VP8 else read_h264)(data, payload, size)


def _ids(data: bytearray, frame: Frame) -> tuple[int, int]:
    """Return picture id and TL0PICIDX, -1 for what is not there."""
    _, id_at, level_at = frame
    return picture_id(data, frame) if id_at else -1, data[level_at] if level_at else -1


def _dress(sink: Sink, data: bytearray, payload: int, places: Places, now: float) -> int:
    """Make header extensions the listener's; return the transport-wide number given, or -1."""
    _, cc_at, stamp_at, mid_at = places
    agreed, number = sink.agreed, -1
    if stamp_at and agreed.stamps:
        data[stamp_at : stamp_at + 3] = (int(now * 0x40000) & 0xFFFFFF).to_bytes(3, "big")
    if cc_at and agreed.numbers:
        number = sink.leg.sent_number
        data[cc_at : cc_at + 2] = number.to_bytes(2, "big")
    elif cc_at:
        data[cc_at - 1 : cc_at + 2] = b"\0\0\0"
    if mid_at:
        put_mid(data, mid_at, agreed.mid)
    if agreed.table:
        rename_extensions(data, payload, agreed.table)
    return number
