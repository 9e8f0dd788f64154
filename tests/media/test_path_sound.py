"""Sound on lossy lines, on every packet path (media/path.py, rules 33 and 34)."""

import contextlib
import struct

import pytest

from media.path import NOBODY, Agreed, Route
from tests.media.path_world import ALL, AUDIO_TYPE, CC, MID, STAMP, End, World, element, rtp

RED_TYPE = 63


def red(before: bytes, main: bytes, *, behind: int = 960, kind: int = AUDIO_TYPE) -> bytes:
    """Return the payload of RED with one packet told again."""
    word = behind << 10 | len(before)
    return bytes((0x80 | kind,)) + word.to_bytes(3, "big") + bytes((AUDIO_TYPE,)) + before + main


def _says(end: End, seq: int, payload: bytes, *, extensions: bytes = b"") -> None:
    packet = rtp(RED_TYPE | 0x80, seq, seq * 960, end.audio_ssrc, payload, extensions=extensions)
    end.says(packet)


def _pair(world: World) -> tuple[End, End, int]:
    """Return one who speaks in RED, one who hears it, and the sink."""
    sender, listener = world.end(1000), world.end(2000)
    ids = (ALL, CC, STAMP, MID)
    routes = [Route(AUDIO_TYPE, sender.audio, *ids, NOBODY)]
    routes.append(Route(RED_TYPE, sender.audio, *ids, NOBODY, AUDIO_TYPE))
    world.path.set_routes(sender.leg, routes)
    return sender, listener, listener.hears(sender.audio, kind=AUDIO_TYPE, rtx=NOBODY)


async def test_sound_that_tells_the_packet_before_again_is_passed_on_plain(world: World) -> None:
    sender, listener, _ = _pair(world)
    for seq in range(3):
        _says(sender, seq, red(b"%d" % (seq - 1), b"%d" % seq), extensions=element(STAMP, b"abc"))
    await world.settle()
    got = listener.got()
    assert [(x.payload, x.payload_type) for x in got] == [(b"%d" % n, AUDIO_TYPE) for n in range(3)]
    assert [x.time - got[0].time for x in got] == [0, 960, 1920]
    assert {x.extensions for x in got} == {element(STAMP, b"abc")}
    assert world.path.source_state(sender.audio).repaired == 0


@pytest.mark.parametrize("repairable", [False, True])
async def test_what_was_lost_comes_with_its_successor_and_before_it(
    world: World, repairable: bool
) -> None:
    sender, listener, _ = _pair(world)
    world.path.expect(sender.audio, (), repairable=repairable)
    for seq in (65533, 65535, 65536, 65539):
        _says(sender, seq, red(b"%d" % (seq - 1), b"%d" % seq))
    await world.settle()
    got = listener.got()
    numbers = [65533, 65534, 65535, 65536, 65538, 65539]
    assert [x.payload for x in got] == [b"%d" % n for n in numbers]
    assert [x.seq - got[0].seq for x in got] == [n - 65533 for n in numbers]
    assert [x.time - got[0].time for x in got] == [960 * (n - 65533) for n in numbers]
    assert [x.marker for x in got] == [True, False, True, True, False, True]
    assert world.path.source_state(sender.audio).repaired == 2
    missing = [seq for seq, _ in world.path.missing(sender.audio)]
    assert missing == ([65537 & 0xFFFF] if repairable else [])
    for seq in (65534, 65538):
        sender.speaks(seq, b"late")
    await world.settle()
    assert listener.got() == []


async def test_a_late_packet_tells_again_what_is_missing_before_it(world: World) -> None:
    sender, listener, _ = _pair(world)
    world.path.expect(sender.audio, (), repairable=True)
    for seq in (1, 4, 3):
        _says(sender, seq, red(b"", b"4") if seq == 4 else red(b"%d" % (seq - 1), b"%d" % seq))
    await world.settle()
    assert [x.payload for x in listener.got()] == [b"1", b"4", b"2", b"3"]


NOTHING = {
    "empty": b"",
    "a head cut short": bytes((0x80 | AUDIO_TYPE, 0, 0)),
    "heads alone": bytes((0x80 | AUDIO_TYPE, 0, 0, 1)) * 9,
    "another codec": red(b"old", b"new").replace(bytes((AUDIO_TYPE,)), b"\x05", 2),
    "more told again than there is": red(b"x" * 4, b"").replace(b"xxxx", b"xxx"),
    "nothing new": red(b"old", b""),
}


@pytest.mark.parametrize("what", NOTHING)
async def test_what_holds_no_sound_is_dropped(world: World, what: str) -> None:
    sender, listener, _ = _pair(world)
    _says(sender, 1, red(b"0", b"1"))
    _says(sender, 3, NOTHING[what])
    await world.settle()
    assert [x.payload for x in listener.got()] == [b"1"]


async def test_what_is_told_again_of_another_codec_is_left(world: World) -> None:
    sender, listener, _ = _pair(world)
    _says(sender, 1, red(b"0", b"1"))
    _says(sender, 3, red(b"2", b"3", kind=5))
    older = bytes((0x80 | AUDIO_TYPE, 0, 4, 3))
    _says(sender, 5, older + red(b"4", b"")[:-1] + b"old" + b"4" + b"5")
    await world.settle()
    assert [x.payload for x in listener.got()] == [b"1", b"3", b"4", b"5"]


def _raw(listener: End) -> list[tuple[int, bytes]]:
    """Return number and bytes of what came, sealed."""
    found = []
    with contextlib.suppress(BlockingIOError):
        while True:
            found.append(listener.sockets[0].recv(4096))
    return [(struct.unpack_from("!H", x, 2)[0], x) for x in found]


async def test_sound_is_sent_twice_bit_for_bit_while_that_is_asked_for(world: World) -> None:
    sender, listener, sink = _pair(world)
    sender.speaks(0)
    world.path.set_twice(sink, on=True)
    for seq in (1, 2, 4, 3):
        sender.speaks(seq)
    await world.settle()
    world.path.set_twice(sink, on=False)
    sender.speaks(5)
    await world.settle()
    came = _raw(listener)
    first = came[0][0]
    assert [number - first for number, _ in came] == [0, 1, 0, 2, 1, 4, 3, 3, 5]
    copies: dict[int, set[bytes]] = {}
    for number, data in came:
        copies.setdefault(number, set()).add(data)
    assert all(len(x) == 1 for x in copies.values())
    state = world.path.sink_state(sink)
    assert (state.packets, state.resent) == (6, 3)


@pytest.mark.parametrize("what", ["stamps", "numbers"])
async def test_sound_that_was_stamped_is_sent_once(world: World, what: str) -> None:
    sender, listener, sink = _pair(world)
    world.path.agree(
        sink, Agreed(AUDIO_TYPE, NOBODY, b"", what == "stamps", what == "numbers", b"")
    )
    world.path.set_twice(sink, on=True)
    for seq in range(3):
        sender.speaks(seq)
    await world.settle()
    assert len(_raw(listener)) == 3


async def test_pictures_are_never_sent_twice(world: World) -> None:
    sender, listener, sink = world.pair()
    world.path.set_twice(sink, on=True)
    for seq in range(3):
        sender.shows(seq, b"\x10\x50")
    await world.settle()
    assert len(_raw(listener)) == 3
