"""What every packet path does with what comes in (media/path.py, rules 1 to 7, 16 and 22).

Sources: test_path_sources.py; what goes out: test_path_sinks.py, test_path_repairs.py,
test_path_frames.py; that no number seals two texts: test_path_seals.py.
"""

import random
import struct

import pytest

from media import rtcp
from media.ice import MAX_ADDRESSES
from media.path import (
    MAX_ARRIVALS,
    MAX_RTCP_BYTES,
    MAX_SSRCS,
    NOBODY,
    STREAM,
    TELL_LATE_SECONDS,
    TELL_SECONDS,
    Codec,
)
from security.errors import Unavailable
from tests.media.path_world import (
    CC,
    DELTA,
    KEY,
    MID,
    STAMP,
    VIDEO_TYPE,
    World,
    check,
    element,
    rtp,
)

# --- what comes out


async def test_checks_of_strangers_come_out_and_nothing_else_of_theirs(world: World) -> None:
    end, stranger = world.end(), world.end(3000)
    world.path.forbid(stranger.leg, stranger.address)
    for first in (0, 3, 4, 19, 20, 63, 64, 127, 128, 191, 192, 255):
        stranger.send(bytes((first, 200)) + b"stranger")
    stranger.send(b"\x80")
    stranger.send(check("world"))
    await world.settle()
    assert world.outside == [(check("world"), stranger.address)]
    assert world.path.leg_state(end.leg).heard_from is None


async def test_handshake_and_rtcp_of_allowed_addresses_come_out_unchanged(world: World) -> None:
    end = world.end()
    heads = [(first, second) for first in (20, 63, 128, 191) for second in (192, 223)]
    said = [bytes(head) + b"known" for head in heads]
    for data in (*said, b"\x50\xc8none", b"\xc0\xc8none"):
        end.send(data)
    await world.settle()
    assert world.outside == [(x, end.address) for x in said]


async def test_datagrams_of_streams_are_taken_and_sent_like_others(world: World) -> None:
    sender, listener, _ = world.pair()
    here, there = ("192.0.2.1", 5, 0, 0, STREAM), ("192.0.2.2", 5, 0, 0, STREAM)
    world.path.allow(sender.leg, here, world.clock() + 30)
    world.path.allow(listener.leg, there, world.clock() + 30)
    world.path.use(listener.leg, there)
    world.path.feed(sender.seal(rtp(VIDEO_TYPE, 1, 1, sender.video_ssrc, KEY)), here)
    world.path.feed(b"\x14\x00dtls", here)
    world.path.feed(b"", here)
    await world.settle()
    assert world.outside == [(b"\x14\x00dtls", here)]
    ((sealed, address),) = world.streamed
    assert address == there
    assert listener.open(sealed).payload == KEY
    assert world.path.leg_state(sender.leg).address == here


# --- who is let in


@pytest.mark.parametrize("size", [1200, 1472, 1872])
async def test_packets_up_to_the_largest_pass_unchanged(world: World, size: int) -> None:
    sender, listener, _ = world.pair()
    payload = KEY + bytes(n & 0xFF for n in range(size - 14))
    sender.shows(1, payload)
    await world.settle()
    assert [x.payload for x in listener.got()] == [payload]


async def test_packets_too_short_or_too_long_are_dropped(world: World) -> None:
    sender, listener, _ = world.pair()
    sender.send(b"\x80\x60" + bytes(9))
    sender.shows(1, KEY + bytes(1880))
    sender.shows(2, KEY)
    await world.settle()
    assert len(listener.got()) == 1
    assert world.path.leg_state(sender.leg).refused == 0


