"""The last packets of one source, for who missed some. Pure.

Fewer than 1,024: libsrtp refuses to protect a number further back. Packets are kept as received
and decrypted, and leave by the same fixed mapping as the first time. The first copy of a number
wins: later ones are dropped (media/reception.py) and never replace it here, so that a repetition is
bit for bit the first packet and no SRTP nonce seals two plaintexts.
"""

SLOT_BYTES = 1504
MAX_SLOTS = 512


class PacketCache:
    """Room for `slots` packets (a power of two, at most 512) of up to 1,504 bytes."""

    __slots__ = ("_data", "_empty", "_mask", "_seqs", "_sizes", "_view")

    def __init__(self, slots: int) -> None:
        if slots & (slots - 1) or not 0 < slots <= MAX_SLOTS:
            raise ValueError("the number of slots is a power of two up to 512")
        self._mask = slots - 1
        self._empty = True
        self._data = bytearray(slots * SLOT_BYTES)
        self._view = memoryview(self._data)
        self._seqs = [-1] * slots
        self._sizes = [0] * slots

    def __contains__(self, seq: int) -> bool:
        return self._seqs[seq & self._mask] == seq

    @property
    def slots(self) -> int:
        """How many packets have room."""
        return self._mask + 1

    def store(self, seq: int, packet: memoryview, size: int) -> None:
        """Keep the first `size` bytes of `packet` under `seq`.

        Nothing happens when `seq` is here already, when a newer packet has its place, and when
        the packet is too long.
        """
        slot = seq & self._mask
        held = self._seqs[slot]
        if held >= 0 and (held - seq) & 0xFFFF < 0x8000:
            return
        if size > SLOT_BYTES:
            self._seqs[slot] = -1
            return
        start = slot * SLOT_BYTES
        self._view[start : start + size] = packet[:size]
        self._seqs[slot] = seq
        self._sizes[slot] = size
        self._empty = False

    def fetch(self, seq: int, target: memoryview) -> int:
        """Copy packet `seq` to `target` and return its size, 0 when it is not here."""
        slot = seq & self._mask
        if self._seqs[slot] != seq:
            return 0
        size = self._sizes[slot]
        start = slot * SLOT_BYTES
        target[:size] = self._view[start : start + size]
        return size

    def resized(self, slots: int) -> "PacketCache":
        """Return a cache of another size with the newest packets of this one."""
        other = PacketCache(slots)
        for slot, seq in enumerate(self._seqs):
            if seq >= 0:
                start = slot * SLOT_BYTES
                other.store(seq, self._view[start : start + self._sizes[slot]], self._sizes[slot])
        return other

    def clear(self) -> None:
        """Forget every packet, bytes included."""
        if self._empty:
            return
        self._empty = True
        self._seqs = [-1] * (self._mask + 1)
        self._view[:] = bytes(len(self._view))


def slots_for(packets: float, least: int, most: int) -> int:
    """Return the power of two that holds `packets`, within the two bounds (powers of two)."""
    slots = least
    while slots < packets and slots < most:
        slots *= 2
    return slots
