"""How good calls were, on disk. Nothing here tells of a person, so nothing is sealed."""

from dataclasses import asdict, fields

import sqlalchemy as sa

from media.quality_sum import Summary
from server.calls.quality import Summaries
from server.db import schema as t
from server.db.engine import Database

_NAMES = tuple(field.name for field in fields(Summary))


class SqlQuality:
    """Implements `QualityStore` of server/quality_watch.py."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, municipality_id: str, call_id: str, summaries: Summaries) -> None:
        """Write the summaries of a call in place of those written before."""
        table = t.call_quality
        this = (table.c.municipality_id == municipality_id, table.c.call_id == call_id)
        rows = [
            {
                "call_id": call_id,
                "party": party,
                "direction": direction,
                "municipality_id": municipality_id,
                **asdict(summary),
            }
            for (party, direction), summary in summaries.items()
        ]
        async with self._database.writing() as connection:
            await connection.execute(sa.delete(table).where(*this))
            if rows:
                await connection.execute(sa.insert(table), rows)

    async def load(self, municipality_id: str, call_id: str) -> Summaries:
        """Return the summaries of a call, none for an unknown one or another municipality's."""
        table = t.call_quality
        query = sa.select(table).where(
            table.c.municipality_id == municipality_id, table.c.call_id == call_id
        )
        async with self._database.reading() as connection:
            found = (await connection.execute(query)).all()
        return {
            (row.party, row.direction): Summary(**{name: getattr(row, name) for name in _NAMES})
            for row in found
        }
