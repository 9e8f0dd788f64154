"""Packets on a TCP connection come out as they went in, however the bytes are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.framing import MAX_FRAME_BYTES, Unframer, framed

PACKETS = st.lists(st.binary(min_size=1, max_size=300), max_size=12)


@given(packets=PACKETS, cuts=st.lists(st.integers(1, 400), min_size=1, max_size=40))
def test_packets_come_out_whole_however_they_arrive(packets: list[bytes], cuts: list[int]) -> None:
    wire, frames, found, at = b"".join(map(framed, packets)), Unframer(), [], 0
    while at < len(wire):
        size = cuts[at % len(cuts)]
        found += frames.feed(wire[at : at + size])
        at += size
    assert found == packets
    assert not frames.broken
    assert not frames.waiting


@given(st.lists(st.binary(max_size=5000), max_size=6))
def test_any_bytes_are_packets_of_a_sound_size_or_break_it(noise: list[bytes]) -> None:
    frames = Unframer()
    for data in noise:
        assert all(0 < len(x) <= MAX_FRAME_BYTES for x in frames.feed(data))


@pytest.mark.parametrize("head", [b"\0\0", b"\x08\x01", b"\xff\xff", b"GE"])
def test_a_length_that_no_packet_has_breaks_it_for_good(head: bytes) -> None:
    frames = Unframer()
    assert frames.feed(framed(b"good") + head + b"x" * 10) == [b"good"]
    assert frames.broken
    assert frames.feed(framed(b"good")) == []


def test_part_of_a_packet_is_waited_for() -> None:
    frames = Unframer()
    assert frames.feed(b"\x00") == []
    assert frames.waiting
    assert frames.feed(b"\x02ab\x00\x01") == [b"ab"]
    assert frames.waiting
    assert frames.feed(b"c") == [b"c"]
    assert not frames.waiting