async def test_a_flood_of_ssrcs_ends_at_the_sixteenth(world: World) -> None:
    sender, listener, _ = world.pair()
    for ssrc in range(9000, 9000 + 3 * MAX_SSRCS):
        sender.says(rtp(VIDEO_TYPE, 1, 1, ssrc, KEY))
    await world.settle()
    assert world.path.leg_state(sender.leg).packets_received == MAX_SSRCS
    assert world.path.leg_state(sender.leg).refused == 0
    sender.says(rtp(VIDEO_TYPE, 2, 1, 9000, KEY))
    await world.settle()
    assert len(listener.got()) == 2


async def test_forged_ssrcs_cost_the_party_none_of_its_own(world: World) -> None:
    sender, listener, _ = world.pair()
    for ssrc in range(100):
        sender.send(rtp(VIDEO_TYPE, 1, 1, ssrc, KEY) + bytes(16))
    sender.shows(1, KEY)
    await world.settle()
    assert world.path.leg_state(sender.leg).refused == 100
    assert len(listener.got()) == 1


async def test_what_was_changed_or_comes_twice_counts_as_refused_alone(world: World) -> None:
    sender, listener, _ = world.pair()
    sealed = sender.seal(rtp(VIDEO_TYPE, 1, 1, sender.video_ssrc, KEY))
    for data in (sealed[:-1] + bytes((sealed[-1] ^ 1,)), sealed, sealed):
        sender.send(data)
    await world.settle()
    state = world.path.leg_state(sender.leg)
    assert (state.refused, state.packets_received) == (2, 1)
    assert len(listener.got()) == 1


async def test_without_keys_nothing_comes_or_goes(world: World) -> None:
    sender, listener, _ = world.pair()
    world.path.clear_keys(listener.leg)
    sender.shows(1, KEY)
    listener.shows(1, KEY)
    await world.settle()
    assert listener.got() == []
    assert world.path.leg_state(listener.leg).packets_received == 0
    world.path.clear_keys(sender.leg)
    sender.shows(2, KEY)
    await world.settle()
    assert world.path.source_state(sender.video).received == 1


# --- addresses


async def test_media_moves_the_leg_to_the_address_that_it_comes_from(world: World) -> None:
    sender, listener, _ = world.pair()
    first = listener.address
    listener.move()
    listener.shows(1, KEY)  # not allowed yet
    sender.shows(1, KEY)
    await world.settle()
    assert world.path.leg_state(listener.leg).address == first
    assert world.path.moved() == []
    world.path.allow(listener.leg, listener.address, world.clock() + 30)
    sender.shows(2)
    await world.settle()
    assert world.path.leg_state(listener.leg).address == first
    listener.shows(2, KEY)
    sender.shows(3)
    await world.settle()
    state = world.path.leg_state(listener.leg)
    assert state.address == state.heard_from == listener.address
    assert abs(state.heard_at - world.clock()) < 1.0
    assert world.path.moved() == [listener.leg]
    assert world.path.moved() == []
    assert len(listener.got()) == 3


async def test_what_does_not_authenticate_moves_nobody(world: World) -> None:
    _, listener, _ = world.pair()
    first = listener.address
    listener.move()
    world.path.allow(listener.leg, listener.address, world.clock() + 30)
    listener.send(rtp(VIDEO_TYPE, 1, 1, 1, KEY) + bytes(16))
    await world.settle()
    assert world.path.leg_state(listener.leg).address == first


async def test_sending_ends_with_the_time_of_the_address_and_goes_on_with_a_new_one(
    world: World,
) -> None:
    sender, listener, _ = world.pair()
    sender.shows(1, KEY)
    await world.settle()
    world.advance(31)
    sender.shows(2)
    await world.settle()
    assert len(listener.got()) == 1
    world.path.allow(listener.leg, listener.address, world.clock() + 30)
    sender.shows(3)
    await world.settle()
    assert [x.payload for x in listener.got()] == [DELTA]


