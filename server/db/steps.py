"""Sheets of calls on disk: one row a call, sealed with the call's key."""

from datetime import datetime
from typing import Protocol

import sqlalchemy as sa

from security.crypto.keys import DataKey
from security.errors import Conflict
from server.db import schema as t
from server.db.engine import Database
from server.procedures.sheet import Sheet
from server.procedures.sheet_json import from_bytes, to_bytes

_ROW = t.call_steps.c


class KeyStore(Protocol):
    """Gives the key of a call."""

    async def data_key(self, municipality_id: str, call_id: str) -> DataKey:
        """Return the data key of a call; raises `NotFound` when there is none, `Corrupt`."""


class SqlSteps:
    """Implements `SheetStore` of server/call_steps.py."""

    def __init__(self, database: Database, keys: KeyStore) -> None:
        self._database = database
        self._keys = keys

    async def load(self, municipality_id: str, call_id: str) -> Sheet | None:
        """Return the sheet of a call, None when nothing was written. Raises `Corrupt`."""
        query = sa.select(_ROW.sheet_sealed).where(*_this(municipality_id, call_id))
        async with self._database.reading() as connection:
            sealed = (await connection.execute(query)).scalar_one_or_none()
        if sealed is None:
            return None
        key = await self._keys.data_key(municipality_id, call_id)
        return from_bytes(key.open(sealed, *_ids(municipality_id, call_id)))

    async def save(self, sheet: Sheet, now: datetime) -> None:
        """Write a sheet; raises `Conflict` unless the stored one is older."""
        home, call_id = sheet.municipality_id, sheet.call_id
        key = await self._keys.data_key(home, call_id)
        sealed = key.seal(to_bytes(sheet), *_ids(home, call_id))
        values = {"version": sheet.version, "at": now, "sheet_sealed": sealed}
        async with self._database.writing() as connection:
            query = sa.select(_ROW.version).where(*_this(home, call_id)).with_for_update()
            before = (await connection.execute(query)).scalar_one_or_none()
            if before is None:
                new = {"call_id": call_id, "municipality_id": home, **values}
                await connection.execute(sa.insert(t.call_steps).values(new))
                return
            if before >= sheet.version:
                raise Conflict("the steps were changed by somebody else")
            changing = sa.update(t.call_steps).where(*_this(home, call_id))
            await connection.execute(changing.values(values))


def _this(municipality_id: str, call_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (_ROW.municipality_id == municipality_id, _ROW.call_id == call_id)


def _ids(municipality_id: str, call_id: str) -> tuple[str, str, str]:
    return ("call-steps", municipality_id, call_id)
