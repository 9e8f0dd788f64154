"""What the load sends: 720p30 VP8, 1.5 Mbit/s on the wire, and Opus, encoded once and cut.

The pictures are the simulated resident's. Each payload ends in the generator's stamp
(load.c), so a receiver that decodes would see damage; a forwarder does not look there.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import av
import cv2
import numpy as np
from av.video.frame import PictureType

from server.demo import clip
from server.demo.encoded import is_keyframe, opus_packets

BITRATE_BPS = 1_600_000  # libvpx stays below what it is told: 1.4 Mbit/s come out
FRAMES = 60
PAYLOAD_BYTES = 1176  # as browsers do: 1,200 with header and extensions
STAMP_BYTES = 24
FRAMES_PER_SECOND = 30
SOUNDS_PER_SECOND = 50


@dataclass(frozen=True, slots=True)
class Packets:
    """RTP payloads of one kind: those of a frame follow each other; `keys` marks keyframes."""

    frames: tuple[tuple[bytes, ...], ...]
    keys: tuple[bool, ...]


@cache
def video() -> Packets:
    """Return two seconds of pictures, a keyframe first. Takes a second at first."""
    frames = _encode()
    payloads = tuple(_cut(frame, index) for index, frame in enumerate(frames))
    return Packets(payloads, tuple(is_keyframe(frame) for frame in frames))


@cache
def audio() -> Packets:
    """Return four seconds of a tone, 20 ms in each packet."""
    packets = tuple((_padded(packet),) for packet in opus_packets())
    return Packets(packets, (False,) * len(packets))


def packets_per_second() -> float:
    """Return how many packets one party sends in a second."""
    pictures = video().frames
    return sum(map(len, pictures)) / len(pictures) * FRAMES_PER_SECOND + SOUNDS_PER_SECOND


def _encode() -> list[bytes]:
    codec = av.CodecContext.create("libvpx", "w")
    codec.width, codec.height = clip.WIDTH_PX, clip.HEIGHT_PX
    codec.pix_fmt = "yuv420p"
    codec.bit_rate = BITRATE_BPS
    codec.time_base = Fraction(1, FRAMES_PER_SECOND)
    codec.gop_size = FRAMES
    codec.thread_count = 1
    rate = str(BITRATE_BPS)
    codec.options = {
        "deadline": "realtime",
        "cpu-used": "-8",
        "lag-in-frames": "0",
        "auto-alt-ref": "0",
        "error-resilient": "1",
        "minrate": rate,
        "maxrate": rate,
        "bufsize": rate,
    }
    encoded: list[bytes] = []
    for index in range(FRAMES):
        drawn = cv2.cvtColor(clip.resident_frame(index), cv2.COLOR_BGR2YUV_I420)
        picture = drawn.astype(np.uint8, copy=False)
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts = index
        if index == 0:
            frame.pict_type = PictureType.I
        encoded += [bytes(packet) for packet in codec.encode(frame)]
    return encoded + [bytes(packet) for packet in codec.encode(None)]


def _cut(frame: bytes, index: int) -> tuple[bytes, ...]:
    """Cut a frame as browsers do, under a descriptor with a picture id (RFC 7741 section 4.2)."""
    limit = PAYLOAD_BYTES - 4
    parts = [frame[at : at + limit] for at in range(0, len(frame), limit)]
    number = (0x8000 | index).to_bytes(2, "big")
    return tuple(
        _padded(bytes([0x80 if n else 0x90, 0x80]) + number + part) for n, part in enumerate(parts)
    )


def _padded(payload: bytes) -> bytes:
    """Leave place for the stamp behind the first bytes, which a forwarder reads."""
    return payload + bytes(max(0, STAMP_BYTES + 16 - len(payload)))
