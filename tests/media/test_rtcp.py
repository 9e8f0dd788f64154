"""RTCP written is RTCP read, by us and by another implementation; any bytes are harmless."""

from aiortc.rtp import RtcpPacket, RtcpPsfbPacket, RtcpRtpfbPacket, unpack_remb_fci
from hypothesis import given, settings
from hypothesis import strategies as st

from media import rtcp
from media.transport_cc import Arrivals

U32 = st.integers(0, 0xFFFFFFFF)
BLOCKS = st.builds(
    rtcp.Block, U32, st.integers(0, 255), st.integers(-0x800000, 0x7FFFFF), U32, U32, U32, U32
)


@settings(deadline=None, derandomize=True)
@given(
    st.builds(
        rtcp.SenderReport,
        U32,
        st.integers(0, 2**64 - 1),
        U32,
        U32,
        U32,
        st.lists(BLOCKS, max_size=5).map(tuple),
    ),
    st.builds(rtcp.ReceiverReport, U32, st.lists(BLOCKS, max_size=5).map(tuple)),
)
def test_reports_come_back_as_they_were(
    sender: rtcp.SenderReport, receiver: rtcp.ReceiverReport
) -> None:
    data = rtcp.sender_report(sender) + rtcp.cname(1, "name") + rtcp.receiver_report(receiver)
    assert rtcp.parse(data) == [sender, receiver]
    assert len(RtcpPacket.parse(data)) == 3


@settings(deadline=None, derandomize=True)
@given(U32, U32, st.sets(st.integers(0, 65535), max_size=40), st.integers(0, 2**40))
def test_feedback_comes_back_as_it_was(ssrc: int, media: int, seqs: set[int], rate: int) -> None:
    nack = rtcp.Nack(ssrc, media, tuple(sorted(seqs)))
    wish = rtcp.KeyframeWanted(ssrc, media)
    read = rtcp.parse(rtcp.nack(nack) + rtcp.picture_loss(wish))
    assert read == [nack, wish]
    found = rtcp.parse(rtcp.remb(rtcp.Remb(ssrc, rate, (media,))))[0]
    assert isinstance(found, rtcp.Remb)
    assert found.media == (media,)
    assert rate * 0.99999 - 1 <= found.bits_per_second <= rate


def test_another_implementation_reads_our_feedback() -> None:
    data = rtcp.nack(rtcp.Nack(1, 2, (65535, 0, 5, 30))) + rtcp.remb(rtcp.Remb(1, 900_000, (2,)))
    nack, remb = RtcpPacket.parse(data)
    assert isinstance(nack, RtcpRtpfbPacket)
    assert [seq & 0xFFFF for seq in nack.lost] == [65535, 0, 5, 30]
    assert isinstance(remb, RtcpPsfbPacket)
    assert unpack_remb_fci(remb.fci) == (900_000, [2])


def test_fir_counts_as_a_wish_for_a_keyframe() -> None:
    fir = RtcpPsfbPacket(fmt=4, ssrc=1, media_ssrc=0, fci=bytes((0, 0, 0, 9, 1, 0, 0, 0)))
    assert rtcp.parse(bytes(fir)) == [rtcp.KeyframeWanted(1, 9)]


def test_one_packet_can_ask_only_for_so_many() -> None:
    everything = rtcp.nack(rtcp.Nack(1, 2, tuple(range(6000))))
    found = rtcp.parse(everything)[0]
    assert isinstance(found, rtcp.Nack)
    assert len(found.seqs) == rtcp.MAX_SEQS


@settings(deadline=None, derandomize=True, max_examples=500)
@given(st.binary(max_size=120), st.integers(0, 30), st.sampled_from([200, 201, 202, 205, 206]))
def test_any_bytes_are_a_list_of_messages(noise: bytes, count: int, kind: int) -> None:
    words = len(noise) // 4
    framed = bytes((0x80 | count, kind, 0, words)) + noise
    for data in (noise, framed, b"\xa0" + framed[1:], framed + noise):
        assert isinstance(rtcp.parse(data), list)


def test_lengths_that_lie_end_the_list() -> None:
    good = rtcp.picture_loss(rtcp.KeyframeWanted(1, 2))
    assert len(rtcp.parse(good + b"\x81\xce\xff\xff" + good)) == 1


def test_an_account_of_numbered_packets_is_read_with_the_rest_of_its_packet() -> None:
    arrivals = Arrivals()
    for number in (7, 8, 10):
        arrivals.note(number, 1.0 + number / 100)
    (packet,) = arrivals.report(1, 2)
    nack = rtcp.nack(rtcp.Nack(1, 2, (5,)))
    counted, asked = rtcp.parse(packet + nack)
    assert isinstance(counted, rtcp.Counted)
    assert counted.feedback.first == 7
    assert [at is None for at in counted.feedback.arrivals] == [False, False, True, False]
    assert asked == rtcp.Nack(1, 2, (5,))
