"""A node that cannot keep up leaves packets out; it never carries them late."""

import asyncio
import json
import pickle
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from media import rtcp
from media.arrival import age_of_last
from media.node import MediaNode
from tests.media.probe import DELTA, KEYFRAME, Probe

Eventually = Callable[..., Any]
# The native path does not stand still with the loop: test_native_threads.py.
on_the_loop = pytest.mark.parametrize("node", ["python"], indirect=True)


def test_the_age_of_a_datagram_is_how_long_it_waited() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as reader:
        reader.bind(("127.0.0.1", 0))
        reader.setblocking(False)
        assert age_of_last(reader.fileno()) == 0.0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as writer:
            writer.sendto(b"x", reader.getsockname())
        time.sleep(0.12)
        reader.recv(10)
        assert 0.1 <= age_of_last(reader.fileno()) < 1.0


async def talking(node: MediaNode, make_probe: Any, eventually: Any) -> tuple[Probe, Probe]:
    """Return who speaks and who listens, pictures and sound flowing."""
    speaker, listener = make_probe(), make_probe(ssrc=2000)
    await speaker.connect(node, "counter")
    await listener.connect(node, "desk")
    speaker.send_audio(1)
    speaker.send_video(1, KEYFRAME)
    assert await eventually(lambda: listener.sounds() and listener.videos())
    return speaker, listener


def speak(speaker: Probe, first: int, count: int) -> None:
    """Send `count` packets of pictures and one of sound for every ten."""
    for seq in range(first, first + count):
        speaker.send_video(seq, DELTA)
        if seq % 10 == 0:
            speaker.send_audio(seq)


async def test_what_a_loop_in_time_reads_is_carried_whole(
    node: MediaNode, make_probe: Any, eventually: Any
) -> None:
    speaker, listener = await talking(node, make_probe, eventually)
    for first in range(2, 302, 10):
        speak(speaker, first, 10)
        assert await eventually(lambda n=first: len(listener.videos()) == n + 9)
    assert len(listener.sounds()) == 31


@on_the_loop
async def test_after_a_standstill_pictures_are_left_out_whole_and_sound_is_carried(
    node: MediaNode, make_probe: Any, eventually: Any
) -> None:
    speaker, listener = await talking(node, make_probe, eventually)
    wishes = speaker.wishes()
    speak(speaker, 2, 300)
    time.sleep(0.2)  # noqa: ASYNC251 - the loop stands still
    assert await eventually(lambda: len(listener.sounds()) == 31)
    assert len(listener.videos()) < 20
    assert await eventually(lambda: speaker.wishes() > wishes)
    speaker.send_video(302, DELTA)
    speaker.send_video(303, KEYFRAME, time=303 * 3000)
    speaker.send_video(304, DELTA, time=303 * 3000)
    assert await eventually(
        lambda: [x.payload for x in listener.videos()][-2:] == [KEYFRAME, DELTA]
    )
    numbers = [x.seq for x in listener.videos()]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


@on_the_loop
async def test_what_was_left_out_is_not_asked_for_again(
    node: MediaNode, make_probe: Any, eventually: Any
) -> None:
    speaker, listener = await talking(node, make_probe, eventually)
    speak(speaker, 2, 60)
    time.sleep(0.2)  # noqa: ASYNC251
    assert await eventually(lambda: len(listener.sounds()) == 7)
    speaker.send_video(62, KEYFRAME)
    assert await eventually(lambda: listener.videos()[-1].payload == KEYFRAME)
    await asyncio.sleep(0.15)
    asked = [x for x in speaker.rtcp if isinstance(x, rtcp.Nack)]
    assert asked == []


@on_the_loop
async def test_after_a_long_standstill_sound_is_left_out_as_well(
    node: MediaNode, make_probe: Any, eventually: Any
) -> None:
    speaker, listener = await talking(node, make_probe, eventually)
    speak(speaker, 2, 300)
    time.sleep(0.45)  # noqa: ASYNC251
    speaker.send_audio(400)
    assert await eventually(lambda: listener.sounds()[-1].payload == b"sound")
    assert await eventually(lambda: len(listener.sounds()) >= 2)
    assert len(listener.rtp) < 25
    last = listener.sounds()[-1]
    assert last.time - listener.sounds()[0].time == (400 - 1) * 960


class Ear:
    """Hears the listener's sound on a thread of its own, so that a late loop does not blur it."""

    def __init__(self, listener: Probe) -> None:
        self.heard: dict[int, float] = {}  # RTP time: when
        self._socket = listener._sockets[-1]
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._over = False
        self._thread.start()

    def _run(self) -> None:
        self._socket.settimeout(0.05)
        while not self._over:
            try:
                data = self._socket.recv(2048)
            except TimeoutError:
                continue
            if data[0] >= 128 and data[1] & 0x7F == 111:
                self.heard[struct.unpack_from("!I", data, 4)[0]] = time.monotonic()

    def stop(self) -> None:
        self._over = True
        self._thread.join()
        self._socket.setblocking(False)


