"""What every packet path keeps from the rest, and of a leg that brings too much."""

import struct
import time

from media.path import MEASURE_BYTES, PACKET_COST_BYTES, STREAM
from tests.media.path_world import (
    CC,
    KEY,
    MID,
    STAMP,
    VIDEO_TYPE,
    World,
    check,
    element,
    rtp,
)


def _spoilt(good: bytes) -> list[bytes]:
    """Return what is nearly a check for a name that is expected."""
    bare = struct.pack("!HHI12s", 1, 0, 0x2112A442, bytes(12))
    found = [good[:size] for size in (1, 19, 20, 23, 24, 27, len(good) - 1)]
    found += [good[:at] + bytes((good[at] ^ 1,)) + good[at + 1 :] for at in (1, 3, 4, 7, 21, 24)]
    found += [good + b"\0", good + bytes(600), bare, check("worl"), check("world2"), check("")]
    found += [check("x" * 40), good.replace(b":", b";"), good[:22] + b"\xff\xff" + good[24:26]]
    return found


async def test_checks_come_out_that_are_addressed_to_a_name_that_is_expected(world: World) -> None:
    stranger, good = world.end(), check("world")
    for data in _spoilt(good):
        stranger.send(data)
    world.path.expect_checks("later")
    stranger.send(check("later"))
    await world.settle()
    assert world.outside == [(check("later"), stranger.address)]
    world.path.ignore_checks("later")
    world.path.ignore_checks("never")
    other = bytearray(good)
    other[2:4] = (len(good) - 20 + 8).to_bytes(2, "big")
    other[20:20] = b"\x80\x22\0\3abc\0"  # another attribute first
    for data in (check("later"), bytes(other)):
        stranger.send(data)
    await world.settle()
    assert world.outside[1:] == [(bytes(other), stranger.address)]


async def test_junk_of_strangers_keeps_no_check_out(world: World) -> None:
    stranger, newcomer = world.end(), world.end(3000)
    for turn in range(30):
        for data in (b"\0", check("nobody"), b"\0\1" + bytes(30)):
            for _ in range(20):
                stranger.send(data)
        newcomer.send(check("world", b"%d" % turn))
        await world.settle()
    assert [x[1] for x in world.outside] == [newcomer.address] * 30


async def test_a_leg_brings_so_much_and_what_is_more_is_dropped_unopened(world: World) -> None:
    sender, listener, _ = world.pair()
    cost, sent = 1800 + PACKET_COST_BYTES, 0
    began = world.clock()

    async def shows(count: int) -> None:
        nonlocal sent
        for _ in range(count):
            sent += 1
            sender.shows(sent, KEY + bytes(1800 - 14))
            if sent % 50 == 0:
                await world.settle()
        await world.settle()

    await shows(1200)
    bound = MEASURE_BYTES * (1 + world.clock() - began) // cost + 2
    first = world.path.leg_state(sender.leg).packets_received
    assert MEASURE_BYTES // (cost + 16) <= first <= bound
    assert world.path.counts().excess == 1200 - first
    assert world.path.leg_state(sender.leg).refused == 0
    world.advance(1.0)
    await shows(100)
    assert world.path.leg_state(sender.leg).packets_received == first + 100
    listener.speaks(1)
    await world.settle()
    assert world.path.leg_state(listener.leg).packets_received == 1


async def test_what_does_not_authenticate_takes_nothing_of_a_leg_s_measure(world: World) -> None:
    sender, _, _ = world.pair()
    sender.shows(1, KEY)
    forged = rtp(VIDEO_TYPE, 2, 1, sender.video_ssrc, bytes(1800))
    for turn in range(1200):
        sender.send(forged)
        if turn % 50 == 0:
            await world.settle()
    sender.shows(2)
    await world.settle()
    state = world.path.leg_state(sender.leg)
    assert (state.packets_received, state.refused) == (2, 1200)
    assert world.path.counts().excess == 0


async def test_of_an_extension_that_comes_twice_only_the_first_goes_on(world: World) -> None:
    sender, listener = world.end(), world.end(2000)
    listener.hears(sender.video, mid=b"L", numbers=True, stamps=True)
    twice = ((MID, b"A"), (MID, b"B"), (CC, b"\x11\x11"), (CC, b"\x22\x22"), (STAMP, b"\7\7\7"))
    said = b"".join(element(*x) for x in (*twice, (STAMP, b"\x08\x08\x08"), (CC, b"\x33\x33")))
    sender.shows(1, KEY, extensions=said)
    await world.settle()
    (got,) = listener.got()
    assert got.extensions[:4] == element(MID, b"L") + bytes(2)
    assert got.extensions[4:10] == element(CC, b"\0\0") + bytes(3)
    assert got.extensions[10:11] == element(STAMP, b"123")[:1]
    assert got.extensions[11:14] not in (b"\7\7\7", b"\x08\x08\x08")
    assert got.extensions[14:] == bytes(len(got.extensions) - 14)
    assert [x[0] for x in world.path.take_sent(listener.leg, 0, 10)] == [0]


async def test_in_the_two_byte_form_a_second_time_of_sending_is_zeros_as_well(world: World) -> None:
    sender, listener = world.end(), world.end(2000)
    listener.hears(sender.video, stamps=True)
    said = bytes((STAMP, 3)) + b"abc" + bytes((STAMP, 3)) + b"def"
    packet = rtp(VIDEO_TYPE, 1, 1, sender.video_ssrc, KEY, extensions=said, form=0x1000)
    sender.says(packet)
    await world.settle()
    (got,) = listener.got()
    assert got.extensions[:2] == bytes((STAMP, 3))
    assert got.extensions[5:] == bytes(len(got.extensions) - 5)


async def test_what_is_recalled_reaches_no_connection_and_the_rest_still_comes(
    world: World,
) -> None:
    sender, listener, sink = world.pair()
    there = ("192.0.2.2", 5, 0, 0, STREAM)
    world.path.allow(listener.leg, there, world.clock() + 30)
    world.path.use(listener.leg, there)
    await world.settle()
    for seq in range(1, 6):
        sender.shows(seq, KEY)
    sender.send(check("world"))
    time.sleep(0.05)  # noqa: ASYNC251 - the loop is busy; a thread goes on
    world.path.set_open(sender.video, is_open=False)
    world.path.recall({listener.sinks[sink]})
    await world.settle()
    assert world.streamed == []
    assert world.outside == [(check("world"), sender.address)]
    world.path.set_open(sender.video, is_open=True)
    sender.shows(6, KEY)
    await world.settle()
    assert [listener.open(x).payload for x, _ in world.streamed] == [KEY]
