"""Receivers that count what arrives; only one keyframe is ever decoded.

They stand in the place of aiortc's own receiver (which decodes everything) and answer to the
three methods that its transport calls.
"""

import asyncio
import time

import av
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtp import RTCP_PSFB_PLI, AnyRtcpPacket, RtcpPsfbPacket, RtpPacket

from server.demo.encoded import is_keyframe
from server.demo.frames import FrameAssembler

ASK_AGAIN_SECONDS = 0.5


class Pauses:
    """Remembers the longest time without a packet since it was made."""

    def __init__(self) -> None:
        self._longest = 0.0
        self._last = time.monotonic()

    @property
    def longest_seconds(self) -> float:
        """The longest time, the present one included."""
        return max(self._longest, time.monotonic() - self._last)

    def heard(self) -> None:
        """Take note of a packet."""
        self._longest, self._last = self.longest_seconds, time.monotonic()


class AudioCounter:
    """Counts packets of sound, and how long none came."""

    def __init__(self) -> None:
        self.payload_type: int | None = None
        self.packets = 0
        self.pauses = Pauses()

    def restart(self) -> None:
        """Count from nought."""
        self.packets = 0
        self.pauses = Pauses()

    async def _handle_rtp_packet(self, packet: RtpPacket, arrival_time_ms: int) -> None:
        if packet.payload and packet.payload_type == self.payload_type:
            self.packets += 1
            self.pauses.heard()

    async def _handle_rtcp_packet(self, packet: AnyRtcpPacket) -> None:
        """Nothing is asked of reports."""

    def _handle_disconnect(self) -> None:
        """Nothing runs that would have to stop."""


class VideoCounter:
    """Counts decodable frames, from the first keyframe on that really was decoded.

    `first_frame_at` is that moment on the monotonic clock, in seconds.
    """

    def __init__(self, transport: RTCDtlsTransport, own_ssrc: int) -> None:
        self.payload_type: int | None = None
        self._transport = transport
        self._own_ssrc = own_ssrc
        self._assembler = FrameAssembler()
        self._decoding: asyncio.Task[None] | None = None
        self._asked_at = float("-inf")
        self.first_frame_at: float | None = None
        self.frames = 0
        self.pauses = Pauses()
        self.size_px: tuple[int, int] | None = None

    def restart(self) -> None:
        """Count from nought, and only from a keyframe on that is decoded anew."""
        self._assembler = FrameAssembler()
        self._decoding = None
        self.first_frame_at = None
        self.frames = 0
        self.pauses = Pauses()

    async def _handle_rtp_packet(self, packet: RtpPacket, arrival_time_ms: int) -> None:
        if packet.payload_type != self.payload_type:
            return  # retransmissions have numbers of their own
        self.pauses.heard()
        frame = self._assembler.add(
            packet.sequence_number, packet.payload, marker=bool(packet.marker)
        )
        if self._assembler.needs_keyframe and packet.payload:
            await self._ask_for_keyframe(packet.ssrc)
        if frame is None:
            return
        if self._decoding is None and is_keyframe(frame):
            self._decoding = asyncio.create_task(self._decode(frame))
        if self._decoding is not None:
            self.frames += 1

    async def _decode(self, frame: bytes) -> None:
        size = await asyncio.to_thread(decoded_size, frame)
        if self._decoding is not asyncio.current_task():
            return  # counting was begun anew meanwhile
        if size is None:
            self.restart()
        else:
            self.size_px = size
            self.first_frame_at = time.monotonic()

    async def _ask_for_keyframe(self, media_ssrc: int) -> None:
        now = time.monotonic()
        if now - self._asked_at < ASK_AGAIN_SECONDS:
            return
        self._asked_at = now
        loss = RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=self._own_ssrc, media_ssrc=media_ssrc)
        await self._transport._send_rtp(bytes(loss))

    async def _handle_rtcp_packet(self, packet: AnyRtcpPacket) -> None:
        """Nothing is asked of reports."""

    def _handle_disconnect(self) -> None:
        """Nothing runs that would have to stop."""


def decoded_size(keyframe: bytes) -> tuple[int, int] | None:
    """Decode a VP8 keyframe and return its width and height, or None when it is broken."""
    decoder = av.CodecContext.create("libvpx", "r")
    decoder.thread_count = 1
    try:
        pictures = decoder.decode(av.Packet(keyframe))
    except av.FFmpegError:
        return None
    for picture in pictures:
        return picture.width, picture.height
    return None
