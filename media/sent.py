"""What went down a connection under transport-wide numbers, and what its receiver says of it. Pure.

The feedback is draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1. Sending times are
monotonic seconds of this machine, arrival times seconds of the receiver's own clock: only their
differences mean anything.
"""

import struct
from typing import NamedTuple

SLOTS = 2048  # two seconds at 1,000 packets a second
MAX_STATUSES = 1024  # of one message; a line that carries 500 a second was dumb for two
_TICK_SECONDS = 0.00025
_REFERENCE_SECONDS = 0.064
_REFERENCE_WRAP = 1 << 24


class Feedback(NamedTuple):
    """One feedback packet: of `first`, `first + 1` … when each came, None when it has not."""

    first: int
    arrivals: tuple[float | None, ...]


class Seen(NamedTuple):
    """What became of one packet; `arrived_at` is None when it has not come."""

    sent_at: float
    arrived_at: float | None
    size: int


def read_feedback(body: bytes) -> Feedback | None:
    """Return what the feedback says after its header of 12 bytes, None when it is malformed.

    Times are seconds from the receiver's own start, modulo 12 days.
    """
    if len(body) < 8:
        return None
    first, count, reference = struct.unpack_from("!HHI", body)
    if count > MAX_STATUSES:
        return None
    symbols, position = _symbols(body, count)
    if len(symbols) < count:
        return None
    time = (reference >> 8) * _REFERENCE_SECONDS
    arrivals: list[float | None] = []
    for symbol in symbols:
        size = symbol if symbol < 3 else 0
        if position + size > len(body):
            return None
        if size:
            form = "!B" if size == 1 else "!h"
            time += struct.unpack_from(form, body, position)[0] * _TICK_SECONDS
            position += size
        arrivals.append(time if size else None)
    return Feedback(first, tuple(arrivals))


def _symbols(body: bytes, count: int) -> tuple[list[int], int]:
    """Return the status of each packet (0: not come; else the bytes of its time), and the end."""
    symbols: list[int] = []
    position = 8
    while len(symbols) < count and position + 2 <= len(body):
        word = body[position] << 8 | body[position + 1]
        position += 2
        if word < 0x8000:
            symbols += [word >> 13] * min(word & 0x1FFF, count - len(symbols))
        elif word & 0x4000:
            symbols += [word >> shift & 3 for shift in range(12, -1, -2)]
        else:
            symbols += [word >> shift & 1 for shift in range(13, -1, -1)]
    return symbols[:count], position


class Sent:
    """Remembers the last 2,048 numbered packets of one connection until they are accounted for."""

    __slots__ = ("_lost", "_numbers", "_reference", "_sent_at", "_sizes")

    def __init__(self) -> None:
        self._numbers = [-1] * SLOTS  # -1: none, or accounted for
        self._sent_at = [0.0] * SLOTS
        self._sizes = [0] * SLOTS
        self._lost = [False] * SLOTS  # said not to have come; it may still come late
        self._reference: float | None = None

    def note(self, number: int, sent_at: float, size: int) -> None:
        """Remember the packet of `size` bytes that left under `number` (16 bits)."""
        slot = number % SLOTS
        self._numbers[slot] = number
        self._sent_at[slot] = sent_at
        self._sizes[slot] = size
        self._lost[slot] = False

    def take(self, feedback: Feedback) -> list[Seen]:
        """Return what `feedback` says of packets that are remembered.

        Each is told at most twice, as not come and then as come, however often it is reported.
        """
        seen = []
        for step, told in enumerate(feedback.arrivals):
            number = (feedback.first + step) & 0xFFFF
            slot = number % SLOTS
            if self._numbers[slot] != number:
                continue
            arrived = None if told is None else self._unwrapped(told)
            if arrived is not None:
                self._numbers[slot] = -1
            elif self._lost[slot]:
                continue
            else:
                self._lost[slot] = True
            seen.append(Seen(self._sent_at[slot], arrived, self._sizes[slot]))
        return seen

    def _unwrapped(self, told: float) -> float:
        """Carry on over the end of the 24 bits of the reference time."""
        wrap = _REFERENCE_WRAP * _REFERENCE_SECONDS
        if self._reference is None:
            self._reference = told
        told += wrap * round((self._reference - told) / wrap)
        self._reference = told
        return told
