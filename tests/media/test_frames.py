"""Keyframes, needless frames and picture ids are read from VP8 and H.264 within their bounds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.frames import (
    BARE,
    BEGINS_KEY,
    LONG,
    NEEDLESS,
    SYNC,
    picture_id,
    read_h264,
    read_vp8,
    shift_ids,
    vp8_size,
)


def _vp8(payload: bytes) -> tuple[int, int, int]:
    return read_vp8(bytearray(payload), 0, len(payload))


def _h264(payload: bytes) -> int:
    return read_h264(bytearray(payload), 0, len(payload))[0]


@pytest.mark.parametrize(
    "descriptor",
    [
        b"\x10",
        b"\x90\x80\x05",
        b"\x90\x80\x80\x05",
        b"\x90\xe0\x80\x05\x01\x00",
        b"\x90\x20\x40",
    ],
)
def test_first_packet_of_a_vp8_keyframe_is_recognised(descriptor: bytes) -> None:
    assert _vp8(descriptor + b"\x50\x01\x02")[0] & BEGINS_KEY
    assert not _vp8(descriptor + b"\x51\x01\x02")[0] & BEGINS_KEY


@pytest.mark.parametrize("descriptor", [b"\x00", b"\x11", b"\x80\x80\x05"])
def test_a_later_packet_of_a_keyframe_does_not_begin_one(descriptor: bytes) -> None:
    assert not _vp8(descriptor + b"\x50\x01\x02")[0] & BEGINS_KEY


@pytest.mark.parametrize(
    ("descriptor", "needless", "sync"),
    [
        (b"\x00", False, True),
        (b"\x20", True, True),  # N: nobody needs it
        (b"\xa0\x20\x00", False, False),  # the base layer, whatever N says
        (b"\x80\x20\x40", True, False),
        (b"\x80\x20\x60", True, True),  # Y: needs the base layer only
    ],
)
def test_frames_that_no_other_needs_are_told_by_layer_or_bit(
    descriptor: bytes, needless: bool, sync: bool
) -> None:
    flags = _vp8(descriptor + b"\x51\x01")[0]
    assert (bool(flags & NEEDLESS), bool(flags & SYNC)) == (needless, sync)


def test_picture_ids_of_both_lengths_go_on_around_their_wrap() -> None:
    long, short = bytearray(b"\x90\xc0\xff\xff\xfe\x51"), bytearray(b"\x90\x80\x7f\x51")
    frame = read_vp8(long, 0, len(long))
    assert frame[0] & LONG
    assert picture_id(long, frame) == 0x7FFF
    shift_ids(long, frame, 3, 4)
    assert long == b"\x90\xc0\x80\x02\x02\x51"
    frame = read_vp8(short, 0, len(short))
    assert picture_id(short, frame) == 127
    shift_ids(short, frame, 0x7FFF, 4)
    assert short == b"\x90\x80\x7e\x51"


def test_size_of_a_vp8_keyframe_is_read() -> None:
    frame = bytearray(b"\x10" + b"\x50\x01\x02" + b"\x9d\x01\x2a" + b"\x00\x45\xd0\x02" + b"rest")
    assert vp8_size(frame, 0, len(frame)) == (1280, 720)
    assert vp8_size(frame, 0, 10) == (0, 0)


@pytest.mark.parametrize(
    ("payload", "flags"),
    [
        (b"\x67\x42\xe0\x1f", BEGINS_KEY | SYNC),  # SPS alone
        (b"\x65abc", BEGINS_KEY | BARE | SYNC),  # IDR alone
        (b"\x78\x00\x02\x67a\x00\x02\x68b\x00\x02\x65c", BEGINS_KEY | SYNC),
        (b"\x78\x00\x02\x68b\x00\x02\x65c", BEGINS_KEY | BARE | SYNC),
        (b"\x78\x00\x02\x68b\x00\x09\x65c", SYNC),  # the second runs over
        (b"\x7c\x85abc", BEGINS_KEY | BARE | SYNC),  # FU-A, start of an IDR
        (b"\x7c\x05abc", SYNC),
        (b"\x7c\x45abc", SYNC),
        (b"\x61abc", SYNC),
        (b"\x01abc", SYNC | NEEDLESS),
        (b"\x7c", SYNC),
        (b"", SYNC),
    ],
)
def test_h264_keyframes_begin_with_parameters_or_an_idr(payload: bytes, flags: int) -> None:
    assert _h264(payload) == flags


@settings(deadline=None, derandomize=True, max_examples=500)
@given(st.binary(max_size=12), st.integers(0, 12))
def test_any_bytes_are_read_within_the_packet(noise: bytes, size: int) -> None:
    size = min(size, len(noise))
    data = bytearray(noise)
    flags, id_at, level_at = read_vp8(data, 0, size)
    assert id_at < max(1, size)
    assert level_at < max(1, size)
    if flags & LONG:
        assert id_at + 1 < size
    shift_ids(data, (flags, id_at, level_at), 77, 88)
    assert data[size:] == noise[size:]
    read_h264(data, 0, size)
    vp8_size(data, 0, size)
