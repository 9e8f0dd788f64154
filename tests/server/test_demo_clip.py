"""The generated clip: the same at every run, legible, cheap to send."""

from collections.abc import Callable
from typing import Any

import av
import cv2
import numpy as np
import pytest

from server.demo import clip
from server.demo.encoded import (
    KEYFRAME_EVERY,
    EncodedClip,
    desk_clip,
    is_keyframe,
    resident_clip,
)
from server.demo.receiving import decoded_size
from server.demo.tracks import ClipVideo

MakeClip = Callable[[], EncodedClip]
BOTH = pytest.mark.parametrize("make", [resident_clip, desk_clip], ids=["resident", "desk"])


def decoded(frames: tuple[bytes, ...]) -> list[Any]:
    decoder = av.CodecContext.create("libvpx", "r")
    return [
        picture.to_ndarray(format="bgr24")
        for frame in frames
        for picture in decoder.decode(av.Packet(frame))
    ]


def test_frames_are_the_same_at_every_drawing() -> None:
    assert np.array_equal(clip.resident_frame(17), clip.resident_frame(17))


def test_the_loop_has_no_jump() -> None:
    steps = [
        np.abs(clip.resident_frame(i).astype(int) - clip.resident_frame(i + 1)).mean()
        for i in (10, 50, clip.FRAMES - 1)
    ]
    assert max(steps) < 3 * max(min(steps), 0.1)


def test_the_figure_moves() -> None:
    assert not np.array_equal(clip.resident_frame(0), clip.resident_frame(15))


@BOTH
def test_every_second_begins_with_a_keyframe(make: MakeClip) -> None:
    frames = make().video
    keyframes = [index for index, frame in enumerate(frames) if is_keyframe(frame)]
    assert len(frames) == clip.FRAMES
    assert set(range(0, clip.FRAMES, KEYFRAME_EVERY)) <= set(keyframes)


@BOTH
def test_the_bitrate_is_that_of_a_call(make: MakeClip) -> None:
    seconds = clip.FRAMES / clip.FRAMES_PER_SECOND
    assert sum(map(len, make().video)) * 8 / seconds < 2_000_000


def test_small_print_survives_the_encoder() -> None:
    drawn = clip.resident_frame(0)
    arrived = decoded(resident_clip().video[:1])[0]
    y, x = 395 + 150, 640 - clip.CARD_PX[0] // 2
    rows, columns = slice(y, y + 80), slice(x + 10, x + 330)
    pair = [cv2.cvtColor(p[rows, columns], cv2.COLOR_BGR2GRAY) for p in (drawn, arrived)]
    likeness = cv2.matchTemplate(pair[1], pair[0], cv2.TM_CCOEFF_NORMED).max()
    assert pair[0].std() > 20, "there is print in this corner"
    assert likeness > 0.95


def test_the_tone_is_audible_and_ends_in_silence() -> None:
    samples = clip.tone()
    assert 2_000 < int(np.abs(samples).max()) < 6_000
    assert int(np.abs(samples[-100:]).max()) == 0


def test_sound_is_twenty_milliseconds_a_packet() -> None:
    assert len(resident_clip().audio) == clip.TONE_SECONDS * 50


def test_a_broken_keyframe_is_not_called_decodable() -> None:
    whole = resident_clip().video[0]
    assert decoded_size(whole) == (clip.WIDTH_PX, clip.HEIGHT_PX)
    assert decoded_size(b"\x10\x02\x00 not a picture") is None


async def test_a_track_goes_on_with_a_keyframe_when_asked() -> None:
    track = ClipVideo(resident_clip().video)
    for _ in range(3):
        await track.recv()
    track.jump_to_keyframe()
    assert is_keyframe(bytes(await track.recv()))


async def test_a_track_keeps_its_clock_over_a_jump() -> None:
    track = ClipVideo(resident_clip().video)
    first = await track.recv()
    track.jump_to_keyframe()
    second = await track.recv()
    assert second.pts is not None
    assert first.pts is not None
    assert second.pts - first.pts == 90_000 // clip.FRAMES_PER_SECOND
