"""Calls over TCP: a party on a connection is a party like any other."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from media.crowd import SILENT_SECONDS, STRANGER_SECONDS
from media.ice import CONSENT_SECONDS, MAX_ADDRESSES
from media.node import MediaNode, MediaSettings
from tests.media.basics import CALL, Clock, Events, until
from tests.media.probe import DELTA, KEYFRAME, Probe

Make = Callable[..., Probe]


async def connect_by_tcp(probe: Probe, node: MediaNode, party: str) -> None:
    """Connect a probe that has nothing but TCP."""
    await probe.join(node, party)
    probe.move_to_tcp(node.port)
    probe.check()
    assert await until(lambda: bool(probe.stun))
    probe.handshake()
    assert await until(lambda: probe.ready)


def has_videos(probe: Probe, count: int) -> bool:
    return len(probe.videos()) == count


def has_sounds(probe: Probe, count: int) -> bool:
    return len(probe.sounds()) == count


def has_all(probe: Probe, count: int) -> bool:
    return len(probe.videos()) == len(probe.sounds()) == count


async def checked(probe: Probe) -> None:
    """Send a check and wait for its answer."""
    answers = len(probe.stun)
    probe.check()
    assert await until(lambda: len(probe.stun) > answers)


async def test_sound_and_pictures_pass_between_a_connection_and_datagrams(
    node: MediaNode, make_probe: Make
) -> None:
    tablet, desk = make_probe(ssrc=1000), make_probe(ssrc=2000)
    await connect_by_tcp(tablet, node, "counter")
    await desk.connect(node, "desk")
    for seq in range(50):
        tablet.send_video(seq, KEYFRAME)
        tablet.send_audio(seq)
        desk.send_video(seq, KEYFRAME)
        desk.send_audio(seq)
        await asyncio.sleep(0)
    for probe in (tablet, desk):
        assert await until(partial(has_all, probe, 50))
    assert [x.payload for x in tablet.sounds()] == [b"sound"] * 50
    assert any(probe.rtcp for probe in (tablet, desk))


async def test_both_ends_may_be_on_connections(node: MediaNode, make_probe: Make) -> None:
    one, other = make_probe(ssrc=1000), make_probe(ssrc=2000)
    await connect_by_tcp(one, node, "counter")
    await connect_by_tcp(other, node, "desk")
    one.send_video(1, KEYFRAME)
    assert await until(lambda: len(other.videos()) == 1)


async def test_a_party_goes_over_to_tcp_and_back_when_its_network_changes(
    node: MediaNode, make_probe: Make
) -> None:
    tablet, desk = make_probe(ssrc=1000), make_probe(ssrc=2000)
    await tablet.connect(node, "counter")
    await desk.connect(node, "desk")
    to_tcp: Callable[[], None] = partial(tablet.move_to_tcp, node.port)
    moves = (tablet.move, to_tcp, tablet.move)
    for seq, move in enumerate(moves):
        move()
        await checked(tablet)
        tablet.send_video(seq, KEYFRAME)
        assert await until(partial(has_videos, desk, seq + 1))
        desk.send_audio(seq)
        assert await until(partial(has_sounds, tablet, seq + 1))
        assert tablet.sounds()[-1].port == tablet.address[1]


async def test_a_connection_that_closes_leaves_the_party_its_other_addresses(
    node: MediaNode, make_probe: Make
) -> None:
    tablet, desk = make_probe(ssrc=1000), make_probe(ssrc=2000)
    await tablet.connect(node, "counter")
    await desk.connect(node, "desk")
    tablet.move_to_tcp(node.port)
    await checked(tablet)
    tablet.send_video(1, KEYFRAME)
    assert await until(lambda: len(desk.videos()) == 1)
    tablet.drop_last()
    before = tablet.datagrams
    assert await until(lambda: tablet.datagrams > before)  # reports come by UDP again
    desk.send_audio(1)
    assert await until(lambda: len(tablet.sounds()) == 1)


async def test_strangers_with_connections_do_not_touch_a_call(
    node: MediaNode, make_probe: Make, clock: Clock
) -> None:
    tablet, desk = make_probe(ssrc=1000), make_probe(ssrc=2000)
    await connect_by_tcp(tablet, node, "counter")
    await connect_by_tcp(desk, node, "desk")
    loop, strangers = asyncio.get_running_loop(), []
    for seq in range(60):
        reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
        strangers.append((reader, writer))
        writer.write((b"\0\x14" + bytes(20), b"\xff" * 40, b"\0\5\x80hey", b"\0")[seq % 4])
        tablet.send_audio(seq)
    assert await until(lambda: len(desk.sounds()) == 60)
    clock.ahead += STRANGER_SECONDS + 1
    for reader, writer in strangers:
        async with asyncio.timeout(10):
            assert await reader.read() == b""
        writer.close()
    tablet.send_audio(60)
    assert await until(lambda: len(desk.sounds()) == 61)
    assert not tablet.hung_up
    assert loop.is_running()


async def test_a_party_that_leaves_or_falls_silent_has_its_connection_closed(
    node: MediaNode, make_probe: Make, clock: Clock, events: Events
) -> None:
    gone, silent = make_probe(ssrc=1000), make_probe(ssrc=2000)
    await connect_by_tcp(gone, node, "counter")
    await connect_by_tcp(silent, node, "desk")
    node.leave(CALL, "counter")
    assert await until(lambda: gone.hung_up)
    assert not silent.hung_up
    clock.ahead += max(SILENT_SECONDS, CONSENT_SECONDS) + 1
    assert await until(lambda: silent.hung_up)
    assert await until(lambda: ("lost", CALL, "desk") in events.told)


async def test_one_party_has_a_bounded_number_of_connections(
    node: MediaNode, make_probe: Make
) -> None:
    tablet = make_probe()
    await connect_by_tcp(tablet, node, "counter")
    for _ in range(MAX_ADDRESSES):
        tablet.move_to_tcp(node.port)
        await checked(tablet)
    # The first, from which nothing but the handshake came, has been forgotten for the last.
    assert await until(lambda: tablet.hung_up)


async def test_without_tcp_nobody_is_told_of_it_and_nobody_gets_in(
    events: Any, make_probe: Make
) -> None:
    node = MediaNode(MediaSettings("127.0.0.1", 0, ("127.0.0.1",), tcp=False), events)
    await node.start()
    node.open_call(CALL)
    probe = make_probe()
    await probe.join(node, "counter")
    assert "tcptype" not in probe.answer
    refused = False
    try:
        await asyncio.open_connection("127.0.0.1", node.port)
    except ConnectionRefusedError:
        refused = True
    assert refused
    await node.stop()


async def test_the_answer_tells_of_the_connection_beside_the_datagrams(
    node: MediaNode, make_probe: Make
) -> None:
    probe = make_probe()
    await probe.join(node, "counter")
    assert f" 127.0.0.1 {node.port} typ host tcptype passive\r\n" in probe.answer


async def _hold_up(node: MediaNode, counter: Any, desk: Any) -> tuple[Any, int]:
    """Let media wait for the desk's connection; return it and the last number of the pictures."""
    await counter.connect(node, "counter")
    await connect_by_tcp(desk, node, "desk")
    loop = asyncio.get_running_loop()
    loop.remove_reader(desk._sockets[-1].fileno())  # it takes nothing for a while
    counter.send_video(1, KEYFRAME)
    (stream,) = node._port._streams._streams.values()
    seq = 1
    while len(stream._unsent) < 100:
        seq += 1
        counter.send_video(seq, DELTA + bytes(1000))
        counter.send_audio(seq)
        await asyncio.sleep(0)
        assert seq < 10_000
    return stream, seq


