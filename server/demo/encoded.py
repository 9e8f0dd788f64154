"""The clip encoded once: VP8 frames and Opus packets for every simulated page to send again.

Encoding takes about a second of one core, so callers on an event loop ask in a thread.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import av
import cv2
import numpy as np
from aiortc.codecs.opus import OpusEncoder
from av.video.frame import PictureType

from server.demo import clip

KEYFRAME_EVERY = 30
BITRATE_BPS = 1_500_000
SAMPLES_PER_PACKET = 960


@dataclass(frozen=True, slots=True)
class EncodedClip:
    """A loop of media: `video[i]` is one VP8 frame, `audio[i]` 20 ms of Opus.

    Every `KEYFRAME_EVERY`-th frame, the first one included, is a keyframe.
    """

    video: tuple[bytes, ...]
    audio: tuple[bytes, ...]


@cache
def resident_clip(frames: int = clip.FRAMES) -> EncodedClip:
    """Return the first `frames` frames of the resident. Slow at first: ask in a thread."""
    return EncodedClip(_encode_video(clip.resident_frame, frames), opus_packets())


@cache
def desk_clip(frames: int = clip.FRAMES) -> EncodedClip:
    """Return the first `frames` frames of the desk. Slow at first: ask in a thread."""
    return EncodedClip(_encode_video(clip.desk_frame, frames), opus_packets())


def is_keyframe(frame: bytes) -> bool:
    """Tell whether a VP8 frame is a keyframe (RFC 6386 section 9.1)."""
    return len(frame) > 0 and frame[0] & 1 == 0


def _encode_video(draw: Callable[[int], clip.Picture], count: int) -> tuple[bytes, ...]:
    codec = av.CodecContext.create("libvpx", "w")
    codec.width, codec.height = clip.WIDTH_PX, clip.HEIGHT_PX
    codec.pix_fmt = "yuv420p"
    codec.bit_rate = BITRATE_BPS
    codec.time_base = Fraction(1, clip.FRAMES_PER_SECOND)
    codec.gop_size = clip.FRAMES
    codec.thread_count = 1  # libvpx's threads spin while they wait, at the cost of everybody else
    codec.options = {
        "deadline": "realtime",
        "cpu-used": "-8",  # negative: this speed, whatever else the machine does
        "lag-in-frames": "0",
        "auto-alt-ref": "0",
        "error-resilient": "1",
        "static-thresh": "1",
    }
    frames: list[bytes] = []
    for index in range(count):
        picture = cv2.cvtColor(draw(index), cv2.COLOR_BGR2YUV_I420).astype(np.uint8, copy=False)
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts = index
        if index % KEYFRAME_EVERY == 0:
            frame.pict_type = PictureType.I
        frames += [bytes(packet) for packet in codec.encode(frame)]
    frames += [bytes(packet) for packet in codec.encode(None)]
    return tuple(frames)


def opus_packets() -> tuple[bytes, ...]:
    """Return the clip's tone, 20 ms of Opus in each packet."""
    samples = clip.tone()
    encoder = OpusEncoder()
    packets: list[bytes] = []
    for start in range(0, len(samples), SAMPLES_PER_PACKET):
        block = samples[start : start + SAMPLES_PER_PACKET]
        frame = av.AudioFrame.from_ndarray(block.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = clip.SAMPLE_RATE_HZ
        frame.pts = start
        frame.time_base = Fraction(1, clip.SAMPLE_RATE_HZ)
        payloads, _ = encoder.encode(frame)
        packets += payloads
    return tuple(packets)
