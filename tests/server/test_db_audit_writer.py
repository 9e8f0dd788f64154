"""Many entries in one transaction: order, single failures, a kill in the middle."""

import asyncio
import json
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from security.crypto.keys import KeyEncryptionKey
from security.errors import Unavailable
from security.people import Municipality
from server.db import schema as t
from server.db.audit import SqlAudit
from server.db.audit_writer import GROUP
from server.db.engine import FILE_NAME, Database, open_database
from server.db.people import SqlPeople
from server.keys import KeyRing

NOW = datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC)
WRITER = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from server.db.audit import SqlAudit
from server.db.engine import open_database

async def caller(log, number):
    for turn in range(1_000_000):
        subject = f"{number}-{turn}"
        await log.note("m", "a:b:c", subject, {}, now=datetime.now(UTC))
        print(subject, flush=True)

async def main(folder):
    log = SqlAudit(open_database(folder), folder)
    await asyncio.gather(*(caller(log, number) for number in range(40)))

asyncio.run(main(Path(sys.argv[1])))
"""


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A database with two municipalities."""
    database = open_database(tmp_path)
    await database.migrate()
    people = SqlPeople(database, KeyRing(KeyEncryptionKey.generate()))
    await people.add_municipality(Municipality("m", "m", "M", "", ""))
    await people.add_municipality(Municipality("n", "n", "N", "", ""))
    yield database
    await database.close()


@pytest.fixture
def log(database: Database, tmp_path: Path) -> SqlAudit:
    """An empty log."""
    return SqlAudit(database, tmp_path)


async def subjects(database: Database) -> list[str]:
    """Return what the entries of municipality m are about, in order."""
    entry = t.audit_entry.c
    query = sa.select(entry.entry).where(entry.municipality_id == "m").order_by(entry.position)
    async with database.reading() as connection:
        return [json.loads(raw)["subject"] for raw in (await connection.execute(query)).scalars()]


async def note(log: SqlAudit, subject: str, *, home: str = "m", detail: object = None) -> None:
    """Write one entry."""
    await log.note(home, "a:b:c", subject, {"detail": detail}, now=NOW)


async def test_entries_that_wait_together_share_few_transactions_and_keep_their_order(
    database: Database, log: SqlAudit
) -> None:
    commits = 0

    def count(_connection: object) -> None:
        nonlocal commits
        commits += 1

    sa.event.listen(database.engine.sync_engine, "commit", count)
    await asyncio.gather(*(note(log, str(number)) for number in range(3 * GROUP)))
    assert commits == 3
    assert await subjects(database) == [str(number) for number in range(3 * GROUP)]
    assert (await log.verify("m")).count == 3 * GROUP


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        ({"detail": 1.5}, TypeError),
        ({"detail": "\ud800"}, UnicodeEncodeError),
        ({"home": "nobody"}, IntegrityError),
    ],
    ids=["no plain value", "no text", "no such municipality"],
)
async def test_an_entry_that_cannot_be_written_fails_alone(
    database: Database, log: SqlAudit, bad: dict[str, str], error: type[Exception]
) -> None:
    results = await asyncio.gather(
        *(note(log, str(number), **(bad if number == 7 else {})) for number in range(20)),
        return_exceptions=True,
    )
    assert [n for n, result in enumerate(results) if result is not None] == [7]
    assert isinstance(results[7], error)
    assert await subjects(database) == [str(number) for number in range(20) if number != 7]
    assert (await log.verify("m")).count == 19
    await note(log, "later")


async def test_an_entry_is_written_when_its_caller_went_away(
    database: Database, log: SqlAudit
) -> None:
    first, second = (asyncio.create_task(note(log, name)) for name in ("first", "second"))
    await asyncio.sleep(0)
    first.cancel()
    await second
    assert await subjects(database) == ["first", "second"]


async def test_nothing_is_acknowledged_when_the_heads_cannot_be_written(
    database: Database, log: SqlAudit, tmp_path: Path
) -> None:
    (tmp_path / "audit.lock").mkdir()
    results = await asyncio.gather(
        *(note(log, str(number)) for number in range(3)), return_exceptions=True
    )
    assert all(isinstance(result, Unavailable) for result in results)
    (tmp_path / "audit.lock").rmdir()
    await note(log, "later")
    assert (await log.verify("m")).count == 4


async def test_a_writer_killed_at_work_loses_nothing_that_it_acknowledged(
    database: Database, log: SqlAudit, tmp_path: Path
) -> None:
    acknowledged: list[str] = []
    for wanted in (200, 400):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WRITER, str(tmp_path), stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        while len(acknowledged) < wanted:
            acknowledged.append((await process.stdout.readline()).decode().strip())
        process.send_signal(signal.SIGKILL)
        rest = (await process.stdout.read()).decode().split("\n")
        # What a kill cut in two was not acknowledged.
        acknowledged += rest[:-1]
        await process.wait()
        head = await log.verify("m")
        written = await subjects(database)
        assert head.count == len(written)
        assert not set(acknowledged) - set(written)
    await note(log, "later")
    assert (await log.verify("m")).count == head.count + 1
    beside = sqlite3.connect(tmp_path / FILE_NAME)
    assert beside.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    beside.close()
