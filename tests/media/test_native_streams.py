"""The C that media/native/streams.h tells of and its Python namesakes say the same of any bytes."""

import ctypes
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media import frames, rtp, sps
from media.native import library
from media.path import Codec
from media.red import Red, copy_before, read_red, unwrap_main

SETTINGS = settings(deadline=None, derandomize=True, max_examples=300)


class Places(ctypes.Structure):
    """`places` of streams.h."""

    _fields_ = tuple((name, ctypes.c_int) for name in ("cc", "cc_at", "stamp_at", "mid_at"))


class Frame(ctypes.Structure):
    """`frame` of streams.h."""

    _fields_ = tuple((name, ctypes.c_int) for name in ("flags", "id_at", "level_at"))


class RedFound(ctypes.Structure):
    """`red` of streams.h."""

    _fields_ = tuple((name, ctypes.c_int) for name in Red._fields)


@pytest.fixture(scope="module")
def streams() -> Any:
    loaded = library.load()
    loaded.rtp_clean_extensions.restype = Places
    loaded.frame_read.restype = Frame
    loaded.red_read.restype = ctypes.c_bool
    return loaded


def held(data: bytes | bytearray) -> Any:
    """Return a copy for C that ends where the data ends."""
    return (ctypes.c_uint8 * len(data)).from_buffer_copy(data)


def packet(draw: random.Random) -> bytes:
    """Return something like an RTP packet with header extensions, and then less so."""
    head = bytearray(b"\x90\x60" + draw.randbytes(10))
    head[0] |= draw.choice((0, 0, 0, 1, 2, 0x20))
    head += draw.randbytes(4 * (head[0] & 15))
    words = draw.randrange(9)
    elements = b""
    while len(elements) < 4 * words:
        size = draw.choice((1, 2, 3, draw.randrange(1, 17)))
        if draw.random() < 0.5:
            elements += bytes((draw.randrange(16) << 4 | size - 1,)) + draw.randbytes(size)
        else:
            elements += bytes((draw.randrange(20), size)) + draw.randbytes(size)
        elements += bytes(draw.randrange(3))
    form = draw.choice((b"\xbe\xde", b"\xbe\xde", b"\x10\x00", b"\x10\x07", b"\x12\x34"))
    said = words if draw.random() < 0.95 else draw.randrange(65536)
    head += form + said.to_bytes(2, "big") + elements[: 4 * words]
    head += draw.randbytes(draw.choice((0, 1, 2, 3, 4, 60)))
    if draw.random() < 0.1:
        del head[draw.randrange(len(head)) + 1 :]
    return bytes(head)


def test_header_extensions_are_cleaned_and_renamed_alike(streams: Any) -> None:
    draw = random.Random(1)
    cleaned = 0
    for _ in range(4000):
        data = bytearray(packet(draw))
        other = held(data)
        payload = rtp.header_bytes(data, len(data))
        assert streams.rtp_header_bytes(other, len(data)) == payload
        if payload < 0 or not data[0] & 0x10:
            continue
        cleaned += 1
        table = bytes(draw.choice((0, n)) for n in range(16))
        ids = draw.sample(range(16), 3)
        found = rtp.clean_extensions(data, payload, table, *ids)
        places = streams.rtp_clean_extensions(other, payload, held(table), *ids)
        assert (places.cc, places.cc_at, places.stamp_at, places.mid_at) == found
        assert bytes(other) == data
        if found[3]:
            mid = draw.randbytes(draw.randrange(18))
            rtp.put_mid(data, found[3], mid)
            streams.rtp_put_mid(other, found[3], held(mid), len(mid))
            assert bytes(other) == data
        names = bytes(draw.randrange(16) for _ in range(16))
        rtp.rename_extensions(data, payload, names)
        streams.rtp_rename_extensions(other, payload, held(names))
        assert bytes(other) == data
    assert cleaned > 2000


def test_retransmissions_are_unwrapped_alike(streams: Any) -> None:
    draw = random.Random(2)
    for _ in range(3000):
        data = bytearray(packet(draw))
        if draw.random() < 0.5 and data:
            data[0] |= 0x20
            data[-1] = draw.randrange(8)
        payload = rtp.header_bytes(data, len(data))
        if payload < 0:
            continue
        other, size = held(data), ctypes.c_int(len(data))
        padding = rtp.padding_bytes(data, payload, len(data))
        assert streams.rtp_padding_bytes(other, payload, len(data)) == padding
        seq, left = rtp.unwrap_rtx(data, payload, len(data), 96, 0x12345678)
        found = streams.rtp_unwrap_rtx(other, payload, ctypes.byref(size), 96, 0x12345678)
        assert found == seq
        if seq >= 0:
            assert size.value == left
            assert bytes(other)[:left] == data[:left]


def _red(draw: random.Random) -> bytes:
    """Return something like a payload of RED, and then less so."""
    kinds = [draw.choice((111, 111, 111, 5)) for _ in range(draw.choice((0, 1, 1, 1, 2, 3)))]
    sizes = [draw.choice((0, 3, 9, draw.randrange(1024))) for _ in kinds]
    heads = [
        bytes((0x80 | kind,))
        + (draw.choice((960, draw.randrange(1 << 14))) << 10 | size).to_bytes(3, "big")
        for kind, size in zip(kinds, sizes, strict=True)
    ]
    data = b"".join(heads) + bytes((draw.choice((111, 111, 5)),))
    data += draw.randbytes(sum(sizes) + draw.choice((0, 1, 9)))
    return data[: draw.randrange(len(data) + 1)] if draw.random() < 0.2 else data


