"""The thread forwards while the loop reconfigures: nobody crashes, nothing passes that may not."""

import asyncio
import functools
import random
import threading
import time
from collections.abc import AsyncIterator
from socket import socket

import pytest

from media.arrival import age_of_last
from media.native_path import NativePath
from media.path import NOBODY, Codec, Flow
from tests.media.basics import until
from tests.media.path_world import AUDIO_TYPE, DELTA, KEY, PROFILE, VIDEO_TYPE, End, World, rtp

SENT = 2500


@pytest.fixture
async def native() -> AsyncIterator[World]:
    made = World(NativePath)
    yield made
    await made.close()


class Flood:
    """Sends what was sealed before from a thread of its own, over and over until told to end."""

    def __init__(self, end: End) -> None:
        self._end = end
        self._over = threading.Event()
        self._sealed = [
            end.seal(rtp(VIDEO_TYPE, n, n * 3000, end.video_ssrc, DELTA if n % 8 else KEY))
            for n in range(SENT)
        ]
        self._thread = threading.Thread(target=self._run)
        self.sent = 0

    def __enter__(self) -> "Flood":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def has_sent(self, count: int) -> bool:
        return self.sent >= count

    def _run(self) -> None:
        for data in self._sealed:
            if self._over.is_set():
                return
            self._end.send(data)
            self.sent += 1
            time.sleep(0.0002)


def taken(end: End) -> list[bytes]:
    """Take whatever stands in the end's sockets."""
    found = []
    for sock in end.sockets:
        while True:
            try:
                found.append(sock.recv(4096))
            except BlockingIOError:
                break
    return found


def drained(end: End) -> int:
    """Take whatever stands in the end's sockets and return how much it was."""
    return len(taken(end))


class Seals:
    """What was sealed under each number of each SSRC; a repetition is the very same."""

    def __init__(self) -> None:
        self.texts: dict[bytes, bytes] = {}

    def take(self, end: End) -> int:
        """Take what stands in the end's sockets; return how much it was."""
        found = taken(end)
        for data in found:
            assert self.texts.setdefault(data[2:4] + data[8:12], data) == data
        return len(found)


async def test_once_a_gate_is_closed_nothing_leaves_any_more(native: World) -> None:
    sender, listener, sink = native.pair()
    passed = 0
    with Flood(sender) as flood:
        while flood.sent < SENT and flood._thread.is_alive():
            native.path.set_open(sender.video, is_open=True)
            enough = min(SENT, flood.sent + 40)
            assert await until(functools.partial(flood.has_sent, enough))
            native.path.set_open(sender.video, is_open=False)
            passed += drained(listener)
            await asyncio.sleep(0.005)
            assert drained(listener) == 0
    assert passed > 50
    assert native.path.sink_state(sink).packets >= passed


async def test_everything_may_be_changed_while_packets_flow(native: World) -> None:
    draw = random.Random(5)
    sender, listener, sink = native.pair()
    path, keys = native.path, sender._keys
    sinks: list[int] = [sink]
    taps: list[int] = []
    seals, is_open, closings = Seals(), True, 0
    with Flood(sender) as flood:
        while flood._thread.is_alive():
            if not is_open:
                assert drained(listener) == 0
            match draw.randrange(12):
                case 0:
                    is_open = draw.random() < 0.6
                    path.set_open(sender.video, is_open=is_open)
                    closings += not is_open
                case 1:
                    path.set_flow(sinks[-1], draw.choice((Flow.ALL, Flow.KEYS, Flow.NONE)))
                case 2:
                    path.listen(sinks[-1], draw.choice((NOBODY, sender.video)))
                case 3 if len(sinks) > 1:
                    path.remove_sink(sinks.pop())
                case 4 if len(sinks) < 5:
                    sinks.append(listener.hears(sender.video))
                case 5 if len(taps) < 4:
                    taps.append(path.add_tap(sender.video, 3000))
                case 6 if taps:
                    path.read_tap(taps[-1])
                    path.remove_tap(taps.pop())
                case 7:
                    path.clear_keys(listener.leg)
                    path.set_keys(listener.leg, PROFILE, *listener._keys)
                case 8:
                    path.resend(sinks[0], range(100, 120), 9)
                case 9:
                    path.tick(native.clock())
                    path.leg_state(sender.leg)
                    path.source_state(sender.video)
                case 10:
                    path.forbid(listener.leg, listener.address)
                    path.allow(listener.leg, listener.address, native.clock() + 30)
                case 11:
                    other = path.add_source(Codec.VP8)
                    leg = path.add_leg()
                    path.remove_source(other)
                    path.remove_leg(leg)
            seals.take(listener)
    assert closings > 5
    assert len(seals.texts) > 100
    path.set_keys(sender.leg, PROFILE, *keys)
    assert path.source_state(sender.video).received > SENT // 4


class Late(NativePath):
    """Begins to read when the test says so, as after a standstill."""

    def start(self, udp: socket) -> None:
        self.udp = udp

    def begin(self) -> None:
        super().start(self.udp)


@pytest.mark.parametrize(("seconds", "least", "most"), [(0.0, 30, 30), (0.2, 30, 30), (0.45, 0, 3)])
async def test_what_waited_too_long_is_left_out_pictures_before_sound(
    seconds: float, least: int, most: int
) -> None:
    world = World(Late)
    assert isinstance(world.path, Late)
    age_of_last(world.path.udp.fileno())  # arrivals are noted from here on
    sender, listener, _ = world.pair()
    listener.hears(sender.audio, kind=AUDIO_TYPE)
    for seq in range(1, 301):
        sender.shows(seq, DELTA if seq % 30 else KEY)
        if seq % 10 == 0:
            sender.speaks(seq)
    await asyncio.sleep(seconds)
    world.path.begin()
    await world.settle()
    kinds = [x.payload_type for x in listener.got()]
    assert least <= kinds.count(AUDIO_TYPE) <= most
    assert (kinds.count(VIDEO_TYPE) > 200) == (seconds == 0.0)
    assert (world.path.counts().stale > 200) == (seconds > 0.0)
    assert world.path.missing(sender.video) == []
    await world.close()


async def test_late_packets_that_may_be_anybodys_interrupt_nobody() -> None:
    world = World(Late)
    assert isinstance(world.path, Late)
    age_of_last(world.path.udp.fileno())
    sender, listener, _ = world.pair()
    for seq in range(300):
        sender.send(rtp(VIDEO_TYPE, seq, 1, 77, DELTA + bytes(20)))
    await asyncio.sleep(0.2)
    world.path.begin()
    sender.shows(1, KEY)
    await world.settle()
    assert world.path.counts().stale == 0
    assert world.path.leg_state(sender.leg).refused == 300
    sender.shows(2)
    await world.settle()
    assert [x.payload for x in listener.got()] == [KEY, DELTA]
    await world.close()
