"""Mutated bytes at every door of the engine: a value or the documented error, never anything else.

Seeded. The suite runs the short form; `make fuzz` (MADOGUCHI_FUZZ=long) the long one.
"""

import asyncio
import os
import random
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aioice import stun

from media import frames, ice, rtcp, rtp
from media.dtls import cut_records
from media.node import MediaNode
from media.red import read_red
from media.sdp import check_bounds, parse_offer
from media.sent import MAX_STATUSES
from media.transport_cc import Arrivals
from security.errors import MadoguchiError, ProtocolError

pytestmark = pytest.mark.fuzz
LONG = os.environ.get("MADOGUCHI_FUZZ") == "long"
SEED = 20261123
OFFERS = sorted((Path(__file__).parent / "offers").glob("*.sdp"))
ADDRESS = ("192.0.2.7", 4000)
LOCAL = ice.Credentials("ufragufrag", "password-of-22-letters")


def mutate(data: bytes, draw: random.Random) -> bytes:
    """Return `data` with a few bytes flipped, cut, doubled or put in."""
    mutable = bytearray(data)
    for _ in range(draw.randint(1, 6)):
        at = draw.randrange(len(mutable) + 1)
        what = draw.randrange(5)
        if what == 0 and at < len(mutable):
            mutable[at] ^= 1 << draw.randrange(8)
        elif what == 1 and at < len(mutable):
            mutable[at] = draw.choice((0, 1, 0x7F, 0x80, 0xFF))
        elif what == 2:
            del mutable[at : at + draw.randint(1, 40)]
        elif what == 3:
            mutable[at:at] = mutable[at : at + draw.randint(1, 60)]
        else:
            mutable[at:at] = draw.randbytes(draw.randint(1, 12))
    return bytes(mutable)


def mutate_lines(text: str, draw: random.Random) -> str:
    """Return an SDP with lines moved, doubled, dropped or mutated."""
    lines = text.split("\r\n")
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(lines))
        what = draw.randrange(4)
        if what == 0:
            lines.insert(draw.randrange(len(lines)), lines[at])
        elif what == 1 and len(lines) > 1:
            del lines[at]
        else:
            lines[at] = mutate(lines[at].encode(), draw).decode("utf-8", "replace")
    return "\r\n".join(lines)


@pytest.mark.timeout(3600 if LONG else 300)
def test_a_mutated_offer_is_an_offer_or_bad_sdp() -> None:
    draw = random.Random(SEED)
    codes: set[str] = set()
    texts = [path.read_text("utf-8") for path in OFFERS]
    # Each meets what is bounded before the parser; a whole parse takes 0.6 ms, so one in twenty
    # is parsed here and every one in the long form.
    for number in range(1_000_000 if LONG else 100_000):
        text = mutate_lines(draw.choice(texts), draw)
        try:
            check_bounds(text)
            if LONG or number % 20 == 0:
                parse_offer(text)
        except ProtocolError as refused:
            codes.add(refused.code)
    assert codes == {"bad_sdp"}


def packets() -> list[bytes]:
    """Return one datagram of each kind."""
    reports = [
        rtcp.nack(rtcp.Nack(1, 2, (5, 6, 30))),
        rtcp.picture_loss(rtcp.KeyframeWanted(1, 2)),
        rtcp.cname(1, "x"),
    ]
    rtp_one = bytes.fromhex("90e00001000000010000000abede0001100000002200") + bytes(30)
    rtp_two = bytes.fromhex("90e00001000000010000000a1000000101010a00") + bytes(30)
    return [*reports, b"".join(reports), rtp_one, rtp_two]


def feedback() -> list[bytes]:
    """Return accounts of arrivals: with gaps, in one run, and many in one datagram."""
    arrivals = Arrivals()
    for number in range(0, 300, 3):
        arrivals.note(number, 1 + number * number * 0.0001)
    told = arrivals.report(1, 2)
    run = bytes.fromhex("8fcd0005000000010000000200000400000000000400ffff")
    return [*told, run, run * 58]


def check() -> bytes:
    """Return a check that is addressed to us, and signed."""
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    message.attributes["USERNAME"] = f"{LOCAL.ufrag}:them"
    message.attributes["PRIORITY"] = 1
    message.add_message_integrity(LOCAL.password.encode())
    return bytes(message)


