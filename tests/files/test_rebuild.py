"""Pictures made anew: upright, without metadata, never larger than we can hold."""

import resource

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from files.kinds import JPEG, PNG
from files.picture import MAX_SCANS, check_size
from files.rebuild import rebuild
from security.errors import ProtocolError, TooMuch
from tests.files.conftest import bomb_png, decoded, encoded, exif, pixels, with_chunk, with_exif

JPEG_BYTES = encoded(".jpg", pixels())
PNG_BYTES = encoded(".png", pixels())


def test_a_jpeg_loses_its_gps_position_and_camera() -> None:
    photo = with_exif(JPEG_BYTES)
    assert b"Exif" in photo
    assert b"CAMERA!" in photo
    rebuilt = rebuild(photo, JPEG)
    assert b"Exif" not in rebuilt
    assert b"CAMERA!" not in rebuilt
    assert decoded(rebuilt).shape == (40, 60, 3)


@pytest.mark.parametrize(
    ("orientation", "red_corner"),
    [(1, (0, 0)), (3, (-1, -1)), (6, (0, -1)), (8, (-1, 0))],
)
def test_a_jpeg_is_turned_upright(orientation: int, red_corner: tuple[int, int]) -> None:
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[:16, :24, 2] = 255
    rebuilt = decoded(rebuild(with_exif(encoded(".jpg", picture), orientation), JPEG))
    assert rebuilt.shape == ((60, 40, 3) if orientation in {6, 8} else (40, 60, 3))
    assert rebuilt[red_corner][2] > 200
    assert sum(rebuilt[row, column][2] > 200 for row in (0, -1) for column in (0, -1)) == 1


def test_what_stands_behind_the_end_of_a_picture_is_gone() -> None:
    for content, kind in ((JPEG_BYTES, JPEG), (PNG_BYTES, PNG)):
        assert b"<script>" not in rebuild(content + b"<script>alert(1)</script>", kind)


def test_what_a_png_says_beside_its_picture_is_gone() -> None:
    png = with_chunk(PNG_BYTES, b"tEXt", b"Author\0somebody")
    rebuilt = rebuild(with_chunk(png, b"eXIf", exif()), PNG)
    assert b"somebody" not in rebuilt
    assert b"eXIf" not in rebuilt
    assert b"CAMERA!" not in rebuilt


def test_a_png_keeps_every_pixel() -> None:
    assert np.array_equal(decoded(rebuild(PNG_BYTES, PNG)), pixels())


def test_a_png_is_turned_upright() -> None:
    turned = decoded(rebuild(with_chunk(PNG_BYTES, b"eXIf", exif(6)), PNG))
    assert np.array_equal(turned, np.rot90(pixels(), -1))


@pytest.mark.parametrize("orientation", [1, 6])
def test_what_is_transparent_becomes_white_and_the_picture_stays_upright(orientation: int) -> None:
    picture = pixels(channels=4)
    picture[:20, :, 3] = 0
    picture[20:, :, 3] = 255
    content = with_chunk(encoded(".png", picture), b"eXIf", exif(orientation))
    rebuilt = decoded(rebuild(content, PNG))
    expected = pixels()
    expected[:20] = 255
    assert np.array_equal(rebuilt, np.rot90(expected, -1) if orientation == 6 else expected)


def test_a_png_of_sixteen_bits_becomes_one_of_eight() -> None:
    rebuilt = decoded(rebuild(encoded(".png", pixels().astype(np.uint16) * 257), PNG))
    assert rebuilt.dtype == np.uint8
    assert np.array_equal(rebuilt, pixels())


def test_a_grey_picture_stays_grey() -> None:
    grey = pixels()[:, :, 2]
    assert np.array_equal(decoded(rebuild(encoded(".png", grey), PNG)), grey)
    assert decoded(rebuild(encoded(".jpg", grey), JPEG)).ndim == 2


@pytest.mark.parametrize(
    ("width", "height", "bits"),
    [(50_000, 50_000, 8), (2**31 - 1, 2**31 - 1, 8), (40_000_001, 1, 8), (20_000_001, 1, 16)],
)
def test_a_bomb_is_refused_before_it_is_decoded(width: int, height: int, bits: int) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(TooMuch) as caught:
        rebuild(bomb_png(width, height, bits), PNG)
    assert (caught.value.code, caught.value.unit) == ("too_large", "pixels")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000


def test_a_jpeg_bomb_is_refused_before_it_is_decoded() -> None:
    at = JPEG_BYTES.index(b"\xff\xc0") + 5
    bomb = JPEG_BYTES[:at] + b"\xff\xff\xff\xff" + JPEG_BYTES[at + 4 :]
    with pytest.raises(TooMuch):
        rebuild(bomb, JPEG)


def test_a_jpeg_of_endless_scans_is_refused() -> None:
    at = JPEG_BYTES.index(b"\xff\xda")
    scan = JPEG_BYTES[at:-2]
    with pytest.raises(TooMuch) as caught:
        rebuild(JPEG_BYTES[:at] + scan * (MAX_SCANS + 1) + b"\xff\xd9", JPEG)
    assert caught.value.unit == "scans"


def test_a_progressive_photo_is_no_bomb() -> None:
    parameters = [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]
    content = cv2.imencode(".jpg", pixels(300, 200), parameters)[1].tobytes()
    assert content.count(b"\xff\xda") > 3
    assert decoded(rebuild(content, JPEG)).shape == (200, 300, 3)


@pytest.mark.parametrize("keep", [0, 3, 20, 150, 400])
@pytest.mark.parametrize(("content", "kind"), [(JPEG_BYTES, JPEG), (PNG_BYTES, PNG)])
def test_a_picture_that_cannot_be_decoded_is_a_wrong_type(
    content: bytes, kind: str, keep: int
) -> None:
    with pytest.raises(ProtocolError) as caught:
        rebuild(content[: min(keep, len(content) // 2)], kind)
    assert caught.value.code == "wrong_type"


@settings(max_examples=150, deadline=None)
@given(data=st.data(), jpeg=st.booleans())
def test_a_mutilated_picture_is_rebuilt_or_refused(data: st.DataObject, jpeg: bool) -> None:
    content = bytearray(with_exif(JPEG_BYTES) if jpeg else PNG_BYTES)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    try:
        rebuild(bytes(content), JPEG if jpeg else PNG, max_pixels=1_000_000)
    except (ProtocolError, TooMuch):
        return


@given(st.binary(max_size=300), st.booleans())
def test_the_size_of_any_bytes_is_read_or_refused(content: bytes, jpeg: bool) -> None:
    try:
        check_size(b"\xff\xd8" + content if jpeg else content, JPEG if jpeg else PNG)
    except (ProtocolError, TooMuch):
        return
