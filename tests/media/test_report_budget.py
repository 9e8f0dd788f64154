"""What one party's reports may cost: counted in steps, whatever its datagrams claim."""

import struct
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from media import rtcp
from media.control import ControlPath
from media.leg import REPORT_STEPS
from media.node import MediaNode
from media.sent import MAX_STATUSES, SLOTS, Sent
from media.steering import Steering

CALL = "call-1"
KEYFRAME = b"\x10\x50"
Make = Callable[..., Any]
Eventually = Callable[..., Awaitable[bool]]
MOST = rtcp.MAX_STEPS + MAX_STATUSES


def claims(count: int, *, first: int = 0) -> bytes:
    """Return feedback of 24 bytes that says of `count` packets that none has come."""
    body = struct.pack("!IIHHIHH", 1, 2, first, count, 0, count, 0)
    return struct.pack("!BBH", 0x8F, 205, len(body) // 4) + body


def sealed(probe: Any, packet: bytes) -> bytes:
    """Return an SRTCP datagram of the probe, which is not sent."""
    held: list[bytes] = []
    send, probe.send = probe.send, held.append
    probe.send_rtcp(packet)
    probe.send = send
    return held[0]


@pytest.mark.parametrize("count", [1, 100, MAX_STATUSES, MAX_STATUSES + 1, 2048, 8191])
def test_one_datagram_is_so_many_steps_whatever_it_claims(count: int) -> None:
    messages, steps = rtcp.read(claims(count) * 58)
    assert len(messages) <= steps <= MOST < 2000
    statuses = [len(x.feedback.arrivals) for x in messages if isinstance(x, rtcp.Counted)]
    assert sum(statuses) <= steps


def test_one_datagram_of_empty_or_strange_messages_is_as_few_steps() -> None:
    for message in (b"\x80\xca\0\0", b"\x80\xd0\0\0", rtcp.picture_loss(rtcp.KeyframeWanted(1, 2))):
        messages, steps = rtcp.read(message * (1400 // len(message)))
        assert len(messages) <= steps <= rtcp.MAX_STEPS
    asks = rtcp.nack(rtcp.Nack(1, 2, tuple(range(0, 6000, 17))))
    assert rtcp.read(asks[:1400])[1] <= MOST


def test_a_packet_said_to_be_lost_again_and_again_is_counted_once_and_its_arrival_too() -> None:
    sent = Sent()
    for number in range(SLOTS):
        sent.note(number, 0.0, 100)
    told = 0
    for _ in range(58):
        for first in range(0, SLOTS, MAX_STATUSES):
            (message,) = rtcp.parse(claims(MAX_STATUSES, first=first))
            assert isinstance(message, rtcp.Counted)
            told += len(sent.take(message.feedback))
    assert told == SLOTS
    late = struct.pack("!HHIHH", 7, 1, 0, 0x2001, 0x0400)
    (message,) = rtcp.parse(struct.pack("!BBHII", 0x8F, 205, 5, 1, 2) + late)
    assert isinstance(message, rtcp.Counted)
    assert [x.arrived_at is None for x in sent.take(message.feedback)] == [False]
    assert sent.take(message.feedback) == []


async def _leg(node: MediaNode, probe: Any, party: str) -> tuple[ControlPath, Any]:
    await probe.connect(node, party)
    member = node._calls[CALL].parties[party]
    assert member.leg is not None
    return node._port.control, member


async def test_a_party_may_make_so_many_steps_a_second(
    node: MediaNode, make_probe: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = make_probe()
    control, member = await _leg(node, desk, "desk")
    taken: list[int] = []
    monkeypatch.setattr(Steering, "feedback", lambda _, told, __: taken.append(len(told.arrivals)))
    flood = [sealed(desk, claims(MAX_STATUSES) * 58) for _ in range(40)]
    now, leg = node._clock() + 1.0, member.leg
    for data in flood[:20]:
        control.receive(leg, member.uplinks, data, desk.address, now)
    first = sum(taken)
    assert REPORT_STEPS - MOST <= first <= REPORT_STEPS + MOST
    for data in flood[20:]:
        control.receive(leg, member.uplinks, data, desk.address, now + 1.0)
    assert sum(taken) - first <= REPORT_STEPS + MOST


async def test_what_was_never_agreed_on_is_not_acted_on(
    node: MediaNode, make_probe: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts, counts_not = make_probe(ssrc=1000), make_probe(ssrc=2000, rtx=None)
    taken: list[object] = []
    monkeypatch.setattr(Steering, "feedback", lambda _, told, __: taken.append(told))
    for probe, party, expected in ((counts, "desk", 1), (counts_not, "counter", 1)):
        control, member = await _leg(node, probe, party)
        data = sealed(probe, claims(10))
        control.receive(member.leg, member.uplinks, data, probe.address, node._clock())
        assert len(taken) == expected


def _reports(probe: Any) -> list[rtcp.SenderReport]:
    return [x for x in probe.rtcp if isinstance(x, rtcp.SenderReport)]


async def test_however_many_sender_reports_come_few_are_passed_on(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    counter, desk = make_probe(ssrc=1000), make_probe(ssrc=2000)
    control, member = await _leg(node, counter, "counter")
    await desk.connect(node, "desk")
    counter.send_video(1, KEYFRAME)
    assert await eventually(lambda: len(desk.videos()) == 1)
    report = rtcp.sender_report(rtcp.SenderReport(1001, 1 << 40, 3000, 1, 1))
    now, before = node._clock() + 1.0, len(_reports(desk))
    for _ in range(10):
        data = sealed(counter, report * 49)
        control.receive(member.leg, member.uplinks, data, counter.address, now)
    control.receive(
        member.leg, member.uplinks, sealed(counter, report), counter.address, now + 0.25
    )
    assert await eventually(lambda: len(_reports(desk)) >= before + 2)
    counter.send_video(2)
    assert await eventually(lambda: len(desk.videos()) == 2)
    assert len(_reports(desk)) == before + 2


async def test_who_begins_to_listen_is_told_the_clock_before_the_sender_reports_again(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    counter, desk = make_probe(ssrc=1000), make_probe(ssrc=2000)
    await counter.connect(node, "counter")
    counter.send_video(1)
    ntp = 0x1122334455667788
    counter.send_rtcp(rtcp.sender_report(rtcp.SenderReport(1001, ntp, 3000, 9, 9)))
    uplink = node._calls[CALL].parties["counter"].uplinks["video"]
    assert await eventually(lambda: uplink.last_report is not None)
    await desk.connect(node, "desk")
    counter.send_video(2, KEYFRAME)
    assert await eventually(lambda: bool(_reports(desk)))
    (report,) = _reports(desk)
    (picture,) = desk.videos()
    gone = (report.ntp - ntp) / 2**32
    assert 0.0 < gone < 10.0
    # The picture is of 3,000 ticks after the report that the sender made.
    assert abs(((report.time - picture.time + 3000) & 0xFFFFFFFF) - gone * 90000) <= 2
