"""What every packet path sends out (media/path.py, rules 12, 13, 16 to 19 and 21)."""

import socket
import struct
from itertools import pairwise

import pytest

from media.path import MAX_BURST, MAX_SENT, NOBODY, Agreed, Codec, Seeds
from tests.media.path_world import (
    AUDIO_TYPE,
    CC,
    DELTA,
    KEY,
    MID,
    RTX_TYPE,
    STAMP,
    VIDEO_TYPE,
    Packet,
    World,
    element,
)

SO_NO_CHECK = 11  # of Linux

SPS = b"\x67\x42\xe0\x1f"


def _vp8(begins: bytes, picture: int, level: int) -> bytes:
    """Return a VP8 payload with a picture id of 15 bits and TL0PICIDX."""
    return (
        bytes((0x80 | begins[0], 0xC0)) + struct.pack("!HB", 0x8000 | picture, level) + begins[1:]
    )


def _ids(packet: Packet) -> tuple[int, int]:
    picture, level = struct.unpack_from("!HB", packet.payload, 2)
    return picture & 0x7FFF, level


# --- numbers


async def test_a_stream_begins_with_its_seeds_and_its_own_names(world: World) -> None:
    sender, listener, sink = world.pair()
    seeds = Seeds(77, 78, 0x7FFE, 0x7FFFFFFF, 5)
    video = listener.hears(sender.video, kind=120, rtx=124, seeds=seeds)
    world.path.remove_sink(sink)
    for seq in range(4):
        sender.shows(60000 + seq, DELTA if seq else KEY, marker=True)
    await world.settle()
    got = listener.got()
    assert [x.seq for x in got] == [0x7FFE, 0x7FFF, 0x8000, 0x8001]
    assert {(x.ssrc, x.payload_type, x.marker) for x in got} == {(77, 120, True)}
    assert [b.time - a.time for a, b in pairwise(got)] == [3000] * 3
    state = world.path.sink_state(video)
    assert (state.attached, state.packets, state.octets) == (True, 4, 8)
    assert world.path.time_out(video, 60003 * 3000) == got[3].time


async def test_numbers_and_time_go_on_when_the_source_is_replaced(world: World) -> None:
    sender, listener, sink = world.pair()
    other = world.end(3000)
    for seq in range(3):
        sender.shows(500 + seq, DELTA if seq else KEY)
    await world.settle()
    world.path.listen(sink, other.video)
    assert world.path.time_out(sink, 1) == NOBODY
    world.advance(2.0)
    for seq in range(3):
        other.shows(9 + seq, DELTA if seq else KEY, time=7 + seq)
        sender.shows(600 + seq, KEY)
    await world.settle()
    got = listener.got()
    assert [x.seq - got[0].seq for x in got] == [0, 1, 2, 3, 4, 5]
    assert 2.0 * 90000 <= got[3].time - got[2].time < 4.0 * 90000


async def test_a_pause_of_the_same_source_keeps_the_meaning_of_its_time(world: World) -> None:
    sender, listener, _ = world.pair()
    sender.shows(1, KEY, time=1000)
    await world.settle()
    world.path.set_open(sender.video, is_open=False)
    world.advance(5.0)
    world.path.set_open(sender.video, is_open=True)
    sender.shows(50, KEY, time=91000)
    await world.settle()
    first, second = listener.got()
    assert (second.seq, second.time) == (first.seq + 1, first.time + 90000)


async def test_picture_ids_follow_one_another_when_the_source_is_replaced(world: World) -> None:
    sender, listener, sink = world.pair()
    other = world.end(3000)
    sender.shows(1, _vp8(KEY, 0x7FFE, 254))
    sender.shows(2, _vp8(DELTA, 0x7FFF, 255))
    await world.settle()
    world.path.listen(sink, other.video)
    other.shows(1, _vp8(KEY, 40, 3))
    other.shows(2, _vp8(DELTA, 41, 4))
    other.shows(3, _vp8(DELTA, 41, 4), time=2 * 3000)
    await world.settle()
    got = listener.got()
    assert [_ids(x) for x in got] == [(0x7FFE, 254), (0x7FFF, 255), (0, 0), (1, 1), (1, 1)]
    world.path.resend(sink, [got[3].seq], 9)
    await world.settle()
    assert listener.got()[0].payload[2:] == got[3].payload


