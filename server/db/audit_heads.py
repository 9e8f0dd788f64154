"""Signed heads on disk: in a table that only grows, and in a file beside it."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from security.audit.chain import Head, time_text
from security.audit.signed import FILE_NAME, SignedHead, SignedHeadsFile
from server.db import schema as t
from server.db.engine import Database

_HEAD = t.audit_head.c


class SqlAuditHeads:
    """Keeps signed heads twice; whoever removes some must find both places."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._file = SignedHeadsFile(folder / FILE_NAME)

    async def add(self, signed: SignedHead) -> None:
        """Keep one more. Raises `IntegrityError` when there is one of the same position."""
        values = {
            "municipality_id": signed.municipality_id,
            "count": signed.head.count,
            "at": datetime.strptime(signed.at, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC),
            "link": signed.head.link,
            "public_key": signed.key,
            "signature": signed.signature,
        }
        async with self._database.writing() as connection:
            await connection.execute(sa.insert(t.audit_head).values(values))
        await asyncio.to_thread(self._file.append, signed)

    async def newest(self, municipality_id: str) -> SignedHead | None:
        """Return the newest of the table."""
        found = await self._read(municipality_id, 1)
        return found[0] if found else None

    async def every(self, municipality_id: str) -> list[SignedHead]:
        """Return all of table and file. Raises `Corrupt` when the file cannot be read."""
        filed = await asyncio.to_thread(self._file.read)
        mine = {signed for signed in filed if signed.municipality_id == municipality_id}
        return [*mine.union(await self._read(municipality_id, None))]

    async def _read(self, municipality_id: str, limit: int | None) -> list[SignedHead]:
        query = sa.select(t.audit_head).where(_HEAD.municipality_id == municipality_id)
        query = query.order_by(_HEAD.count.desc()).limit(limit)
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        return [
            SignedHead(
                municipality_id,
                Head(row._mapping["count"], row.link),
                time_text(row.at),
                row.public_key,
                row.signature,
            )
            for row in rows
        ]
