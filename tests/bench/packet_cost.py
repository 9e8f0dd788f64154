"""What one packet costs in the packet path, beside what opening, sealing and sockets cost alone.

    python tests/bench/packet_cost.py [--calls 20] [--rounds 60]

Both parties of each call send 720p30 VP8 (1.5 Mbit/s, five packets a frame, with picture ids,
abs-send-time and transport-wide numbers) and Opus. Packets are sealed beforehand and wait in the
socket's buffer, so that the CPU time between is the path's own. `floor` does recvfrom, unprotect,
protect and sendto and nothing else. Figures are microseconds of CPU for each packet forwarded.
"""

import argparse
import asyncio
import json
import secrets
import socket
import statistics
import struct
import sys
import time
from typing import Any

from media.libs import PROFILES, PacketBuffer, SrtpSession
from media.path import NOBODY, Agreed, Codec, Route, Seeds
from media.python_path import PythonPath

PROFILE = PROFILES[0][1]
TABLE = bytes(range(16))
FRAME_PACKETS, VIDEO_BYTES, AUDIO_BYTES = 5, 1200, 100
BATCH = 60


class Sender:
    """One party: what it seals, and where its listener stands."""

    def __init__(self) -> None:
        self.keys = secrets.token_bytes(28), secrets.token_bytes(28)
        self.session = SrtpSession(self.keys[0], PROFILE, inbound=False)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self._buffer = PacketBuffer()
        self._seq = self._frame = 0

    def frame(self) -> list[bytes]:
        """Return the datagrams of one frame and the sound beside it."""
        self._frame += 1
        sealed = []
        for part in range(FRAME_PACKETS):
            self._seq += 1
            first = 0x90 if part == 0 else 0x80
            payload = struct.pack("!BBHB", first, 0xC0, 0x8000 | self._frame & 0x7FFF, 0)
            payload += (b"\x50" if self._frame == 1 else b"\x51") + bytes(VIDEO_BYTES)
            extension = b"\x22abc" + b"\x31" + struct.pack("!H", self._seq & 0xFFFF) + b"\0"
            sealed.append(self._seal(96, self._seq, 1001, extension, payload))
        sealed.append(self._seal(111, self._frame, 1000, b"\x10\x55\0\0", bytes(AUDIO_BYTES)))
        return sealed

    def _seal(self, kind: int, seq: int, ssrc: int, extension: bytes, payload: bytes) -> bytes:
        head = struct.pack("!BBHII", 0x90, kind, seq & 0xFFFF, self._frame * 3000, ssrc)
        packet = head + struct.pack("!HH", 0xBEDE, len(extension) // 4) + extension + payload
        self._buffer.view[: len(packet)] = packet
        size = self.session.protect(self._buffer.pointer, len(packet))
        return bytes(self._buffer.view[:size])


def _receiver() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    sock.setblocking(False)
    sock.bind(("127.0.0.1", 0))
    return sock


class PathUnderTest:
    """A path with calls of two parties each."""

    def __init__(self, pairs: list[tuple[Sender, Sender]]) -> None:
        self.udp = _receiver()
        self.path = PythonPath(time.monotonic, lambda *_: None, lambda *_: False)
        self.path.start(self.udp)
        for pair in pairs:
            legs = [self._leg(x) for x in pair]
            for (leg, _, _), (_, audio, video) in (legs, legs[::-1]):
                self._listen(leg, audio, Codec.OPUS, Agreed(111, NOBODY, b"", False, False, b"0"))
                self._listen(leg, video, Codec.VP8, Agreed(96, 97, b"", True, True, b"1"))

    def _leg(self, sender: Sender) -> tuple[int, int, int]:
        path = self.path
        leg, audio = path.add_leg(), path.add_source(Codec.OPUS)
        video = path.add_source(Codec.VP8)
        path.set_keys(leg, PROFILE, *sender.keys)
        path.allow(leg, sender.socket.getsockname(), time.monotonic() + 1e6)
        routes = [(111, audio, NOBODY), (96, video, NOBODY), (97, video, 96)]
        path.set_routes(leg, [Route(kind, x, TABLE, 3, 2, 4, rtx) for kind, x, rtx in routes])
        for source in (audio, video):
            path.set_open(source, is_open=True)
        return leg, audio, video

    def _listen(self, leg: int, source: int, codec: int, agreed: Agreed) -> None:
        seeds = Seeds(secrets.randbits(32), secrets.randbits(32), 100, 100, 100)
        sink = self.path.add_sink(leg, codec, seeds)
        self.path.agree(sink, agreed)
        self.path.listen(sink, source)

    def work(self) -> None:
        while self.path._reader.drain():  # what is left to the next turn would grow too old
            pass

    def forwarded(self) -> int:
        return sum(self.path.leg_state(x).packets_forwarded for x in self.path._legs)


class Floor:
    """Opens, seals and sends each datagram back to where it came from."""

    def __init__(self, pairs: list[tuple[Sender, Sender]]) -> None:
        self.udp = _receiver()
        self._buffer = PacketBuffer()
        self._count = 0
        self._sessions: dict[Any, tuple[SrtpSession, SrtpSession]] = {}
        for sender in (x for pair in pairs for x in pair):
            self._sessions[sender.socket.getsockname()] = (
                SrtpSession(sender.keys[0], PROFILE, inbound=True),
                SrtpSession(sender.keys[1], PROFILE, inbound=False),
            )

    def work(self) -> None:
        buffer = self._buffer
        while True:
            try:
                size, address = self.udp.recvfrom_into(buffer.data)
            except BlockingIOError:
                return
            inbound, outbound = self._sessions[address]
            size = outbound.protect(buffer.pointer, inbound.unprotect(buffer.pointer, size))
            self.udp.sendto(buffer.view[:size], address)
            self._count += 1

    def forwarded(self) -> int:
        return self._count


def _cost(under: Any, pairs: list[tuple[Sender, Sender]], rounds: int) -> float:
    """Return microseconds of CPU for each packet, the median of the rounds."""
    address, costs = under.udp.getsockname(), []
    for number in range(rounds + 5):
        waiting = [(x.socket, y) for pair in pairs for x in pair for y in x.frame()]
        spent, before = 0.0, under.forwarded()
        for start in range(0, len(waiting), BATCH):
            for sock, datagram in waiting[start : start + BATCH]:
                sock.sendto(datagram, address)
            begun = time.process_time()
            under.work()
            spent += time.process_time() - begun
        count = under.forwarded() - before
        if number >= 5:
            costs.append(spent / count * 1e6)
    return float(statistics.median(costs))


async def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=60)
    options = parser.parse_args()
    found = {}
    for name, make in (("python", PathUnderTest), ("floor", Floor)):
        pairs = [(Sender(), Sender()) for _ in range(options.calls)]
        found[name] = _cost(make(pairs), pairs, options.rounds)
        for sender in (x for pair in pairs for x in pair):
            sender.socket.close()
    figures = {f"{name}_us_per_packet": round(cost, 2) for name, cost in found.items()}
    figures["ratio_to_floor"] = round(found["python"] / found["floor"], 2)
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
