"""Packets on a TCP connection (RFC 4571): two bytes of length, then the packet. Pure."""

HEADER_BYTES = 2
# The largest that any part of the engine takes; a longer one is nobody's packet.
MAX_FRAME_BYTES = 2048


def framed(data: bytes | memoryview) -> bytes:
    """Return `data` with its length in front."""
    return len(data).to_bytes(HEADER_BYTES, "big") + data


class Unframer:
    """Cuts what arrives into packets. `broken` once a length was impossible; it stays so."""

    __slots__ = ("_rest", "broken")

    def __init__(self) -> None:
        self._rest = b""
        self.broken = False

    @property
    def waiting(self) -> bool:
        """Tell whether part of a packet has come."""
        return bool(self._rest)

    def feed(self, data: bytes) -> list[bytes]:
        """Return the packets that are complete now. What follows a wrong length is not looked at.

        At most one packet is kept, so memory is bounded by its largest size.
        """
        found: list[bytes] = []
        rest, at = self._rest + data, 0
        while not self.broken and len(rest) - at >= HEADER_BYTES:
            size = int.from_bytes(rest[at : at + HEADER_BYTES], "big")
            if not 0 < size <= MAX_FRAME_BYTES:
                self.broken = True
                break
            end = at + HEADER_BYTES + size
            if end > len(rest):
                break
            found.append(rest[at + HEADER_BYTES : end])
            at = end
        self._rest = b"" if self.broken else rest[at:]
        return found
