"""What the media port stands: old credentials, addresses that change hands, floods, any bytes."""

import asyncio
import os
import random
import socket
from collections.abc import Callable
from functools import partial

import pytest

from media.ice import MAX_ADDRESSES
from media.node import MediaNode
from media.path import MAX_SSRCS
from tests.media.basics import CALL, Clock, until
from tests.media.probe import DELTA, KEYFRAME, Probe
from tests.media.test_fuzz import mutate

Make = Callable[..., Probe]
LONG = os.environ.get("MADOGUCHI_FUZZ") == "long"
SEED = 20261123
OTHER = "call-2"


async def pair(node: MediaNode, make: Make, call_id: str = CALL) -> tuple[Probe, Probe]:
    """Return two parties of a call."""
    node.open_call(call_id)
    node.set_gate(call_id, open=True)
    counter, desk = make(ssrc=1000), make(ssrc=2000)
    await counter.connect(node, "counter", call_id)
    await desk.connect(node, "desk", call_id)
    return counter, desk


def sounds(probe: Probe, count: int) -> bool:
    return len(probe.sounds()) >= count


async def checked(probe: Probe) -> None:
    """Send a check and wait for its answer."""
    answers = len(probe.stun)
    probe.check()
    assert await until(lambda: len(probe.stun) > answers)


async def test_a_check_of_an_older_generation_moves_nothing_and_gets_no_answer(
    node: MediaNode, make_probe: Make
) -> None:
    counter, desk = await pair(node, make_probe)
    first = desk.remote
    recorded: list[bytes] = []
    send, desk.send = desk.send, recorded.append  # type: ignore[assignment, method-assign]
    desk.check(nominates=True)
    desk.send = send  # type: ignore[method-assign]
    for generation in ("second", "third"):
        desk.ufrag = generation
        await desk.join(node, "desk")
        await checked(desk)
    assert desk.remote != first
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.setblocking(False)
        stranger.sendto(recorded[0], ("127.0.0.1", node.port))
        counter.send_audio(1)
        assert await until(partial(sounds, desk, 1))
        with pytest.raises(BlockingIOError):
            stranger.recv(2048)


async def test_two_parties_behind_one_address_that_change_places_find_their_way_again(
    node: MediaNode, make_probe: Make, clock: Clock
) -> None:
    counter, desk = await pair(node, make_probe)
    counter.send_audio(1)
    assert await until(partial(sounds, desk, 1))
    counter.trade_places(desk)
    # As long as the other may be alive there, nobody is given its address.
    before = len(counter.stun)
    counter.check()
    counter.move()
    await checked(counter)
    assert len(counter.stun) == before + 1
    counter.drop_last()
    clock.ahead += 6.0
    await checked(counter)
    await checked(desk)
    for seq in range(2, 5):
        counter.send_audio(seq)
        desk.send_audio(seq)
    assert await until(partial(sounds, counter, 3))
    # The first that the counter said went to where the desk had been.
    assert await until(partial(sounds, desk, 3))
    assert counter.sounds()[-1].port == counter.address[1]
    assert desk.sounds()[-1].port == desk.address[1]
    # Meanwhile each got what it cannot open, sealed for the other.
    for probe in (counter, desk):
        probe.troubles.clear()


async def test_a_flood_of_ssrcs_by_a_party_ends_at_the_sixteenth_and_harms_only_itself(
    node: MediaNode, make_probe: Make
) -> None:
    node.open_call(CALL)
    flooder, desk = make_probe(ssrc=1000, announces=False), make_probe(ssrc=2000)
    await flooder.connect(node, "counter")
    await desk.connect(node, "desk")
    others = await pair(node, make_probe, OTHER)
    for number in range(500):
        flooder.send_rtp(flooder.video, 1, 0, 50_000 + number, KEYFRAME)
        others[0].send_audio(number)
        await asyncio.sleep(0)
    assert await until(partial(sounds, others[1], 500))
    assert node.stats(CALL)["counter"].packets_received <= MAX_SSRCS
    desk.send_audio(1)
    assert await until(partial(sounds, flooder, 1))


