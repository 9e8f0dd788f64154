"""RTP headers read and rewritten in place (RFC 3550 section 5, RFC 8285, RFC 7741). Pure.

Functions take the buffer and the packet's length; every length in the packet is bounded by it.
"""

from struct import Struct

HEADER_BYTES = 12
MIN_BYTES = 12
FIXED = Struct("!BBHII")
_ONE_BYTE = 0xBEDE
_TWO_BYTE = 0x1000

Table = bytes  # 16 entries: new id of each extension id 0 to 15, 0 to blot it out


def header_bytes(data: bytearray, size: int) -> int:
    """Return where the payload begins, or -1 when this is no RTP packet."""
    first = data[0]
    if size < HEADER_BYTES or first >> 6 != 2:
        return -1
    end = HEADER_BYTES + 4 * (first & 15)
    if first & 0x10:
        if end + 4 > size:
            return -1
        end += 4 + 4 * (data[end + 2] << 8 | data[end + 3])
    return end if end <= size else -1


def padding_bytes(data: bytearray, payload: int, size: int) -> int:
    """Return how many bytes at the end are padding; all of the payload when it lies."""
    if not data[0] & 0x20 or size <= payload:
        return 0
    return min(data[size - 1] or 1, size - payload)


def rename_extensions(data: bytearray, payload: int, table: Table, wanted: int) -> int:
    """Give each header extension its id from `table`, and return the value of extension `wanted`.

    What has no new id is blotted out by zeros, which are padding. The value is that of a two-byte
    extension (the transport-wide sequence number); -1 when it is not there. `payload` is where
    the payload begins, and the packet has the extension bit set.
    """
    position = HEADER_BYTES + 4 * (data[0] & 15)
    form = data[position] << 8 | data[position + 1]
    position += 4
    if form == _ONE_BYTE:
        return _rename_short(data, position, payload, table, wanted)
    if form & 0xFFF0 == _TWO_BYTE:
        return _rename_long(data, position, payload, table, wanted)
    data[position:payload] = bytes(payload - position)
    return -1


def _rename_short(data: bytearray, position: int, end: int, table: Table, wanted: int) -> int:
    value = -1
    while position < end:
        head = data[position]
        if head == 0:
            position += 1
            continue
        number = head >> 4
        after = position + 2 + (head & 15)
        if number == 15 or after > end:
            data[position:end] = bytes(end - position)
            return value
        if number == wanted and after == position + 3:
            value = data[position + 1] << 8 | data[position + 2]
        new = table[number]
        if new == 0:
            data[position:after] = bytes(after - position)
        elif new != number:
            data[position] = new << 4 | head & 15
        position = after
    return value


def _rename_long(data: bytearray, position: int, end: int, table: Table, wanted: int) -> int:
    value = -1
    while position < end:
        number = data[position]
        if number == 0:
            position += 1
            continue
        after = position + 2 + data[position + 1] if position + 2 <= end else end + 1
        if after > end:
            data[position:end] = bytes(end - position)
            return value
        if number == wanted and after == position + 4:
            value = data[position + 2] << 8 | data[position + 3]
        new = table[number] if number < 16 else 0
        if new == 0:
            data[position:after] = bytes(after - position)
        elif new != number:
            data[position] = new
        position = after
    return value


def starts_keyframe(data: bytearray, payload: int, size: int) -> bool:
    """Tell whether this VP8 packet is the first of a keyframe (RFC 7741 sections 4.2 and 4.3)."""
    if payload >= size:
        return False
    first = data[payload]
    if first & 0x17 != 0x10:  # start of partition 0
        return False
    position = payload + 1
    if first & 0x80:
        if position >= size:
            return False
        flags = data[position]
        position += 1
        if flags & 0x80:
            if position >= size:
                return False
            position += 2 if data[position] & 0x80 else 1
        if flags & 0x40:
            position += 1
        if flags & 0x30:
            position += 1
    return position < size and not data[position] & 1


def unwrap_rtx(
    data: bytearray, payload: int, size: int, payload_type: int, ssrc: int
) -> tuple[int, int]:
    """Turn a retransmission into the packet it repeats (RFC 4588 section 4).

    Returns (original sequence number, new size), or (-1, 0) when it carries none: browsers
    also send bare padding this way to probe the line.
    """
    size -= padding_bytes(data, payload, size)
    if size - payload < 3:
        return -1, 0
    seq = data[payload] << 8 | data[payload + 1]
    data[payload : size - 2] = data[payload + 2 : size]
    data[0] &= 0xDF
    data[1] = data[1] & 0x80 | payload_type
    data[2:4] = seq.to_bytes(2, "big")
    data[8:12] = ssrc.to_bytes(4, "big")
    return seq, size - 2