@pytest.mark.timeout(3600 if LONG else 120)
def test_a_mutated_datagram_is_a_value_or_nothing() -> None:
    draw = random.Random(SEED)
    seeds = [*packets(), *feedback(), check()]
    most = rtcp.MAX_STEPS + MAX_STATUSES
    for _ in range(10_000_000 if LONG else 60_000):
        data = mutate(draw.choice(seeds), draw)
        messages, steps = rtcp.read(data)
        assert len(messages) <= steps <= most
        ice.addressed_ufrag(data)
        ice.answer_check(data, LOCAL, ADDRESS)
        cut_records(data)
        buffer = bytearray(data) + bytes(64)
        header = rtp.header_bytes(buffer, len(data))
        if 0 < header <= len(data):
            if buffer[0] & 0x10:
                rtp.clean_extensions(buffer, header, bytes(range(16)), 3, 1, 10)
                rtp.rename_extensions(buffer, header, bytes(16))
            rtp.padding_bytes(buffer, header, len(data))
            red = read_red(buffer, header, len(data), 111)
            assert red is None or header < red.main_at - red.again_size <= red.main_at < red.end
            frames.read_vp8(buffer, header, len(data))
            frames.read_h264(buffer, header, len(data))
            seq, size = rtp.unwrap_rtx(buffer, header, len(data), 96, 1)
            assert -1 <= seq <= 0xFFFF
            assert (header < size <= len(data) - 2) if seq >= 0 else size == 0
            assert len(buffer) == len(data) + 64


@pytest.mark.timeout(3600 if LONG else 120)
def test_retransmissions_of_real_sizes_are_unwrapped_within_their_bounds() -> None:
    draw = random.Random(SEED)
    for _ in range(1_000_000 if LONG else 5_000):
        data = mutate(packets()[3] + draw.randbytes(draw.randint(0, 1400)), draw)
        buffer = bytearray(data) + b"\xee" * 64
        header = rtp.header_bytes(buffer, len(data))
        if header < 0:
            continue
        seq, size = rtp.unwrap_rtx(buffer, header, len(data), 96, 1)
        assert size <= len(data) - 2 if seq >= 0 else size == 0
        assert buffer[len(data) :] == b"\xee" * 64


@pytest.mark.timeout(3600 if LONG else 120)
def test_any_numbers_at_any_times_are_reported_in_packets_that_fit() -> None:
    draw = random.Random(SEED)
    for _ in range(20_000 if LONG else 200):
        arrivals, now = Arrivals(), draw.random() * 1e6
        for _ in range(draw.randint(1, 12)):
            number = draw.randrange(0x10000)
            for _ in range(draw.randint(1, 600)):
                number = number + draw.choice((1, 1, 1, 1, -1, 2, 40, 999, 1001, 40000)) & 0xFFFF
                now += draw.choice((0.0, 0.0001, 0.005, 0.3, 20.0))
                arrivals.note(number, now)
            for packet in arrivals.report(1, 2):
                assert len(packet) < 1200
                assert len(packet) == 4 * (int.from_bytes(packet[2:4], "big") + 1)
            assert len(arrivals) == 0


async def test_strangers_at_the_port_do_not_touch_a_call(
    node: MediaNode, make_client: Callable[..., Any], eventually: Callable[..., Any]
) -> None:
    counter, desk = make_client(), make_client()
    await counter.join(node, "counter")
    await desk.join(node, "desk")
    assert await eventually(lambda: min(counter.frames, desk.frames) >= 10)
    draw = random.Random(SEED)
    seeds = packets()
    before = (counter.frames, desk.frames, counter.sounds)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for number in range(200_000 if LONG else 4_000):
            data = mutate(draw.choice(seeds), draw) if number % 3 else draw.randbytes(number % 1400)
            stranger.sendto(data, ("127.0.0.1", node.port))
            if number % 50 == 0:
                await asyncio.sleep(0)
        assert await eventually(
            lambda: counter.frames > before[0] + 20 and desk.frames > before[1] + 20
        )
        stranger.setblocking(False)
        with pytest.raises(BlockingIOError):
            stranger.recv(2048)
    assert counter.sounds > before[2]


async def test_a_party_that_sends_nonsense_harms_only_itself(
    node: MediaNode, make_client: Callable[..., Any], eventually: Callable[..., Any]
) -> None:
    counter, desk = make_client(), make_client()
    await counter.join(node, "counter")
    await desk.join(node, "desk")
    assert await eventually(lambda: min(counter.frames, desk.frames) >= 10)
    draw = random.Random(SEED)
    transport = desk.connection.getTransceivers()[0].receiver.transport
    seeds = packets()
    before, modules = desk.frames, set()
    for _ in range(20_000 if LONG else 1_000):
        try:
            await transport._send_rtp(mutate(draw.choice(seeds), draw))
        except (ConnectionError, MadoguchiError):
            break
        except Exception as refused:  # libsrtp refuses to protect what is no packet at all
            modules.add(type(refused).__module__.split(".")[0])
    assert modules <= {"pylibsrtp"}
    seen = counter.frames
    assert await eventually(lambda: counter.frames > seen + 20 and desk.frames > before + 20)
