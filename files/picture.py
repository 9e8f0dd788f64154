"""How large a picture will be once decoded, read from its headers alone. Pure.

Asked before anything is decoded: a few bytes can claim a picture that fills the memory, or as many
passes over it as would keep a processor busy for minutes.
"""

import re
from collections.abc import Iterator

from files.kinds import PNG
from security.errors import ProtocolError, TooMuch

MAX_PIXELS = 40_000_000
MAX_SCANS = 50
_PNG_HEADER = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
_MARKER = re.compile(rb"\xff+([\x01-\xcf\xd8-\xfe])")
_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset({0x01, _START, _END})


def check_size(data: bytes, media_type: str, *, max_pixels: int = MAX_PIXELS) -> None:
    """Raise unless the picture can be decoded within our limits.

    `TooMuch` (`too_large`) when it has more than `max_pixels` (one of 16 bits counts twice) or a
    JPEG more than 50 scans; `ProtocolError` (`wrong_type`) when its headers cannot be read.
    """
    width, height = _png_size(data) if media_type == PNG else _jpeg_size(data)
    if width * height > max_pixels:
        raise TooMuch("the picture has too many pixels", limit=max_pixels, unit="pixels")
    if width == 0 or height == 0:
        raise _unreadable()


def _png_size(data: bytes) -> tuple[int, int]:
    """Return width and height of IHDR (PNG section 11.2.2), the width doubled for 16 bits."""
    if len(data) < 33 or not data.startswith(_PNG_HEADER):
        raise _unreadable()
    width, height = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    return (2 * width if data[24] == 16 else width), height


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """Return width and height of the only frame header (ITU-T T.81 section B.2.2)."""
    size: tuple[int, int] | None = None
    scans = 0
    for marker, body in _segments(data):
        if marker in _FRAMES:
            if size is not None or len(body) < 6 or body[0] != 8:
                raise _unreadable()
            size = int.from_bytes(body[3:5], "big"), int.from_bytes(body[1:3], "big")
        scans += marker == _SCAN
        if scans > MAX_SCANS:
            raise TooMuch("the picture has too many scans", limit=MAX_SCANS, unit="scans")
    if size is None or scans == 0:
        raise _unreadable()
    return size


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Give marker and body of each segment up to the end of the image; skip what is coded."""
    at = 0
    while (found := _MARKER.search(data, at)) is not None:
        marker, at = found[1][0], found.end()
        if marker == _END:
            return
        if marker in _ALONE:
            continue
        length = int.from_bytes(data[at : at + 2], "big")
        body = data[at + 2 : at + length]
        if length < 2 or len(body) != length - 2:
            raise _unreadable()
        yield marker, body
        at += length


def _unreadable() -> ProtocolError:
    return ProtocolError("the picture cannot be read", code="wrong_type")
