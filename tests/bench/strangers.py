"""Calls while strangers flood the media port.

    .venv/bin/python -m tests.bench.strangers [--calls 10] [--rate 20000] [--seconds 10] [--runs 3]

The load of `madoguchi bench calls` runs against the service, alone and while another process sends
`--rate` datagrams a second to the media port from 64 ports: random bytes, datagrams that look like
RTP and DTLS or begin as STUN does, checks for nobody and with a wrong password. Prints one JSON
object on standard output: for both the medians of what a call noticed (loss, delay, and the longest
wait for a first packet, as calls are made amid the flood) and of the server's CPU, and how many
datagrams the flood really sent. Bounded: at most 50,000 a second for 60 s, on loopback alone.
"""

import argparse
import asyncio
import json
import os
import random
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aioice import stun

from server.bench.command import cores
from server.bench.measure import measure
from server.bench.service import Service, running

Json = dict[str, Any]
HOST = "127.0.0.1"
PORTS = 64
BATCH = 100
FIGURES = ("loss_percent", "server_cpu", "us_per_packet")


async def main() -> int:
    """Run and return the exit code."""
    options = _options()
    if options.flood:
        flood(options.flood, options.rate, options.seconds)
        return 0
    runs: dict[str, list[Json]] = {"alone": [], "flooded": []}
    for _ in range(options.runs):
        for way, found in runs.items():
            found.append(await _once(options, flooded=way == "flooded"))
    report = {way: _medians(found) for way, found in runs.items()}
    json.dump({"calls": options.calls, "rate": options.rate, **report, "runs": runs}, sys.stdout)
    print()
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calls", type=int, default=10, choices=range(1, 101), metavar="1-100")
    parser.add_argument("--rate", type=int, default=20_000, help="a second, at most 50,000")
    parser.add_argument("--seconds", type=float, default=10, help="of each run, at most 60")
    parser.add_argument("--runs", type=int, default=3, choices=range(1, 10), metavar="1-9")
    parser.add_argument("--flood", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.rate, options.seconds = min(options.rate, 50_000), min(options.seconds, 60.0)
    return options


async def _once(options: argparse.Namespace, *, flooded: bool) -> Json:
    server_core, own_core = cores()
    with tempfile.TemporaryDirectory(prefix="madoguchi-bench-") as folder:
        async with running(Path(folder), server_core) as service:
            if own_core is not None:
                os.sched_setaffinity(0, {own_core})
            stranger = await _stranger(service, options) if flooded else None
            try:
                report = await measure(service, options.calls, options.seconds)
            finally:
                sent = await _end(stranger)
            path = await service.packet_path()
    return {"packet_path": path, "strangers_per_second": sent, **report}


async def _stranger(service: Service, options: argparse.Namespace) -> asyncio.subprocess.Process:
    """Start the flood; it begins at once and ends with its standard input."""
    port = media_port(service.pids)
    words = ("--flood", str(port), "--rate", str(options.rate))
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.strangers", *words, "--seconds", "60"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )


async def _end(stranger: asyncio.subprocess.Process | None) -> float:
    """Return how many datagrams a second it has sent."""
    if stranger is None:
        return 0.0
    said, _ = await stranger.communicate()
    return float(json.loads(said)["per_second"])


def media_port(pids: Sequence[int]) -> int:
    """Return the UDP port that one of the processes has bound."""
    for pid in pids:
        files = list(Path(f"/proc/{pid}/fd").iterdir())
        names = {str(file.readlink()) for file in files if file.is_symlink()}
        for line in Path(f"/proc/{pid}/net/udp").read_text().splitlines()[1:]:
            fields = line.split()
            if f"socket:[{fields[9]}]" in names:
                return int(fields[1].rpartition(":")[2], 16)
    raise RuntimeError("the service has no UDP port")


def flood(port: int, rate: int, seconds: float) -> None:
    """Send until the time is over or standard input ends; print how many a second it was."""
    draw = random.Random(20261123)
    kinds = datagrams(draw)
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(PORTS)]
    for one in sockets:
        one.connect((HOST, port))
        one.setblocking(False)
    os.set_blocking(sys.stdin.fileno(), False)
    begun, sent = time.monotonic(), 0
    while (now := time.monotonic()) - begun < seconds and sys.stdin.buffer.read(1) != b"":
        due = int((now - begun) * rate)
        for _ in range(min(due - sent, 10 * BATCH)):
            sent += 1
            try:
                sockets[sent % PORTS].send(kinds[sent % len(kinds)])
            except OSError:
                continue
        time.sleep(BATCH / rate)
    print(json.dumps({"per_second": round(sent / (time.monotonic() - begun))}))


def datagrams(draw: random.Random) -> list[bytes]:
    """Return what strangers send, of every kind that the port tells apart."""
    found = []
    for _ in range(64):
        check = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        check.attributes["USERNAME"] = f"{draw.randbytes(4).hex()}:{draw.randbytes(4).hex()}"
        check.attributes["PRIORITY"] = 1
        check.add_message_integrity(draw.randbytes(12))
        found.append(bytes(check))
        found.append(draw.randbytes(draw.randint(1, 1300)))
        found.append(b"\0\1" + draw.randbytes(draw.randint(0, 100)))
        found.append(b"\x80\x60" + draw.randbytes(1000))
        found.append(b"\x16\xfe\xfd" + draw.randbytes(200))
    return found


def _medians(runs: list[Json]) -> Json:
    figures = {name: statistics.median(run[name] for run in runs) for name in FIGURES}
    figures["first_packet_ms_max"] = statistics.median(x["first_packet_ms"]["max"] for x in runs)
    figures["latency_ms_p99"] = statistics.median(run["latency_ms"]["p99"] for run in runs)
    figures["strangers_per_second"] = statistics.median(x["strangers_per_second"] for x in runs)
    return {"packet_path": runs[0]["packet_path"], **figures}


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
