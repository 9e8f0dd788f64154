"""What a video packet is to its frame: VP8 (RFC 7741) and H.264 (RFC 6184), read in place. Pure.

Lengths are bounded by `size`; what is cut short says nothing.
"""

BEGINS_KEY = 1  # the first packet of a keyframe
BARE = 2  # … of which an earlier packet (SPS) may still be missing
NEEDLESS = 4  # no other frame needs this one
SYNC = 8  # from this frame on all can be decoded by whoever had the base layer only
LONG = 16  # the picture id has 15 bits

# What the packet is, where the picture id is and where TL0PICIDX is; 0 for nowhere.
Frame = tuple[int, int, int]
SOUND: Frame = (0, 0, 0)
_UNKNOWN: Frame = (SYNC, 0, 0)
_IDR, _SPS, _STAP_A, _FU_A = 5, 7, 24, 28


def read_vp8(data: bytearray, payload: int, size: int) -> Frame:
    """Return what a VP8 packet is."""
    if payload >= size:
        return _UNKNOWN
    first = data[payload]
    position = payload + 1
    flags = SYNC
    id_at = level_at = 0
    if first & 0x20:
        flags |= NEEDLESS
    if first & 0x80:
        if position >= size:
            return _UNKNOWN
        more = data[position]
        position += 1
        if more & 0x80:
            if position + 2 > size:
                return _UNKNOWN
            id_at = position
            if data[position] & 0x80:
                flags |= LONG
                position += 1
            position += 1
        if more & 0x40:
            level_at = position
            position += 1
        if more & 0x30:
            if position >= size:
                return _UNKNOWN
            if more & 0x20:
                flags = _layered(flags, data[position])
            position += 1
    # The start of partition 0, whose first bit says that other frames are needed.
    if first & 0x17 == 0x10 and position < size and not data[position] & 1:
        flags |= BEGINS_KEY
    return (flags, id_at, level_at) if position <= size else _UNKNOWN


def _layered(flags: int, layer: int) -> int:
    """Take the temporal layer into account: the base is needed, whatever the N bit says."""
    if layer & 0xC0 == 0:
        return flags & LONG
    return flags & LONG | NEEDLESS | (SYNC if layer & 0x20 else 0)


def vp8_size(data: bytearray, payload: int, size: int) -> tuple[int, int]:
    """Return width and height that the first packet of a keyframe says, zeros when it does not.

    The start code stands 3 bytes into the frame (RFC 6386 section 9.1).
    """
    at = data.find(b"\x9d\x01\x2a", payload, min(size, payload + 12))
    if at < 0 or at + 7 > size:
        return 0, 0
    return (data[at + 3] | data[at + 4] << 8) & 0x3FFF, (data[at + 5] | data[at + 6] << 8) & 0x3FFF


def shift_ids(data: bytearray, frame: Frame, id_shift: int, level_shift: int) -> None:
    """Add to picture id and TL0PICIDX, each around its own wrap."""
    flags, id_at, level_at = frame
    if id_at and flags & LONG:
        number = (data[id_at] << 8 | data[id_at + 1]) + id_shift
        data[id_at] = 0x80 | number >> 8 & 0x7F
        data[id_at + 1] = number & 0xFF
    elif id_at:
        data[id_at] = data[id_at] + id_shift & 0x7F
    if level_at:
        data[level_at] = data[level_at] + level_shift & 0xFF


def picture_id(data: bytearray, frame: Frame) -> int:
    """Return the picture id, 0 where there is none."""
    flags, at, _ = frame
    if flags & LONG:
        return (data[at] << 8 | data[at + 1]) & 0x7FFF
    return data[at] & 0x7F if at else 0


def read_h264(data: bytearray, payload: int, size: int) -> Frame:
    """Return what an H.264 packet is."""
    if payload >= size:
        return _UNKNOWN
    first = data[payload]
    kind = first & 0x1F
    flags = SYNC if first & 0x60 else SYNC | NEEDLESS
    if kind == _SPS:
        flags |= BEGINS_KEY
    elif kind == _IDR:
        flags |= BEGINS_KEY | BARE
    elif kind == _FU_A:
        if payload + 1 < size and data[payload + 1] & 0x9F == 0x80 | _IDR:
            flags |= BEGINS_KEY | BARE
    elif kind == _STAP_A:
        flags |= _aggregated(data, payload + 1, size)
    return flags, 0, 0


def _aggregated(data: bytearray, position: int, size: int) -> int:
    flags = 0
    while position + 3 <= size:
        length = data[position] << 8 | data[position + 1]
        if length == 0 or position + 2 + length > size:
            break
        kind = data[position + 2] & 0x1F
        if kind == _SPS:
            return BEGINS_KEY
        if kind == _IDR:
            flags = BEGINS_KEY | BARE
        position += 2 + length
    return flags
