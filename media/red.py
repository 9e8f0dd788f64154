"""Sound that carries what was said just before along (RED, RFC 2198), read in place. Pure.

A browser that was answered so puts the packet before into each packet of Opus. Here what was lost
is taken out of its successor, in the time that this one needs to come, and everybody is sent plain
Opus. Every length is bounded by the packet's.
"""

from typing import NamedTuple

from media.rtp import padding_bytes


class Red(NamedTuple):
    """What a packet holds: itself from `main_at` to `end`, and `again_size` bytes before that.

    Those are the packet before, whose timestamp is `behind` less; no bytes when it is not told.
    """

    main_at: int
    end: int
    again_size: int
    behind: int


def read_red(data: bytearray, payload: int, size: int, payload_type: int) -> Red | None:
    """Return what a packet whose payload begins at `payload` holds of `payload_type`.

    None when it holds nothing of that, or lies about lengths. Only the newest of what is told
    again counts.
    """
    end = size - padding_bytes(data, payload, size)
    position, told, again, behind = payload, 0, 0, 0
    while position + 4 < end and data[position] & 0x80:
        word = int.from_bytes(data[position + 1 : position + 4], "big")
        again = word & 0x3FF if data[position] & 0x7F == payload_type else 0
        behind = word >> 10
        told += word & 0x3FF
        position += 4
    if position >= end or data[position] != payload_type:
        return None
    main_at = position + 1 + told
    return Red(main_at, end, again, behind) if main_at < end else None


def unwrap_main(data: bytearray, payload: int, red: Red, payload_type: int) -> int:
    """Turn the packet into the plain one that it is; return its new size."""
    size = payload + red.end - red.main_at
    data[payload:size] = data[red.main_at : red.end]
    data[0] &= 0xDF
    data[1] = data[1] & 0x80 | payload_type
    return size


def copy_before(
    data: bytearray, payload: int, red: Red, payload_type: int, out: bytearray
) -> tuple[int, int, int]:
    """Write the packet before to `out`; return its number, timestamp and size.

    Its header is this packet's but for those two and the mark of a beginning.
    """
    size = payload + red.again_size
    out[:payload] = data[:payload]
    out[payload:size] = data[red.main_at - red.again_size : red.main_at]
    seq = (int.from_bytes(data[2:4], "big") - 1) & 0xFFFF
    time = (int.from_bytes(data[4:8], "big") - red.behind) & 0xFFFFFFFF
    out[0] &= 0xDF
    out[1] = payload_type
    out[2:4] = seq.to_bytes(2, "big")
    out[4:8] = time.to_bytes(4, "big")
    return seq, time, size
