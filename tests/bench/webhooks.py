"""How fast webhooks go out: a receiver in a process of its own, the real outbox and database.

    .venv/bin/python -m tests.bench.webhooks [--calls 300] [--hooks 1] [--paced 30]

First `calls` real calls are closed as fast as the database takes them, with their records, and
`deliveries_per_second` counts what the receiver heard (of each call two facts to each webhook) from
the first close until the last arrival. Then `paced` calls are closed one after another, 100 ms
apart: `decision_to_receipt_ms` is from before the transaction that closes the call to when the
receiver had all of `call.closed`, by one clock (CLOCK_MONOTONIC) read in both processes. Each
delivery is signed twice (HMAC and Ed25519) and is a connection of its own, as in use.
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
from pathlib import Path
from typing import Any

from aiohttp import web

from security.ids import new_id
from security.policy.model import BASELINE_POLICY
from security.policy.versions import Version
from server.app import running_service
from server.calls.call import Call, Outcome, State
from server.db.webhooks import Webhook
from server.demo.seed import Seed, settings_for, sow
from server.hooks.signing import new_secret
from server.parts import Parts
from server.policy_text import edited

TYPES = ("call.closed", "record.closed")
LISTED = {"hooks.destinations": ["127.0.0.1"], "hooks.private_networks": ["127.0.0.0/8"]}
WITHIN_SECONDS = 300


async def receive() -> None:
    """Be the receiver: print the port, then a line for each fact with when it was here."""

    async def take(request: web.Request) -> web.Response:
        said = json.loads(await request.read())
        line = [said["type"], said["data"]["call"], time.clock_gettime(time.CLOCK_MONOTONIC)]
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/{hook}", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


async def _enforce(parts: Parts, home: str) -> None:
    text, now = edited(BASELINE_POLICY, LISTED, {}, {}), parts.clock()
    parts.policies.put(Version(home, 1, 0, text, "author", now, "", "second", now, now))


async def _hook(parts: Parts, home: str, port: int, number: int) -> None:
    url = f"http://127.0.0.1:{port}/{number}"
    named = (new_id(), home, f"hook {number}", url, TYPES, False, new_secret(), 1)
    await parts.webhooks.add(Webhook(*named, parts.clock()))


async def _open_call(parts: Parts, seed: Seed) -> Call:
    """Return a real call that was answered."""
    home = seed.municipality_id
    tablet = await parts.people.tablet(home, seed.tablets[0])
    if tablet is None:
        raise LookupError(seed.tablets[0])
    call_id, now = new_id(), parts.clock()
    call = Call(
        call_id, f"K-{call_id[:12]}", home, tablet.office_id, tablet.id, seed.clerks[0],
        "new-issue", False, "{}", now, state=State.DECIDING, desk_id=seed.desks[0], answered_at=now,
    )  # fmt: skip
    wrapped = parts.keys.fresh_call(call_id)
    await parts.calls.insert_numbered(home, "K-bench", lambda _: (call, wrapped))
    await parts.audit.note(home, "bench:call:open", call_id, {}, now=now)
    return call


async def _close(parts: Parts, call: Call) -> float:
    """Close a call and return when that began."""
    closed = replace(
        call, state=State.CLOSED, closed_at=parts.clock(), outcome=Outcome.RETURNED, reason="x",
        version=call.version + 1,
    )  # fmt: skip
    begun = time.clock_gettime(time.CLOCK_MONOTONIC)
    await parts.calls.save(closed)
    return begun


async def _heard(out: asyncio.StreamReader, count: int) -> list[tuple[str, str, float]]:
    """Return so many lines of the receiver."""
    async with asyncio.timeout(WITHIN_SECONDS):
        return [tuple(json.loads(await out.readline())) for _ in range(count)]


async def measured(calls: int, hooks: int, paced: int) -> dict[str, Any]:
    """Return the figures."""
    command = (sys.executable, "-m", "tests.bench.webhooks", "--receive")
    receiver = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    if receiver.stdout is None:
        raise OSError("the receiver has no output")
    try:
        port = int(await receiver.stdout.readline())
        with tempfile.TemporaryDirectory() as folder:
            async with running_service(settings_for(Path(folder))) as service:
                parts, seed = service.parts, await sow(service.parts.people)
                await _enforce(parts, seed.municipality_id)
                for number in range(hooks):
                    await _hook(parts, seed.municipality_id, port, number)
                return {
                    "burst": await _burst(parts, seed, receiver.stdout, calls, hooks),
                    "decision_to_receipt_ms": await _paced(parts, seed, receiver.stdout, paced),
                }
    finally:
        receiver.terminate()
        await receiver.wait()


async def _burst(
    parts: Parts, seed: Seed, out: asyncio.StreamReader, calls: int, hooks: int
) -> dict[str, Any]:
    every = [await _open_call(parts, seed) for _ in range(calls)]
    hearing = asyncio.create_task(_heard(out, calls * hooks * len(TYPES)))
    begun = [await _close(parts, call) for call in every]
    closed = time.clock_gettime(time.CLOCK_MONOTONIC)
    heard = await hearing
    seconds = max(at for _, _, at in heard) - begun[0]
    return {
        "deliveries": len(heard),
        "deliveries_per_second": round(len(heard) / seconds, 1),
        "closes_per_second": round(calls / (closed - begun[0]), 1),
        "waiting_when_all_were_closed": sum(at > closed for _, _, at in heard),
    }


async def _paced(
    parts: Parts, seed: Seed, out: asyncio.StreamReader, paced: int
) -> dict[str, float]:
    for hook in (await parts.webhooks.every(seed.municipality_id))[1:]:
        await parts.webhooks.end(seed.municipality_id, hook.id, "bench", parts.clock())
    took = []
    for _ in range(paced):
        call = await _open_call(parts, seed)
        begun = await _close(parts, call)
        heard = await _heard(out, len(TYPES))
        took += [(at - begun) * 1000 for kind, _, at in heard if kind == "call.closed"]
        await asyncio.sleep(0.1)
    return {
        "median": round(statistics.median(took), 1),
        "p95": round(sorted(took)[int(len(took) * 0.95)], 1),
        "longest": round(max(took), 1),
    }


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--hooks", type=int, default=1)
    parser.add_argument("--paced", type=int, default=30)
    parser.add_argument("--receive", action="store_true", help="be the receiver")
    wanted = parser.parse_args()
    if wanted.receive:
        asyncio.run(receive())
        return
    found = asyncio.run(measured(wanted.calls, wanted.hooks, wanted.paced))
    said = {"load": os.getloadavg()[0], "calls": wanted.calls, "hooks": wanted.hooks, **found}
    print(json.dumps(said))


if __name__ == "__main__":
    main()
