"""Which frames every packet path leaves out, with no gap left (media/path.py, rule 20)."""

import random
import struct

import pytest

from media.path import NOBODY, Agreed, Codec, Flow
from tests.media.path_world import AUDIO_TYPE, KEY, VIDEO_TYPE, Packet, World

BASE, UP, SYNC = 0x00, 0x40, 0x60  # temporal layer byte: TID 0; TID 1; TID 1 with Y


def _frame(seq: int, *, layer: int = BASE, key: bool = False, begins: bool = True) -> bytes:
    """Return a VP8 packet of frame `seq` // 2 (two packets each) with all that is optional."""
    first = 0x80 | (0x10 if begins else 0)
    head = struct.pack("!BBHBB", first, 0xE0, 0x8000 | seq // 2 & 0x7FFF, seq // 2 & 0xFF, layer)
    return head + (b"\x50" if key else b"\x51") + struct.pack("!H", seq & 0xFFFF)


def _numbers(got: list[Packet]) -> list[int]:
    """Return the sender's numbers of what came."""
    return [struct.unpack_from("!H", x.payload, len(x.payload) - 2)[0] for x in got]


def _check(got: list[Packet]) -> None:
    """Look whether numbers and picture ids close up, and frames are whole."""
    assert [x.seq - got[0].seq for x in got] == list(range(len(got)))
    pictures = [struct.unpack_from("!H", x.payload, 2)[0] & 0x7FFF for x in got]
    assert pictures == [(pictures[0] + n // 2) & 0x7FFF for n in range(len(got))]


def _show(sender: object, frame: int, **what: object) -> None:
    for part in range(2):
        seq = 2 * frame + part
        payload = _frame(seq, begins=part == 0, **what)  # type: ignore[arg-type]
        sender.shows(seq, payload, time=frame * 3000)  # type: ignore[attr-defined]


async def test_frames_that_no_other_needs_are_left_out_whole(world: World) -> None:
    sender, listener, sink = world.pair()
    _show(sender, 0, key=True)
    world.path.set_flow(sink, Flow.BASE)
    for frame in range(1, 12):
        _show(sender, frame, layer=UP if frame % 2 else BASE)
    await world.settle()
    got = listener.got()
    _check(got)
    assert _numbers(got) == [n for frame in range(0, 12, 2) for n in (2 * frame, 2 * frame + 1)]
    assert world.path.sink_state(sink).frames_left_out == 6


async def test_all_frames_come_back_where_they_can_be_decoded(world: World) -> None:
    sender, listener, sink = world.pair()
    _show(sender, 0, key=True)
    world.path.set_flow(sink, Flow.BASE)
    _show(sender, 1, layer=UP)
    await world.settle()
    world.path.set_flow(sink, Flow.ALL)
    for frame, layer in ((2, BASE), (3, UP), (4, BASE), (5, SYNC), (6, BASE), (7, UP)):
        _show(sender, frame, layer=layer)
    await world.settle()
    got = listener.got()
    _check(got)
    assert [n // 2 for n in _numbers(got)][::2] == [0, 2, 4, 5, 6, 7]


async def test_a_change_waits_for_the_next_frame(world: World) -> None:
    sender, listener, sink = world.pair()
    _show(sender, 0, key=True)
    sender.shows(2, _frame(2, layer=UP), time=3000)
    await world.settle()
    world.path.set_flow(sink, Flow.BASE)
    sender.shows(3, _frame(3, layer=UP, begins=False), time=3000)
    _show(sender, 2, layer=UP)
    _show(sender, 3)
    await world.settle()
    got = listener.got()
    _check(got)
    assert _numbers(got) == [0, 1, 2, 3, 6, 7]


async def test_keyframes_alone_are_sent_whole(world: World) -> None:
    sender, listener, sink = world.pair()
    _show(sender, 0, key=True)
    world.path.set_flow(sink, Flow.KEYS)
    for frame in range(1, 9):
        _show(sender, frame, key=frame % 4 == 0)
    await world.settle()
    got = listener.got()
    _check(got)
    assert _numbers(got) == [0, 1, 8, 9, 16, 17]
    world.path.set_flow(sink, Flow.ALL)
    _show(sender, 9)
    await world.settle()
    assert [n // 2 for n in _numbers(listener.got())][::2] == [8, 9]  # from the last keyframe


async def test_of_a_keyframe_whose_beginning_is_late_no_half_is_sent(world: World) -> None:
    sender, listener, sink = world.pair()
    _show(sender, 0, key=True)
    world.path.set_flow(sink, Flow.KEYS)
    _show(sender, 1)
    sender.shows(5, _frame(5, begins=False), time=6000)
    sender.repeats(4, _frame(4, key=True), time=6000)
    sender.shows(6, _frame(6, begins=False), time=6000)
    await world.settle()
    assert _numbers(listener.got()) == [0, 1]


async def test_a_pause_ends_with_a_frame_and_comes_back_with_a_keyframe(world: World) -> None:
    sender, listener, sink = world.pair()
    _show(sender, 0, key=True)
    sender.shows(2, _frame(2), time=3000)
    await world.settle()
    world.path.set_flow(sink, Flow.NONE)
    sender.shows(3, _frame(3, begins=False), time=3000)
    for frame in range(2, 60):
        _show(sender, frame)
    await world.settle()
    assert _numbers(listener.got()) == [0, 1, 2, 3]
    assert not world.path.sink_state(sink).attached
    assert not world.path.source_state(sender.video).wanted
    world.path.set_flow(sink, Flow.ALL)
    _show(sender, 60)
    await world.settle()
    assert world.path.source_state(sender.video).wanted
    _show(sender, 61, key=True)
    await world.settle()
    assert _numbers(listener.got()) == [122, 123]


@pytest.mark.parametrize("pauses_first", [True, False])
async def test_a_pause_holds_for_one_who_agrees_anew_amid_a_frame(
    world: World, pauses_first: bool
) -> None:
    sender, listener, sink = world.pair()
    _show(sender, 0, key=True)
    sender.shows(2, _frame(2), time=3000)
    await world.settle()
    assert _numbers(listener.got()) == [0, 1, 2]
    if pauses_first:
        world.path.set_flow(sink, Flow.NONE)
    world.path.agree(sink, Agreed(VIDEO_TYPE, NOBODY, b"", stamps=True, numbers=True, mid=b""))
    world.path.set_flow(sink, Flow.NONE)
    sender.shows(3, _frame(3, begins=False), time=3000)
    for frame in range(2, 9):
        _show(sender, frame, key=frame == 5)
    await world.settle()
    assert listener.got() == []
    assert not world.path.sink_state(sink).attached
    world.path.set_flow(sink, Flow.ALL)
    _show(sender, 9, key=True)
    await world.settle()
    assert _numbers(listener.got()) == [18, 19]


@pytest.mark.parametrize("flow", [Flow.BASE, Flow.KEYS])
async def test_a_flow_chosen_before_it_begins_holds_from_the_first_packet(
    world: World, flow: int
) -> None:
    sender, listener, sink = world.pair()
    sender.shows(0, _frame(0, key=True), time=0)
    await world.settle()
    world.path.agree(sink, Agreed(VIDEO_TYPE, NOBODY, b"", stamps=True, numbers=True, mid=b""))
    world.path.set_flow(sink, flow)
    sender.shows(1, _frame(1, begins=False), time=0)
    _show(sender, 1, layer=UP)
    _show(sender, 2, key=True)
    await world.settle()
    assert _numbers(listener.got()) == [0, 0, 1, 4, 5]


async def test_h264_leaves_out_what_is_not_referred_to(world: World) -> None:
    sender, listener, sink = world.pair(codec=Codec.H264)
    sender.shows(0, b"\x67\x42", time=0)
    world.path.set_flow(sink, Flow.BASE)
    for seq in range(1, 9):
        sender.shows(seq, (b"\x01" if seq % 2 else b"\x61") + b"slice")
    await world.settle()
    assert [x.seq for x in listener.got()] == [100, 101, 102, 103, 104]


async def test_sound_is_paused_or_sent_whole(world: World) -> None:
    sender, listener = world.end(1000), world.end(2000)
    sink = listener.hears(sender.audio, kind=AUDIO_TYPE, rtx=NOBODY)
    for number, flow in enumerate((Flow.ALL, Flow.BASE, Flow.KEYS, Flow.NONE, Flow.ALL)):
        world.path.set_flow(sink, flow)
        sender.speaks(number)
        await world.settle()
    assert [x.seq for x in listener.got()] == [100, 101, 102, 103]


async def test_what_was_left_out_leaves_no_number_to_ask_for(world: World) -> None:
    sender, listener, sink = world.pair()
    _show(sender, 0, key=True)
    world.path.set_flow(sink, Flow.BASE)
    for frame in range(1, 9):
        _show(sender, frame, layer=UP if frame % 2 else BASE)
    await world.settle()
    got = listener.got()
    assert world.path.resend(sink, [x.seq for x in got], 99) == len(got)
    await world.settle()
    assert [x.payload[2:] for x in listener.got()] == [x.payload for x in got]


@pytest.mark.parametrize("seed", range(6))
async def test_late_packets_find_their_places_among_what_is_left_out(
    world: World, seed: int
) -> None:
    sender, listener, sink = world.pair()
    draw = random.Random(seed)
    _show(sender, 0, key=True)
    world.path.set_flow(sink, Flow.BASE)
    held: list[tuple[int, bytes]] = []
    kept = 2
    for frame in range(1, 120):
        layer = draw.choice((BASE, UP))
        kept += 2 if layer == BASE else 0
        for seq in (2 * frame, 2 * frame + 1):
            payload = _frame(seq, layer=layer, begins=seq % 2 == 0)
            if draw.random() < 0.2 and layer == BASE:
                held.append((seq, payload))
            else:
                sender.shows(seq, payload, time=frame * 3000)
        while len(held) > 4:
            seq, payload = held.pop(0)
            sender.shows(seq, payload, time=seq // 2 * 3000)
    for seq, payload in held:
        sender.shows(seq, payload, time=seq // 2 * 3000)
    await world.settle()
    got = sorted(listener.got(), key=lambda x: x.seq)
    assert len(got) == kept
    _check(got)
    assert _numbers(got) == sorted(_numbers(got))
    assert got[0].payload[-2:] == KEY[2:] + b"\0\0"