async def test_an_address_belongs_to_the_leg_that_was_allowed_it_last(world: World) -> None:
    one, other = world.end(1000), world.end(2000)
    world.path.allow(other.leg, one.address, world.clock() + 30)
    one.shows(1, KEY)
    await world.settle()
    assert world.path.leg_state(other.leg).refused == 1
    world.path.forbid(one.leg, one.address)  # takes nothing from the other
    one.shows(2, KEY)
    await world.settle()
    assert world.path.leg_state(other.leg).refused == 2
    world.path.remove_leg(other.leg)
    one.shows(3, KEY)
    await world.settle()
    assert world.path.leg_state(one.leg).packets_received == 0


async def test_a_leg_has_at_most_eight_addresses(world: World) -> None:
    end = world.end()
    for _ in range(MAX_ADDRESSES):
        end.move()
        world.path.allow(end.leg, end.address, world.clock() + 30)
    end.shows(1, KEY)
    await world.settle()
    assert world.path.leg_state(end.leg).packets_received == 0
    world.path.forbid(end.leg, end.sockets[0].getsockname())
    world.path.allow(end.leg, end.address, world.clock() + 30)
    end.shows(2, KEY)
    await world.settle()
    assert world.path.leg_state(end.leg).packets_received == 1


# --- payload types, header extensions


async def test_payload_types_without_a_route_and_headers_that_run_over_are_dropped(
    world: World,
) -> None:
    sender, listener, _ = world.pair()
    sender.says(rtp(33, 1, 1, sender.video_ssrc, KEY))
    sender.says(b"\x8f" + rtp(VIDEO_TYPE, 2, 1, sender.video_ssrc, KEY)[1:])
    long = bytearray(rtp(VIDEO_TYPE, 3, 1, sender.video_ssrc, KEY, extensions=b"\x10a"))
    sender.shows(4, KEY)
    long[14:16] = b"\xff\xff"
    sender.says(bytes(long))
    await world.settle()
    assert world.path.leg_state(sender.leg).packets_received == 1
    assert len(listener.got()) == 1


async def test_extensions_that_reach_beyond_the_header_are_zeros(world: World) -> None:
    sender, listener, _ = world.pair()
    for number, bad in enumerate((b"\x10a\x5f\xff", b"\x10a\xf0b", b"\x10a\x5f")):
        sender.shows(number, KEY, extensions=bad)
    for number, bad in enumerate((b"\x01\x01a\x05\xff\x01", b"\x01\x01a\x14\x01b"), 10):
        sender.says(rtp(VIDEO_TYPE, number, 1, sender.video_ssrc, KEY, extensions=bad, form=0x1000))
    sender.says(rtp(VIDEO_TYPE, 20, 1, sender.video_ssrc, KEY, extensions=b"abcd", form=0x4242))
    await world.settle()
    got = listener.got()
    assert [x.extensions for x in got] == [
        *(b"\x10a\0\0",) * 3,
        *(b"\x01\x01a" + bytes(5),) * 2,
        bytes(4),
    ]
    assert {x.payload for x in got} == {KEY}


async def test_extensions_that_end_at_the_server_are_zeros(world: World) -> None:
    sender, listener, _ = world.pair()
    sender.route(bytes((0, 1)) + bytes(14))
    sender.shows(1, KEY, extensions=element(1, b"a") + element(CC, b"\x12\x34") + element(9, b"x"))
    await world.settle()
    assert listener.got()[0].extensions == b"\x10a" + bytes(6)
    world.path.tell_arrivals(sender.leg, 77)
    world.advance(TELL_LATE_SECONDS)
    assert list(sender.told()) == [0x1234]


