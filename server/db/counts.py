"""Real calls that are over, by their columns, and the counts of months."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from server.counts import Correction, Count, Snapshot
from server.db import schema as t
from server.db.engine import Database
from server.db.people import SqlPeople

_CALL, _MONTH, _CORRECTION = t.call.c, t.count_month.c, t.count_correction.c
REAL = (_CALL.state == "closed", _CALL.outcome.is_not(None), _CALL.training.is_(False))


@dataclass(frozen=True, slots=True)
class Closed:
    """A real call that is over, ids and codes alone."""

    id: str
    number: str
    office_id: str
    procedure: str
    outcome: str
    clerk_id: str
    desk_id: str | None
    placed_at: datetime
    answered_at: datetime | None
    closed_at: datetime


_COLUMNS = tuple(_CALL[name] for name in Closed.__dataclass_fields__)


class SqlCounts:
    """Every query is scoped by a municipality."""

    def __init__(self, database: Database, people: SqlPeople) -> None:
        self._database = database
        self._people = people

    async def closed(
        self,
        municipality_id: str,
        since: datetime,
        until: datetime,
        *,
        after: tuple[datetime, str] | None,
        limit: int,
    ) -> list[Closed]:
        """Return calls closed from `since` to before `until`, oldest first, those after one."""
        which = [_CALL.municipality_id == municipality_id, *REAL]
        which += [_CALL.closed_at >= since, _CALL.closed_at < until]
        if after is not None:
            at, last = after
            later = sa.and_(_CALL.closed_at == at, _CALL.id > last)
            which.append(sa.or_(_CALL.closed_at > at, later))
        query = sa.select(*_COLUMNS).where(*which).order_by(_CALL.closed_at, _CALL.id)
        async with self._database.reading() as connection:
            rows = await connection.execute(query.limit(limit))
            return [Closed(*row) for row in rows]

    async def one(self, municipality_id: str, call_id: str) -> Closed | None:
        """Return one such call."""
        this = (_CALL.municipality_id == municipality_id, _CALL.id == call_id)
        async with self._database.reading() as connection:
            row = (await connection.execute(sa.select(*_COLUMNS).where(*this, *REAL))).one_or_none()
        return Closed(*row) if row is not None else None

    async def first(self, municipality_id: str) -> datetime | None:
        """Return when the first one was closed."""
        query = sa.select(sa.func.min(_CALL.closed_at))
        async with self._database.reading() as connection:
            found = await connection.execute(
                query.where(_CALL.municipality_id == municipality_id, *REAL)
            )
            at = found.scalar_one()
        return at if isinstance(at, datetime) else None

    async def count(self, municipality_id: str, since: datetime, until: datetime) -> list[Count]:
        """Count the calls closed from `since` to before `until`."""
        by = (_CALL.office_id, _CALL.procedure, _CALL.outcome)
        mine = (_CALL.municipality_id == municipality_id, *REAL)
        query = sa.select(*by, sa.func.count()).where(
            *mine, _CALL.closed_at >= since, _CALL.closed_at < until
        )
        async with self._database.reading() as connection:
            rows = await connection.execute(query.group_by(*by).order_by(*by))
            return [Count(*row) for row in rows]

    async def snapshots(self, municipality_id: str) -> dict[str, Snapshot]:
        """Return the months that are closed."""
        query = sa.select(t.count_month).where(_MONTH.municipality_id == municipality_id)
        async with self._database.reading() as connection:
            rows = await connection.execute(query.order_by(_MONTH.month))
            return {
                row.month: Snapshot(row.month, row.closed_at, row.statement, row.sha256)
                for row in rows
            }

    async def close(self, municipality_id: str, item: Snapshot) -> None:
        """Store a month's counts, unless they are stored."""
        values = {
            "municipality_id": municipality_id,
            "month": item.month,
            "closed_at": item.closed_at,
            "statement": item.statement,
            "sha256": item.sha256,
        }
        this = (_MONTH.municipality_id == municipality_id, _MONTH.month == item.month)
        async with self._database.writing() as connection:
            if (await connection.execute(sa.select(_MONTH.month).where(*this))).first() is None:
                await connection.execute(sa.insert(t.count_month).values(values))

    async def correct(self, municipality_id: str, item: Correction) -> None:
        """Store a correction."""
        house = await self._people.house_key(municipality_id)
        values: dict[str, Any] = {
            name: getattr(item, name) for name in Correction.__dataclass_fields__
        }
        reason = values.pop("reason").encode()
        values["reason_sealed"] = house.seal(reason, "count-reason", municipality_id, item.id)
        values["municipality_id"] = municipality_id
        async with self._database.writing() as connection:
            await connection.execute(sa.insert(t.count_correction).values(values))

    async def corrections(self, municipality_id: str, months: list[str]) -> list[Correction]:
        """Return the corrections of months, oldest first."""
        which = (_CORRECTION.municipality_id == municipality_id, _CORRECTION.month.in_(months))
        query = sa.select(t.count_correction).where(*which)
        async with self._database.reading() as connection:
            rows = (await connection.execute(query.order_by(_CORRECTION.at))).all()
        if not rows:
            return []
        house = await self._people.house_key(municipality_id)
        names = [name for name in Correction.__dataclass_fields__ if name != "reason"]
        return [
            Correction(
                **{name: getattr(row, name) for name in names},
                reason=house.open(
                    row.reason_sealed, "count-reason", municipality_id, row.id
                ).decode(),
            )
            for row in rows
        ]