def test_sound_told_again_is_read_alike(streams: Any) -> None:
    draw = random.Random(3)
    told = 0
    for _ in range(4000):
        head = bytearray(b"\x80\xbf" + draw.randbytes(10))
        head[0] |= draw.choice((0, 0, 0, 0x20))
        data = head + _red(draw)
        other, found = held(data), RedFound()
        red = read_red(data, 12, len(data), 111)
        assert streams.red_read(other, 12, len(data), 111, ctypes.byref(found)) == bool(red)
        if red is None:
            continue
        assert tuple(getattr(found, name) for name in Red._fields) == red
        assert 12 < red.main_at - red.again_size <= red.main_at < red.end <= len(data)
        out, room = bytearray(len(data)), held(bytes(len(data)))
        seq, time, size = copy_before(data, 12, red, 111, out)
        assert streams.red_copy_before(other, 12, ctypes.byref(found), 111, room) == size
        assert bytes(room) == out
        assert rtp.FIXED.unpack_from(out)[1:4] == (111, seq, time)
        left = unwrap_main(data, 12, red, 111)
        assert streams.red_unwrap_main(other, 12, ctypes.byref(found), 111) == left
        assert bytes(other) == data
        told += red.again_size > 0
    assert told > 400


def _looked_at(streams: Any, codec: int, data: bytes, payload: int) -> None:
    read = frames.read_vp8 if codec == Codec.VP8 else frames.read_h264
    ours = bytearray(data)
    frame = read(ours, payload, len(ours))
    other = held(data)
    seen = streams.frame_read(codec, other, payload, len(data))
    assert (seen.flags, seen.id_at, seen.level_at) == frame
    if frame[1] or frame[2]:
        assert streams.frame_picture_id(other, seen) == frames.picture_id(ours, frame)
        frames.shift_ids(ours, frame, 0x1234, 0x77)
        streams.frame_shift_ids(other, seen, 0x1234, 0x77)
        assert bytes(other) == ours
    said = _size_by(streams.frame_vp8_size, other, payload)
    assert said == frames.vp8_size(ours, payload, len(ours))
    said = _size_by(streams.frame_h264_size, other, payload)
    assert said == sps.h264_size(ours, payload, len(ours))


def _size_by(function: Any, data: Any, payload: int) -> tuple[int, int]:
    width, height = ctypes.c_int(), ctypes.c_int()
    function(data, payload, len(data), ctypes.byref(width), ctypes.byref(height))
    return width.value, height.value


@SETTINGS
@given(st.binary(max_size=40), st.sampled_from((Codec.VP8, Codec.H264)), st.integers(0, 12))
def test_frames_are_read_alike(streams: Any, data: bytes, codec: int, payload: int) -> None:
    _looked_at(streams, codec, data, payload)


def test_parameter_sets_that_are_nearly_right_have_the_same_size(streams: Any) -> None:
    draw = random.Random(4)
    begun = [
        bytes.fromhex(x) for x in ("6742c01fda014016e840000003004000", "67640028ac2ca5014016e8")
    ]
    sized = 0
    for _ in range(4000):
        data = bytearray(draw.choice(begun) + draw.randbytes(draw.choice((0, 4, 99))))
        for _ in range(draw.randrange(4)):
            data[draw.randrange(len(data))] = draw.choice((0, 3, 44, 0xFF, draw.randrange(256)))
        del data[draw.randrange(1, 2 * len(data)) :]
        if draw.random() < 0.3:
            data[:0] = b"\x78" + (len(data) + draw.choice((0, 0, 1))).to_bytes(2, "big")
        size = sps.h264_size(data, 0, len(data))
        assert _size_by(streams.frame_h264_size, held(data), 0) == size
        sized += size != (0, 0)
    assert sized > 500


def test_frames_that_are_nearly_right_are_read_alike(streams: Any) -> None:
    draw = random.Random(3)
    starts = (
        b"\x10\x50\x01\x02\x9d\x01\x2a\x00\x05\xd0\x02",
        b"\x90\xe0\x81\x23\x07\x60\x50\x00\x00\x9d\x01\x2a\x80\x02\xe0\x01",
        b"\x80\xf0\x7f\x01\x80\x51",
        b"\x67\x42",
        b"\x65\x88",
        b"\x78\x00\x02\x09\x10\x00\x02\x67\x42\x00\x02\x65\x88",
        b"\x7c\x85\x88",
        b"\x1c\x45\x88",
    )
    for _ in range(5000):
        data = bytearray(draw.choice(starts))
        for _ in range(draw.randrange(3)):
            data[draw.randrange(len(data))] = draw.randrange(256)
        if draw.random() < 0.3:
            del data[draw.randrange(len(data)) :]
        _looked_at(streams, draw.choice((Codec.VP8, Codec.H264)), bytes(data), 0)