def sealed(probe: Probe, kind: int, seq: int, time: int, ssrc: int, payload: bytes) -> bytes:
    """Return the SRTP packet instead of sending it."""
    kept: list[bytes] = []
    send, probe.send = probe.send, kept.append  # type: ignore[method-assign,assignment]
    probe.send_rtp(kind, seq, time, ssrc, payload)
    probe.send = send  # type: ignore[method-assign]
    return kept[0]


FLOOD = """
import json, pickle, socket, sys, time
packets, port, rate = pickle.load(sys.stdin.buffer)
flooder, speaker = [socket.socket(fileno=int(x)) for x in sys.argv[1:]]
for out in (flooder, speaker):
    out.setblocking(True)
begun, said = time.monotonic(), {}
for number, (packet, stamp) in enumerate(packets):
    if stamp is not None:
        said[stamp] = time.monotonic()
    (flooder if stamp is None else speaker).sendto(packet, ("127.0.0.1", port))
    if number % 20 == 0:
        time.sleep(max(0.0, begun + number / rate - time.monotonic()))
print(json.dumps(said))
"""


async def flood(
    node: MediaNode, flooder: Probe, speaker: Probe, first_time: int, rate: int
) -> dict[int, float]:
    """Send a second's worth of `rate` pictures from a process of its own; say when sound left."""
    packets: list[tuple[bytes, int | None]] = []
    for n in range(2, rate):
        picture = (flooder.video, n, n * 300, flooder.video_ssrc, DELTA + bytes(1000))
        packets.append((sealed(flooder, *picture), None))
        if n % (rate // 50) == 0:
            seq = n // (rate // 50) + 1
            sound = sealed(speaker, 111, seq, seq * 960, speaker.audio_ssrc, b"sound")
            packets.append((sound, (first_time + (seq - 1) * 960) & 0xFFFFFFFF))
    outs = [probe._sockets[-1] for probe in (flooder, speaker)]
    sender = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", FLOOD, *(str(x.fileno()) for x in outs)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        pass_fds=[x.fileno() for x in outs],
    )
    out, _ = await sender.communicate(pickle.dumps((packets, node.port, rate)))
    for one in outs:
        one.setblocking(False)
    return {int(stamp): at for stamp, at in json.loads(out).items()}


async def test_under_more_than_can_be_carried_sound_does_not_come_late(
    node: MediaNode, make_probe: Any, eventually: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Flood for a second; without rule 29 the socket's queue is the delay of every packet."""
    # Rule 32 would keep one party from it; in Python many are played by one.
    monkeypatch.setattr("media.pathleg.MEASURE_BYTES", 1_000_000_000)
    speaker, listener = await talking(node, make_probe, eventually)
    node.open_call("another")
    node.set_gate("another", open=True)
    flooder, viewer = make_probe(ssrc=3000), make_probe(ssrc=4000)
    await flooder.connect(node, "counter", "another")
    await viewer.connect(node, "desk", "another")
    flooder.send_video(1, KEYFRAME)
    assert await eventually(lambda: bool(viewer.videos()))
    asyncio.get_running_loop().remove_reader(viewer._sockets[-1].fileno())
    ear = Ear(listener)
    said = await flood(node, flooder, speaker, listener.sounds()[0].time, 24_000)
    await asyncio.sleep(0.3)
    ear.stop()
    delays = sorted(ear.heard[stamp] - at for stamp, at in said.items() if stamp in ear.heard)
    print(
        f"{len(delays)} of {len(said)} heard, median {delays[len(delays) // 2]:.3f} s, "
        f"worst {delays[-1]:.3f} s, {node.stats('another')['desk'].packets_forwarded} pictures"
    )
    assert len(delays) >= len(said) // 3
    assert delays[-1] < 0.55


@on_the_loop
async def test_what_does_not_authenticate_interrupts_nobody_while_pictures_are_left_out(
    node: MediaNode, make_probe: Any, eventually: Any
) -> None:
    speaker, listener = await talking(node, make_probe, eventually)
    wishes = speaker.wishes()
    for seq in range(60):
        speaker.send(struct.pack("!BBHII", 0x80, speaker.video, seq, 0, 77) + bytes(200))
    time.sleep(0.2)  # noqa: ASYNC251 - the loop stands still
    speaker.send_audio(2)
    assert await eventually(lambda: len(listener.sounds()) == 2)
    assert node._port.path.counts().stale == 0
    speaker.send_video(2, DELTA)
    assert await eventually(lambda: len(listener.videos()) == 2)
    assert speaker.wishes() == wishes
