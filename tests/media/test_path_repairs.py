"""What every packet path sends again, and what its taps get (media/path.py, rules 15, 24 to 28)."""

import struct

import pytest

from media.path import NOBODY, Agreed
from media.tap import split
from tests.media.path_world import DELTA, KEY, RTX_TYPE, VIDEO_TYPE, End, Packet, World

# --- again


async def _five(world: World, sender: End, listener: End) -> list[Packet]:
    for seq in range(5):
        sender.shows(seq, (DELTA if seq else KEY) + bytes((seq,)), time=7)
    await world.settle()
    return listener.got()


async def test_what_is_asked_for_again_comes_as_retransmission(world: World) -> None:
    sender, listener, sink = world.pair()
    got = await _five(world, sender, listener)
    seqs = [got[3].seq, got[1].seq, got[4].seq + 1, got[0].seq - 1, got[3].seq, got[2].seq]
    assert world.path.resend(sink, seqs, 3) == 3
    await world.settle()
    again = listener.got()
    assert [x.payload for x in again] == [
        struct.pack("!H", got[n].seq) + got[n].payload for n in (3, 1, 3)
    ]
    assert [x.seq for x in again] == [7, 8, 9]
    assert {(x.payload_type, x.ssrc, x.time) for x in again} == {(RTX_TYPE, 5001, got[0].time)}
    state = world.path.sink_state(sink)
    assert (state.packets, state.resent) == (5, 3)


async def test_without_retransmission_the_same_datagram_comes_again(world: World) -> None:
    sender, listener, sink = world.pair()
    world.path.agree(sink, Agreed(VIDEO_TYPE, NOBODY, b"", False, False, b""))
    got = await _five(world, sender, listener)
    assert world.path.resend(sink, [got[2].seq], 9) == 1
    await world.settle()
    assert listener.sockets[0].recv(4096) == got[2].sealed


@pytest.mark.parametrize("what", ["stamps", "numbers"])
async def test_what_was_stamped_is_not_sent_again_as_it_was(world: World, what: str) -> None:
    sender, listener, sink = world.pair()
    agreed = Agreed(VIDEO_TYPE, NOBODY, b"", what == "stamps", what == "numbers", b"")
    world.path.agree(sink, agreed)
    got = await _five(world, sender, listener)
    assert world.path.resend(sink, [got[2].seq], 9) == 0


async def test_after_another_agreement_nothing_from_before_is_sent_again(world: World) -> None:
    sender, listener, sink = world.pair()
    got = await _five(world, sender, listener)
    world.path.agree(sink, Agreed(120, RTX_TYPE, b"", False, False, b""))
    sender.shows(5, KEY)
    await world.settle()
    assert world.path.resend(sink, [got[2].seq], 9) == 0
    (after,) = listener.got()
    assert (after.seq, after.payload_type) == (got[4].seq + 1, 120)


async def test_packets_are_kept_as_the_repair_window_wants(world: World) -> None:
    sender, listener, sink = world.pair()
    world.path.set_window(sender.video, 9.0)

    async def burst(first: int) -> list[Packet]:
        for seq in range(first, first + 400):
            sender.shows(seq, DELTA if seq else KEY)
            if seq % 100 == 0:
                await world.settle()
        await world.settle()
        return listener.got()

    world.path.tick(world.clock())
    got = await burst(0)
    assert world.path.resend(sink, [got[-127].seq], 1) == 1
    assert world.path.resend(sink, [got[-200].seq], 1) == 0
    world.advance(1.0)
    got = await burst(400)
    assert world.path.resend(sink, [got[-390].seq], 1) == 1


async def test_numbers_more_than_1024_back_are_never_sent_again(world: World) -> None:
    sender, listener, sink = world.pair()
    world.path.set_window(sender.video, 9.0)
    seen = []
    for seq in range(2000):
        sender.shows(seq, DELTA if seq else KEY)
        if seq % 200 == 0:
            await world.settle()
            seen += listener.got()
            world.advance(1.0)
            world.path.allow(listener.leg, listener.address, world.clock() + 30)
    await world.settle()
    seen += listener.got()
    assert len(seen) == 2000
    old = [x.seq for x in seen[:-1024]]
    assert world.path.resend(sink, old, 2000) == 0
    assert world.path.leg_state(listener.leg).refused == 0


async def test_what_cannot_be_sent_is_lost_and_its_number_used_up(world: World) -> None:
    sender, listener, sink = world.pair()
    nowhere = ("127.0.0.1", 0)
    sender.shows(1, KEY)
    await world.settle()
    world.path.allow(listener.leg, nowhere, world.clock() + 30)
    world.path.use(listener.leg, nowhere)
    sender.shows(2)
    await world.settle()
    world.path.use(listener.leg, listener.address)
    sender.shows(3)
    await world.settle()
    first, second = listener.got()
    assert second.seq == first.seq + 2
    assert world.path.sink_state(sink).packets == 2
    assert world.path.resend(sink, [first.seq + 1], 1) == 1


# --- taps


async def test_a_tap_gets_what_passes_while_its_source_is_open(world: World) -> None:
    sender, _, _ = world.pair()
    tap = world.path.add_tap(sender.video, 10_000)
    sender.shows(1, KEY)
    sender.shows(1, KEY + b"copy")
    sender.repeats(9)
    await world.settle()
    world.path.set_open(sender.video, is_open=False)
    sender.shows(2, KEY)
    await world.settle()
    world.path.set_open(sender.video, is_open=True)
    sender.shows(3)  # not for viewers yet, but the tap has what went before
    await world.settle()
    taken, lost = world.path.read_tap(tap)
    packets = list(split(taken))
    assert [x[1][12:] for x in packets] == [KEY, DELTA]
    assert struct.unpack_from("!H", packets[0][1], 2)[0] == 1
    assert all(abs(x[0] - world.clock()) < 1.0 for x in packets)
    assert lost == 0
    assert world.path.read_tap(tap) == (b"", 0)
    world.path.remove_tap(tap)
    with pytest.raises(LookupError):
        world.path.read_tap(tap)


async def test_a_slow_tap_loses_its_own_packets_alone(world: World) -> None:
    sender, listener, _ = world.pair()
    slow, fast = world.path.add_tap(sender.video, 100), world.path.add_tap(sender.video, 10_000)
    for seq in range(20):
        sender.shows(seq, DELTA if seq else KEY)
    await world.settle()
    assert len(listener.got()) == 20
    taken, lost = world.path.read_tap(slow)
    assert (len(list(split(taken))), lost) == (4, 16)
    assert len(taken) <= 100
    assert len(list(split(world.path.read_tap(fast)[0]))) == 20


async def test_a_source_that_begins_anew_keeps_the_room_for_repairs_that_it_had(
    world: World,
) -> None:
    sender, listener, sink = world.pair()
    world.advance(1.0)
    for seq in range(1, 1101):
        sender.shows(seq, KEY if seq == 1 else DELTA)
        if seq % 100 == 0:
            await world.settle()
            listener.got()
    world.advance(1.0)
    for seq in range(20_000, 20_003):  # two in a row are a jump
        sender.shows(seq, KEY)
    await world.settle()
    world.advance(1.0)
    (first, *_) = listener.got()
    for seq in range(20_003, 20_250):
        sender.shows(seq)
    await world.settle()
    assert world.path.resend(sink, [first.seq], 1) == 1
