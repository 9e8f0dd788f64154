"""The node on its port: who gets in, who gets what, and what happens when somebody goes."""

import random
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aioice import stun

from media.ice import MAX_ADDRESSES
from media.node import MediaNode, MediaSettings
from security.errors import Denied, NotFound, ProtocolError, TooMuch, Unavailable
from security.gate import Permit
from tests.media.basics import Events

CALL = "call-1"
KEYFRAME = b"\x10\x50"
Make = Callable[..., Any]
Eventually = Callable[..., Awaitable[bool]]


async def _pair(node: MediaNode, make_probe: Make) -> tuple[Any, Any]:
    """Return two connected parties, the first's pictures already flowing to the second."""
    counter, desk = make_probe(ssrc=1000), make_probe(ssrc=2000)
    await counter.connect(node, "counter")
    await desk.connect(node, "desk")
    return counter, desk


def _recorded(probe: Any, say: Callable[[], None], *, lost: bool = False) -> list[bytes]:
    """Return what `say` makes the probe send, as somebody on the line sees it."""
    seen: list[bytes] = []
    send = probe.send

    def copy(data: bytes) -> None:
        seen.append(data)
        if not lost:
            send(data)

    probe.send = copy
    say()
    probe.send = send
    return seen


# --- getting in


async def test_join_needs_a_permit_for_this_very_call(
    node: MediaNode, make_probe: Make, permit: Callable[..., Awaitable[Permit]]
) -> None:
    offer = make_probe().offer()
    with pytest.raises(Denied):
        node.join(await permit("another"), CALL, "counter", offer)
    with pytest.raises(Denied):
        node.join(await permit(CALL, "call.read"), CALL, "counter", offer)


async def test_join_says_what_is_wrong(
    node: MediaNode, make_probe: Make, permit: Callable[..., Awaitable[Permit]], events: Any
) -> None:
    offer = make_probe().offer()
    with pytest.raises(NotFound):
        node.join(await permit("other"), "other", "counter", offer)
    with pytest.raises(ProtocolError) as caught:
        node.join(await permit(), CALL, "counter", "v=0")
    assert caught.value.code == "bad_sdp"
    assert not node.adopt(await permit(), CALL, "desk", "nobody")
    assert node.stats(CALL) == {}
    for name in ("counter", "desk", "third", "fourth"):
        await make_probe().join(node, name)
    held = node.held(CALL)
    assert held is not None
    assert held.joined == {"counter", "desk", "third", "fourth"}
    assert held.connected == frozenset()
    idle = MediaNode(MediaSettings("127.0.0.1", 0, ("127.0.0.1",)), events)
    with pytest.raises(Unavailable):
        idle.join(await permit(), CALL, "counter", offer)


async def test_a_call_has_room_for_four_parties(node: MediaNode, make_probe: Make) -> None:
    for name in ("counter", "desk", "third", "fourth"):
        await make_probe().join(node, name)
    with pytest.raises(TooMuch):
        await make_probe().join(node, "fifth")


async def test_a_port_in_use_is_said_at_start(node: MediaNode, events: Any) -> None:
    second = MediaNode(MediaSettings("127.0.0.1", node.port, ("127.0.0.1",)), events)
    with pytest.raises(Unavailable):
        await second.start()


async def test_each_run_has_an_epoch_of_its_own(node: MediaNode, events: Any) -> None:
    other = MediaNode(MediaSettings("127.0.0.1", 0, ("127.0.0.1",)), events)
    assert other.epoch != node.epoch


