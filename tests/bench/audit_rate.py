"""Entries a second into the audit log: many callers at once, beside one after the other.

Both runs write to one database on disk (`synchronous=FULL`, a head written after every commit),
and both are verified at the end. `--folder` says on which disk.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from security.crypto.keys import KeyEncryptionKey
from security.people import Municipality, Role
from security.policy.decide import Decision
from security.policy.facts import Actor, Facts, Line
from server.clock import utc_now
from server.db.audit import SqlAudit
from server.db.engine import open_database
from server.db.people import SqlPeople
from server.keys import KeyRing

ALLOWED = Decision("call.accept", ())


async def measure(folder: Path, entries: int, callers: int) -> dict[str, float | int]:
    """Return the figures of one run in an empty folder."""
    database = open_database(folder)
    try:
        await database.migrate()
        people = SqlPeople(database, KeyRing(KeyEncryptionKey.generate()))
        await people.add_municipality(Municipality("m", "m", "M", "", ""))
        log = SqlAudit(database, folder)
        alone = await _rate(log, entries // 10, 1)
        grouped = await _rate(log, entries, callers)
        begun = time.perf_counter()
        count = (await log.verify("m")).count
        return {
            "entries_per_second": round(grouped),
            "one_by_one_per_second": round(alone),
            "ratio": round(grouped / alone, 1),
            "verified_entries": count,
            "verified_per_second": round(count / (time.perf_counter() - begun)),
            "machine_load": round(os.getloadavg()[0], 1),
        }
    finally:
        await database.close()


async def _rate(log: SqlAudit, entries: int, callers: int) -> float:
    async def caller(number: int) -> None:
        for turn in range(entries // callers):
            actor = Actor("desk", "m", f"person-{number}", Role.CLERK, office_id="office")
            line = Line("203.0.113.5", "1.3")
            facts = Facts(utc_now(), actor, f"call-{turn}", "m", line=line)
            await log.write(ALLOWED, facts)

    begun = time.perf_counter()
    await asyncio.gather(*(caller(number) for number in range(callers)))
    return entries // callers * callers / (time.perf_counter() - begun)


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--entries", type=int, default=10_000)
    parser.add_argument("--callers", type=int, default=200)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        figures = asyncio.run(measure(Path(folder), options.entries, options.callers))
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
