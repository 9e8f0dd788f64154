"""What is known of files, on disk; the names come sealed and stay so, the bytes lie elsewhere."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from files.entry import FileEntry, FileState
from files.store import StoredFile
from server.db import schema as t
from server.db.engine import Database, one_row

_UNFINISHED = (FileState.ARRIVING, FileState.CHECKING)
_CHANGING = ("state", "media_type", "offered_bytes", "sha256_offered", "reason", "scanned")


class SqlFiles:
    """Implements `FileStore` of files/store.py."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, file: StoredFile) -> None:
        """Store a new file."""
        values = {c.name: getattr(file.entry, c.name) for c in t.file.c if c.name != "name_sealed"}
        async with self._database.writing() as connection:
            await connection.execute(
                sa.insert(t.file).values({**values, "name_sealed": file.name_sealed})
            )

    async def get(self, municipality_id: str, file_id: str) -> StoredFile | None:
        """Return the file, or None when this municipality has no such file."""
        found = await self._read(
            t.file.c.municipality_id == municipality_id, t.file.c.id == file_id
        )
        return found[0] if found else None

    async def list_of_call(self, municipality_id: str, call_id: str) -> list[StoredFile]:
        """Return the call's files in every state, oldest first."""
        return await self._read(
            t.file.c.municipality_id == municipality_id, t.file.c.call_id == call_id
        )

    async def change(self, file: StoredFile, *, expected: FileState) -> bool:
        """Write the new state, if the stored one is still `expected`; tell whether it was."""
        entry = file.entry
        this = (
            t.file.c.municipality_id == entry.municipality_id,
            t.file.c.id == entry.id,
            t.file.c.state == expected,
        )
        values = {name: getattr(entry, name) for name in _CHANGING}
        changing = (
            sa.update(t.file).where(*this).values({**values, "name_sealed": file.name_sealed})
        )
        async with self._database.writing() as connection:
            return one_row(await connection.execute(changing))

    async def mark_still(self, municipality_id: str, file_id: str) -> None:
        """Write that a file is a still."""
        this = (t.file.c.municipality_id == municipality_id, t.file.c.id == file_id)
        async with self._database.writing() as connection:
            await connection.execute(sa.update(t.file).where(*this).values(still=True))

    async def take(self, entry: FileEntry, taker: str, at: datetime) -> bool:
        """Write when `taker` first had the bytes; False when that stands there already."""
        new = {"file_id": entry.id, "taker": taker, "municipality_id": entry.municipality_id}
        try:
            async with self._database.writing() as connection:
                await connection.execute(sa.insert(t.file_taken).values({**new, "at": at}))
        except IntegrityError:
            return False
        return True

    async def give_back(self, entry: FileEntry, taker: str) -> None:
        """Take that back: the bytes did not arrive."""
        taken = t.file_taken.c
        this = (
            taken.municipality_id == entry.municipality_id,
            taken.file_id == entry.id,
            taken.taker == taker,
        )
        async with self._database.writing() as connection:
            await connection.execute(sa.delete(t.file_taken).where(*this))

    async def unfinished(self) -> list[StoredFile]:
        """Return the files of every municipality that are arriving or being checked."""
        return await self._read(t.file.c.state.in_(_UNFINISHED))

    async def _read(self, *which: sa.ColumnElement[bool]) -> list[StoredFile]:
        query = sa.select(t.file).where(*which).order_by(t.file.c.at, t.file.c.id)
        taken = sa.select(t.file_taken.c.file_id, t.file_taken.c.taker).join(
            t.file, t.file.c.id == t.file_taken.c.file_id
        )
        takers: dict[str, list[str]] = {}
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
            if rows:
                order = (t.file_taken.c.at, t.file_taken.c.taker)
                for row in await connection.execute(taken.where(*which).order_by(*order)):
                    takers.setdefault(row.file_id, []).append(row.taker)
        return [_stored(row, tuple(takers.get(row.id, ()))) for row in rows]


def _stored(row: Any, taken_by: tuple[str, ...]) -> StoredFile:
    values = {c.name: getattr(row, c.name) for c in t.file.c if c.name != "name_sealed"}
    state = FileState(row.state)
    entry = FileEntry(**{**values, "state": state, "name": "", "taken_by": taken_by})
    return StoredFile(entry, row.name_sealed)
