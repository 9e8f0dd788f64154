"""RTCP of every connection: what comes in is acted on, what is due goes out.

Reports are our own towards who sends; sender reports pass to who listens with their NTP time, so
that lips match sound; everything else ends here.
"""

from collections.abc import Set

from media import rtcp
from media.downlink import Downlink
from media.ice import Address
from media.leg import Leg
from media.libs import PacketBuffer
from media.path import NOBODY, PacketPath
from media.uplink import LastReport, Uplink

REPORT_SECONDS = 0.4  # at least every 500 ms on each leg: pages watch for silence
# While a leg is told of arrivals ten times a second (media/path.py, rule 31), as its page sees too,
# nothing is capped and every clock is known.
TOLD_REPORT_SECONDS, TOLD_FRESH_SECONDS = 0.9, 0.2
IDLE_SECONDS = 2.0  # a page that waits gives its line 6.5 s (static/app/lib/watchdog.js)
STEER_SECONDS = 0.1
CALM_SECONDS = 0.4  # between looks at a line against which nothing speaks
CALM_TURN_SECONDS = 0.2  # between turns of its party, which may have to hear of others' lines
WINDOW_ROUND_TRIPS = 4  # a request may be lost, and its answer too
UNKNOWN_RTT_SECONDS = 0.15
UNCAPPED_BPS = 10_000_000
# What is lost of a line from which on sound is sent twice, how long after, and the line for that.
LOSSY, LOSSY_SECONDS, LOSSY_LEAST_BPS = 0.03, 10.0, 150_000
FALLEN = 0.95  # a limit that fell so far does not wait for the next report
MAX_RTCP_BYTES = 1500
REPORTS_APART_SECONDS = 0.2  # of one source to its listeners; browsers send one in a second or so


