"""The size of an H.264 picture, read from its sequence parameter set in a packet. Pure.

ITU-T H.264 sections 7.3.2.1.1 and 7.4.2.1.1, in the packets of RFC 6184. Anybody may have written
these bytes: at most `MAX_SPS_BYTES` are looked at, every number is bounded, and what is cut short,
out of bounds or not there has no size.
"""

MAX_SPS_BYTES = 96
MAX_SIDE_PX = 16_384
_SPS, _STAP_A = 7, 24
_MONO, _RGB = 0, 3
_CHROMA_PROFILES = frozenset({44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244})


class _Bits:
    """Bits from the first on; beyond the end there are zeros, and `whole` is False from then on."""

    __slots__ = ("_bits", "_left", "whole")

    def __init__(self, data: bytes) -> None:
        self._bits = int.from_bytes(data, "big")
        self._left = 8 * len(data)
        self.whole = True

    def take(self, count: int) -> int:
        """Return the next `count` bits as a number."""
        if count > self._left:
            self._left = 0
            self.whole = False
            return 0
        self._left -= count
        return self._bits >> self._left & (1 << count) - 1

    def number(self, most: int) -> int:
        """Return an unsigned exp-Golomb number (section 9.1) of at most `most`."""
        zeros = 0
        while self.whole and not self.take(1):
            zeros += 1
            self.whole = self.whole and zeros < 32
        value = (1 << zeros) - 1 + self.take(zeros) if self.whole else 0
        if value > most:
            self.whole = False
        return value if self.whole else 0

    def signed(self) -> int:
        """Return a signed one (section 9.1.1)."""
        value = self.number(0xFFFFFFFE)
        return (value + 1) // 2 if value & 1 else -(value // 2)


def h264_size(data: bytearray, payload: int, size: int) -> tuple[int, int]:
    """Return width and height that an SPS in the packet says, zeros when it does not."""
    if payload >= size:
        return 0, 0
    kind = data[payload] & 0x1F
    if kind == _SPS:
        return _size(data, payload + 1, size)
    position = payload + 1
    while kind == _STAP_A and position + 3 <= size:
        end = position + 2 + (data[position] << 8 | data[position + 1])
        if end == position + 2 or end > size:
            break
        if data[position + 2] & 0x1F == _SPS:
            return _size(data, position + 3, end)
        position = end
    return 0, 0


def _size(data: bytearray, start: int, end: int) -> tuple[int, int]:
    bits = _Bits(bytes(data[start : min(end, start + MAX_SPS_BYTES)]).replace(b"\0\0\3", b"\0\0"))
    chroma = _begin(bits)
    _order(bits)
    bits.number(16)
    bits.take(1)
    width = 16 * (bits.number(MAX_SIDE_PX // 16 - 1) + 1)
    height = 16 * (bits.number(MAX_SIDE_PX // 16 - 1) + 1)
    fields = 1 if bits.take(1) else 2
    bits.take(1 if fields == 1 else 2)  # mb_adaptive_frame_field_flag, direct_8x8_inference_flag
    height *= fields
    if bits.take(1):
        left, right, top, bottom = (bits.number(MAX_SIDE_PX) for _ in range(4))
        width -= (left + right) * (2 if chroma in (1, 2) else 1)
        height -= (top + bottom) * fields * (2 if chroma == 1 else 1)
    fits = 0 < width <= MAX_SIDE_PX and 0 < height <= MAX_SIDE_PX
    return (width, height) if bits.whole and fits else (0, 0)


def _begin(bits: _Bits) -> int:
    """Read up to what the profile adds and return ChromaArrayType."""
    profile = bits.take(8)
    bits.take(16)
    bits.number(31)
    if profile not in _CHROMA_PROFILES:
        return 1
    form = bits.number(3)
    planes = bits.take(1) if form == _RGB else 0
    bits.number(6)
    bits.number(6)
    bits.take(1)
    if bits.take(1):
        for place in range(12 if form == _RGB else 8):
            if bits.take(1):
                _scaling(bits, 16 if place < 6 else 64)
    return _MONO if planes else form


def _scaling(bits: _Bits, count: int) -> None:
    last = 8
    for _ in range(count):
        following = (last + bits.signed()) & 0xFF
        if not following or not bits.whole:
            return
        last = following


def _order(bits: _Bits) -> None:
    """Read how pictures are numbered and ordered."""
    bits.number(12)
    kind = bits.number(2)
    if kind == 0:
        bits.number(12)
    elif kind == 1:
        bits.take(1)
        bits.signed()
        bits.signed()
        for _ in range(bits.number(255)):
            bits.signed()
