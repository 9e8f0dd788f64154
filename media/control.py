"""RTCP of every connection: what comes in is acted on, what is due goes out.

Reports are our own towards who sends; sender reports pass to who listens with their NTP time, so
that lips match sound; everything else ends here.
"""

from dataclasses import replace

from media import rtcp
from media.ice import Address
from media.leg import KINDS, Leg
from media.libs import PacketBuffer
from media.packets import PacketPath, Send
from media.source import Downlink, LastReport, Source
from media.transport import Transport

REPORT_SECONDS = 0.4  # at least every 500 ms on each leg: pages watch for silence
ARRIVALS_SECONDS = 0.1
UNCAPPED_BPS = 10_000_000
MAX_RTCP_BYTES = 1500
CNAME = "madoguchi"


class ControlPath:
    """Acts on RTCP. `send` gets a datagram and an address; `path` sends packets again."""

    def __init__(self, send: Send, path: PacketPath) -> None:
        self._send = send
        self._path = path
        self._out = PacketBuffer()

    # --- in

    def receive(
        self,
        leg: Leg,
        sources: dict[str, Source],
        buffer: PacketBuffer,
        size: int,
        address: Address,
        now: float,
    ) -> None:
        """Take the SRTCP packet of `size` bytes in `buffer`, which is changed."""
        transport = leg.transport
        if transport.inbound is None or not 8 <= size <= MAX_RTCP_BYTES:
            return
        ssrc = int.from_bytes(buffer.data[4:8], "big")
        if not transport.admits(ssrc):
            return
        size = transport.inbound.unprotect_rtcp(buffer.pointer, size)
        if size < 0:
            transport.counters.refused += 1
            return
        transport.heard(ssrc, address, now)
        for message in rtcp.parse(bytes(buffer.view[:size])):
            self._act(leg, sources, message, now)

    def _act(self, leg: Leg, sources: dict[str, Source], message: rtcp.Message, now: float) -> None:
        match message:
            case rtcp.SenderReport():
                self._sender_report(sources, message, now)
                self._blocks(leg, message.blocks, now)
            case rtcp.ReceiverReport():
                self._blocks(leg, message.blocks, now)
            case rtcp.Nack():
                self._nack(leg, message, now)
            case rtcp.KeyframeWanted():
                video = leg.downlinks["video"]
                if message.media == video.ssrc and video.source is not None:
                    video.source.keyframes.want()
            case rtcp.Remb():
                video = leg.downlinks["video"]
                if video.ssrc in message.media:
                    video.reported.estimate(message.bits_per_second, now)

    def _blocks(self, leg: Leg, blocks: tuple[rtcp.Block, ...], now: float) -> None:
        for block in blocks:
            for downlink in leg.downlinks.values():
                if block.ssrc == downlink.ssrc:
                    downlink.reported.block(block, now)

    def _nack(self, leg: Leg, message: rtcp.Nack, now: float) -> None:
        for downlink in leg.downlinks.values():
            if downlink.ssrc != message.media or not leg.transport.may_send(now):
                continue
            for seq in message.seqs:
                if not leg.resends.has(now):
                    return
                if self._path.resend(downlink, seq):
                    leg.resends.take(now)

    def _sender_report(
        self, sources: dict[str, Source], report: rtcp.SenderReport, now: float
    ) -> None:
        for source in sources.values():
            if source.ssrc != report.ssrc:
                continue
            source.last_report = LastReport(report.ntp, report.time, now)
            if source.open:
                for downlink in source.listeners:
                    if downlink.attached:
                        self._pass_on(downlink, report, now)

    def _pass_on(self, downlink: Downlink, report: rtcp.SenderReport, now: float) -> None:
        """Send the source's report on under the downlink's own numbers."""
        own = rtcp.SenderReport(
            downlink.ssrc,
            report.ntp,
            downlink.numbers.time_out(report.time),
            downlink.packets,
            downlink.octets,
        )
        downlink.reported.report_sent(report.ntp, now)
        if downlink.transport.may_send(now):
            packet = rtcp.sender_report(own) + rtcp.cname(downlink.ssrc, CNAME)
            self._send_packet(downlink.transport, packet)

    # --- out

    def tick(self, leg: Leg, sources: dict[str, Source], now: float) -> None:
        """Send what is due: requests at once, arrivals every 100 ms, reports every 400 ms."""
        if not leg.transport.may_send(now):
            return
        self._requests(leg, sources, now)
        if now - leg.arrivals_at >= ARRIVALS_SECONDS and len(leg.arrivals):
            leg.arrivals_at = now
            media = sources["video"].ssrc or sources["audio"].ssrc or 0
            for packet in leg.arrivals.report(leg.ssrcs.video, media):
                self._send_packet(leg.transport, packet)
        if now - leg.reported_at >= REPORT_SECONDS:
            leg.reported_at = now
            self._report(leg, sources, now)

    def _requests(self, leg: Leg, sources: dict[str, Source], now: float) -> None:
        for source in sources.values():
            if source.ssrc is None:
                continue
            if len(source.missing):
                seqs = source.missing.due(now, leg.rtt_seconds)
                if source.missing.gave_up() and source.kind == "video":
                    source.keyframes.want()
                if seqs:
                    message = rtcp.Nack(leg.ssrcs.video, source.ssrc, tuple(seqs))
                    self._send_packet(leg.transport, rtcp.nack(message))
            if source.keyframes.wanted and self._has_audience(source, now):
                self._ask_keyframe(leg, source, now)

    def _has_audience(self, source: Source, now: float) -> bool:
        """Tell whether a keyframe would reach somebody: asked for too early, it is lost."""
        return source.open and any(x.transport.may_send(now) for x in source.listeners)

    def _ask_keyframe(self, leg: Leg, source: Source, now: float) -> None:
        if source.ssrc is not None and source.keyframes.due(now):
            wish = rtcp.KeyframeWanted(leg.ssrcs.video, source.ssrc)
            self._send_packet(leg.transport, rtcp.picture_loss(wish))

    def _report(self, leg: Leg, sources: dict[str, Source], now: float) -> None:
        for downlink in leg.downlinks.values():
            downlink.reported.measure(downlink.octets, now)
        own = leg.ssrcs.video
        blocks = [x for x in (_block(sources[kind], now) for kind in KINDS) if x is not None]
        packet = rtcp.receiver_report(rtcp.ReceiverReport(own, tuple(blocks)))
        packet += rtcp.cname(own, CNAME) + self._cap(leg, sources["video"], now)
        self._send_packet(leg.transport, packet)

    def _cap(self, leg: Leg, video: Source, now: float) -> bytes:
        """Return a REMB when a listener needs less than the sender would send, or did before."""
        if video.ssrc is None:
            return b""
        limits = (x.reported.cap.current(now) for x in video.listeners)
        caps = [x for x in limits if x is not None]
        if not caps and leg.cap_told is None:
            return b""
        leg.cap_told = min(caps, default=UNCAPPED_BPS)
        return rtcp.remb(rtcp.Remb(leg.ssrcs.video, leg.cap_told, (video.ssrc,)))

    def _send_packet(self, transport: Transport, packet: bytes) -> None:
        if transport.outbound is None or transport.addresses.current is None:
            return
        self._out.view[: len(packet)] = packet
        size = transport.outbound.protect_rtcp(self._out.pointer, len(packet))
        if size > 0:
            self._send(self._out.view[:size], transport.addresses.current)


def _block(source: Source, now: float) -> rtcp.Block | None:
    """Return what to report of a source: of sound, the loss as its listeners hear it.

    A sender adds in-band FEC by the share lost in our reports (RFC 6716 section 2.1.7), and as we
    forward it, its FEC mends both lines. What a listener reports holds the losses of both, since
    gaps are forwarded too; so the share is the greater of ours and theirs. The running count stays
    our own, as senders judge their own line's rate by it.
    """
    block = source.block(now)
    if block is None or source.kind != "audio":
        return block
    heard = [x.reported.fresh_loss(now) for x in source.listeners]
    return replace(
        block, fraction=max(block.fraction, min(255, int(256 * max(heard, default=0.0))))
    )