class ControlPath:
    """Acts on RTCP. `path` seals and sends, and sends packets again."""

    def __init__(self, path: PacketPath) -> None:
        self._path = path
        self._buffer = PacketBuffer()

    # --- in

    def receive(
        self, leg: Leg, uplinks: dict[str, Uplink], data: bytes, address: Address, now: float
    ) -> None:
        """Take an SRTCP packet."""
        transport, buffer = leg.transport, self._buffer
        if transport.inbound is None or not 8 <= len(data) <= MAX_RTCP_BYTES:
            return
        ssrc = int.from_bytes(data[4:8], "big")
        if not transport.admits(ssrc):
            return
        buffer.view[: len(data)] = data
        size = transport.inbound.unprotect_rtcp(buffer.pointer, len(data))
        if size < 0:
            transport.refused += 1
            return
        transport.heard(ssrc, address, now)
        if not leg.report_steps.has(now):
            return
        messages, steps = rtcp.read(bytes(buffer.view[:size]))
        leg.report_steps.spend(steps)
        for message in messages:
            self._act(leg, uplinks, message, now)

    def _act(self, leg: Leg, uplinks: dict[str, Uplink], message: rtcp.Message, now: float) -> None:
        match message:
            case rtcp.SenderReport():
                self._sender_report(uplinks, message, now)
                self._blocks(leg, message.blocks, now)
            case rtcp.ReceiverReport():
                self._blocks(leg, message.blocks, now)
            case rtcp.Nack():
                self._nack(leg, message, now)
            case rtcp.KeyframeWanted():
                for video in leg.of_kind("video"):
                    if message.media == video.ssrc and video.uplink is not None:
                        video.uplink.want_keyframe()
            case rtcp.Counted() if leg.counts:
                told, steering = message.feedback, leg.steering
                steering.sent(self._path.take_sent(leg.handle, told.first, len(told.arrivals)))
                steering.feedback(told, now)
            case rtcp.Remb():
                for video in leg.of_kind("video"):
                    if video.ssrc in message.media:
                        video.reported.estimate(message.bits_per_second, now)

    def _blocks(self, leg: Leg, blocks: tuple[rtcp.Block, ...], now: float) -> None:
        for block in blocks:
            for downlink in leg.downlinks:
                if block.ssrc == downlink.ssrc:
                    downlink.reported.block(block, now)

    def _nack(self, leg: Leg, message: rtcp.Nack, now: float) -> None:
        for downlink in leg.downlinks:
            if downlink.ssrc == message.media and leg.transport.may_send(now):
                bucket = leg.sound_resends if downlink.kind == "audio" else leg.resends
                sent = self._path.resend(downlink.sink, message.seqs, bucket.whole(now))
                bucket.spend(sent)

    def _sender_report(
        self, uplinks: dict[str, Uplink], report: rtcp.SenderReport, now: float
    ) -> None:
        for uplink in uplinks.values():
            if uplink.ssrc != report.ssrc and uplink.read().ssrc != report.ssrc:
                continue
            uplink.last_report = LastReport(report.ntp, report.time, now)
            if uplink.open and now - uplink.passed_on_at >= REPORTS_APART_SECONDS:
                uplink.passed_on_at = now
                for downlink in uplink.listeners:
                    self._pass_on(downlink, report.ntp, report.time, now)

    def _pass_on(self, downlink: Downlink, ntp: int, time_in: int, now: float) -> None:
        """Send the source's report on under the downlink's own numbers."""
        time = self._path.time_out(downlink.sink, time_in)
        if time == NOBODY:
            return
        state = downlink.state()
        own = rtcp.SenderReport(downlink.ssrc, ntp, time, state.packets, state.octets)
        downlink.reported.report_sent(ntp, now)
        downlink.clock_told = True
        if downlink.transport.may_send(now):
            self._path.send_control(downlink.leg, rtcp.sender_report(own) + downlink.cname)

    # --- out

    def tick(self, leg: Leg, uplinks: dict[str, Uplink], needy: Set[int], now: float) -> None:
        """Do what is due: requests at once, steering every 100 ms, reports every 400 to 900 ms.

        `needy` are the sources that miss something or want a keyframe. Says in `leg.due_at` when it
        wants to be called again at the latest: on a calm line after 200 ms.
        """
        leg.due_at = now + STEER_SECONDS
        if not leg.transport.may_send(now):
            return
        for uplink in uplinks.values():
            if uplink.source in needy:
                self._request(leg, uplink, now)
        is_calm = leg.steering.is_calm(now)
        if now - leg.steered_at >= STEER_SECONDS:
            leg.steered_at = now
            if now - leg.judged_at >= CALM_SECONDS or not is_calm:
                leg.judged_at = now
                self._steer(leg, now)
            self._hasten_cap(leg, uplinks["video"], now)
        if now - leg.reported_at >= leg.report_seconds:
            leg.reported_at = now
            self._report(leg, uplinks, now)
        turn = CALM_TURN_SECONDS if is_calm and leg.cap_told is None else STEER_SECONDS
        leg.due_at = min(leg.steered_at + turn, leg.reported_at + leg.report_seconds)

    def idle(self, leg: Leg, now: float) -> None:
        """Send a sign of life to who is in no call, every 2 s."""
        if leg.transport.may_send(now) and now - leg.reported_at >= IDLE_SECONDS:
            leg.reported_at = now
            self._path.send_control(leg.handle, _nothing_new(leg))

    def _steer(self, leg: Leg, now: float) -> None:
        """Fit what the party is sent to its line."""
        steering = leg.steering
        octets = {"audio": 0, "video": 0}
        heard = [(x.kind, x.uplink) for x in leg.downlinks if x.uplink is not None]
        for kind, uplink in heard:
            octets[kind] += uplink.octets
        steering.pictures = sum(kind == "video" and uplink.open for kind, uplink in heard)
        steering.judge(octets["video"], octets["audio"], now)
        for downlink in leg.of_kind("video"):
            downlink.set_flow(steering.flow)
        self._repeat_sound(leg, now)
        repairs = steering.repairs_per_second(now)
        leg.resends.refit(repairs / 2, repairs)

    def _repeat_sound(self, leg: Leg, now: float) -> None:
        """Send sound twice while the line loses much, unless it is too narrow even for that.

        Pictures tell of the loss as it is; sound that came at the second time counts as received.
        """
        if max((x.reported.fresh_loss(now) for x in leg.downlinks), default=0.0) >= LOSSY:
            leg.lossy_until = now + LOSSY_SECONDS
        limit = leg.steering.limit(now)
        wide = limit is None or limit >= LOSSY_LEAST_BPS
        for downlink in leg.of_kind("audio"):
            downlink.set_twice(wide and now < leg.lossy_until)

    def _hasten_cap(self, leg: Leg, video: Uplink, now: float) -> None:
        """Tell a party at once when its listeners bear much less than before."""
        limit = _limit(video, now)
        if limit is not None and limit < FALLEN * (leg.cap_told or UNCAPPED_BPS):
            self._path.send_control(leg.handle, _nothing_new(leg) + self._cap(leg, video, now))

    def _request(self, leg: Leg, uplink: Uplink, now: float) -> None:
        state = uplink.read()
        if state.ssrc == NOBODY:
            return
        if state.missing:
            seqs = uplink.missing.due(self._path.missing(uplink.source), now, leg.rtt_seconds)
            if seqs:
                message = rtcp.Nack(leg.ssrc, state.ssrc, tuple(seqs))
                self._path.send_control(leg.handle, rtcp.nack(message))
        wanted = state.wanted
        if uplink.missing.gave_up() and uplink.kind == "video":
            uplink.want_keyframe()
            wanted = True
        if wanted and self._has_audience(uplink, now) and uplink.keyframes.due(state.heard_at, now):
            wish = rtcp.KeyframeWanted(leg.ssrc, state.ssrc)
            self._path.send_control(leg.handle, rtcp.picture_loss(wish))

    def _has_audience(self, uplink: Uplink, now: float) -> bool:
        """Tell whether a keyframe would reach somebody: asked for too early, it is lost."""
        return uplink.open and any(x.transport.may_send(now) for x in uplink.listeners)

    def _report(self, leg: Leg, uplinks: dict[str, Uplink], now: float) -> None:
        for downlink in leg.downlinks:
            state = downlink.state()
            downlink.reported.measure(state.octets, now)
            downlink.clock_told &= state.attached
            if state.attached and not downlink.clock_told:
                self._tell_clock(downlink, now)
        for uplink in uplinks.values():
            told = (x.reported.rtt_seconds for x in uplink.listeners)
            rtt = max((UNKNOWN_RTT_SECONDS if x is None else x for x in told), default=0.0)
            uplink.set_window(WINDOW_ROUND_TRIPS * rtt)
        own = leg.ssrc
        blocks = [x for x in (_block(x, now) for x in uplinks.values()) if x is not None]
        packet = rtcp.receiver_report(rtcp.ReceiverReport(own, tuple(blocks)))
        packet += leg.of_kind("video")[0].cname + self._cap(leg, uplinks["video"], now)
        self._path.send_control(leg.handle, packet)
        calm = leg.cap_told is None and all(x.clock_told or not x.party for x in leg.downlinks)
        is_told = leg.counts_arrivals and uplinks["video"].heard(now, TOLD_FRESH_SECONDS)
        leg.report_seconds = TOLD_REPORT_SECONDS if calm and is_told else REPORT_SECONDS

    def _tell_clock(self, downlink: Downlink, now: float) -> None:
        """Tell a listener what it has just begun to get: the source's next may take seconds."""
        told = None if downlink.uplink is None else downlink.uplink.report_for(now)
        if told is not None:
            self._pass_on(downlink, *told, now)

    def _cap(self, leg: Leg, video: Uplink, now: float) -> bytes:
        """Return a REMB when a listener needs less than the sender would send, or did before."""
        if video.ssrc == NOBODY:
            return b""
        limit = _limit(video, now)
        if limit is None and leg.cap_told is None:
            return b""
        leg.cap_told = UNCAPPED_BPS if limit is None else limit
        return rtcp.remb(rtcp.Remb(leg.ssrc, leg.cap_told, (video.ssrc,)))


def _limit(video: Uplink, now: float) -> int | None:
    """Return the least that a listener of these pictures can take, None without a limit."""
    shares = (x.steering.share(now) for x in video.listeners)
    return min((x for x in shares if x is not None), default=None)


def _nothing_new(leg: Leg) -> bytes:
    """Return a report without blocks: what a compound packet has to begin with."""
    return rtcp.receiver_report(rtcp.ReceiverReport(leg.ssrc))


def _block(uplink: Uplink, now: float) -> rtcp.Block | None:
    """Return what to report of a source: of sound, the loss as its listeners hear it.

    A sender adds in-band FEC by the share lost in our reports (RFC 6716 section 2.1.7), and as we
    forward it, its FEC mends both lines. What a listener reports holds the losses of both, since
    gaps are forwarded too; so the share is the greater of ours and theirs. The running count stays
    our own, as senders judge their own line's rate by it.
    """
    block = uplink.block(now)
    if block is None or uplink.kind != "audio":
        return block
    heard = [x.reported.fresh_loss(now) for x in uplink.listeners]
    share = min(255, int(256 * max(heard, default=0.0)))
    return block if share <= block.fraction else block._replace(fraction=share)
