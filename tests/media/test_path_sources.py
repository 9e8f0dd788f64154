"""What every packet path takes of a source (media/path.py, rules 8 to 11)."""

from media.gaps import MAX_MISSING
from media.path import NOBODY
from tests.media.path_world import DELTA, KEY, VIDEO_TYPE, World, rtp

# --- retransmissions, repetitions, jumps


async def test_a_retransmission_passes_if_its_number_is_missing_and_once(world: World) -> None:
    sender, listener, _ = world.pair()
    sender.shows(10, KEY)
    sender.shows(13)
    await world.settle()
    assert [x[0] for x in world.path.missing(sender.video)] == [11, 12]
    for number in (11, 12, 11, 10, 9, 14):
        sender.repeats(number, DELTA + b"again")
    sender.shows(11, DELTA + b"late")
    await world.settle()
    got = listener.got()
    assert [x.seq - got[0].seq for x in got] == [0, 3, 1, 2]
    assert [x.payload for x in got[2:]] == [DELTA + b"again"] * 2
    assert [x.payload_type for x in got] == [VIDEO_TYPE] * 4
    state = world.path.source_state(sender.video)
    assert (state.repaired, state.missing) == (2, 0)


async def test_a_retransmission_under_three_bytes_or_of_padding_alone_is_dropped(
    world: World,
) -> None:
    sender, listener, _ = world.pair()
    sender.shows(0, KEY)
    sender.shows(2)
    for number, payload in enumerate((b"", b"\0", b"\0\1")):
        sender.says(rtp(97, 100 + number, 1, sender.rtx_ssrc, payload))
    padded = (b"\0\1\2", b"\0\1\xff", b"\0\1a\0\0\4", bytes(255) + b"\xff")
    for number, payload in enumerate(padded):
        packet = bytearray(rtp(97, 200 + number, 1, sender.rtx_ssrc, payload))
        packet[0] |= 0x20
        sender.says(bytes(packet))
    await world.settle()
    assert len(listener.got()) == 2
    packet = bytearray(rtp(97, 300, 1, sender.rtx_ssrc, b"\0\1" + DELTA + b"\0\0\3"))
    packet[0] |= 0x20
    sender.says(bytes(packet))
    await world.settle()
    assert [x.payload for x in listener.got()] == [DELTA]


async def test_the_second_copy_of_a_number_is_dropped_in_whatever_form(world: World) -> None:
    sender, listener, _ = world.pair()
    sender.shows(1, KEY)
    sender.shows(3)
    sender.repeats(2, DELTA + b"repair")
    sender.shows(2, DELTA + b"original")
    await world.settle()
    assert [x.payload for x in listener.got()] == [KEY, DELTA, DELTA + b"repair"]


async def test_one_packet_out_of_all_order_is_a_stray_and_two_are_a_jump(world: World) -> None:
    sender, listener, _ = world.pair()
    sender.shows(1, KEY)
    sender.shows(30000)
    sender.shows(30005, KEY)
    await world.settle()
    assert len(listener.got()) == 1
    assert world.path.source_state(sender.video).highest == 1
    sender.shows(30006)
    sender.shows(30007, KEY)
    await world.settle()
    assert [x.payload for x in listener.got()] == [KEY]
    state = world.path.source_state(sender.video)
    assert (state.expected, state.received, state.highest) == (2, 2, 30007)


# --- who speaks


async def test_a_second_ssrc_takes_over_from_a_silent_one_only(world: World) -> None:
    sender, listener, _ = world.pair()
    sender.shows(1, KEY)
    sender.says(rtp(VIDEO_TYPE, 1, 1, 7000, KEY + b"other"))
    await world.settle()
    assert [x.payload for x in listener.got()] == [KEY]
    world.advance(0.6)
    sender.says(rtp(VIDEO_TYPE, 500, 1, 7000, KEY + b"other"))
    await world.settle()
    assert [x.payload for x in listener.got()] == [KEY + b"other"]
    assert world.path.source_state(sender.video).ssrc == 7000


async def test_an_ssrc_that_was_not_announced_is_not_taken(world: World) -> None:
    sender, listener, _ = world.pair()
    world.path.expect(sender.video, [sender.video_ssrc, sender.rtx_ssrc], repairable=True)
    sender.says(rtp(VIDEO_TYPE, 1, 1, 7000, KEY))
    await world.settle()
    assert world.path.source_state(sender.video).ssrc == NOBODY
    sender.shows(1, KEY)
    await world.settle()
    assert len(listener.got()) == 1


# --- what is missing


async def test_numbers_are_missing_until_they_come_or_a_keyframe_or_their_time_does(
    world: World,
) -> None:
    sender, _, _ = world.pair()
    sender.shows(65533, KEY)
    sender.shows(2)
    await world.settle()
    assert sender.video in world.path.needy()
    sender.shows(65535)
    await world.settle()
    missing = world.path.missing(sender.video)
    assert [x[0] for x in missing] == [65534, 0, 1]
    assert all(abs(x[1] - world.clock()) < 1.0 for x in missing)
    sender.shows(3, KEY)
    sender.shows(5)
    await world.settle()
    assert [x[0] for x in world.path.missing(sender.video)] == [4]
    world.advance(1.6)
    assert world.path.missing(sender.video) == []
    assert sender.video not in world.path.needy()


async def test_too_much_missing_is_forgotten_for_a_keyframe(world: World) -> None:
    sender, _, _ = world.pair()
    sender.shows(1, KEY)
    sender.shows(2 + MAX_MISSING)
    await world.settle()
    assert len(world.path.missing(sender.video)) == MAX_MISSING
    assert not world.path.source_state(sender.video).wanted
    sender.shows(4 + MAX_MISSING)
    await world.settle()
    assert world.path.missing(sender.video) == []
    assert world.path.source_state(sender.video).wanted


async def test_of_a_closed_or_unrepairable_source_nothing_is_missing(world: World) -> None:
    sender, _, _ = world.pair()
    world.path.set_open(sender.video, is_open=False)
    sender.shows(1, KEY)
    sender.shows(5)
    sender.speaks(1)
    sender.speaks(5)
    await world.settle()
    assert world.path.missing(sender.video) == world.path.missing(sender.audio) == []
    assert world.path.source_state(sender.video).expected == 5
