"""When each packet of a connection arrived, told to its sender. Pure.

The format is draft-holmer-rmcat-transport-wide-cc-extensions-01.
The browser's own estimator works from this: full bitrate within seconds instead of a slow climb.
Times are monotonic seconds, on the wire units of 250 µs from a reference in units of 64 ms.
"""

import struct

MAX_PENDING = 400
MAX_JUMP = 1000
_TICK_SECONDS = 0.00025
_TICKS_PER_REFERENCE = 256
_NONE, _SMALL, _LARGE = range(3)


class Arrivals:
    """Collects arrivals of one connection; `report` makes them one or more feedback packets."""

    __slots__ = ("_count", "_highest", "_next", "_pending")

    def __init__(self) -> None:
        self._pending: dict[int, float] = {}
        self._highest = -1  # extended by the number of wraps
        self._next = -1  # the first number not reported yet
        self._count = 0

    def __len__(self) -> int:
        return len(self._pending)

    def note(self, seq: int, now: float) -> None:
        """Note that the packet with transport-wide number `seq` (16 bits) arrived."""
        if self._highest < 0:
            self._highest = self._next = seq
        ahead = (seq - self._highest) & 0xFFFF
        if ahead >= 0x8000:
            number = self._highest - (0x10000 - ahead)
        else:
            number = self._highest + ahead
            self._highest = number
            if ahead > MAX_JUMP:
                self._pending.clear()
                self._next = number
        if number >= self._next and len(self._pending) < MAX_PENDING:
            self._pending.setdefault(number, now)

    def report(self, ssrc: int, media: int) -> list[bytes]:
        """Return feedback packets for what arrived since the last call, each under 1,200 bytes."""
        packets = []
        numbers = sorted(self._pending)
        while numbers:
            taken, body = self._encode(numbers)
            head = struct.pack("!BBHII", 0x8F, 205, (8 + len(body)) // 4, ssrc, media)
            packets.append(head + body)
            self._next = numbers[taken - 1] + 1
            numbers = numbers[taken:]
        self._pending.clear()
        return packets

    def _encode(self, numbers: list[int]) -> tuple[int, bytes]:
        """Encode as many arrivals as fit one packet; return their count and the bytes."""
        base = min(self._next, numbers[0])
        if numbers[0] - base > MAX_JUMP:
            base = numbers[0]
        first_tick = int(self._pending[numbers[0]] / _TICK_SECONDS)
        reference = first_tick // _TICKS_PER_REFERENCE
        last_tick = reference * _TICKS_PER_REFERENCE
        symbols: list[int] = []
        deltas = bytearray()
        taken = 0
        for number in numbers:
            tick = int(self._pending[number] / _TICK_SECONDS)
            delta = tick - last_tick
            if not -0x8000 <= delta <= 0x7FFF or number - base > 2 * MAX_JUMP or len(deltas) > 600:
                break
            symbols += [_NONE] * (number - base - len(symbols))
            small = 0 <= delta <= 255
            symbols.append(_SMALL if small else _LARGE)
            deltas += struct.pack("!B" if small else "!h", delta)
            last_tick = tick
            taken += 1
        head = struct.pack("!HH", base & 0xFFFF, len(symbols))
        head += struct.pack("!I", (reference & 0xFFFFFF) << 8 | self._count & 0xFF)
        self._count += 1
        body = head + _chunks(symbols) + bytes(deltas)
        return taken, body + bytes(-len(body) % 4)


def _chunks(symbols: list[int]) -> bytes:
    """Encode packet statuses: a run where one is long enough, else vectors of seven."""
    out = bytearray()
    position = 0
    while position < len(symbols):
        symbol = symbols[position]
        run = position + 1
        while run < len(symbols) and symbols[run] == symbol and run - position < 8191:
            run += 1
        if run - position >= 7 or run == len(symbols):
            out += struct.pack("!H", symbol << 13 | run - position)
            position = run
            continue
        word = 0xC000
        for index, item in enumerate(symbols[position : position + 7]):
            word |= item << (12 - 2 * index)
        out += struct.pack("!H", word)
        position += 7
    return bytes(out)
