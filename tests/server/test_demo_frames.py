"""Putting VP8 frames together, and knowing which of them can be decoded."""

from aiortc.codecs.vpx import Vp8Encoder
from hypothesis import given
from hypothesis import strategies as st

from server.demo.frames import FrameAssembler

KEY = b"\x10" + bytes(2_000)
DELTA = b"\x11" + bytes(3_000)
Packets = list[tuple[int, bytes, bool]]


def packets(*frames: bytes, first: int = 10) -> Packets:
    out: Packets = []
    for frame in frames:
        payloads = Vp8Encoder._packetize(frame, picture_id=7)
        for position, payload in enumerate(payloads):
            marker = position == len(payloads) - 1
            out.append(((first + len(out)) % 65_536, payload, marker))
    return out


def assemble(sent: Packets) -> list[bytes]:
    assembler = FrameAssembler()
    frames = (assembler.add(number, payload, marker=marker) for number, payload, marker in sent)
    return [frame for frame in frames if frame is not None]


def test_frames_come_out_as_they_went_in() -> None:
    assert assemble(packets(KEY, DELTA, DELTA)) == [KEY, DELTA, DELTA]


def test_numbers_may_wrap_around() -> None:
    assert assemble(packets(KEY, DELTA, first=65_534)) == [KEY, DELTA]


def test_nothing_counts_before_the_first_keyframe() -> None:
    assert assemble(packets(DELTA, DELTA, KEY, DELTA)) == [KEY, DELTA]


def test_a_lost_packet_costs_everything_up_to_the_next_keyframe() -> None:
    sent = packets(KEY, DELTA, DELTA, KEY, DELTA)
    del sent[3]
    assert assemble(sent) == [KEY, KEY, DELTA]


def test_a_copy_of_an_old_packet_changes_nothing() -> None:
    sent = packets(KEY, DELTA)
    assert assemble([*sent[:2], sent[0], *sent[2:]]) == [KEY, DELTA]


def test_padding_without_a_descriptor_keeps_the_chain() -> None:
    sent = packets(KEY)
    more = packets(DELTA, first=sent[-1][0] + 2)
    assert assemble([*sent, (sent[-1][0] + 1, b"", False), *more]) == [KEY, DELTA]


@given(st.lists(st.tuples(st.integers(0, 65_535), st.binary(max_size=40), st.booleans())))
def test_any_packets_are_taken(sent: Packets) -> None:
    for frame in assemble(sent):
        assert isinstance(frame, bytes)
