"""What proof and rules cost: the audit log beside running calls, pure decisions, signing in.

    .venv/bin/python -m tests.bench.audit_rate [--calls 10] [--entries 10000] [--callers 200]

With `--calls` (0: none) the whole service runs in a process of its own and carries so many calls
of 720p30, as in `madoguchi bench calls`; while they run, its own audit log is written to by
`--callers` at once, and then somebody signs in with a password again and again. The log is on disk
(`synchronous=FULL`, a head written after every commit) and is verified at the end. `alone` is the
same with nothing beside it. `decisions_per_second` is `decide()` of call.place in one process,
under a policy with VPN and source networks, every term met.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import aiohttp

from media.dtls import Identity
from security.crypto.keys import KeyEncryptionKey
from security.people import Municipality, OfficeKind, Role
from security.policy.baseline import BASELINE
from security.policy.decide import decide
from security.policy.facts import Actor, Facts, Line
from security.policy.model import BASELINE_POLICY
from server.bench.command import cores
from server.bench.load import Load
from server.bench.log_load import entries_per_second
from server.bench.measure import measure
from server.bench.service import Service, running_as
from server.bench.target import Joined
from server.db.audit import SqlAudit
from server.db.engine import open_database
from server.db.people import SqlPeople
from server.keys import KeyRing
from server.policies import read_policy
from server.policy_text import edited

Json = dict[str, Any]
PASSWORD = "a long password of nobody"
SIGN_INS = 20
DECISIONS = 50_000
POLICY = {
    "network.vpn": "required",
    "network.vpn_networks": ["10.0.0.0/8", "2001:db8::/32"],
    "network.sources": [{"roles": ["clerk"], "offices": [], "networks": ["10.1.0.0/16"]}],
}


class WithLog(Service):
    """The service, whose log is written to and at which somebody signs in once its calls run."""

    calls, entries, callers = 0, 0, 0
    beside: asyncio.Task[Json] | None = None

    async def join(self, load: Load, identity: Identity, number: int) -> Joined:
        """Join, and begin to write once all have."""
        joined = await super().join(load, identity, number)
        if number + 1 == self.calls:
            self.beside = asyncio.create_task(self._write())
        return joined

    async def _write(self) -> Json:
        await asyncio.sleep(2.0)  # the load is steady by then
        said = await self.write_log(self.entries, self.callers)
        return said | await signing_in(self)

    async def forwarded(self) -> int | None:
        """Ask one thing at a time: the pipe has no names for its answers."""
        if self.beside is not None:
            await self.beside
        return await super().forwarded()


async def signing_in(service: Service) -> Json:
    """Return how long signing in with a password takes, in milliseconds, over HTTP."""
    body = await service.make_person(PASSWORD) | {"password": PASSWORD}
    took = []
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        for _ in range(SIGN_INS):
            begun = time.perf_counter()
            url = f"{service.base_url}/api/v1/sign-in?page=desk"
            async with http.post(url, json=body, headers={"Origin": service.base_url}) as answer:
                if answer.status != 200:
                    raise RuntimeError(await answer.text())
            took.append((time.perf_counter() - begun) * 1000)
    return {"sign_in_ms": {"median": round(statistics.median(took)), "most": round(max(took))}}


async def beside_calls(options: argparse.Namespace) -> Json:
    """Return the figures of a log that is written to while calls run."""
    server_core, own_core = cores()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        core = server_core if options.pin else None
        async with running_as(WithLog, Path(folder), core) as service:
            service.calls, service.entries = options.calls, options.entries
            service.callers = options.callers
            if own_core is not None:
                os.sched_setaffinity(0, {own_core})
            report = await measure(service, options.calls, options.seconds)
            said = await service.beside if service.beside else {}
    calls = {key: report[key] for key in ("calls", "loss_percent", "server_cpu", "latency_ms")}
    return said | {"beside": calls}


async def alone(folder: Path, entries: int, callers: int) -> Json:
    """Return the figures of one run in an empty folder with nothing beside it."""
    database = open_database(folder)
    try:
        await database.migrate()
        people = SqlPeople(database, KeyRing(KeyEncryptionKey.generate()))
        await people.add_municipality(Municipality("m", "m", "M", "", ""))
        log = SqlAudit(database, folder)
        one_by_one = await entries_per_second(log, "m", entries // 10, 1)
        grouped = await entries_per_second(log, "m", entries, callers)
        begun = time.perf_counter()
        count = (await log.verify("m")).count
        return {
            "entries_per_second": round(grouped),
            "one_by_one_per_second": round(one_by_one),
            "ratio": round(grouped / one_by_one, 1),
            "verified_entries": count,
            "verified_per_second": round(count / (time.perf_counter() - begun)),
        }
    finally:
        await database.close()


def decisions() -> int:
    """Return how many decisions a second over call.place one process makes."""
    actor = Actor(
        "counter", "m", "p", Role.CLERK, "t", tablet_live=True, office_id="o",
        office_kind=OfficeKind.DIRECT, trained_on=date(2026, 4, 1),
    )  # fmt: skip
    facts = Facts(
        datetime(2026, 11, 23, 1, 0, tzinfo=UTC),
        actor,
        "t",
        "m",
        procedure_open=True,
        policy=read_policy(edited(BASELINE_POLICY, POLICY, {}, {})),
        line=Line("10.1.2.3", "1.3"),
        today=date(2026, 11, 23),
    )
    if not decide(BASELINE, "call.place", facts).allowed:
        raise RuntimeError("the question is one that every term allows")
    outside = replace(facts, line=Line("203.0.113.5", "1.3"))
    if decide(BASELINE, "call.place", outside).allowed:
        raise RuntimeError("the policy refuses who is outside")
    begun = time.perf_counter()
    for _ in range(DECISIONS):
        decide(BASELINE, "call.place", facts)
    return round(DECISIONS / (time.perf_counter() - begun))


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--calls", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=15.0, help="how long the load is measured")
    parser.add_argument("--entries", type=int, default=10_000)
    parser.add_argument("--callers", type=int, default=200)
    parser.add_argument("--folder", type=Path, help="on which disk")
    parser.add_argument("--pin", action="store_true", help="all the server's processes on one core")
    options = parser.parse_args()
    figures: Json = {"machine_load": round(os.getloadavg()[0], 1)}
    figures["decisions_per_second"] = decisions()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        figures["alone"] = asyncio.run(alone(Path(folder), options.entries, options.callers))
    if options.calls:
        figures["while_calls_run"] = asyncio.run(beside_calls(options))
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
