"""What a listener is sent: continuous numbers, nothing behind a veil, repairs, its own ids."""

import asyncio
import struct
from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Any

import pytest

from media import rtcp
from media.node import MediaNode

CALL = "call-1"
KEYFRAME, DELTA = b"\x10\x50", b"\x10\x51"
Make = Callable[..., Any]
Eventually = Callable[..., Awaitable[bool]]


async def _pair(node: MediaNode, make_probe: Make, **desk: Any) -> tuple[Any, Any]:
    counter, other = make_probe(ssrc=1000), make_probe(ssrc=2000, **desk)
    await counter.connect(node, "counter")
    await other.connect(node, "desk")
    return counter, other


async def test_ssrcs_are_those_announced_before_anybody_else_came(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    desk, counter = make_probe(ssrc=1000), make_probe(ssrc=2000)
    await desk.connect(node, "desk")
    await counter.connect(node, "counter")
    counter.send_video(1, KEYFRAME)
    counter.send_audio(1)
    assert await eventually(lambda: len(desk.rtp) == 2)
    for packet in desk.rtp:
        assert f"a=ssrc:{packet.ssrc} cname:madoguchi\r\n" in desk.answer


async def test_a_keyframe_is_asked_for_when_the_listener_is_ready_and_not_before(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    counter, desk = make_probe(ssrc=1000), make_probe(ssrc=2000)
    await counter.connect(node, "counter")
    await desk.join(node, "desk")
    counter.send_video(1)
    assert await eventually(lambda: node.stats(CALL)["counter"].packets_received == 1)
    reports = len(counter.rtcp)
    assert await eventually(lambda: len(counter.rtcp) > reports)
    assert counter.wishes() == 0
    counter.send_video(2)
    await desk.connect(node, "desk")
    assert await eventually(lambda: counter.wishes() == 1)
    counter.send_video(3)
    counter.send_video(4, KEYFRAME)
    assert await eventually(lambda: len(desk.videos()) == 1)
    assert desk.videos()[0].payload == KEYFRAME


async def test_wishes_of_the_listener_are_merged_and_the_last_is_not_lost(
    node: MediaNode, make_probe: Make, eventually: Eventually, clock: Any
) -> None:
    counter, desk = await _pair(node, make_probe)
    counter.send_video(1, KEYFRAME)
    assert await eventually(lambda: len(desk.videos()) == 1)
    wish = rtcp.picture_loss(rtcp.KeyframeWanted(2001, desk.videos()[0].ssrc))
    for seq in range(2, 12):
        counter.send_video(seq)
        desk.send_rtcp(wish)
    assert await eventually(lambda: counter.wishes() == 1)
    clock.ahead += 0.5
    counter.send_video(12)
    assert await eventually(lambda: counter.wishes() == 2)


async def test_numbers_go_on_when_the_source_is_replaced(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    counter, desk = await _pair(node, make_probe)
    for seq in range(5):
        counter.send_video(60000 + seq, DELTA if seq else KEYFRAME)
        counter.send_audio(100 + seq)
    assert await eventually(lambda: len(desk.rtp) == 10)
    again = make_probe(ssrc=5000, video=102, rtx=103)
    await again.connect(node, "counter")
    for seq in range(5):
        again.send_video(7 + seq, DELTA if seq else KEYFRAME, time=99 + seq)
        again.send_audio(9 + seq)
        counter.send_audio(105 + seq)
    assert await eventually(lambda: len(desk.rtp) == 20)
    for stream in (desk.videos(), desk.sounds()):
        assert len({x.ssrc for x in stream}) == 1
        first = stream[0].seq
        assert [x.seq for x in stream] == [(first + n) & 0xFFFF for n in range(10)]
        steps = [(b.time - a.time) & 0xFFFFFFFF for a, b in pairwise(stream)]
        assert all(0 < step < 90000 * 60 for step in steps)


async def test_the_clock_goes_on_when_a_party_leaves_and_another_takes_its_place(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    counter, desk = await _pair(node, make_probe)
    counter.send_audio(1)
    assert await eventually(lambda: len(desk.sounds()) == 1)
    node.leave(CALL, "counter")
    again = make_probe(ssrc=3000)
    await again.connect(node, "counter")
    again.send_rtp(111, 500, 3_000_000_000, again.audio_ssrc, b"sound")
    assert await eventually(lambda: len(desk.sounds()) == 2)
    first, second = desk.sounds()
    assert second.seq == (first.seq + 1) & 0xFFFF
    assert 0 < (second.time - first.time) & 0xFFFFFFFF < 48000 * 60


async def test_a_packet_held_back_does_not_stop_the_picture(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    counter, desk = await _pair(node, make_probe)
    counter.send_video(1, KEYFRAME)
    held: list[bytes] = []
    send, counter.send = counter.send, held.append
    counter.send_video(2)
    counter.send = send
    for seq in range(3, 603):
        counter.send_video(seq)
        if seq % 20 == 0:
            await asyncio.sleep(0.002)
    assert await eventually(lambda: len(desk.videos()) == 601)
    counter.send(held[0])
    counter.send_video(603)
    assert await eventually(lambda: len(desk.videos()) == 603)
    assert desk.videos()[-2].seq == (desk.videos()[0].seq + 1) & 0xFFFF


async def test_what_is_missing_before_a_newer_keyframe_is_not_asked_for(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    counter, desk = await _pair(node, make_probe)
    counter.send_video(1, KEYFRAME)
    counter.send_video(5)
    counter.send_video(6, KEYFRAME)
    counter.send_video(8)
    assert await eventually(lambda: any(isinstance(x, rtcp.Nack) for x in counter.rtcp))
    (asked, *_) = [x for x in counter.rtcp if isinstance(x, rtcp.Nack)]
    assert asked.seqs == (7,)
    assert len(desk.videos()) == 4


async def test_behind_a_veil_nothing_missing_is_asked_for(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    counter, desk = await _pair(node, make_probe)
    counter.send_video(1, KEYFRAME)
    assert await eventually(lambda: len(desk.videos()) == 1)
    node.set_veil(CALL, "counter", on=True)
    counter.send_video(2)
    counter.send_video(5)
    assert await eventually(lambda: node.stats(CALL)["counter"].packets_received == 3)
    reports = len(counter.rtcp)
    assert await eventually(lambda: len(counter.rtcp) >= reports + 2)
    assert not [x for x in counter.rtcp if isinstance(x, rtcp.Nack)]


async def test_behind_a_veil_no_picture_passes_and_sound_goes_on(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    counter, desk = await _pair(node, make_probe)
    counter.send_video(1, KEYFRAME)
    assert await eventually(lambda: len(desk.videos()) == 1)
    node.set_veil(CALL, "counter", on=True)
    for seq in range(2, 20):
        counter.send_video(seq, KEYFRAME)
        counter.send_audio(seq)
    assert await eventually(lambda: len(desk.sounds()) == 18)
    assert len(desk.videos()) == 1
    before = counter.wishes()

    node.set_veil(CALL, "counter", on=False)
    counter.send_video(20)
    assert await eventually(lambda: counter.wishes() == before + 1)
    nack = rtcp.Nack(2001, desk.videos()[0].ssrc, tuple(range(65536))[:200])
    desk.send_rtcp(rtcp.nack(nack))
    counter.send_video(21, KEYFRAME)
    counter.send_video(22)
    assert await eventually(lambda: len(desk.videos()) == 3)
    assert [x.payload for x in desk.videos()] == [KEYFRAME, KEYFRAME, DELTA]
    assert [x.seq - desk.videos()[0].seq for x in desk.videos()] == [0, 1, 2]


async def test_a_veil_holds_over_a_reload_of_the_page(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    _, desk = await _pair(node, make_probe)
    node.set_veil(CALL, "counter", on=True)
    node.leave(CALL, "counter")
    again = make_probe(ssrc=5000)
    await again.connect(node, "counter")
    again.send_video(1, KEYFRAME)
    again.send_audio(1)
    assert await eventually(lambda: len(desk.sounds()) == 1)
    assert desk.videos() == []
    desk.send_video(1, KEYFRAME)
    assert await eventually(lambda: len(again.videos()) == 1)


async def test_nothing_passes_while_the_gate_is_closed(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    node.open_call("shut")
    counter, desk = make_probe(ssrc=1000), make_probe(ssrc=2000)
    await counter.connect(node, "counter", "shut")
    await desk.connect(node, "desk", "shut")
    counter.send_audio(1)
    counter.send_video(1, KEYFRAME)
    assert await eventually(lambda: node.stats("shut")["counter"].packets_received == 2)
    assert desk.rtp == []
    node.set_gate("shut", open=True)
    counter.send_audio(2)
    counter.send_video(2)
    assert await eventually(lambda: counter.wishes() == 1)
    counter.send_video(3, KEYFRAME)
    assert await eventually(lambda: len(desk.rtp) == 2)


@pytest.mark.parametrize("orientation", [7, 13])
async def test_payload_types_and_extension_ids_become_the_listeners(
    node: MediaNode, make_probe: Make, eventually: Eventually, orientation: int
) -> None:
    counter, desk = await _pair(node, make_probe, video=120, rtx=124, orientation=orientation)
    extensions = b"\xd0\x01" + b"\x40\x31" + b"\x31\x00\x07" + b"\xe0\x55"
    counter.send_video(1, KEYFRAME, extensions=extensions)
    assert await eventually(lambda: len(desk.rtp) == 1)
    (packet,) = desk.rtp
    assert packet.payload_type == 120
    assert packet.extensions == bytes((orientation << 4, 1)) + b"\x40\x31\x31" + bytes(7)
    assert await eventually(lambda: counter.arrivals == 1)


async def test_a_listener_gets_again_what_it_missed_by_rtx(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    counter, desk = await _pair(node, make_probe)
    for seq in range(5):
        counter.send_video(seq, (DELTA if seq else KEYFRAME) + bytes((seq,)))
    assert await eventually(lambda: len(desk.videos()) == 5)
    missed = desk.videos()[3]
    for _ in range(2):
        desk.send_rtcp(rtcp.nack(rtcp.Nack(2001, missed.ssrc, (missed.seq,))))
    assert await eventually(lambda: len(desk.rtp) == 7)
    for number, again in enumerate(desk.rtp[5:]):
        assert again.payload_type == 97
        assert again.ssrc != missed.ssrc
        assert again.payload == struct.pack("!H", missed.seq) + missed.payload
        assert again.time == missed.time
        assert again.seq == desk.rtp[5].seq + number


async def test_without_rtx_the_very_same_datagram_is_sent_again(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    counter, desk = await _pair(node, make_probe, rtx=None)
    seen: list[bytes] = []
    desk._open = lambda inbound, data, port: seen.append(data)
    counter.send_video(1, KEYFRAME)
    assert await eventually(lambda: any(x[1] & 0x7F == 96 for x in seen))
    (original,) = [x for x in seen if x[1] & 0x7F == 96]
    seq, ssrc = struct.unpack_from("!H", original, 2)[0], struct.unpack_from("!I", original, 8)[0]
    desk.send_rtcp(rtcp.nack(rtcp.Nack(2001, ssrc, (seq,))))
    assert await eventually(lambda: seen.count(original) == 2)


async def test_a_late_original_is_not_sent_after_its_repair_by_another_text(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    counter, desk = await _pair(node, make_probe)
    counter.send_video(1, KEYFRAME)
    counter.send_video(3)
    assert await eventually(lambda: any(isinstance(x, rtcp.Nack) for x in counter.rtcp))
    repair = struct.pack("!H", 2) + DELTA + b"repaired"
    counter.send_rtp(97, 1, 6000, counter.rtx_ssrc, repair)
    assert await eventually(lambda: len(desk.videos()) == 3)
    counter.send_video(2, DELTA + b"original")
    counter.send_video(4)
    assert await eventually(lambda: len(desk.videos()) == 4)
    assert [x.payload for x in desk.videos()] == [KEYFRAME, DELTA, DELTA + b"repaired", DELTA]


async def test_repairs_are_bounded(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    counter, desk = await _pair(node, make_probe)
    counter.send_video(0, KEYFRAME)
    counter.send_video(1)
    assert await eventually(lambda: len(desk.videos()) == 2)
    first = desk.videos()[0]
    for _ in range(40):
        desk.send_rtcp(rtcp.nack(rtcp.Nack(2001, first.ssrc, (first.seq, first.seq + 1) * 20)))
    counter.send_audio(1)
    assert await eventually(lambda: len(desk.sounds()) == 1)
    assert len(desk.rtp) <= 3 + 300


async def test_a_gap_in_the_source_is_asked_for_and_its_repair_passes_once(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    counter, desk = await _pair(node, make_probe)
    counter.send_video(10, KEYFRAME)
    counter.send_video(13)

    def nacks() -> list[rtcp.Nack]:
        return [x for x in counter.rtcp if isinstance(x, rtcp.Nack)]

    assert await eventually(lambda: bool(nacks()))
    assert nacks()[0] == rtcp.Nack(nacks()[0].ssrc, 1001, (11, 12))
    for number, lost in enumerate((11, 12, 11, 10, 9)):
        payload = struct.pack("!H", lost) + DELTA + b"again"
        counter.send_rtp(97, number, lost * 3000, 1002, payload)
    counter.send_video(14)
    assert await eventually(lambda: len(desk.videos()) == 5)
    base = desk.videos()[0].seq
    assert [x.seq - base for x in desk.videos()] == [0, 3, 1, 2, 4]
    assert desk.videos()[2].payload == DELTA + b"again"


async def test_padding_sent_to_probe_the_line_is_noted_and_not_forwarded(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    counter, desk = await _pair(node, make_probe)
    counter.send_video(1, KEYFRAME)
    assert await eventually(lambda: len(desk.videos()) == 1)
    for number in range(5):
        extension = b"\x31" + struct.pack("!H", number)
        counter.send_rtp(97, number, 0, 1002, struct.pack("!H", 1) + KEYFRAME, extension)
    counter.send_audio(1)
    assert await eventually(lambda: len(desk.sounds()) == 1)
    assert await eventually(lambda: counter.arrivals >= 1)
    assert len(desk.rtp) == 2


async def test_sender_reports_pass_with_their_time_and_our_numbers(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    counter, desk = await _pair(node, make_probe)
    counter.send_video(1, KEYFRAME, time=3000)
    assert await eventually(lambda: len(desk.videos()) == 1)
    counter.send_rtcp(rtcp.sender_report(rtcp.SenderReport(1001, 0x1122334455667788, 3450, 9, 9)))

    def reports() -> list[rtcp.SenderReport]:
        return [x for x in desk.rtcp if isinstance(x, rtcp.SenderReport)]

    assert await eventually(lambda: bool(reports()))
    (report,) = reports()
    picture = desk.videos()[0]
    assert report.ntp == 0x1122334455667788
    assert report.ssrc == picture.ssrc
    assert (report.time - picture.time) & 0xFFFFFFFF == 450
    assert (report.packets, report.octets) == (1, len(KEYFRAME))


async def test_every_party_hears_from_us_at_least_every_500_ms(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    alone = make_probe()
    await alone.connect(node, "counter")
    loop = asyncio.get_running_loop()
    begun = loop.time()
    assert await eventually(lambda: len(alone.rtcp) >= 6)
    assert loop.time() - begun < 6 * 0.5 + 0.5


async def test_our_report_tells_the_sender_of_its_loss(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    counter, _ = await _pair(node, make_probe)
    for seq in (1, 2, 4, 5):
        counter.send_audio(seq)
    counter.send_rtcp(rtcp.sender_report(rtcp.SenderReport(1000, 0xAABBCCDD << 16, 0, 4, 20)))

    def blocks() -> list[rtcp.Block]:
        reports = [x for x in counter.rtcp if isinstance(x, rtcp.ReceiverReport)]
        return [b for r in reports for b in r.blocks if b.ssrc == 1000 and b.last_report]

    assert await eventually(lambda: bool(blocks()))
    assert (blocks()[0].lost, blocks()[0].highest) == (1, 5)
    assert blocks()[0].last_report == 0xAABBCCDD
    assert blocks()[0].delay < 2 * 65536


async def test_a_listener_in_trouble_lowers_the_rate_of_the_sender(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    counter, desk = await _pair(node, make_probe)
    counter.send_video(1, KEYFRAME)
    assert await eventually(lambda: len(desk.videos()) == 1)
    ssrc = desk.videos()[0].ssrc

    def asked() -> list[rtcp.Remb]:
        return [x for x in counter.rtcp if isinstance(x, rtcp.Remb)]

    for step in range(500):
        counter.send_video(2 + step, DELTA + bytes(1000))
        desk.send_rtcp(rtcp.remb(rtcp.Remb(2001, (900_000, 400_000)[step % 2], (ssrc,))))
        await asyncio.sleep(0.01)
        if asked():
            break
    assert asked()[0].media == (1001,)
    assert asked()[0].bits_per_second <= 450_000
    assert node.stats(CALL)["desk"].remb_bps is not None
    assert node.stats(CALL)["counter"].cap_bps is not None


@pytest.mark.parametrize("announces", [True, False])
async def test_a_second_stream_cannot_break_into_a_running_one(
    node: MediaNode, make_probe: Make, eventually: Eventually, announces: bool
) -> None:
    counter, desk = make_probe(ssrc=1000, announces=announces), make_probe(ssrc=2000)
    await counter.connect(node, "counter")
    await desk.connect(node, "desk")
    counter.send_video(1, KEYFRAME)
    assert await eventually(lambda: len(desk.videos()) == 1)
    for number in range(40):
        counter.send_rtp(96, 1, 0, 7000 + number, KEYFRAME)
    counter.send_video(2)
    assert await eventually(lambda: len(desk.videos()) == 2)
    assert desk.videos()[1].seq == (desk.videos()[0].seq + 1) & 0xFFFF


async def test_a_stream_that_nobody_announced_is_not_taken(
    node: MediaNode, make_probe: Make, eventually: Eventually, clock: Any
) -> None:
    counter, desk = await _pair(node, make_probe)
    counter.send_rtp(96, 1, 0, 7000, KEYFRAME)
    clock.ahead += 1.0
    counter.send_rtp(96, 2, 0, 7000, KEYFRAME)
    counter.send_audio(1)
    assert await eventually(lambda: len(desk.sounds()) == 1)
    assert desk.videos() == []


async def test_without_announcements_a_new_stream_takes_over_from_a_silent_one(
    node: MediaNode, make_probe: Make, eventually: Eventually, clock: Any
) -> None:
    counter, desk = make_probe(ssrc=1000, announces=False), make_probe(ssrc=2000)
    await counter.connect(node, "counter")
    await desk.connect(node, "desk")
    counter.send_video(1, KEYFRAME)
    assert await eventually(lambda: len(desk.videos()) == 1)
    clock.ahead += 1.0
    counter.send_rtp(96, 500, 0, 7000, KEYFRAME)
    assert await eventually(lambda: len(desk.videos()) == 2)
    assert desk.videos()[1].seq == (desk.videos()[0].seq + 1) & 0xFFFF
