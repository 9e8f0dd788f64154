"""Soak: calls come and go for a long time, and the server holds nothing back.

    .venv/bin/python -m tests.bench.soak [--calls 10] [--seconds 7200] [--window-seconds 600]
        [--call-seconds 20] [--seed 1]

The service runs in its own process; pages speak its protocol, and the load of `madoguchi bench`
carries their sound and pictures over real ICE, DTLS and SRTP on loopback. Calls differ as the seed
says: how long, with or without a lost socket, a new connection, a file, which outcome. Between
rounds, when no call is open, memory, tasks, sockets and calls of the server are read.

Prints one JSON object: the median of each figure in each window, its growth in percent against the
first window after the warm-up, and what grew. Exit 1 when a figure of the last window is more than
2 % (and more than two tasks or sockets) over the first, or calls are left over. Memory is judged
from the fourth window on, if windows are of a minute or longer: before, it is warming up.
`server_mib` is of the server's own process alone.
"""

import argparse
import asyncio
import itertools
import json
import random
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

from media.dtls import new_identity
from server.bench import clip
from server.bench.connect import Leg
from server.bench.load import Load
from server.bench.measure import until_settled
from server.bench.processes import load_average, resident_mib, sockets
from server.bench.service import Service, connect, running
from server.clock import utc_now
from server.demo.client import SimulatedPage
from server.demo.pdf import application_pdf

GROWTH_LIMIT_PERCENT = 2.0
JUDGED = ("rss_mib", "tasks", "sockets")
# A socket that is being closed, a task that is ending: of few, two are more than 2 %.
SLACK = {"rss_mib": 0, "tasks": 2, "sockets": 2}
MEMORY_WINDOWS = 4
MEMORY_WINDOW_SECONDS = 60.0
CHECK_SECONDS = 4.0
LONG_SECONDS = 60.0  # others may be busy on this machine; what is measured is what stays
OUTCOMES = ("returned", "refused")

Figures = dict[str, float]


