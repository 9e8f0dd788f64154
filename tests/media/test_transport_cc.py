"""Arrival feedback, read back by a decoder written here from the format's description."""

import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from media.transport_cc import MAX_PENDING, Arrivals


def decode(packet: bytes) -> dict[int, float]:
    """Return arrival seconds by 16-bit number."""
    first, kind, words, _, _, base, count, clock = struct.unpack_from("!BBHIIHHI", packet)
    assert (first, kind, 4 * words + 4) == (0x8F, 205, len(packet))
    position, symbols = 20, list[int]()
    while len(symbols) < count:
        (chunk,) = struct.unpack_from("!H", packet, position)
        position += 2
        if chunk >> 15 == 0:
            symbols += [chunk >> 13 & 3] * (chunk & 0x1FFF)
        else:
            assert chunk >> 14 == 3
            symbols += [chunk >> 12 - 2 * n & 3 for n in range(7)]
    time, arrived = (clock >> 8) * 0.064, {}
    for index, symbol in enumerate(symbols[:count]):
        if symbol == 0:
            continue
        form = "!B" if symbol == 1 else "!h"
        (delta,) = struct.unpack_from(form, packet, position)
        position += struct.calcsize(form)
        time += delta * 0.00025
        arrived[(base + index) & 0xFFFF] = time
    assert len(packet) - position < 4
    return arrived


def test_each_arrival_is_told_once_with_its_time() -> None:
    arrivals = Arrivals()
    times = {n & 0xFFFF: 100 + (n - 65530) * 0.004 for n in range(65530, 65560) if n % 7}
    for seq, time in times.items():
        arrivals.note(seq, time)
    (packet,) = arrivals.report(1, 2)
    told = decode(packet)
    assert told.keys() == times.keys()
    assert all(abs(told[seq] - times[seq]) < 0.0006 for seq in times)
    assert arrivals.report(1, 2) == []


def test_gaps_between_reports_are_told_as_not_received() -> None:
    arrivals = Arrivals()
    arrivals.note(10, 1.0)
    arrivals.report(1, 2)
    arrivals.note(14, 1.1)
    (packet,) = arrivals.report(1, 2)
    assert struct.unpack_from("!HH", packet, 12) == (11, 4)


def test_what_was_reported_lost_is_not_reported_again() -> None:
    arrivals = Arrivals()
    arrivals.note(10, 1.0)
    arrivals.note(12, 1.0)
    arrivals.report(1, 2)
    arrivals.note(11, 1.1)
    assert arrivals.report(1, 2) == []


@settings(deadline=None, derandomize=True, max_examples=200)
@given(
    st.lists(
        st.tuples(st.integers(-20, 1500), st.floats(0, 12, allow_nan=False)),
        min_size=1,
        max_size=600,
    )
)
def test_any_arrivals_give_readable_packets(steps: list[tuple[int, float]]) -> None:
    arrivals, seq, now = Arrivals(), 0, 1000.0
    noted: dict[int, float] = {}
    for step, wait in steps:
        seq, now = (seq + step) & 0xFFFF, now + wait
        arrivals.note(seq, now)
        noted.setdefault(seq, now)
    assert len(arrivals) <= MAX_PENDING
    for packet in arrivals.report(1, 2):
        assert len(packet) <= 1200
        assert decode(packet).keys() <= noted.keys()
