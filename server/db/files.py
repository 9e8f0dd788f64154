"""What is known of files, on disk; the names come sealed and stay so, the bytes lie elsewhere."""

from typing import Any

import sqlalchemy as sa

from files.entry import FileEntry, FileState
from files.store import StoredFile
from server.db import schema as t
from server.db.engine import Database, one_row

_UNFINISHED = (FileState.ARRIVING, FileState.CHECKING)
_CHANGING = ("state", "media_type", "offered_bytes", "sha256_offered", "reason")


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

    async def unfinished(self) -> list[StoredFile]:
        """Return the files of every municipality that are arriving or being checked."""
        return await self._read(t.file.c.state.in_(_UNFINISHED))

    async def _read(self, *which: sa.ColumnElement[bool]) -> list[StoredFile]:
        query = sa.select(t.file).where(*which).order_by(t.file.c.at, t.file.c.id)
        async with self._database.reading() as connection:
            return [_stored(row) for row in await connection.execute(query)]


def _stored(row: Any) -> StoredFile:
    values = {c.name: getattr(row, c.name) for c in t.file.c if c.name != "name_sealed"}
    entry = FileEntry(**{**values, "state": FileState(row.state), "name": ""})
    return StoredFile(entry, row.name_sealed)
