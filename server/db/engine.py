"""The database engine: how connections, transactions, migrations and the stop are done.

All SQL that only SQLite understands stands in this file. A writer takes the database's write
lock at its beginning (BEGIN IMMEDIATE), so that two writers queue instead of failing half way;
commands may run beside a server on the same file.
"""

import asyncio
import logging
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from security.errors import Corrupt, MadoguchiError, Unavailable
from server.db.migrate import is_current, upgrade

FILE_NAME = "madoguchi.sqlite"
BUSY_SECONDS = 10
_WRITES = "madoguchi_writes"
_REFUSE = "BEGIN SELECT RAISE(ABORT, '{0} is append-only'); END"
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    # What is deleted is overwritten with zeros.
    "PRAGMA secure_delete = ON",
    f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}",
)


def open_engine(path: Path) -> AsyncEngine:
    """Return an engine on the SQLite file `path`; the file is made at the first connection.

    Neither its log nor its errors show what is bound to a statement.
    """
    # The driver writes every statement with all that is bound to it.
    logging.getLogger("aiosqlite").setLevel(logging.WARNING)
    url = sa.URL.create("sqlite+aiosqlite", database=str(path))
    engine = create_async_engine(url, pool_size=4, max_overflow=4, hide_parameters=True)
    sa.event.listen(engine.sync_engine, "connect", _prepare)
    sa.event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _prepare(connection: DBAPIConnection, _record: object) -> None:
    # The driver must not open transactions by itself: `_begin` says which kind.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


class Database:
    """Transactions on one engine. Stores take this; nothing else opens a connection."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        # Writers of this process queue here without polling SQLite's own lock.
        self._writer = asyncio.Lock()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection that sees one state of the database until the block ends."""
        with _translated():
            async with self.engine.connect() as connection, connection.begin():
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection whose changes are on disk when the block ends, or none of them.

        Raises `Unavailable` (`disk_full` when the disk is) and `Corrupt`.
        """
        with _translated():
            async with self._writer, self.engine.connect() as plain:
                connection = await plain.execution_options(**{_WRITES: True})
                async with connection.begin():
                    yield connection

    async def migrate(self) -> None:
        """Bring the database to the newest schema, in one transaction."""
        async with self.writing() as connection:
            await connection.run_sync(upgrade)

    async def require_current(self) -> None:
        """Raise `Unavailable` unless the schema is the one that this version works with."""
        async with self.reading() as connection:
            if not await connection.run_sync(is_current):
                raise Unavailable(
                    "the database has the schema of another version; start the server once"
                )

    async def try_write(self) -> float:
        """Write without changing anything; return how many seconds until it was on disk.

        Raises `Unavailable` and `Corrupt` as every write does.
        """
        began = time.perf_counter()
        async with self.writing() as connection:
            await connection.exec_driver_sql("UPDATE municipality SET slug = slug")
        return time.perf_counter() - began

    async def checkpoint(self) -> None:
        """Move everything from the write-ahead log into the database file itself."""
        with _translated():
            async with self.engine.connect() as plain:
                connection = await plain.execution_options(isolation_level="AUTOCOMMIT")
                await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    async def close(self) -> None:
        """Checkpoint and close every connection."""
        try:
            await self.checkpoint()
        finally:
            await self.engine.dispose()


def open_database(folder: Path) -> Database:
    """Return the database in the data folder `folder` (file `madoguchi.sqlite`)."""
    return Database(open_engine(folder / FILE_NAME))


def unchanging(table: str) -> tuple[str, ...]:
    """Return the statements that refuse every change and deletion in `table`."""
    return tuple(
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        + _REFUSE.format(table)
        for verb in ("UPDATE", "DELETE")
    )


async def shrink(connection: AsyncConnection, table: str, deleting: sa.Delete) -> None:
    """Delete rows of a table made by `unchanging`; it refuses everything again afterwards."""
    await connection.exec_driver_sql(f"DROP TRIGGER {table}_no_delete")
    await connection.execute(deleting)
    for statement in unchanging(table):
        if f"{table}_no_delete" in statement:
            await connection.exec_driver_sql(statement)


def append_only(table: str, scope: str, position: str) -> tuple[str, ...]:
    """Return the statements that let `table` only grow, gap-free in `position` for each `scope`."""
    refuse = _REFUSE
    newest = f"SELECT COALESCE(MAX({position}), 0) FROM {table} WHERE {scope} = NEW.{scope}"  # noqa: S608
    return (
        *unchanging(table),
        f"CREATE TRIGGER {table}_no_gap BEFORE INSERT ON {table} "
        f"WHEN NEW.{position} <> ({newest}) + 1 " + refuse.format(table),
    )


class _translated:  # noqa: N801  # reads as a verb where it is used
    """Turn the driver's failures into the house's errors."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, exc.DBAPIError) and not isinstance(error, exc.IntegrityError):
            raise translate(error) from error


def translate(error: exc.DBAPIError) -> MadoguchiError:
    """Return the house's error for a failure of the database driver."""
    # Extended result codes keep the primary code in their low byte.
    code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return Unavailable("the disk is full", code="disk_full")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return Corrupt("the database file does not verify")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return Unavailable("the database is busy")
    return Unavailable("the database did not answer")


def one_row(result: sa.CursorResult[Any]) -> bool:
    """Tell whether the statement changed exactly one row."""
    return result.rowcount == 1
