"""Results of 開始前点検, of which none is ever changed."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from server.db import schema as t
from server.db.engine import Database
from server.precheck.rules import Grade, Row

_CHECK = t.precheck.c


@dataclass(frozen=True, slots=True)
class Precheck:
    """One check of one tablet, by whom, and what came of it."""

    id: str
    municipality_id: str
    office_id: str
    tablet_id: str
    person_id: str
    at: datetime
    outcome: Grade
    rows: tuple[Row, ...]


class SqlPrechecks:
    """Every query is scoped by municipality."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, check: Precheck) -> None:
        """Keep a result."""
        values = {name: getattr(check, name) for name in _COLUMNS}
        rows = json.dumps([asdict(row) for row in check.rows], ensure_ascii=False)
        async with self._database.writing() as connection:
            await connection.execute(sa.insert(t.precheck).values({**values, "rows": rows}))

    async def last_passed(
        self,
        municipality_id: str,
        *,
        office_id: str | None = None,
        tablet_id: str | None = None,
        until: datetime | None = None,
    ) -> datetime | None:
        """Return when a check of an office, or of one tablet, was last passed, `until` then."""
        which = [_CHECK.municipality_id == municipality_id, _CHECK.outcome != Grade.BAD]
        if office_id is not None:
            which.append(_CHECK.office_id == office_id)
        if tablet_id is not None:
            which.append(_CHECK.tablet_id == tablet_id)
        if until is not None:
            which.append(_CHECK.at <= until)
        async with self._database.reading() as connection:
            found = await connection.execute(sa.select(sa.func.max(_CHECK.at)).where(*which))
            last: datetime | None = found.scalar_one_or_none()
        return last

    async def recent(
        self, municipality_id: str, *, tablet_id: str | None = None, limit: int = 200
    ) -> list[Precheck]:
        """Return the newest results first, of every tablet or of one."""
        which = [_CHECK.municipality_id == municipality_id]
        if tablet_id is not None:
            which.append(_CHECK.tablet_id == tablet_id)
        query = sa.select(t.precheck).where(*which).order_by(_CHECK.at.desc(), _CHECK.id)
        async with self._database.reading() as connection:
            rows = (await connection.execute(query.limit(limit))).all()
        return [_precheck(row) for row in rows]


_COLUMNS = ("id", "municipality_id", "office_id", "tablet_id", "person_id", "at", "outcome")


def _precheck(row: Any) -> Precheck:
    known = {name: getattr(row, name) for name in _COLUMNS}
    known["outcome"] = Grade(row.outcome)
    rows = tuple(Row(**{**x, "grade": Grade(x["grade"])}) for x in json.loads(row.rows))
    return Precheck(**known, rows=rows)
