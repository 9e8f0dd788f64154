"""A router's address translation on IPv4 UDP packets. Pure.

Inner hosts are seen from outside at one public address, each of their ports at another. `rebind`
is what a router does that forgot its table: the same inner ports come out of other ones.
"""

import struct

UDP = 17
HEADER_BYTES = 20
FIRST_PORT = 20_000


class Nat:
    """Translates what inner hosts send, and what comes back to them."""

    def __init__(self, outside: bytes) -> None:
        self._outside = outside
        self._next = FIRST_PORT
        self._out: dict[bytes, int] = {}
        self._back: dict[int, bytes] = {}

    def rebind(self, outside: bytes | None = None) -> None:
        """Forget every port, and be at another public address if one is given."""
        self._out.clear()
        self._back.clear()
        self._outside = outside or self._outside

    def outward(self, packet: bytes) -> bytes | None:
        """Return a packet of an inner host as the outside sees it."""
        if not _is_udp(packet):
            return packet
        inner = packet[12:16] + packet[HEADER_BYTES : HEADER_BYTES + 2]
        public = self._out.get(inner)
        if public is None:
            public, self._next = self._next, self._next + 1
            self._out[inner], self._back[public] = public, inner
        return _rewritten(packet, 12, HEADER_BYTES, self._outside + public.to_bytes(2, "big"))

    def inward(self, packet: bytes) -> bytes | None:
        """Return a packet from outside as an inner host gets it, None for one to nobody."""
        if not _is_udp(packet):
            return packet
        public = int.from_bytes(packet[HEADER_BYTES + 2 : HEADER_BYTES + 4], "big")
        inner = self._back.get(public)
        if inner is None or packet[16:20] != self._outside:
            return None
        return _rewritten(packet, 16, HEADER_BYTES + 2, inner)


def _is_udp(packet: bytes) -> bool:
    """Tell whether it is UDP over IPv4, whole and without options."""
    return len(packet) >= HEADER_BYTES + 8 and packet[0] == 0x45 and packet[9] == UDP


def _rewritten(packet: bytes, address_at: int, port_at: int, end: bytes) -> bytes:
    """Return the packet with another end: four bytes of address, two of port."""
    changed = bytearray(packet)
    changed[address_at : address_at + 4] = end[:4]
    changed[port_at : port_at + 2] = end[4:]
    changed[10:12] = b"\0\0"
    changed[10:12] = checksum(changed[:HEADER_BYTES]).to_bytes(2, "big")
    changed[26:28] = b"\0\0"
    length = len(changed) - HEADER_BYTES
    pseudo = bytes(changed[12:20]) + struct.pack("!BBH", 0, UDP, length)
    changed[26:28] = (checksum(pseudo + changed[HEADER_BYTES:]) or 0xFFFF).to_bytes(2, "big")
    return bytes(changed)


def checksum(data: bytes | bytearray) -> int:
    """Return the Internet checksum (RFC 1071)."""
    padded = bytes(data) + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
