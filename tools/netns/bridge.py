"""The line between two network namespaces: a process that carries packets of two TUN devices.

    python -m tools.netns.bridge NEAR FAR SEED      (as root)

makes the devices NEAR (the client's end) and FAR (the server's), prints `{"ready": true}` and then
obeys JSON lines on standard input, each answered by one line, until standard input ends:

    {"up": {"loss": 0.05, …}, "down": {…}}   fields of `Fault`; up is from NEAR to FAR
    {"nat": "203.0.113.7"}                   put a router with this address before NEAR
    {"rebind": "203.0.113.8" | null}         forget the ports; come from another address or the same
    {"counts": true}                         what became of the packets

Neither device can be reached but through this process, and nothing of it leaves the machine.
"""

import dataclasses
import fcntl
import json
import os
import select
import struct
import sys
import time
from ipaddress import IPv4Address
from typing import Any

from tools.netns.faults import Fault, Way
from tools.netns.nat import Nat

Json = dict[str, Any]
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
LARGEST_PACKET = 65536
PACKETS_PER_TURN = 64


def open_tun(name: str) -> int:
    """Make a TUN device here and return its file descriptor. Raises `OSError` without root."""
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return device


class Bridge:
    """Two devices and what happens between them."""

    def __init__(self, near: int, far: int, seed: int) -> None:
        self._near = near
        self._far = far
        self._up = Way(seed)
        self._down = Way(seed + 1)
        self._nat: Nat | None = None

    def run(self) -> None:
        """Carry packets and obey until standard input ends."""
        orders = sys.stdin.fileno()
        while True:
            readable, _, _ = select.select([self._near, self._far, orders], [], [], self._pause())
            if self._near in readable:
                self._take(self._near, self._up)
            if self._far in readable:
                self._take(self._far, self._down)
            now = time.monotonic()
            self._deliver(self._up, self._far, now)
            self._deliver(self._down, self._near, now)
            if orders in readable:
                line = sys.stdin.buffer.readline()
                if not line:
                    return
                print(json.dumps(self._obey(json.loads(line))), flush=True)

    def _pause(self) -> float | None:
        times = [at for way in (self._up, self._down) if (at := way.next_at()) is not None]
        return max(0.0, min(times) - time.monotonic()) if times else None

    def _take(self, device: int, way: Way) -> None:
        for _ in range(PACKETS_PER_TURN):
            try:
                packet: bytes | None = os.read(device, LARGEST_PACKET)
            except BlockingIOError:
                return
            if packet and self._nat is not None:
                turn = self._nat.outward if way is self._up else self._nat.inward
                packet = turn(packet)
            if packet:
                way.put(packet, time.monotonic())

    def _deliver(self, way: Way, device: int, now: float) -> None:
        for packet in way.due(now):
            try:
                os.write(device, packet)
            except OSError:  # the device is down: nobody is there
                way.counts.dropped += 1

    def _obey(self, order: Json) -> Json:
        for name, way in (("up", self._up), ("down", self._down)):
            if name in order:
                way.change(Fault(**order[name]))
        if "nat" in order:
            self._nat = Nat(IPv4Address(order["nat"]).packed)
        if "rebind" in order and self._nat is not None:
            outside = order["rebind"]
            self._nat.rebind(IPv4Address(outside).packed if outside else None)
        counts = (dataclasses.asdict(self._up.counts), dataclasses.asdict(self._down.counts))
        return {"up": counts[0], "down": counts[1]}


def main() -> None:
    """Run as a process of its own."""
    near, far, seed = sys.argv[1:]
    bridge = Bridge(open_tun(near), open_tun(far), int(seed))
    print(json.dumps({"ready": True}), flush=True)
    bridge.run()


if __name__ == "__main__":
    main()
