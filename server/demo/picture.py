"""A small PNG of its own, as a simulated tablet takes one. Pure."""

import struct
import zlib

WIDTH, HEIGHT = 320, 240


def still_png(number: int) -> bytes:
    """Return a grey picture whose shade says which one it is."""
    rows = b"".join(
        b"\0" + bytes((x + y + 40 * number) % 256 for x in range(WIDTH)) for y in range(HEIGHT)
    )
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
