"""`madoguchi bench`: how much this machine carries."""

import asyncio
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import click

from server.bench.measure import measure
from server.bench.service import running

MAX_CALLS = 200
MAX_SECONDS = 120


@click.group()
def bench() -> None:
    """Measure how much this machine carries. Traffic stays on loopback."""


@bench.command()
@click.option("--calls", type=click.IntRange(1, MAX_CALLS), default=10, show_default=True)
@click.option(
    "--seconds",
    type=click.FloatRange(1, MAX_SECONDS),
    default=10.0,
    show_default=True,
    help="How long the load is measured once all calls are up.",
)
@click.option(
    "--packet-path",
    type=click.Choice(["auto", "python", "native"]),
    default="auto",
    show_default=True,
    help="What carries the packets.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON alone on standard output.")
def calls(calls: int, seconds: float, packet_path: str, as_json: bool) -> None:
    """Run CALLS calls of 720p30 VP8 and Opus both ways through a service of its own."""
    report = asyncio.run(run(calls, seconds, packet_path))
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else _told(report))


def cores() -> tuple[int | None, int | None]:
    """Return a core for the server and one for the generator, or None where there is but one."""
    there = sorted(os.sched_getaffinity(0))
    return (there[0], there[1]) if len(there) > 1 else (None, None)


async def run(calls: int, seconds: float, packet_path: str = "auto") -> dict[str, Any]:
    """Return the report of one run against the service."""
    server_core, own_core = cores()
    with tempfile.TemporaryDirectory(prefix="madoguchi-bench-") as folder:
        async with running(Path(folder), server_core, packet_path) as service:
            if own_core is not None:
                os.sched_setaffinity(0, {own_core})
            report = await measure(service, calls, seconds)
            used = {"packet_path": await service.packet_path()}
    pinned = {"server": server_core, "generator": own_core}
    return used | report | {"pinned_to_core": pinned}


def _told(report: dict[str, Any]) -> str:
    delay, first = report["latency_ms"], report["first_packet_ms"]
    return (
        f"{report['calls']} calls, {report['packet_path']} path: "
        f"{report['packets_forwarded']} packets forwarded, {report['loss_percent']} % lost, "
        f"{report['server_cpu']} cores, {report['us_per_packet']} us a packet, "
        f"delay {delay['p50']} ms (p99 {delay['p99']}), "
        f"{report['rss_mib_per_call']} MiB a call, first packet {first['median']} ms"
    )