async def test_of_a_party_that_leaves_nothing_from_before_leaves_over_a_slow_connection(
    node: MediaNode, make_probe: Make
) -> None:
    counter, desk = make_probe(ssrc=1000), make_probe(ssrc=2000)
    stream, _ = await _hold_up(node, counter, desk)
    node.leave(CALL, "counter")
    waiting = [data[2:] for _, data in list(stream._unsent)[int(stream._torn) :]]
    assert all(192 <= data[1] <= 223 or data[0] < 64 for data in waiting)


async def test_behind_a_veil_nothing_from_before_leaves_over_a_slow_connection(
    node: MediaNode, make_probe: Make
) -> None:
    counter, desk = make_probe(ssrc=1000), make_probe(ssrc=2000)
    stream, seq = await _hold_up(node, counter, desk)
    loop = asyncio.get_running_loop()
    forwarded = node.stats(CALL)["desk"].packets_forwarded
    node.set_veil(CALL, "counter", on=True)
    torn = int(stream._torn)
    waiting = [data[2:] for _, data in list(stream._unsent)[torn:]]
    assert {data[1] & 0x7F for data in waiting if not 192 <= data[1] <= 223} == {111}
    node.set_gate(CALL, open=False)
    waiting = [data[2:] for _, data in list(stream._unsent)[torn:]]
    assert all(192 <= data[1] <= 223 or data[0] < 64 for data in waiting)
    loop.add_reader(desk._sockets[-1].fileno(), desk._read_frames, desk._sockets[-1])
    node.set_veil(CALL, "counter", on=False)
    node.set_gate(CALL, open=True)
    counter.send_video(seq + 1, KEYFRAME)
    assert await until(lambda: bool(desk.videos()) and desk.videos()[-1].payload == KEYFRAME)
    assert len(desk.rtp) < forwarded