async def test_a_small_receive_buffer_is_warned_of(
    events: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media.sockets.RECEIVE_BYTES", 1 << 30)
    node = MediaNode(MediaSettings("127.0.0.1", 0, ("127.0.0.1",)), events)
    await node.start()
    await node.stop()
    assert "net.core.rmem_max" in caplog.text


# --- strangers


async def test_strangers_get_no_answer_and_disturb_nobody(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    counter, desk = await _pair(node, make_probe)
    chance = random.Random(1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.setblocking(False)
        for number in range(2000):
            data = bytes((chance.choice((0, 1, 20, 22, 63, 128, 144, 191, 255)),))
            stranger.sendto(
                data + chance.randbytes(chance.randrange(1500)), ("127.0.0.1", node.port)
            )
            if number % 100 == 0:
                counter.send_audio(number // 100)
                assert await eventually(lambda: len(desk.sounds()) == number // 100 + 1)  # noqa: B023
        with pytest.raises(BlockingIOError):
            stranger.recv(2048)


async def test_wrong_password_gets_no_answer(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    probe = make_probe()
    await probe.join(node, "counter")
    probe.check(remote=(probe.remote[0], "guessed-password-24-chars"))
    probe.check(remote=("whatever", probe.remote[1]))
    probe.check()
    assert await eventually(lambda: len(probe.stun) == 1)
    assert probe.datagrams == 1


async def test_any_bytes_from_a_party_harm_at_most_itself(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    counter, desk = await _pair(node, make_probe)
    chance = random.Random(2)
    for number in range(500):
        counter.send(bytes((chance.randrange(256),)) + chance.randbytes(chance.randrange(200)))
        if number % 50 == 0:
            counter.send(b"")
    for seq in range(50):
        counter.send_rtp(chance.choice((96, 97, 111)), seq, 0, 1001, chance.randbytes(seq % 7))
        counter.send_rtcp(bytes((0x81, 200)) + chance.randbytes(6 + 4 * (seq % 9)))
    desk.send_audio(1)
    assert await eventually(lambda: len(counter.sounds()) == 1)


async def test_a_party_cannot_take_the_address_of_another(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    counter, desk = await _pair(node, make_probe)
    counter.send_audio(1)
    assert await eventually(lambda: len(desk.sounds()) == 1)
    # The counter's own port sends a check with the desk's credentials.
    before = len(counter.stun)
    counter.check(remote=desk.remote)
    counter.send_audio(2)
    assert await eventually(lambda: len(desk.sounds()) == 2)
    assert len(counter.stun) == before


async def test_checks_beyond_the_rate_are_not_answered(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    probe = make_probe()
    await probe.join(node, "counter")
    for _ in range(150):
        probe.check()
    assert await eventually(lambda: len(probe.stun) >= 40)
    assert len(probe.stun) < 80


async def test_a_check_sent_again_by_a_stranger_leads_no_media_astray(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    counter, desk = await _pair(node, make_probe)
    copies = _recorded(desk, lambda: desk.check(nominates=True))
    assert await eventually(lambda: len(desk.stun) == 2)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.setblocking(False)
        stranger.sendto(copies[0], ("127.0.0.1", node.port))
        counter.send_audio(1)
        assert await eventually(lambda: len(desk.sounds()) == 1)
        with pytest.raises(BlockingIOError):
            stranger.recv(2048)


async def test_a_check_that_a_stranger_held_back_moves_nothing_while_the_party_is_heard(
    node: MediaNode, make_probe: Make, eventually: Eventually, clock: Any
) -> None:
    counter, desk = await _pair(node, make_probe)
    desk.send_audio(1)
    assert await eventually(lambda: len(counter.sounds()) == 1)
    held = [_recorded(desk, lambda: desk.check(nominates=True), lost=True)[0] for _ in range(20)]
    strangers = []
    for copy in held:
        strangers.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        strangers[-1].sendto(copy, ("127.0.0.1", node.port))
    desk.send_audio(2)
    counter.send_audio(1)
    assert await eventually(lambda: len(desk.sounds()) == 1)
    assert await eventually(lambda: len(counter.sounds()) == 2)
    for stranger in strangers:
        stranger.close()


async def test_a_check_sent_again_does_not_refresh_consent(
    node: MediaNode, make_probe: Make, eventually: Eventually, events: Any, clock: Any
) -> None:
    _, desk = await _pair(node, make_probe)
    copies = _recorded(desk, desk.check)
    assert await eventually(lambda: len(desk.stun) == 2)
    clock.ahead = 20.0
    desk.send(copies[0])
    assert await eventually(lambda: len(desk.stun) == 3)
    clock.ahead = 31.0
    assert await eventually(lambda: ("lost", CALL, "desk") in events.told)


async def test_an_address_that_one_party_forgets_stays_with_the_party_that_has_it_now(
    node: MediaNode, make_probe: Make, eventually: Eventually, clock: Any
) -> None:
    counter, desk = await _pair(node, make_probe)
    clock.ahead = 6.0  # the desk has been silent: its address may be the counter's now
    desk.check(remote=counter.remote)
    assert await eventually(lambda: len(desk.stun) == 2)
    for _ in range(MAX_ADDRESSES):  # and the desk goes on elsewhere until it forgets the first
        desk.move()
        desk.check()
        seen = len(desk.stun)
        assert await eventually(lambda: len(desk.stun) > seen)  # noqa: B023
        desk.send_audio(len(desk._sockets))
        assert await eventually(lambda: len(counter.sounds()) == len(desk._sockets) - 1)
    assert node._port.owner(desk._sockets[0].getsockname()) == "counter"


async def test_a_flood_of_copies_takes_no_answer_from_the_party(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    counter, desk = await _pair(node, make_probe)
    desk.send_audio(1)
    assert await eventually(lambda: len(counter.sounds()) == 1)
    copies = _recorded(desk, desk.check)
    assert await eventually(lambda: len(desk.stun) == 2)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for number in range(20):
            for _ in range(10):
                stranger.sendto(copies[0], ("127.0.0.1", node.port))
                desk.send(copies[0])  # as from a forged address
            desk.check()
            desk.send_audio(2 + number)
            assert await eventually(lambda: len(counter.sounds()) == 2 + number)  # noqa: B023
            assert await eventually(lambda: _answered(desk) != copies[0][8:20])


def _answered(probe: Any) -> bytes:
    """Return the transaction id of the last answer that the probe got."""
    return bytes(stun.parse_message(probe.stun[-1]).transaction_id)


# --- staying in


async def test_a_lost_flight_of_the_handshake_is_sent_again_by_the_timer(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    probe = make_probe()
    probe.dtls = []
    await probe.join(node, "counter")
    probe.check()
    assert await eventually(lambda: bool(probe.stun))
    probe.handshake()
    assert await eventually(lambda: bool(probe.dtls))
    first = len(probe.dtls)
    assert await eventually(lambda: len(probe.dtls) >= 2 * first)
    probe.dtls = None
    probe.handshake()
    assert await eventually(lambda: node.stats(CALL)["counter"].up)


async def test_a_handshake_that_never_ends_is_given_up_and_told(
    node: MediaNode, make_probe: Make, eventually: Eventually, events: Any, clock: Any
) -> None:
    probe = make_probe()
    probe.dtls = []
    await probe.join(node, "counter")
    probe.check()
    assert await eventually(lambda: bool(probe.stun))
    probe.handshake()
    assert await eventually(lambda: bool(probe.dtls))
    clock.ahead = 29.0
    probe.check()
    assert await eventually(lambda: len(probe.stun) == 2)
    clock.ahead = 32.0
    assert await eventually(lambda: events.told == [("lost", CALL, "counter")])


async def test_a_certificate_that_was_not_offered_gets_no_keys(
    node: MediaNode, make_probe: Make, eventually: Eventually, events: Any
) -> None:
    probe, other = make_probe(), make_probe()
    probe.identity = other.identity
    await probe.join(node, "counter")
    probe.check()
    assert await eventually(lambda: bool(probe.stun))
    probe.handshake()
    assert await eventually(lambda: events.told == [("lost", CALL, "counter")])
    assert not node.stats(CALL)["counter"].up


async def test_media_from_a_checked_address_moves_the_party_at_once(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    counter, desk = await _pair(node, make_probe)
    desk.move()
    desk.check()
    assert await eventually(lambda: len(desk.stun) == 2)
    desk.send_audio(1)
    assert await eventually(lambda: len(counter.sounds()) == 1)
    counter.send_audio(1)
    assert await eventually(lambda: len(desk.sounds()) == 1)
    assert desk.sounds()[0].port == desk.address[1]


async def test_an_unchecked_address_gets_nothing_though_its_packets_are_genuine(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    counter, desk = await _pair(node, make_probe)
    desk.move()
    desk.send_audio(1)
    counter.send_audio(1)
    assert await eventually(lambda: len(desk.sounds()) == 1)
    assert counter.sounds() == []


async def test_ice_restart_keeps_keys_and_old_credentials_until_the_new_are_used(
    node: MediaNode, make_probe: Make, eventually: Eventually, events: Any
) -> None:
    counter, desk = await _pair(node, make_probe)
    old = desk.remote
    desk.ufrag = "restarted"
    await desk.join(node, "desk")
    assert desk.remote != old
    desk.check(remote=old)
    assert await eventually(lambda: len(desk.stun) == 2)
    desk.move()
    desk.check(nominates=True)
    assert await eventually(lambda: len(desk.stun) == 3)
    desk.check(remote=old)
    counter.send_audio(1)
    assert await eventually(lambda: len(desk.sounds()) == 1)
    assert len(desk.stun) == 3
    assert events.told == [("up", CALL, "counter"), ("up", CALL, "desk")]


async def test_the_same_offer_again_keeps_the_credentials(
    node: MediaNode, make_probe: Make
) -> None:
    probe = make_probe()
    await probe.connect(node, "counter")
    before = probe.remote
    await probe.join(node, "counter")
    assert probe.remote == before
    assert "o=- " in probe.answer


async def test_sending_stops_30_seconds_after_the_last_check_and_goes_on_with_the_next(
    node: MediaNode, make_probe: Make, eventually: Eventually, events: Any, clock: Any
) -> None:
    counter, desk = await _pair(node, make_probe)
    clock.ahead = 31.0
    assert await eventually(lambda: ("lost", CALL, "desk") in events.told)
    counter.send_audio(1)
    counter.check()
    assert await eventually(lambda: len(counter.stun) == 2)
    assert desk.sounds() == []
    desk.check()
    assert await eventually(lambda: events.told.count(("up", CALL, "desk")) == 2)
    counter.send_audio(2)
    assert await eventually(lambda: len(desk.sounds()) == 1)


async def test_goodbye_of_a_party_is_told_at_once_and_nothing_passes_after_it(
    node: MediaNode, make_probe: Make, eventually: Eventually, events: Any
) -> None:
    counter, desk = await _pair(node, make_probe)
    counter.hang_up()
    assert await eventually(lambda: ("lost", CALL, "counter") in events.told)
    assert not node.stats(CALL)["counter"].up
    counter.send_audio(1)
    counter.check()
    desk.send_audio(1)
    assert await eventually(lambda: node.stats(CALL)["desk"].packets_received == 1)
    assert await eventually(lambda: len(counter.stun) == 2)
    assert counter.rtp == desk.rtp == []


async def test_a_party_that_never_connects_is_told(
    node: MediaNode, make_probe: Make, eventually: Eventually, events: Any, clock: Any
) -> None:
    silent, checking = make_probe(), make_probe()
    await silent.join(node, "counter")
    await checking.join(node, "desk")
    clock.ahead = 29.0
    checking.check()
    assert await eventually(lambda: len(checking.stun) == 1)
    assert events.told == []
    clock.ahead = 31.0
    assert await eventually(lambda: len(events.told) == 2)
    assert set(events.told) == {("lost", CALL, "counter"), ("lost", CALL, "desk")}


async def test_what_goes_wrong_for_one_party_holds_up_no_other(
    make_probe: Make, eventually: Eventually, clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    class Fragile(Events):
        def media_lost(self, call_id: str, party: str) -> None:
            super().media_lost(call_id, party)
            raise RuntimeError("told on purpose")

    told = Fragile()
    node = MediaNode(MediaSettings("127.0.0.1", 0, ("127.0.0.1",)), told, clock=clock)
    await node.start()
    node.open_call(CALL)
    try:
        await make_probe().join(node, "counter")
        await make_probe().join(node, "desk")
        clock.ahead = 31.0
        assert await eventually(lambda: len(told.told) == 2)
    finally:
        await node.stop()
    assert "the tick of a party failed" in caplog.text


async def test_leaving_and_closing_end_what_is_sent(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    counter, desk = await _pair(node, make_probe)
    third = make_probe(ssrc=3000)
    node.open_call("call-2")
    await third.connect(node, "desk", "call-2")
    node.leave(CALL, "desk")
    node.leave(CALL, "desk")
    counter.send_audio(1)
    node.close_call(CALL)
    node.close_call(CALL)
    counter.check()
    third.check()
    assert await eventually(lambda: len(third.stun) == 2)
    assert desk.sounds() == []
    assert len(counter.stun) == 1
    with pytest.raises(NotFound):
        node.stats(CALL)


async def test_two_calls_do_not_hear_each_other(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    counter, desk = await _pair(node, make_probe)
    other = make_probe(ssrc=3000)
    node.open_call("call-2")
    node.set_gate("call-2", open=True)
    await other.connect(node, "counter", "call-2")
    counter.send_audio(1)
    assert await eventually(lambda: len(desk.sounds()) == 1)
    assert other.rtp == []


async def test_stats_count_what_passed(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    counter, desk = await _pair(node, make_probe)
    for seq in (1, 2, 4, 5):
        counter.send_audio(seq)
    assert await eventually(lambda: len(desk.sounds()) == 4)
    stats = node.stats(CALL)
    assert stats["counter"].up
    assert stats["counter"].packets_received == 4
    assert stats["counter"].lost == 1
    assert stats["desk"].packets_forwarded == 4
    assert stats["desk"].bytes_forwarded > 4 * 17


async def test_a_node_takes_as_many_calls_as_it_is_told(events: Events) -> None:
    settings = MediaSettings("127.0.0.1", 0, ("127.0.0.1",), max_calls=2)
    node = MediaNode(settings, events)
    assert not node.capacity().accepting
    await node.start()
    for name in ("one", "two", "three"):
        node.open_call(name)
    assert node.capacity().accepting  # who waits carries nothing yet
    node.set_gate("one", open=True)
    assert node.capacity().load == 0.5
    node.set_gate("two", open=True)
    full = node.capacity()
    assert (full.accepting, full.load, full.max_calls, full.figures.calls) == (False, 1.0, 2, 2)
    node.close_call("one")
    assert node.capacity().accepting
    await node.stop()
    assert not node.capacity().accepting
