"""Over lines that lose packets at random, each way and at both ends, sound and pictures arrive.

Unmended, 19 % and 36 % would be missing; what is allowed leaves room for a busy machine.
"""

import asyncio
import random
import struct
from collections.abc import Callable
from typing import Any

import pytest

from media import rtcp
from media.node import MediaNode
from tests.media.basics import until
from tests.media.clients import Line
from tests.media.probe import DELTA, KEYFRAME, Probe

SECONDS = 3.0
DELAY_SECONDS = 0.02
PACKETS_PER_PICTURE = 3
PATIENCE_SECONDS = 0.08  # between two requests for the same packet


class Mender(Probe):
    """Sends sound and pictures, again when asked; asks for what it misses, as browsers do."""

    def __init__(self, ssrc: int) -> None:
        super().__init__(ssrc=ssrc)
        self.sent: dict[int, dict[int, bytes]] = {self.audio_ssrc: {}, self.video_ssrc: {}}
        self._answered = self._repeats = 0
        self._asked: dict[tuple[int, int], float] = {}

    def offer(self) -> str:
        opus = "a=rtpmap:111 opus/48000/2\r\n"
        return super().offer().replace(opus, f"{opus}a=rtcp-fb:111 nack\r\n")

    def sound(self, seq: int) -> None:
        self.sent[self.audio_ssrc][seq] = b"sound"
        self.send_audio(seq)

    def picture(self, number: int) -> None:
        wished = self.wishes() > sum(
            payload == KEYFRAME for payload in self.sent[self.video_ssrc].values()
        )
        for part in range(PACKETS_PER_PICTURE):
            seq = number * PACKETS_PER_PICTURE + part
            first = KEYFRAME if wished or number == 0 else DELTA
            payload = first if part == 0 else b"\x00" + bytes(600)
            self.sent[self.video_ssrc][seq] = payload
            self.send_video(seq, payload, time=number * 3000)

    def repeat(self) -> None:
        """Send again what was asked for since the last call."""
        news, self._answered = self.rtcp[self._answered :], len(self.rtcp)
        for message in news:
            if not isinstance(message, rtcp.Nack):
                continue
            for seq in message.seqs:
                payload = self.sent[message.media].get(seq)
                if payload is None:
                    continue
                if message.media == self.audio_ssrc:
                    self.send_audio(seq, payload)
                else:
                    self._repeats += 1
                    time = seq // PACKETS_PER_PICTURE * 3000
                    body = struct.pack("!H", seq) + payload
                    self.send_rtp(97, self._repeats, time, self.rtx_ssrc, body)

    def came(self, kind: int) -> dict[int, set[int]]:
        """Return the numbers that came of a payload type, repetitions among them, by SSRC."""
        found: dict[int, set[int]] = {}
        for packet in self.rtp:
            if packet.payload_type == kind:
                found.setdefault(packet.ssrc, set()).add(packet.seq)
        if kind == self.video and found:
            again = (x for x in self.rtp if x.payload_type == self.rtx)
            next(iter(found.values())).update(int.from_bytes(x.payload[:2], "big") for x in again)
        return found

    def ask(self, now: float) -> None:
        """Ask for what is missing between the first and the last that came."""
        for kind in (111, self.video):
            for ssrc, seqs in self.came(kind).items():
                gone = [x for x in range(min(seqs), max(seqs)) if x not in seqs]
                due = [x for x in gone if now - self._asked.get((ssrc, x), 0) > PATIENCE_SECONDS]
                self._asked.update(dict.fromkeys(((ssrc, x) for x in due), now))
                if due:
                    self.send_rtcp(rtcp.nack(rtcp.Nack(1, ssrc, tuple(due[-100:]))))

    def missing(self, kind: int) -> float:
        """Return the share that never came between the first and the last."""
        ((_, seqs),) = self.came(kind).items()
        return 1 - len(seqs) / (max(seqs) - min(seqs) + 1)


async def _join(node: MediaNode, line: Line, probe: Mender, party: str) -> None:
    await probe.join(node, party)
    probe.port = line.port
    probe.check()
    assert await until(lambda: bool(probe.stun))
    probe.handshake()
    assert await until(lambda: not probe.is_silent)


@pytest.mark.parametrize(("loss", "sound", "picture"), [(0.1, 0.04, 0.05), (0.2, 0.08, 0.1)])
async def test_what_random_loss_takes_is_asked_for_until_it_is_there(
    node: MediaNode,
    make_line: Callable[..., Line],
    loss: float,
    sound: float,
    picture: float,
) -> None:
    draw = random.Random(5)
    menders = [Mender(1000), Mender(2000)]
    try:
        for mender, party in zip(menders, ("counter", "desk"), strict=True):
            line = make_line(lambda *_: draw.random() < loss, delay_seconds=DELAY_SECONDS)
            await _join(node, line, mender, party)
        await _talk(menders)
        for mender in menders:
            assert mender.missing(111) <= sound
            assert mender.missing(mender.video) <= picture
    finally:
        for mender in menders:
            mender.close()


async def _talk(menders: list[Any]) -> None:
    """Let both send for a while, then mend for a moment longer."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    sounds = pictures = 0
    while (now := loop.time() - begun) < SECONDS + 1.5:
        while sounds < min(now, SECONDS) * 50:
            for mender in menders:
                mender.sound(sounds)
            sounds += 1
        while pictures < min(now, SECONDS) * 30:
            for mender in menders:
                mender.picture(pictures)
            pictures += 1
        for mender in menders:
            mender.repeat()
            if sounds % 2:
                mender.ask(loop.time())
        await asyncio.sleep(0.01)