async def main() -> int:
    """Run the soak and return the exit code."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        async with running(Path(folder), None) as service:
            await service.prepare(options.calls)
            await until_settled(service)
            report = judge(await _soak(options, service), options.window_seconds)
    json.dump(report | {"machine_load": load_average()}, sys.stdout)
    print()
    return 1 if report["grew"] else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calls", type=int, default=10, help="calls at once, 1 to 30")
    parser.add_argument("--seconds", type=float, default=7200, help="how long in all")
    parser.add_argument("--window-seconds", type=float, default=600, help="of one line of figures")
    parser.add_argument("--call-seconds", type=float, default=20, help="media of each call at most")
    parser.add_argument("--seed", type=int, default=1, help="what the calls are like")
    return parser.parse_args()


async def _soak(options: argparse.Namespace, service: Service) -> list[tuple[float, Figures]]:
    """Return when each round ended, in seconds from the start, and what was read then."""
    chance = random.Random(options.seed)
    rounds: list[tuple[float, Figures]] = []
    audio, video = await asyncio.to_thread(lambda: (clip.audio(), clip.video()))
    begun = time.monotonic()
    with Load(audio, video) as load:
        players = [_Player(load, *pair, n) for n, pair in enumerate(service.seats)]
        while not rounds or time.monotonic() < begun + options.seconds:
            plans = [_Plan(chance, options.call_seconds) for _ in players]
            await asyncio.gather(
                *(player.call(plan) for player, plan in zip(players, plans, strict=True))
            )
            await asyncio.sleep(0.5)
            rounds.append((time.monotonic() - begun, await _look(service)))
            print(f"{rounds[-1][0]:.0f} s: {rounds[-1][1]}", file=sys.stderr, flush=True)
    return rounds


class _Plan:
    """What one call is like."""

    def __init__(self, chance: random.Random, most_seconds: float) -> None:
        self.seconds = most_seconds * chance.uniform(0.5, 1.0)
        self.cut = chance.random() < 0.5
        self.reconnects = chance.random() < 0.3
        self.file = chance.random() < 0.5
        self.outcome = chance.choice(OUTCOMES)


class _Player:
    """A counter and a desk that call each other again and again."""

    def __init__(
        self, load: Load, counter: SimulatedPage, desk: SimulatedPage, number: int
    ) -> None:
        self._load = load
        self._pages = ((counter, 2 * number), (desk, 2 * number + 1))
        self._counter, self._desk = counter, desk
        self._connections = itertools.count(1)
        self._legs: dict[int, tuple[Leg, int]] = {}

    async def call(self, plan: _Plan) -> None:
        """Play one call: sound and pictures, chat, mishaps, a file, a decision."""
        counter, desk = self._counter, self._desk
        call = await counter.place("new-issue")
        await desk.accept(call["id"])
        await counter.until(lambda m: m.under_way, LONG_SECONDS)
        for page, sender in self._pages:
            await self._connect(page, sender)
        await asyncio.gather(counter.say("よろしくお願いします"), desk.say("はい"))
        await self._stay(plan.seconds)
        if plan.cut:
            await counter.cut()
            await desk.until(lambda m: m.call_state == "interrupted", LONG_SECONDS)
            await counter.return_()
            await desk.until(lambda m: m.call_state == "talking", LONG_SECONDS)
        if plan.reconnects:
            await self._connect(*self._pages[0])
        if plan.file:
            pdf = application_pdf(call["number"], utc_now())
            await counter.send_file("申請書.pdf", pdf)
        await desk.ask("call.decide")
        await desk.ask("call.close", outcome=plan.outcome, reason="書類の不足")
        await counter.until(lambda m: m.call_state == "closed", LONG_SECONDS)
        for sender in list(self._legs):
            self._end(sender)

    async def _connect(self, page: SimulatedPage, sender: int) -> None:
        leg = Leg(new_identity(datetime.now(UTC)))  # the old one's would be an ICE restart
        connection = next(self._connections)
        number = await connect(self._load, page, leg, sender, connection=connection)
        self._end(sender)
        self._legs[sender] = (leg, number)

    def _end(self, sender: int) -> None:
        found = self._legs.pop(sender, None)
        if found is not None:
            self._load.end(found[1])
            found[0].close()

    async def _stay(self, seconds: float) -> None:
        """Talk so long, and go on agreeing to be sent media."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            await asyncio.sleep(min(left, CHECK_SECONDS))
            for leg, _ in self._legs.values():
                leg.check()


async def _look(service: Service) -> Figures:
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{service.base_url}/metrics") as response,
    ):
        lines = [line for line in (await response.text()).splitlines() if line[:1] != "#"]
    # The look itself holds a socket, or does not yet or any more: it is over when we count.
    calls = sum(float(x.split()[-1]) for x in lines if x.startswith("madoguchi_calls{"))
    await asyncio.sleep(0.1)
    return {
        "rss_mib": round(resident_mib(service.pids), 2),
        "server_mib": round(resident_mib(service.pids[:1]), 2),
        "tasks": await service.tasks(),
        "sockets": sockets(service.pids),
        "calls": calls,
    }


def judge(rounds: list[tuple[float, Figures]], window_seconds: float) -> dict[str, Any]:
    """Return the figures of each window, how they grew, and which grew too much.

    The first of several windows is the warm-up and not compared with.
    """
    windows = [
        {name: statistics.median(one[name] for one in found) for name in found[0]}
        for _, group in itertools.groupby(rounds, lambda one: int(one[0] // window_seconds))
        if (found := [figures for _, figures in group])
    ]
    first, last = windows[min(1, len(windows) - 1)], windows[-1]
    growth = {
        name: [round(100 * (one[name] / first[name] - 1), 2) for one in windows] for name in JUDGED
    }
    warm = len(windows) >= MEMORY_WINDOWS and window_seconds >= MEMORY_WINDOW_SECONDS
    judged = [name for name in JUDGED if name != "rss_mib" or warm]
    grew = [
        name
        for name in judged
        if growth[name][-1] > GROWTH_LIMIT_PERCENT and last[name] - first[name] > SLACK[name]
    ]
    if last["calls"]:
        grew.append("calls")
    return {
        "rounds": len(rounds),
        "window_seconds": window_seconds,
        "windows": windows,
        "growth_percent": growth,
        "last": rounds[-1][1],
        "grew": grew,
    }


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