async def test_arrivals_are_those_of_everything_that_authenticates_with_a_route(
    world: World,
) -> None:
    sender = world.end()
    sender.speaks(1, extensions=element(CC, b"\x00\x07"))
    sender.shows(1, KEY, extensions=element(CC, b"\x00\x09"))
    sender.shows(1, KEY, extensions=element(CC, b"\x00\x01"))  # the number is there already
    sender.shows(2, KEY, extensions=element(CC, b"abc"))
    padding = element(CC, b"\x00\x08")
    sender.says(rtp(97, 1, 0, sender.rtx_ssrc, bytes(9) + b"\x0a", extensions=padding))
    await world.settle()
    assert sender.told() == {}  # nobody is to tell yet
    world.path.tell_arrivals(sender.leg, 77)
    world.advance(TELL_LATE_SECONDS)
    told = sender.told()
    assert sorted(told) == [7, 8, 9]
    assert all(abs(at - world.clock() % (1 << 18)) < 1.0 for at in told.values())
    sender.speaks(2, extensions=element(CC, b"\x00\x0a"))
    await world.settle()
    world.advance(TELL_LATE_SECONDS / 2)
    assert sender.told() == {}
    world.advance(TELL_LATE_SECONDS / 2)
    assert list(sender.told()) == [10]


async def test_feedback_that_is_due_goes_with_the_packet_that_comes(world: World) -> None:
    sender = world.end()
    world.path.tell_arrivals(sender.leg, 77)
    for number in (1, 2, 3):  # the first comes before there is anything to tell about
        sender.speaks(number, extensions=element(CC, bytes((0, number))))
    await world.settle()
    assert sorted(sender.told()) == [1, 2]
    world.clock.ahead += 1.2 * TELL_SECONDS
    world.path.tick(world.clock())
    sender.speaks(4, extensions=element(CC, b"\0\4"))
    await world.settle()
    assert 3 in sender.told()


async def test_feedback_is_about_the_pictures_of_who_sends_and_goes_only_where_it_may(
    world: World,
) -> None:
    sender = world.end()
    world.path.tell_arrivals(sender.leg, 77)
    about = []
    for number in range(4):
        if number == 3:
            sender.shows(1, KEY)
        elif number == 2:
            world.path.allow(sender.leg, sender.address, world.clock() - 1)
        sender.speaks(number, extensions=element(CC, bytes((0, number))))
        await world.settle()
        world.advance(TELL_LATE_SECONDS)
        world.path.allow(sender.leg, sender.address, world.clock() + 30)
        controls = [struct.unpack_from("!II", x, 4) for x in sender.controls()]
        about.append(controls[-1] if controls else None)
    sound, pictures = (77, sender.audio_ssrc), (77, sender.video_ssrc)
    assert about == [sound, sound, None, pictures]


async def test_control_packets_leave_sealed_and_only_where_they_may(world: World) -> None:
    end = world.end()
    packet = rtcp.receiver_report(rtcp.ReceiverReport(77))
    assert world.path.send_control(end.leg, packet)
    assert world.path.send_control(end.leg, packet)
    world.path.allow(end.leg, end.address, world.clock() - 1)
    assert not world.path.send_control(end.leg, packet)
    world.path.allow(end.leg, end.address, world.clock() + 30)
    world.path.clear_keys(end.leg)
    assert not world.path.send_control(end.leg, packet)
    await world.settle()
    assert end.controls() == [packet, packet]
    for size in (0, 7, MAX_RTCP_BYTES + 1):
        with pytest.raises(Unavailable):
            world.path.send_control(end.leg, bytes(size))


async def test_arrivals_that_nobody_tells_of_are_bounded(world: World) -> None:
    sender = world.end()
    for number in range(MAX_ARRIVALS + 50):
        sender.speaks(number, extensions=element(CC, struct.pack("!H", number)))
        if number % 50 == 0:
            await world.settle()
    await world.settle()
    world.path.tell_arrivals(sender.leg, 77)
    world.advance(TELL_LATE_SECONDS)
    assert sorted(sender.told()) == list(range(MAX_ARRIVALS))


# --- what is read


