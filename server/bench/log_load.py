"""Entries into an audit log as fast as callers write them; each waits until its own is durable."""

import asyncio
import time

from security.people import Role
from security.policy.decide import Decision
from security.policy.facts import Actor, Facts, Line
from server.clock import utc_now
from server.db.audit import SqlAudit

ALLOWED = Decision("call.accept", ())


async def entries_per_second(log: SqlAudit, home: str, entries: int, callers: int) -> float:
    """Return how many entries a second were written of municipality `home`, about `entries`."""

    async def caller(number: int) -> None:
        for turn in range(entries // callers):
            actor = Actor("desk", home, f"person-{number}", Role.CLERK, office_id="office")
            line = Line("203.0.113.5", "1.3")
            await log.write(ALLOWED, Facts(utc_now(), actor, f"call-{turn}", home, line=line))

    begun = time.perf_counter()
    await asyncio.gather(*(caller(number) for number in range(callers)))
    return entries // callers * callers / (time.perf_counter() - begun)
