"""The engine: durable, one writer at a time, errors in the house's words, schema and migrations."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.exc import IntegrityError

from security.errors import Corrupt, Unavailable
from server.db import document, schema
from server.db.engine import FILE_NAME, Database, open_database

COUNT = sa.text("SELECT last FROM call_number")


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A database with one row to count on."""
    database = open_database(tmp_path)
    await database.migrate()
    async with database.writing() as connection:
        await connection.execute(
            sa.insert(schema.municipality).values(id="m", slug="m", name="M", key_wrapped=b"")
        )
        await connection.execute(
            sa.insert(schema.call_number).values(municipality_id="m", prefix="R", last=0)
        )
    yield database
    await database.close()


async def test_migrations_make_exactly_the_schema(database: Database) -> None:
    def differences(connection: sa.Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), schema.metadata))

    def checks(connection: sa.Connection) -> list[object]:
        return list(sa.inspect(connection).get_check_constraints("office"))

    async with database.reading() as connection:
        assert await connection.run_sync(differences) == []
        assert len(await connection.run_sync(checks)) == 1


async def test_migrating_twice_changes_nothing(database: Database) -> None:
    await database.migrate()
    await database.require_current()
    async with database.reading() as connection:
        assert (await connection.execute(COUNT)).scalar_one() == 0


async def test_a_database_of_a_newer_version_is_refused(database: Database) -> None:
    async with database.writing() as connection:
        await connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Unavailable, match="another version"):
        await database.require_current()
    with pytest.raises(Unavailable, match="9999"):
        await database.migrate()


async def test_a_database_that_was_never_migrated_is_not_current(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    with pytest.raises(Unavailable, match="another version"):
        await database.require_current()
    await database.close()


async def test_a_commit_survives_a_crash(database: Database) -> None:
    async with database.reading() as connection:
        mode = (await connection.execute(sa.text("PRAGMA journal_mode"))).scalar_one()
        synchronous = (await connection.execute(sa.text("PRAGMA synchronous"))).scalar_one()
        foreign = (await connection.execute(sa.text("PRAGMA foreign_keys"))).scalar_one()
    assert (mode, synchronous, foreign) == ("wal", 2, 1)


async def test_a_failed_block_changes_nothing(database: Database) -> None:
    async def fail() -> None:
        async with database.writing() as connection:
            await connection.execute(sa.text("UPDATE call_number SET last = 7"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with database.reading() as connection:
        assert (await connection.execute(COUNT)).scalar_one() == 0


async def test_no_count_is_lost_between_two_processes(database: Database, tmp_path: Path) -> None:
    other = open_database(tmp_path)

    async def count(one: Database) -> None:
        async with one.writing() as connection:
            last = (await connection.execute(COUNT)).scalar_one()
            await asyncio.sleep(0)
            await connection.execute(sa.text("UPDATE call_number SET last = :n"), {"n": last + 1})

    await asyncio.gather(*(count(one) for one in (database, other) for _ in range(15)))
    await other.engine.dispose()
    async with database.reading() as connection:
        assert (await connection.execute(COUNT)).scalar_one() == 30


async def test_a_reader_is_not_kept_waiting_by_a_writer(database: Database) -> None:
    async with database.writing() as writer:
        await writer.execute(sa.text("UPDATE call_number SET last = 7"))
        async with database.reading() as reader:
            assert (await reader.execute(COUNT)).scalar_one() == 0


async def test_a_row_that_points_nowhere_is_refused(database: Database) -> None:
    with pytest.raises(IntegrityError):
        async with database.writing() as connection:
            await connection.execute(
                sa.insert(schema.call_number).values(municipality_id="x", prefix="R", last=0)
            )


async def test_a_cancelled_writer_leaves_the_lock_free(database: Database) -> None:
    begun = asyncio.Event()

    async def hold() -> None:
        async with database.writing() as connection:
            await connection.execute(sa.text("UPDATE call_number SET last = 7"))
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hold())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with database.writing() as connection:
        assert (await connection.execute(COUNT)).scalar_one() == 0


async def test_a_full_disk_is_said_to_be_one(database: Database) -> None:
    async with database.writing() as connection:
        pages = (await connection.execute(sa.text("PRAGMA page_count"))).scalar_one()
        await connection.execute(sa.text(f"PRAGMA max_page_count = {pages}"))
    with pytest.raises(Unavailable) as caught:
        async with database.writing() as connection:
            await connection.execute(
                sa.insert(schema.municipality).values(
                    id="n", slug="n", name="N", key_wrapped=bytes(100_000)
                )
            )
    assert caught.value.code == "disk_full"


async def test_an_error_does_not_show_what_was_bound_to_the_statement(database: Database) -> None:
    again = {"id": "m", "slug": "a secret", "name": "M", "key_wrapped": b""}
    with pytest.raises(IntegrityError) as caught:
        async with database.writing() as connection:
            await connection.execute(sa.insert(schema.municipality).values(again))
    assert "a secret" not in str(caught.value)


async def test_a_file_that_is_no_database_is_corrupt(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"no database at all, but long enough" * 99)
    database = open_database(tmp_path)
    with pytest.raises(Corrupt):
        await database.migrate()
    await database.engine.dispose()


async def test_closing_leaves_everything_in_one_file(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    await database.migrate()
    await database.close()
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]
    alone = sqlite3.connect(tmp_path / FILE_NAME)
    assert alone.execute("SELECT COUNT(*) FROM municipality").fetchone() == (0,)
    alone.close()


def test_the_printed_schema_is_the_one_in_code() -> None:
    assert document.FILE.read_text("utf-8") == document.document(), (
        "print it again: python -m server.db.document > server/db/SCHEMA.md"
    )


def test_every_table_says_what_it_is() -> None:
    assert [table.name for table in schema.metadata.sorted_tables if not table.comment] == []