async def test_layers_are_counted_on_where_there_are_no_picture_ids(world: World) -> None:
    sender, listener, sink = world.pair()
    other = world.end(3000)

    def numbered(begins: bytes, level: int) -> bytes:
        return bytes((0x80 | begins[0], 0x40, level)) + begins[1:]

    sender.shows(1, numbered(KEY, 254))
    sender.shows(2, numbered(DELTA, 255))
    await world.settle()
    world.path.listen(sink, other.video)
    other.shows(1, numbered(KEY, 9))
    other.shows(2, numbered(DELTA, 10))
    await world.settle()
    got = listener.got()
    assert [x.payload[2] for x in got] == [254, 255, 0, 1]
    world.path.resend(sink, [got[3].seq], 9)
    await world.settle()
    assert listener.got()[0].payload[2:] == got[3].payload


async def test_short_picture_ids_stay_short(world: World) -> None:
    sender, listener, sink = world.pair()
    other = world.end(3000)
    sender.shows(1, b"\x90\x80\x7e\x50")
    await world.settle()
    world.path.listen(sink, other.video)
    other.shows(1, b"\x90\x80\x05\x50")
    other.shows(2, b"\x90\x80\x06\x51")
    await world.settle()
    assert [x.payload[2] for x in listener.got()] == [0x7E, 0x7F, 0x00]


# --- attaching


async def test_sound_begins_at_once_and_pictures_with_a_keyframe(world: World) -> None:
    sender, listener, _ = world.pair()
    listener.hears(sender.audio, kind=AUDIO_TYPE, rtx=NOBODY)
    assert sender.video in world.path.needy()
    sender.speaks(1)
    sender.shows(1)
    await world.settle()
    assert [x.payload_type for x in listener.got()] == [AUDIO_TYPE]
    assert world.path.source_state(sender.video).wanted
    sender.shows(2, KEY)
    sender.shows(3)
    await world.settle()
    assert [x.payload for x in listener.got()] == [KEY, DELTA]
    assert not world.path.source_state(sender.video).wanted
    world.path.want_keyframe(sender.video)
    assert world.path.source_state(sender.video).wanted


async def test_h264_begins_with_its_parameters(world: World) -> None:
    sender, listener, _ = world.pair(codec=Codec.H264)
    sender.shows(1, b"\x7c\x41abc")
    sender.shows(2, SPS, time=9000)
    sender.shows(3, b"\x7c\x85abc", time=9000)
    sender.shows(4, b"\x61abc")
    await world.settle()
    assert len(listener.got()) == 3
    assert world.path.source_state(sender.video).keyframes == 1


async def test_parameters_lost_before_an_idr_are_still_asked_for(world: World) -> None:
    sender, _, _ = world.pair(codec=Codec.H264)
    sender.shows(1, SPS, time=1)
    sender.shows(3, b"\x7c\x85abc", time=9000)
    await world.settle()
    assert [x[0] for x in world.path.missing(sender.video)] == [2]
    sender.shows(5, b"\x78\x00\x02\x67a\x00\x02\x65c", time=12000)
    await world.settle()
    assert world.path.missing(sender.video) == []


async def test_a_late_viewer_is_sent_what_came_since_the_keyframe(world: World) -> None:
    sender, listener, _ = world.pair()
    late = world.end(3000)
    payloads = [KEY, *(DELTA + bytes((n,)) for n in range(1, 20))]
    for seq, payload in enumerate(payloads):
        sender.shows(65530 + seq, payload)
    await world.settle()
    sink = late.hears(sender.video, stamps=True, seeds=Seeds(5, 6, 300, 9, 9))
    sender.shows(65530 + 20)
    await world.settle()
    got = late.got()
    assert [x.payload for x in got] == [*payloads, DELTA]
    assert [x.seq for x in got] == list(range(300, 321))
    assert len(listener.got()) == 21
    assert world.path.sink_state(sink).packets == 21


