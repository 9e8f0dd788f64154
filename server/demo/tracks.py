"""Tracks that play an encoded clip at its own pace, without encoding anything."""

import asyncio
from fractions import Fraction
from typing import Any

from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av.packet import Packet

from server.demo.clip import FRAMES_PER_SECOND, SAMPLE_RATE_HZ
from server.demo.encoded import KEYFRAME_EVERY, SAMPLES_PER_PACKET

VIDEO_TICKS = 90_000 // FRAMES_PER_SECOND
LATE_SECONDS = 0.5


class _LoopTrack(MediaStreamTrack):
    """Gives one encoded packet per period, for ever; a late track skips, it never rushes."""

    def __init__(
        self, packets: tuple[bytes, ...], *, ticks_per_packet: int, ticks_per_second: int
    ) -> None:
        super().__init__()
        self._packets = packets
        self._ticks = ticks_per_packet
        self._time_base = Fraction(1, ticks_per_second)
        self._period_seconds = ticks_per_packet / ticks_per_second
        self._started_at: float | None = None
        self._sent = 0
        self._position = 0

    async def recv(self) -> "Packet[Any]":
        """Return the next packet when it is due. Raises `MediaStreamError` once stopped."""
        if self.readyState != "live":
            raise MediaStreamError
        now = asyncio.get_running_loop().time()
        if self._started_at is None:
            self._started_at = now
        due = self._started_at + self._sent * self._period_seconds
        if now - due > LATE_SECONDS:
            self._started_at += now - due
        elif due > now:
            await asyncio.sleep(due - now)
        packet: Packet[Any] = Packet(self._packets[self._position])
        packet.pts = self._sent * self._ticks
        packet.time_base = self._time_base
        self._sent += 1
        self._position = (self._position + 1) % len(self._packets)
        return packet


class ClipVideo(_LoopTrack):
    """The pictures of a clip as VP8."""

    kind = "video"

    def __init__(self, frames: tuple[bytes, ...]) -> None:
        super().__init__(frames, ticks_per_packet=VIDEO_TICKS, ticks_per_second=90_000)

    def jump_to_keyframe(self) -> None:
        """Go on with the next keyframe of the clip: the answer to a picture loss indication."""
        ahead = -self._position % KEYFRAME_EVERY
        self._position = (self._position + ahead) % len(self._packets)


class ClipAudio(_LoopTrack):
    """The tone of a clip as Opus."""

    kind = "audio"

    def __init__(self, packets: tuple[bytes, ...]) -> None:
        super().__init__(
            packets, ticks_per_packet=SAMPLES_PER_PACKET, ticks_per_second=SAMPLE_RATE_HZ
        )