async def test_a_party_that_moves_for_ever_is_known_at_few_addresses(
    node: MediaNode, make_probe: Make
) -> None:
    counter, desk = await pair(node, make_probe)
    places = []
    for seq in range(3 * MAX_ADDRESSES):
        desk.move()
        places.append(desk.address)
        await checked(desk)
        desk.send_audio(seq)
        assert await until(partial(sounds, counter, seq + 1))
    known = [place for place in places if node._port.owner(place) == "desk"]
    assert len(known) <= MAX_ADDRESSES
    assert known[-1] == places[-1]
    counter.send_audio(1)
    assert await until(partial(sounds, desk, 1))
    assert desk.sounds()[0].port == desk.address[1]


def corpus(probe: Probe) -> list[bytes]:
    """Return genuine datagrams of a party: checks, handshake, media, reports."""
    found: list[bytes] = []
    send, probe.send = probe.send, found.append  # type: ignore[assignment, method-assign]
    for nominates in (False, True):
        probe.check(nominates=nominates)
    for seq in range(9000, 9003):
        probe.send_video(seq, DELTA + bytes(60), extensions=b"\x10\x07\x32\x01\x02\x00")
        probe.send_audio(seq)
    probe.send_rtp(probe.rtx or 0, 1, 0, probe.rtx_ssrc, b"\x23\x28" + DELTA)
    probe.send_rtcp(bytes.fromhex("80c90001000003e8") + bytes.fromhex("81ce0002000003e8000007d0"))
    probe.send = send  # type: ignore[method-assign]
    hello = bytes.fromhex("16fefd0000000000000000003a") + bytes([1]) + bytes(57)
    return [*found, hello, bytes.fromhex("15fefd000000000000000000020100")]


@pytest.mark.fuzz
@pytest.mark.timeout(3600 if LONG else 120)
async def test_mutated_datagrams_of_strangers_and_of_a_party_touch_no_other_call(
    node: MediaNode, make_probe: Make, caplog: pytest.LogCaptureFixture
) -> None:
    victim, _ = await pair(node, make_probe)
    others = await pair(node, make_probe, OTHER)
    seeds, draw, name = corpus(victim), random.Random(SEED), ("127.0.0.1", node.port)
    rounds, sent = (10_000 if LONG else 1_100), 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.setblocking(False)
        for _ in range(rounds):
            # A batch of one turn of the loop, then a packet of the call that must not suffer.
            for number in range(50):
                data = mutate(draw.choice(seeds), draw) or b"\0"
                if number % 2:
                    stranger.sendto(data, name)
                else:
                    victim.send(data)
            others[0].send_audio(sent)
            sent += 1
            await asyncio.sleep(0)
        assert await until(partial(sounds, others[1], sent))
    assert [x.seq for x in others[1].sounds()] == [
        (others[1].sounds()[0].seq + n) & 0xFFFF for n in range(sent)
    ]
    assert "Traceback" not in caplog.text
    assert not [x for x in caplog.records if x.levelname in ("ERROR", "CRITICAL")]


async def test_a_datagram_is_never_answered_by_a_longer_one(
    node: MediaNode, make_probe: Make
) -> None:
    probe = make_probe()
    await probe.join(node, "counter")
    sizes: list[int] = []
    send = probe.send

    def measured(data: bytes) -> None:
        sizes.append(len(data))
        send(data)

    probe.send = measured  # type: ignore[method-assign]
    await checked(probe)
    assert len(probe.stun[0]) <= sizes[0]


async def test_junk_from_one_place_keeps_nobody_from_joining_or_moving(
    node: MediaNode, make_probe: Make
) -> None:
    """Each check of the newcomers is said once, amid more junk than is looked at in a second."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:

        def junk() -> None:
            for n in range(1500):
                out.sendto(b"\0\1" + bytes(n % 3), ("127.0.0.1", node.port))

        counter, desk = make_probe(ssrc=1000), make_probe(ssrc=2000)
        for probe, party in ((counter, "counter"), (desk, "desk")):
            junk()
            await probe.connect(node, party)
        junk()
        desk.move()
        desk.check()
        answers = len(desk.stun)
        assert await until(lambda: len(desk.stun) > answers)
        counter.send_video(1, KEYFRAME)
        assert await until(lambda: bool(desk.videos()))
