"""How far each municipality's audit log has been sent elsewhere."""

import sqlalchemy as sa

from server.db import schema as t
from server.db.engine import Database

_EXPORT = t.audit_export.c


class SqlExported:
    """Positions up to which entries have been delivered; they only grow."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def position(self, municipality_id: str) -> int:
        """Return the last position that was delivered, 0 before the first."""
        query = sa.select(_EXPORT.position).where(_EXPORT.municipality_id == municipality_id)
        async with self._database.reading() as connection:
            return (await connection.execute(query)).scalar_one_or_none() or 0

    async def advance(self, municipality_id: str, position: int) -> None:
        """Remember durably that everything up to `position` was delivered."""
        this = (_EXPORT.municipality_id == municipality_id, _EXPORT.position < position)
        async with self._database.writing() as connection:
            query = sa.select(_EXPORT.position).where(this[0])
            if (await connection.execute(query)).scalar_one_or_none() is None:
                values = {"municipality_id": municipality_id, "position": position}
                await connection.execute(sa.insert(t.audit_export).values(values))
            else:
                statement = sa.update(t.audit_export).where(*this).values(position=position)
                await connection.execute(statement)
