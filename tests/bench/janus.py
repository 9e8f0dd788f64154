"""Janus from Debian and this service under the same load, in turn; prints the ratios.

    .venv/bin/python -m tests.bench.janus [--calls 20 --calls 40] [--runs 3] [--seconds 10]
        [--plugin videocall|videoroom] [--event-loops N]

Needs `janus` (apt install janus), root and two cores. Janus offers no loopback address, so all of
it runs in a network namespace made for the run, from which nothing leads outside. Prints one JSON
object: every run, the medians, and for each number of calls the CPU per forwarded packet of this
service divided by that of Janus. Progress goes to standard error. Whoever goes first changes from
run to run.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from security.errors import MadoguchiError
from server.bench.command import cores
from server.bench.measure import measure
from server.bench.service import Service, running
from tests.bench import janus_target

Json = dict[str, Any]


NAMESPACE = (
    "ip link set lo up && ip link add bench0 type veth peer name bench1 && "
    "ip link set bench0 up && ip link set bench1 up && "
    f'ip addr add {janus_target.HOST}/32 dev bench0 && exec "$@"'
)
INSIDE = "MADOGUCHI_BENCH_NAMESPACE"


def enter_namespace() -> None:
    """Begin again inside a network namespace of our own, unless that has been done."""
    if os.environ.get(INSIDE):
        return
    program = [sys.executable, "-m", "tests.bench.janus", *sys.argv[1:]]
    command = ["unshare", "--net", "sh", "-c", NAMESPACE, "sh", *program]
    os.execvpe("unshare", command, os.environ | {INSIDE: "1"})


async def main() -> int:
    """Run the comparison and return the exit code."""
    options = _options()
    counts = options.calls or [20, 40]
    runs = [
        await _once(who, count, options)
        for count in counts
        for number in range(options.runs)
        for who in (("ours", "janus") if number % 2 == 0 else ("janus", "ours"))
    ]
    json.dump({"ratios": [_ratio(runs, count) for count in counts], "runs": runs}, sys.stdout)
    print()
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calls", type=int, action="append", help="calls at once, 1 to 100")
    parser.add_argument("--runs", type=int, default=3, help="of each, 1 to 9")
    parser.add_argument("--seconds", type=float, default=10, help="of each run, 1 to 60")
    parser.add_argument("--packet-path", choices=("auto", "python", "native"), default="auto")
    parser.add_argument("--plugin", choices=janus_target.PLUGINS, default="videocall")
    parser.add_argument("--event-loops", type=int, help="Janus's event_loops; default: its own")
    return parser.parse_args()


async def _once(who: str, calls: int, options: argparse.Namespace) -> Json:
    server_core, own_core = cores()
    with tempfile.TemporaryDirectory(prefix="madoguchi-bench-") as name:
        folder = Path(name)
        target = (
            running(folder, server_core, options.packet_path)
            if who == "ours"
            else janus_target.running(folder, server_core, options.plugin, options.event_loops)
        )
        os.sched_setaffinity(0, {own_core} if own_core is not None else os.sched_getaffinity(0))
        try:
            async with target as server:
                report = await measure(server, calls, options.seconds)
                if isinstance(server, Service):
                    report["packet_path"] = await server.packet_path()
        except MadoguchiError as error:
            report = {"calls": calls, "failed": error.message}
        finally:
            both = {core for core in (server_core, own_core) if core is not None}
            os.sched_setaffinity(0, both or os.sched_getaffinity(0))
    print(json.dumps({"who": who} | report), file=sys.stderr)
    return {"who": who} | report


def _ratio(runs: list[Json], calls: int) -> Json:
    found = {who: _medians(runs, who, calls) for who in ("ours", "janus")}
    ours, theirs = found["ours"]["us_per_packet"], found["janus"]["us_per_packet"]
    ratio = round(ours / theirs, 3) if ours and theirs else None
    return {"calls": calls, "us_per_packet_ratio": ratio, **found}


def _medians(runs: list[Json], who: str, calls: int) -> Json:
    mine = [x for x in runs if x["who"] == who and x["calls"] == calls and "failed" not in x]
    if not mine:
        return {"us_per_packet": None, "runs": 0}
    return {
        "us_per_packet": statistics.median(x["us_per_packet"] for x in mine),
        "server_cpu": statistics.median(x["server_cpu"] for x in mine),
        "loss_percent": statistics.median(x["loss_percent"] for x in mine),
        "latency_p99_ms": statistics.median(x["latency_ms"]["p99"] for x in mine),
        "rss_mib_per_call": statistics.median(x["rss_mib_per_call"] for x in mine),
        "machine_load": max(x["machine_load"]["after"] for x in mine),
        "runs": len(mine),
    }


if __name__ == "__main__":
    if not janus_target.installed() or os.geteuid() != 0:
        sys.exit("this needs janus (apt install janus) and root, for a network namespace")
    enter_namespace()
    sys.exit(asyncio.run(main()))
