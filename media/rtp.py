"""RTP headers read and rewritten in place (RFC 3550 section 5, RFC 8285, RFC 4588). Pure.

Functions take the buffer and the packet's length; every length in the packet is bounded by it.
"""

from struct import Struct

HEADER_BYTES = 12
MIN_BYTES = 12
FIXED = Struct("!BBHII")
_ONE_BYTE = 0xBEDE
_TWO_BYTE = 0x1000

Table = bytes  # 16 entries: new id of each extension id 0 to 15, 0 to blot it out
# The transport-wide number (-1: none), and where the bytes of number, abs-send-time and mid begin
# (0: nowhere).
Places = tuple[int, int, int, int]
NOWHERE: Places = (-1, 0, 0, 0)


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


def clean_extensions(
    data: bytearray, payload: int, table: Table, cc: int, stamp: int, mid: int
) -> Places:
    """Blot out the header extensions that end here; return where three of the others are.

    `table` has 0 for each id that ends here; `cc`, `stamp` and `mid` are the three's ids, 0 for
    none. `payload` is where the payload begins, and the packet has the extension bit set. The
    rule is number 7 of media/path.py.
    """
    position = HEADER_BYTES + 4 * (data[0] & 15)
    form = data[position] << 8 | data[position + 1]
    position += 4
    if form == _ONE_BYTE:
        return _clean_short(data, position, payload, table, cc, stamp, mid)
    if form & 0xFFF0 == _TWO_BYTE:
        return _clean_long(data, position, payload, table, cc, stamp, mid)
    data[position:payload] = bytes(payload - position)
    return NOWHERE


def _clean_short(
    data: bytearray, position: int, end: int, table: Table, cc: int, stamp: int, mid: int
) -> Places:
    value, cc_at, stamp_at, mid_at = NOWHERE
    while position < end:
        head = data[position]
        if head == 0:
            position += 1
            continue
        number, length = head >> 4, (head & 15) + 1
        after = position + 1 + length
        if number == 15 or after > end:
            data[position:end] = bytes(end - position)
            break
        kept = table[number] != 0
        if number == cc and length == 2 and value < 0:
            value = data[position + 1] << 8 | data[position + 2]
            cc_at = position + 1 if kept else 0
        elif number == stamp and length == 3 and not stamp_at:
            stamp_at = position + 1 if kept else 0
        elif number == mid and not mid_at:
            mid_at = position + 1 if kept else 0
        elif number in (cc, stamp, mid):
            kept = False
        if not kept:
            data[position:after] = bytes(after - position)
        position = after
    return value, cc_at, stamp_at, mid_at


def _clean_long(
    data: bytearray, position: int, end: int, table: Table, cc: int, stamp: int, mid: int
) -> Places:
    value, stamp_at = -1, 0
    while position < end:
        number = data[position]
        if number == 0:
            position += 1
            continue
        length = data[position + 1] if position + 2 <= end else end
        after = position + 2 + length
        if after > end:
            data[position:end] = bytes(end - position)
            break
        kept = number < 16 and table[number] != 0
        if number == cc:
            kept = False
            if length == 2 and value < 0:
                value = data[position + 2] << 8 | data[position + 3]
        elif number == stamp:
            kept = kept and length == 3 and not stamp_at
            stamp_at = position + 2 if kept else stamp_at
        elif number == mid:
            kept = False
        if not kept:
            data[position:after] = bytes(after - position)
        position = after
    return value, 0, stamp_at, 0


def rename_extensions(data: bytearray, payload: int, table: Table) -> None:
    """Give each header extension its id from `table`, and blot out what has none.

    For packets that `clean_extensions` has gone over: lengths are sound, ids are below 16.
    """
    position = HEADER_BYTES + 4 * (data[0] & 15)
    short = data[position] << 8 | data[position + 1] == _ONE_BYTE
    position += 4
    while position < payload:
        head = data[position]
        if head == 0:
            position += 1
            continue
        number = head >> 4 if short else head & 15
        after = position + 2 + (head & 15 if short else data[position + 1])
        new = table[number]
        if new == 0:
            data[position:after] = bytes(after - position)
        elif new != number:
            data[position] = new << 4 | head & 15 if short else new
        position = after


def put_mid(data: bytearray, mid_at: int, mid: bytes) -> None:
    """Put `mid` in the place of the one whose bytes begin at `mid_at`; zeros if it does not fit.

    The element has a one-byte head.
    """
    head = data[mid_at - 1]
    length = (head & 15) + 1
    if 0 < len(mid) <= length:
        data[mid_at - 1] = head & 0xF0 | len(mid) - 1
        data[mid_at : mid_at + length] = mid + bytes(length - len(mid))
    else:
        data[mid_at - 1 : mid_at + length] = bytes(length + 1)


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