async def test_a_source_tells_what_it_brought(world: World) -> None:
    sender, _, _ = world.pair()
    key = KEY + b"\x01\x02\x9d\x01\x2a\x00\x05\xd0\x02"
    sender.shows(1, key, time=0)
    sender.shows(2, b"\x00x", time=0)
    sender.shows(5, time=3000)
    await world.settle()
    state = world.path.source_state(sender.video)
    assert (state.ssrc, state.highest) == (sender.video_ssrc, 5)
    assert (state.expected, state.received, state.lost_before) == (5, 3, 0)
    assert (state.frames, state.keyframes, state.missing) == (2, 1, 2)
    assert state.octets == 3 * 12 + len(key) + 4
    assert (state.width, state.height) == (1280, 720)
    assert abs(state.heard_at - world.clock()) < 1.0
    world.path.replace(sender.video)
    state = world.path.source_state(sender.video)
    assert (state.ssrc, state.highest, state.lost_before, state.heard_at) == (NOBODY, -1, 2, 0.0)


async def test_the_size_of_h264_pictures_is_that_of_the_last_parameters(world: World) -> None:
    sender, _, _ = world.pair(codec=Codec.H264)
    large = bytes.fromhex("6742c01fda014016e840000003004000000f03c60ca8")
    small = bytes.fromhex("6742c015da06c7f93840000003004000000f03c58ba8")
    sizes = []
    for seq, payload in enumerate((b"\x65bare", large, b"\x65bare", small, b"\x67\x42")):
        sender.shows(seq, payload)
        await world.settle()
        state = world.path.source_state(sender.video)
        sizes.append((state.width, state.height))
    assert sizes == [(0, 0), (1280, 720), (1280, 720), (426, 240), (0, 0)]


async def test_a_handle_that_is_gone_is_said_so(world: World) -> None:
    sender, listener, sink = world.pair()
    tap = world.path.add_tap(sender.video, 1000)
    world.path.remove_source(sender.video)
    world.path.remove_leg(listener.leg)
    for ask, handle in (
        (world.path.source_state, sender.video),
        (world.path.read_tap, tap),
        (world.path.leg_state, listener.leg),
        (world.path.sink_state, sink),
        (world.path.sink_state, NOBODY),
    ):
        with pytest.raises(LookupError):
            ask(handle)
    sender.shows(1, KEY, extensions=element(STAMP, b"abc") + element(MID, b"1"))
    sender.speaks(1)
    await world.settle()
    assert world.path.source_state(sender.audio).received == 1


# --- whatever comes


@pytest.mark.parametrize("seed", range(2))
async def test_what_a_party_mutates_harms_at_most_itself(world: World, seed: int) -> None:
    sender, _, _ = world.pair()
    other, listener = world.end(5000), world.end(6000)
    listener.hears(other.video)
    draw = random.Random(seed)
    said = element(STAMP, b"abc") + element(CC, b"\0\1") + element(MID, b"m") + element(9, b"long")
    for number in range(1000):
        form = draw.choice((0xBEDE, 0xBEDE, 0x1000, 0x4242))
        ssrc = draw.choice((sender.video_ssrc, sender.rtx_ssrc))
        kind = draw.choice((VIDEO_TYPE, VIDEO_TYPE, 97, 111))
        body = draw.randbytes(draw.choice((0, 1, 2, 3, 9, 40, 1200)))
        packet = bytearray(rtp(kind, number, number, ssrc, body, extensions=said, form=form))
        for _ in range(draw.randint(0, 3)):
            packet[draw.choice((0, 1, 12, 13, 14, 15, *range(16, len(packet))))] ^= draw.randint(
                0, 255
            )
        packet[0] = 0x80 | packet[0] & 0x3F
        sealed = sender.seal(bytes(packet))
        if sealed:
            sender.send(sealed if draw.random() < 0.9 else sealed[: draw.randrange(len(sealed))])
        if number % 50 == 0:
            world.advance(0.02)
            await world.settle()
    other.shows(1, KEY)
    await world.settle()
    assert [x.payload for x in listener.got()] == [KEY]
    assert world.path.leg_state(sender.leg).packets_received > 100