@pytest.mark.parametrize("why", ["gap", "many", "old", "veil"])
async def test_a_late_viewer_waits_for_a_keyframe_when_what_came_does_not_do(
    world: World, why: str
) -> None:
    sender, _, _ = world.pair()
    late = world.end(3000)
    sender.shows(0, KEY)
    for seq in range(1, MAX_BURST + 1 if why == "many" else 6):
        if not (why == "gap" and seq == 3):
            sender.shows(seq)
    await world.settle()
    if why == "old":
        world.advance(1.1)
    if why == "veil":
        world.path.set_open(sender.video, is_open=False)
        world.path.set_open(sender.video, is_open=True)
    late.hears(sender.video)
    sender.shows(MAX_BURST + 1)
    await world.settle()
    assert late.got() == []
    assert world.path.source_state(sender.video).wanted
    sender.shows(MAX_BURST + 2, KEY)
    await world.settle()
    assert [x.payload for x in late.got()] == [KEY]


async def test_a_keyframe_whose_beginning_is_late_is_sent_whole(world: World) -> None:
    sender, listener, _ = world.pair()
    sender.shows(1)
    sender.shows(3, b"\x00rest", time=6000)
    sender.repeats(2, KEY, time=6000)
    await world.settle()
    assert listener.got() == []
    sender.shows(4)
    await world.settle()
    assert [x.payload for x in listener.got()] == [KEY, b"\x00rest", DELTA]


# --- gates


async def test_behind_a_closed_gate_nothing_passes_and_nothing_comes_after(world: World) -> None:
    sender, listener, sink = world.pair()
    sender.shows(1, KEY)
    await world.settle()
    (first,) = listener.got()
    world.path.set_open(sender.video, is_open=False)
    sender.shows(2, KEY)
    assert world.path.resend(sink, [first.seq, first.seq + 1], 9) == 0
    await world.settle()
    world.path.set_open(sender.video, is_open=True)
    sender.shows(3)
    assert world.path.resend(sink, [first.seq, first.seq + 1], 9) == 0
    await world.settle()
    assert listener.got() == []
    sender.shows(4, KEY)
    await world.settle()
    assert world.path.resend(sink, [first.seq], 9) == 0
    assert [x.seq for x in listener.got()] == [first.seq + 1]


async def test_who_listens_to_nobody_is_sent_nothing_and_others_go_on(world: World) -> None:
    sender, listener, sink = world.pair()
    other = world.end(3000)
    other.hears(sender.video)
    sender.shows(1, KEY)
    await world.settle()
    world.path.listen(sink, NOBODY)
    sender.shows(2)
    await world.settle()
    assert (len(listener.got()), len(other.got())) == (1, 2)


async def test_one_may_hear_several_and_several_one(world: World) -> None:
    ends = [world.end(1000 * n) for n in range(1, 5)]
    for end in ends:
        for other in ends:
            if other is not end:
                end.hears(other.video)
    for number, end in enumerate(ends):
        end.shows(1, KEY + bytes((number,)))
    await world.settle()
    for number, end in enumerate(ends):
        got = end.got()
        assert sorted(x.payload[2] for x in got) == [n for n in range(4) if n != number]
        assert len({x.ssrc for x in got}) == 3


# --- header extensions


async def test_extensions_become_the_listeners(world: World) -> None:
    sender, listener, sink = world.pair()
    world.path.remove_sink(sink)
    table = bytes((0, 7, 5, 0, 9)) + bytes(11)
    listener.hears(sender.video, table=table, stamps=True, mid=b"v1")
    said = element(1, b"\x55") + element(STAMP, b"abc") + element(CC, b"\0\1")
    said += element(MID, b"vid")
    sender.shows(1, KEY, extensions=said)
    sender.shows(2, extensions=element(MID, b"v"))
    await world.settle()
    first, second = listener.got()
    stamp = int.from_bytes(first.extensions[3:6], "big")
    now = int(world.clock() * 0x40000)
    assert (now - stamp) & 0xFFFFFF < 0x40000  # within a second
    blank = first.extensions[:3] + b"..." + first.extensions[6:]
    assert blank == element(7, b"\x55") + b"\x52..." + bytes(3) + element(9, b"v1") + bytes(4)
    assert second.extensions == bytes(4)


