"""A party's line is known by what it counts: who sends to it is told, and frames are left out."""

import asyncio
import struct
from collections.abc import Awaitable, Callable
from typing import Any

from media import rtcp
from media.node import MediaNode
from media.path import Flow
from media.sent import Feedback
from media.steering import Steering
from media.transport_cc import Arrivals

CALL = "call-1"
KEYFRAME, DELTA = b"\x10\x50", b"\x10\x51"
CC = 3  # the probes' id of the transport-wide number
Make = Callable[..., Any]
Eventually = Callable[..., Awaitable[bool]]


class CountingDesk:
    """Tells of what a probe gets as if each packet had taken `slowness` times as long to come."""

    def __init__(self, probe: Any, slowness: float) -> None:
        self.probe, self.slowness = probe, slowness
        self.numbers: list[int] = []
        self._told = 0
        self._arrivals = Arrivals()
        self._now = 100.0

    def tell(self, seconds: float) -> None:
        """Send feedback on what came in the last `seconds`."""
        packets = self.probe.videos()[self._told :]
        self._told += len(packets)
        for packet in packets:
            self._now += self.slowness * seconds / len(packets)
            number = int.from_bytes(packet.extensions[1:3], "big")
            assert packet.extensions[0] == CC << 4 | 1
            self.numbers.append(number)
            self._arrivals.note(number, self._now)
        for report in self._arrivals.report(1, 2):
            self.probe.send_rtcp(report)


def _caps(probe: Any) -> list[int]:
    return [x.bits_per_second for x in probe.rtcp if isinstance(x, rtcp.Remb)]


async def _send(counter: Any, desk: CountingDesk, rounds: int) -> None:
    """Send some 100 packets a second for `rounds` tenths of a second."""
    seq = 2
    for _ in range(rounds):
        for _ in range(10):
            extension = bytes((CC << 4 | 1,)) + struct.pack("!H", seq)
            counter.send_video(seq, DELTA + bytes(1000), extensions=extension)
            seq += 1
            await asyncio.sleep(0.01)
        desk.tell(0.1)
        if _caps(counter):
            return


async def _pair(node: MediaNode, make_probe: Make, eventually: Eventually) -> tuple[Any, Any]:
    counter, desk = make_probe(ssrc=1000), make_probe(ssrc=2000)
    await counter.connect(node, "counter")
    await desk.connect(node, "desk")
    extension = bytes((CC << 4 | 1,)) + struct.pack("!H", 1)
    counter.send_video(1, KEYFRAME, extensions=extension)
    assert await eventually(lambda: len(desk.videos()) == 1)
    return counter, desk


async def test_a_listener_whose_packets_come_ever_later_lowers_the_senders_rate(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    counter, desk = await _pair(node, make_probe, eventually)
    counting = CountingDesk(desk, slowness=2.5)
    await _send(counter, counting, rounds=40)
    assert await eventually(lambda: bool(_caps(counter)))
    assert _caps(counter)[0] < 800_000
    assert counting.numbers == list(range(counting.numbers[0], counting.numbers[-1] + 1))
    assert node.stats(CALL)["counter"].cap_bps is not None


async def test_a_listener_whose_packets_come_in_time_lowers_nothing(
    node: MediaNode, make_probe: Make, eventually: Eventually
) -> None:
    counter, desk = await _pair(node, make_probe, eventually)
    await _send(counter, CountingDesk(desk, slowness=1.0), rounds=12)
    assert _caps(counter) == []


def test_feedback_on_numbers_never_given_says_nothing() -> None:
    steering = Steering()
    steering.feedback(Feedback(7, (1.0, 2.0, None)), 0.0)
    steering.cap.loss(0.5, 1_000_000, 0.0)
    assert steering.limit(0.0) == 850_000
    steering.sent([(7, 0.0, 1000)])
    steering.feedback(Feedback(7, (3.0, None)), 1.0)
    assert steering.limit(1.0) is None


def test_a_line_is_shared_by_the_pictures_on_it() -> None:
    steering = Steering()
    steering.cap.loss(0.5, 1_000_000, 0.0)
    steering.pictures = 2
    assert steering.share(0.0) == 425_000
    steering.judge(0, 0, 0.0)
    assert steering.flow == Flow.ALL


def test_a_line_that_carries_no_picture_is_paused_and_tried_again() -> None:
    steering = Steering()
    steering.cap.loss(0.9, 60_000, 0.0)
    number, told = 0, []
    for tenth in range(200):
        now = tenth / 10
        steering.sent([(number + n, now + n / 50, 1200) for n in range(5)])
        late = 50 + number / 10  # each packet a tenth of a second after the one before
        arrivals = tuple(late + n / 10 for n in range(5))
        if not steering.paused:
            steering.feedback(Feedback(number, arrivals), now)
            number += 5
        steering.judge(tenth * 5000, tenth * 500, now)
        told.append(steering.paused)
    assert told.index(True) < 100
    assert not all(told[told.index(True) :])
    assert steering.flow != Flow.ALL
