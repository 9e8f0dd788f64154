"""The size of H.264 pictures, from the parameter sets that an encoder wrote (libx264)."""

import random

import pytest

from media.sps import h264_size

SETS = {
    "6742c01fda014016e840000003004000000f03c60ca8": (1280, 720),
    "6742c01eda0280bfe584000003000400000300f03c58ba80": (640, 360),
    "6742c028da01e0089f9610000003001000000303c0f1832a": (1920, 1080),
    "6742c015da06c7f93840000003004000000f03c58ba8": (426, 240),
    "6742c00dda05067e7840000003004000000f03c50aa8": (320, 180),
    "6742c01fda02d0286840000003004000000f03c60ca8": (720, 1280),
    "67f4001e919680a02fee2e10000003001000000303c0f162ea": (638, 358),  # 4:4:4
}


def _size(payload: bytes, at: int = 0) -> tuple[int, int]:
    return h264_size(bytearray(payload), at, len(payload))


@pytest.mark.parametrize(("written", "size"), SETS.items())
def test_the_size_is_read_alone_and_among_others(written: str, size: tuple[int, int]) -> None:
    parameters = bytes.fromhex(written)
    assert _size(b"header" + parameters, 6) == size
    together = b"\x78\x00\x02\x09\xf0" + len(parameters).to_bytes(2, "big") + parameters
    assert _size(together + b"\x00\x02\x68b") == size
    assert _size(together[:-1]) == (0, 0)


@pytest.mark.parametrize(
    "payload", [b"", b"\x67", b"\x65abc", b"\x78", b"\x78\0\0\x67", b"\x67" + bytes(2000)]
)
def test_what_is_no_parameter_set_has_no_size(payload: bytes) -> None:
    assert _size(payload) == (0, 0)


def test_more_is_cut_off_than_there_is_and_nothing_is_said() -> None:
    bits = "01000010" + "0" * 16 + "1" * 2 + "1" * 2 + "1" + "0" + "1" * 2 + "1" * 2
    cut = bits + "1" + "00001001" + "1" * 3  # frame cropping of 8 units of 2 on the left
    padded = cut + "1" + "0" * (-(len(cut) + 1) % 8)
    data = int(padded, 2).to_bytes(len(padded) // 8, "big")
    assert _size(b"\x67" + data) == (0, 0)


def test_a_changed_parameter_set_gives_a_size_within_bounds_or_none() -> None:
    draw = random.Random(5)
    for written in SETS:
        for _ in range(400):
            data = bytearray(bytes.fromhex(written))
            for _ in range(draw.randrange(1, 5)):
                data[draw.randrange(1, len(data))] = draw.randrange(256)
            del data[draw.randrange(1, 2 * len(data)) :]
            width, height = h264_size(data, 0, len(data))
            assert (0 < width <= 16384 and 0 < height <= 16384) or width == height == 0