async def test_without_stamps_the_senders_pass_and_without_numbers_none(world: World) -> None:
    sender, listener, _ = world.pair()
    sender.shows(1, KEY, extensions=element(STAMP, b"abc") + element(CC, b"\0\1"))
    await world.settle()
    assert listener.got()[0].extensions == element(STAMP, b"abc") + bytes(4)


async def test_a_leg_numbers_all_that_it_is_sent_and_tells_of_it(world: World) -> None:
    sender, listener, sink = world.pair()
    world.path.remove_sink(sink)
    video = listener.hears(sender.video, numbers=True, seeds=Seeds(7, 8, 9, 9, 9))
    listener.hears(sender.audio, kind=AUDIO_TYPE, rtx=NOBODY, numbers=True)
    cc = element(CC, b"\x99\x99")
    sender.shows(1, KEY, extensions=cc)
    sender.speaks(1, extensions=cc)
    sender.shows(2, extensions=cc)
    sender.shows(3)  # has no room for a number
    await world.settle()
    world.path.resend(video, [9], 1)
    await world.settle()
    got = listener.got()
    numbers = [x.extensions[1:3] for x in got if x.extensions]
    assert [int.from_bytes(x, "big") for x in numbers] == [0, 1, 2, 3]
    assert world.path.take_sent(listener.leg, 4, MAX_SENT) == []
    sent = world.path.take_sent(listener.leg, 65535, 3)
    sent += world.path.take_sent(listener.leg, 1, MAX_SENT)
    assert [(number, size) for number, _, size in sent] == [
        (int.from_bytes(x.extensions[1:3], "big"), len(x.sealed)) for x in got if x.extensions
    ]
    assert all(abs(at - world.clock()) < 1.0 for _, at, _ in sent)
    assert world.path.take_sent(listener.leg, 0, MAX_SENT) == []


async def test_what_was_sent_is_remembered_for_the_newest_numbers_alone(world: World) -> None:
    sender, listener, sink = world.pair()
    world.path.agree(sink, Agreed(VIDEO_TYPE, RTX_TYPE, b"", False, True, b""))
    for seq in range(MAX_SENT + 20):
        sender.shows(seq, DELTA if seq else KEY, extensions=element(CC, b"\0\0"))
        if seq % 50 == 0:
            await world.settle()
    await world.settle()
    assert world.path.take_sent(listener.leg, 0, 20) == []
    assert [x[0] for x in world.path.take_sent(listener.leg, 20, 1)] == [20]
    assert len(world.path.take_sent(listener.leg, 0, 2 * MAX_SENT)) == MAX_SENT - 1


@pytest.mark.parametrize("refused", [False, True])
async def test_what_leaves_together_comes_one_by_one_and_in_order(
    world: World, *, refused: bool
) -> None:
    if refused:  # the kernel takes no message of several datagrams without checksums
        world.udp.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
    sender, listener, sink = world.pair()
    listener.hears(sender.audio, kind=AUDIO_TYPE, rtx=NOBODY)
    sizes = [300, 300, 300, 120, 300, 300, 900, 900, 50, *(200,) * 40]
    sent = [(KEY if n == 0 else DELTA) + bytes((n,)) * size for n, size in enumerate(sizes)]
    for number, payload in enumerate(sent):
        sender.shows(number, payload, time=3000)
        if number % 10 == 0:
            sender.speaks(number, bytes((number,)) * 80)
    await world.settle()
    got = listener.got()
    assert [x.payload for x in got if x.payload_type == VIDEO_TYPE] == sent
    assert [x.payload[0] for x in got if x.payload_type == AUDIO_TYPE] == [0, 10, 20, 30, 40]
    assert world.path.sink_state(sink).packets == len(sent)
    assert world.path.leg_state(listener.leg).packets_forwarded == len(sent) + 5
