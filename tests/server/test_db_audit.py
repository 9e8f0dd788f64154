"""The audit log in the database: gap-free, append-only, its heads beside it."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from security.crypto.keys import KeyEncryptionKey
from security.errors import Corrupt, Denied
from security.gate import Gate
from security.people import Municipality, Role
from security.policy.baseline import BASELINE
from security.policy.facts import Actor, Facts, Line
from server.db import schema as t
from server.db.audit import SqlAudit
from server.db.engine import FILE_NAME, Database, open_database
from server.db.people import SqlPeople
from server.keys import KeyRing

NOW = datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC)
FACTS = Facts(
    NOW, Actor("desk", "m", "p", Role.VERIFIER), "call-1", "m", line=Line("192.0.2.1", "1.3")
)


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
async def log(database: Database, tmp_path: Path) -> SqlAudit:
    """The log with three entries."""
    log = SqlAudit(database, tmp_path)
    for number in range(3):
        await log.note("m", "command:person:add", f"p-{number}", {"role": "clerk"}, now=NOW)
    return log


def tamper(folder: Path, *statements: str) -> None:
    """Change the file as somebody would who owns it."""
    connection = sqlite3.connect(folder / FILE_NAME)
    for trigger in ("no_update", "no_delete", "no_gap"):
        connection.execute(f"DROP TRIGGER audit_entry_{trigger}")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


async def test_every_decision_of_the_gate_is_in_the_log(database: Database, log: SqlAudit) -> None:
    gate = Gate(BASELINE, log)
    await gate.ask("call.accept", FACTS)
    with pytest.raises(Denied):
        await gate.ask("tablet.revoke", FACTS)
    async with database.reading() as connection:
        rows = (await connection.execute(sa.select(t.audit_entry).offset(3))).all()
    assert [row.tag for row in rows] == ["gate:call:accept", "gate:tablet:revoke"]
    assert b'"allowed":true,' in rows[0].entry
    assert b'"allowed":false,' in rows[1].entry
    assert b'"reasons":["denied"]' in rows[1].entry
    assert (await log.verify("m")).count == 5


async def test_positions_have_no_gaps_when_many_write_at_once(log: SqlAudit) -> None:
    await asyncio.gather(
        *(log.note(m, "a:b:c", "s", {}, now=NOW) for m in ("m", "n") for _ in range(20))
    )
    assert (await log.verify("m")).count == 23
    assert (await log.verify("n")).count == 20


async def test_two_processes_may_write_to_one_log(log: SqlAudit, tmp_path: Path) -> None:
    other = open_database(tmp_path)
    beside = SqlAudit(other, tmp_path)
    await asyncio.gather(
        *(one.note("m", "a:b:c", "s", {}, now=NOW) for one in (log, beside) for _ in range(10))
    )
    await other.engine.dispose()
    assert (await log.verify("m")).count == 23


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET tag = 'x'",
        "DELETE FROM audit_entry WHERE position = 3",
        "INSERT OR REPLACE INTO audit_entry SELECT * FROM audit_entry WHERE position = 3",
        "INSERT INTO audit_entry SELECT municipality_id, 5, at, tag, entry, link"
        " FROM audit_entry WHERE position = 3",
    ],
)
async def test_the_database_refuses_to_change_what_was_written(
    database: Database, log: SqlAudit, statement: str
) -> None:
    with pytest.raises(IntegrityError, match="append-only"):
        async with database.writing() as connection:
            await connection.execute(sa.text(statement))
    assert (await log.verify("m")).count == 3


@pytest.mark.parametrize(
    ("statements", "position"),
    [
        (["UPDATE audit_entry SET entry = replace(entry, 'p-1', 'p-9') WHERE position = 2"], 2),
        (["DELETE FROM audit_entry WHERE position = 3"], 3),
        (["DELETE FROM audit_entry"], 1),
        (["DELETE FROM audit_entry WHERE position = 1"], 1),
        (
            [
                "UPDATE audit_entry SET position = 9 WHERE position = 2",
                "UPDATE audit_entry SET position = 2 WHERE position = 3",
                "UPDATE audit_entry SET position = 3 WHERE position = 9",
            ],
            2,
        ),
    ],
    ids=["edited", "tail removed", "all removed", "first removed", "swapped"],
)
async def test_what_was_changed_behind_our_back_is_found(
    log: SqlAudit, tmp_path: Path, statements: list[str], position: int
) -> None:
    tamper(tmp_path, *statements)
    with pytest.raises(Corrupt, match=f"position {position}:"):
        await log.verify("m")
    assert await log.chains() == ["m"]


async def test_a_lost_file_of_heads_is_found(log: SqlAudit, tmp_path: Path) -> None:
    (tmp_path / "audit.heads").unlink()
    with pytest.raises(Corrupt, match="file of heads"):
        await log.verify("m")


async def test_a_chain_longer_than_a_batch_is_walked_whole(
    log: SqlAudit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.db.audit._BATCH", 2)
    assert (await log.verify("m")).count == 3
