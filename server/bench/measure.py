"""One run of the load against a target, and its figures."""

import asyncio
import statistics
import sys
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from media.dtls import new_identity
from security.errors import Unavailable
from server.bench import clip
from server.bench.load import Load, Totals, now_ns
from server.bench.processes import cpu_seconds, load_average, resident_mib, thread_seconds
from server.bench.target import Joined, Target

JOIN_SECONDS = 20.0
SETTLE_SECONDS = 1.0
STARTING_SECONDS = 10
DRAIN_SECONDS = 1.0
CHECK_SECONDS = 4.0
WAIT_SECONDS = 0.02
AHEAD_NS = 100_000_000

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Window:
    """What passed while the load was steady."""

    seconds: float
    server_seconds: float
    generator_seconds: float
    totals: Totals
    loads: tuple[float, float]


async def measure(target: Target, calls: int, seconds: float) -> Json:
    """Bring up `calls` calls, measure for `seconds` and return the figures (README of the bench).

    Raises `Unavailable` without a compiler and when a call does not come up.
    """
    audio, video = await asyncio.to_thread(lambda: (clip.audio(), clip.video()))
    idle_mib = 0.0
    joined: list[Joined] = []
    with Load(audio, video) as load:
        checks = asyncio.create_task(_keep_consent(joined))
        try:
            await target.prepare(calls)
            idle_mib = await until_settled(target)
            firsts = await _join_all(target, load, joined, calls)
            await asyncio.sleep(SETTLE_SECONDS)
            window = await _steady(target, load, seconds)
            rss_mib = resident_mib(target.pids)
            load.quiet()
            await asyncio.sleep(DRAIN_SECONDS)
            counted = await target.forwarded()
            report = _report(target, load, window, calls)
            report["first_packet_ms"] = _spread(firsts)
            report["rss_mib_per_call"] = round((rss_mib - idle_mib) / calls, 3)
            report["server"] = {"rss_mib": round(rss_mib, 1), "packets_forwarded_total": counted}
            report["generator"] |= _ends(load, joined)
            return report
        finally:
            checks.cancel()
            for one in joined:
                for leg in one.legs:
                    leg.close()


async def until_settled(target: Target) -> float:
    """Return the target's memory once it has started all that it starts by itself."""
    before, pids = 0.0, list[int]()
    for _ in range(STARTING_SECONDS):
        await asyncio.sleep(1)
        last, before = before, resident_mib(target.pids)
        same, pids = pids == target.pids, target.pids
        if same and before <= last * 1.005:
            break
    return before


async def _join_all(target: Target, load: Load, joined: list[Joined], calls: int) -> list[float]:
    """Return for each call how long its first packet took, in milliseconds."""
    identity = new_identity(datetime.now(UTC))
    firsts = []
    for number in range(calls):
        before = load.legs
        try:
            async with asyncio.timeout(JOIN_SECONDS):
                joined.append(await target.join(load, identity, number))
                legs = range(before, load.legs)
                await _until_heard(load, legs)
        except TimeoutError as error:
            why = f"call {number + 1} of {calls} did not come up within {JOIN_SECONDS:g} s"
            raise Unavailable(f"{why}: too much for {target.name}") from error
        firsts.append((load.totals(legs).first_ns - joined[-1].begun_ns) / 1e6)
        _say(f"{target.name}: call {number + 1} of {calls} is up")
    return firsts


async def _until_heard(load: Load, legs: range) -> None:
    """Wait for the first packet at one of these legs: the loop counts, and tells nobody."""
    loop = asyncio.get_running_loop()
    heard = asyncio.Event()

    def look() -> None:
        if load.totals(legs).first_ns:
            heard.set()
        else:
            loop.call_later(WAIT_SECONDS, look)

    look()
    await heard.wait()


async def _steady(target: Target, load: Load, seconds: float) -> Window:
    pids = target.pids
    begin_load = load_average()
    _say(f"{target.name}: measuring for {seconds:g} s")
    begin_ns = now_ns() + AHEAD_NS
    end_ns = begin_ns + int(seconds * 1e9)
    load.mark(begin_ns, end_ns)
    await asyncio.sleep((begin_ns - now_ns()) / 1e9)
    server, generator = cpu_seconds(pids), _generator_seconds(load)
    await asyncio.sleep((end_ns - now_ns()) / 1e9)
    took = (now_ns() - begin_ns) / 1e9
    server, generator = cpu_seconds(pids) - server, _generator_seconds(load) - generator
    await asyncio.sleep(DRAIN_SECONDS)
    loads = (round(begin_load, 2), round(load_average(), 2))
    return Window(took, server, generator, load.totals(), loads)


def _generator_seconds(load: Load) -> float:
    """Return the loop's CPU time with that of this thread, which keeps up pages and checks."""
    own = threading.get_native_id()
    return thread_seconds(own) + (thread_seconds(load.thread_id) if load.thread_id else 0.0)


async def _keep_consent(joined: list[Joined]) -> None:
    while True:
        await asyncio.sleep(CHECK_SECONDS)
        for one in tuple(joined):
            for leg in one.legs:
                leg.check()
            await asyncio.sleep(0)


def _report(target: Target, load: Load, window: Window, calls: int) -> Json:
    totals = window.totals
    lost = totals.sent_in - totals.received_in
    return {
        "target": target.name,
        "way": target.way,
        "calls": calls,
        "seconds": round(window.seconds, 2),
        "packets_forwarded": totals.received_in,
        "loss_percent": round(100 * lost / max(1, totals.sent_in), 4),
        "server_cpu": round(window.server_seconds / window.seconds, 4),
        "us_per_packet": round(1e6 * window.server_seconds / max(1, totals.received_in), 2),
        "latency_ms": {"p50": load.delay_ms(0.5), "p99": load.delay_ms(0.99)},
        "machine_load": {"before": window.loads[0], "after": window.loads[1]},
        "generator": {
            "cpu": round(window.generator_seconds / window.seconds, 4),
            "packets_sent": totals.sent_in,
            "packets_per_second_per_call": round(2 * clip.packets_per_second(), 1),
            "late_ms_p99": load.lateness_ms(0.99),
            "late_over_10_ms": totals.late_sends,
        },
    }


def _ends(load: Load, joined: list[Joined]) -> Json:
    """Return what the generator counted when all was over."""
    totals = load.totals()
    dropped = sum(leg.dropped for one in joined for leg in one.legs)
    arrived = totals.received + dropped + totals.forged
    return {
        "loss_percent": round(100 * (dropped + totals.forged) / max(1, arrived), 4),
        "unsent": totals.unsent,
        "received_total": totals.received,
        "strange": totals.strange,
        "forged": totals.forged,
        "dropped": dropped,
        "keyframe_requests": totals.wishes,
        "nacks": totals.nacks,
        "srtp": sorted({leg.profile for one in joined for leg in one.legs}),
    }


def _spread(values: list[float]) -> Json:
    return {"median": round(statistics.median(values), 1), "max": round(max(values), 1)}


def _say(words: str) -> None:
    sys.stderr.write(words + "\n")
    sys.stderr.flush()
