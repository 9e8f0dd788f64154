"""Connections that are ready before the call: they lead to nobody, and a call takes them over."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from media import rtcp
from media.control import IDLE_SECONDS
from media.lobby import MAX_WAITING, Lobby
from media.node import MediaNode
from security.errors import Denied, NotFound, ProtocolError, TooMuch
from security.gate import Permit
from tests.media.basics import CALL, Events

KEYFRAME = b"\x10\x50"
DELTA = b"\x10\x51"
DESK = "person-1"
Make = Callable[..., Any]
Eventually = Callable[..., Awaitable[bool]]
Permits = Callable[..., Awaitable[Permit]]


async def _adopt(node: MediaNode, permit: Permits, seat: str = DESK) -> bool:
    return node.adopt(await permit(), CALL, "desk", seat)


async def _ping_back(probe: Any, eventually: Eventually) -> None:
    """Wait until the node has dealt with all that was sent so far: it answers in order."""
    before = len(probe.stun)
    probe.check()
    assert await eventually(lambda: len(probe.stun) > before)


async def test_waiting_needs_a_permit_for_this_very_seat(
    node: MediaNode, make_probe: Make, permit: Permits
) -> None:
    offer = make_probe().offer()
    with pytest.raises(Denied):
        node.warm(await permit("somebody else", "media.warm"), DESK, offer)
    with pytest.raises(Denied):
        node.warm(await permit(DESK, "media.join"), DESK, offer)


async def test_being_taken_into_a_call_needs_a_permit_for_that_call(
    node: MediaNode, make_probe: Make, permit: Permits
) -> None:
    await make_probe().warm(node, DESK)
    for wrong in (await permit("another"), await permit(DESK, "media.warm")):
        with pytest.raises(Denied):
            node.adopt(wrong, CALL, "desk", DESK)
    with pytest.raises(NotFound):
        node.adopt(await permit("gone"), "gone", "desk", DESK)
    assert await _adopt(node, permit)


async def test_an_offer_that_cannot_be_used_leaves_who_waits_alone(
    node: MediaNode, make_probe: Make, permit: Permits
) -> None:
    await make_probe().warm(node, DESK)
    with pytest.raises(ProtocolError):
        node.warm(await permit(DESK, "media.warm"), DESK, "v=0")
    assert await _adopt(node, permit)


async def test_nothing_leads_from_the_lobby_to_anybody_nor_back(
    node: MediaNode, make_probe: Make, permit: Permits, eventually: Eventually
) -> None:
    counter, desk, other = make_probe(ssrc=1000), make_probe(ssrc=2000), make_probe(ssrc=3000)
    await counter.connect(node, "counter")
    await desk.warm(node, DESK)
    await other.warm(node, "person-2")
    for seq in range(30):
        for probe in (desk, other, counter):
            probe.send_video(seq, KEYFRAME)
            probe.send_audio(seq)
    assert await eventually(lambda: node.stats(CALL)["counter"].packets_received == 60)
    await _ping_back(desk, eventually)
    await _ping_back(other, eventually)
    assert node.stats(CALL)["counter"].packets_forwarded == 0
    assert [x for probe in (counter, desk, other) for x in probe.rtp] == []


async def test_by_which_address_media_goes_is_told_once_it_is_that_of_a_call(
    node: MediaNode, make_probe: Make, permit: Permits, eventually: Eventually, events: Events
) -> None:
    desk = make_probe(ssrc=2000)
    await desk.warm(node, DESK)
    await _ping_back(desk, eventually)
    assert events.paths == []
    assert await _adopt(node, permit)
    assert await eventually(lambda: events.paths == [(CALL, "desk", "127.0.0.1")])


async def test_what_was_said_before_the_call_is_never_heard_in_it(
    node: MediaNode, make_probe: Make, permit: Permits, eventually: Eventually
) -> None:
    counter, desk = make_probe(ssrc=1000), make_probe(ssrc=2000)
    await counter.connect(node, "counter")
    await desk.warm(node, DESK)
    for seq in range(20):
        desk.send_video(seq, KEYFRAME + b"secret")
        desk.send_audio(seq, b"secret")
    await _ping_back(desk, eventually)
    assert await _adopt(node, permit)
    desk.send_audio(20, b"said")
    desk.send_video(20, DELTA + b"secret")
    desk.send_video(21, KEYFRAME + b"shown")
    assert await eventually(lambda: len(counter.rtp) == 2)
    assert [x.payload for x in counter.sounds()] == [b"said"]
    assert all(b"secret" not in x.payload for x in counter.rtp)
    first = counter.videos()[0]
    counter.send_rtcp(
        rtcp.nack(rtcp.Nack(1, first.ssrc, tuple(first.seq - n for n in range(1, 9))))
    )
    counter.send_audio(0)
    assert await eventually(lambda: len(desk.sounds()) == 1)
    assert all(b"secret" not in x.payload for x in counter.rtp)


async def test_the_answer_needs_no_further_handshake_and_asks_for_a_keyframe_at_once(
    node: MediaNode, make_probe: Make, permit: Permits, eventually: Eventually, events: Events
) -> None:
    counter, desk = make_probe(ssrc=1000), make_probe(ssrc=2000)
    await counter.connect(node, "counter")
    await desk.warm(node, DESK)
    assert ("up", CALL, "desk") not in events.told
    counter.send_video(0, DELTA)
    assert await eventually(lambda: node.stats(CALL)["counter"].packets_received == 1)
    counter.rtcp.clear()
    assert await _adopt(node, permit)
    assert ("up", CALL, "desk") in events.told
    assert await eventually(lambda: counter.wishes() == 1)
    counter.send_video(1, KEYFRAME)
    assert await eventually(lambda: len(desk.videos()) == 1)


async def test_a_closed_gate_and_a_veil_hold_for_who_comes_from_the_lobby(
    node: MediaNode, make_probe: Make, permit: Permits, eventually: Eventually
) -> None:
    node.set_gate(CALL, open=False)
    node.set_veil(CALL, "counter", on=True)
    counter, desk = make_probe(ssrc=1000), make_probe(ssrc=2000)
    await counter.connect(node, "counter")
    await desk.warm(node, DESK)
    assert await _adopt(node, permit)
    for seq in range(10):
        counter.send_video(seq, KEYFRAME)
        counter.send_audio(seq)
    assert await eventually(lambda: node.stats(CALL)["counter"].packets_received == 20)
    assert desk.rtp == []
    node.set_gate(CALL, open=True)
    counter.send_video(10, KEYFRAME)
    counter.send_audio(10)
    assert await eventually(lambda: len(desk.sounds()) == 1)
    assert desk.videos() == []


async def test_a_connection_is_taken_once_and_a_repeated_wish_changes_nothing(
    node: MediaNode, make_probe: Make, permit: Permits
) -> None:
    await make_probe().warm(node, DESK)
    node.open_call("call-2")
    assert await _adopt(node, permit)
    assert await _adopt(node, permit)
    assert not node.adopt(await permit("call-2"), "call-2", "desk", DESK)
    assert not node.adopt(await permit(), CALL, "desk", "person-2")


async def test_who_waits_and_leaves_is_forgotten_and_told_to_nobody(
    node: MediaNode, make_probe: Make, permit: Permits, eventually: Eventually, events: Events
) -> None:
    desk = make_probe()
    await desk.warm(node, DESK)
    desk.hang_up()
    assert await eventually(lambda: not list(node._lobby))
    assert not await _adopt(node, permit)
    await make_probe().warm(node, DESK)
    node.dismiss(DESK)
    node.dismiss(DESK)
    assert not await _adopt(node, permit)
    assert events.told == []


async def test_who_waits_without_a_sign_of_life_is_forgotten(
    node: MediaNode, make_probe: Make, permit: Permits, eventually: Eventually, clock: Any
) -> None:
    await make_probe().warm(node, DESK)
    clock.ahead = 31.0
    assert await eventually(lambda: not list(node._lobby))


async def test_the_lobby_is_quiet_and_a_call_is_not(
    node: MediaNode, make_probe: Make, permit: Permits, eventually: Eventually, clock: Any
) -> None:
    desk = make_probe()
    await desk.warm(node, DESK)
    assert await eventually(lambda: len(desk.rtcp) == 1)
    for _ in range(3):
        desk.rtcp.clear()
        clock.ahead += IDLE_SECONDS
        assert await eventually(lambda: len(desk.rtcp) == 1)
    assert await _adopt(node, permit)
    desk.rtcp.clear()
    for number in range(1, 4):
        clock.ahead += 0.4
        assert await eventually(lambda: len(desk.rtcp) >= number)  # noqa: B023


async def test_a_waiting_connection_finds_its_path_anew_and_another_page_replaces_it(
    node: MediaNode, make_probe: Make, permit: Permits, eventually: Eventually
) -> None:
    first, second, counter = make_probe(ssrc=2000), make_probe(ssrc=3000), make_probe(ssrc=1000)
    await counter.connect(node, "counter")
    await first.warm(node, DESK)
    first.ufrag = "renewed1"
    answer = node.warm(await permit(DESK, "media.warm"), DESK, first.offer())
    first.take(answer, node.port)
    first.move()
    first.check()
    assert await eventually(lambda: len(first.stun) >= 2)
    await second.warm(node, DESK)
    assert await _adopt(node, permit)
    counter.send_audio(0)
    assert await eventually(lambda: len(second.sounds()) == 1)
    assert first.sounds() == []


def test_the_lobby_has_an_end(node: MediaNode) -> None:
    lobby = Lobby(node._port.path)
    for number in range(MAX_WAITING):
        lobby.guest(str(number))
    lobby.guest("0")
    with pytest.raises(TooMuch):
        lobby.guest("one more")
