"""The one writer of the audit log: entries that wait together go to disk in one transaction.

While a transaction is on its way to the disk the next entries gather, so the busier the service
the more of them share one wait for the disk. Nobody is told of an entry before it lies there.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from security.audit.chain import Head, Json, Stored, append
from security.audit.heads import HeadsFile
from security.errors import Unavailable
from server.db import schema as t
from server.db.engine import Database

_ENTRY = t.audit_entry.c
# Hashing this many takes the event loop well under 20 ms.
GROUP = 256


@dataclass(frozen=True, slots=True)
class Waiting:
    """An entry to be written; `done` is resolved when it is durable, or with what went wrong."""

    municipality_id: str
    tag: str
    body: Json
    at: datetime
    done: asyncio.Future[None]

    def fail(self, error: BaseException) -> None:
        """Tell whoever waits, if anybody still does."""
        if not self.done.done():
            self.done.set_exception(error)

    def succeed(self) -> None:
        """Tell whoever waits, if anybody still does."""
        if not self.done.done():
            self.done.set_result(None)


class AuditWriter:
    """Appends entries in the order in which they came. Its task lives while there is work."""

    def __init__(self, database: Database, heads: HeadsFile) -> None:
        self._database = database
        self._heads = heads
        self._queue: deque[Waiting] = deque()
        self._task: asyncio.Task[None] | None = None
        self._told: list[Callable[[], None]] = []

    def when_committed(self, told: Callable[[], None]) -> None:
        """Let `told` be called after each commit; it may not wait."""
        self._told.append(told)

    async def append(self, municipality_id: str, tag: str, body: Json, at: datetime) -> None:
        """Return when the entry and its head are durable.

        An entry is written even when the caller is cancelled meanwhile: what it tells of may have
        happened. Raises `Unavailable`, `Corrupt`, or what is wrong with this one entry.
        """
        done = asyncio.get_running_loop().create_future()
        self._queue.append(Waiting(municipality_id, tag, body, at, done))
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        await done

    async def _run(self) -> None:
        try:
            while self._queue:
                count = min(GROUP, len(self._queue))
                await self._settle([self._queue.popleft() for _ in range(count)])
        finally:
            self._task = None
            while self._queue:
                self._queue.popleft().fail(Unavailable("the audit log was closed"))

    async def _settle(self, group: list[Waiting]) -> None:
        """Write a group; when one entry of it cannot be written, that one alone fails."""
        try:
            await self._write(group)
        except (SQLAlchemyError, TypeError, ValueError) as error:
            if len(group) == 1:
                group[0].fail(error)
                return
            middle = len(group) // 2
            await self._settle(group[:middle])
            await self._settle(group[middle:])
        except BaseException as error:
            cancelled = isinstance(error, asyncio.CancelledError)
            said = Unavailable("the audit log was closed") if cancelled else error
            for one in group:
                one.fail(said)
            if not isinstance(error, Exception):
                raise
        else:
            for one in group:
                one.succeed()
            for told in self._told:
                told()

    async def _write(self, group: list[Waiting]) -> None:
        async with self._database.writing() as connection:
            heads = await _newest(connection, {one.municipality_id for one in group})
            rows = []
            for one in group:
                home = one.municipality_id
                stored, heads[home] = append(heads[home], home, one.tag, one.body, at=one.at)
                rows.append({"municipality_id": home, **_values(stored)})
            await connection.execute(sa.insert(t.audit_entry), rows)
        # After the commit: a crash in between leaves the file behind the log, never before it.
        await asyncio.to_thread(self._heads.advance, heads)


async def _newest(connection: AsyncConnection, municipalities: Iterable[str]) -> dict[str, Head]:
    heads = {}
    for municipality_id in municipalities:
        query = (
            sa.select(_ENTRY.position, _ENTRY.link)
            .where(_ENTRY.municipality_id == municipality_id)
            .order_by(_ENTRY.position.desc())
            .limit(1)
        )
        row = (await connection.execute(query)).one_or_none()
        heads[municipality_id] = Head() if row is None else Head(row.position, row.link)
    return heads


def _values(stored: Stored) -> dict[str, Any]:
    return {name: getattr(stored, name) for name in ("position", "tag", "at", "entry", "link")}
