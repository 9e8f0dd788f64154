"""Closes months and answers for their counts."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from security.errors import Conflict
from security.gate import Permit
from server.counts import (
    Correction,
    Count,
    Snapshot,
    begin,
    corrected,
    is_over,
    month_of,
    months_between,
    next_month,
    snapshot,
)
from server.db.audit import SqlAudit
from server.db.counts import SqlCounts


@dataclass(frozen=True, slots=True)
class Month:
    """The counts of a month with their corrections; `closed` is None while it goes on."""

    month: str
    closed: Snapshot | None
    rows: list[tuple[Count, int]]
    corrections: list[Correction]


class CountMonths:
    """Counts by month, with every month that is over closed first."""

    def __init__(self, store: SqlCounts, audit: SqlAudit, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._audit = audit
        self._clock = clock
        self._closing = asyncio.Lock()

    async def months(self, municipality_id: str) -> list[str]:
        """Return the months in which there may be something, oldest first."""
        now, first = self._clock(), await self._store.first(municipality_id)
        closed = await self._store.snapshots(municipality_id)
        known = [*closed, *([month_of(first)] if first else [])]
        return months_between(min([*known, month_of(now)]), month_of(now))

    async def close_due(self, municipality_id: str) -> None:
        """Close every month that is over; the log has the hash of each."""
        async with self._closing:
            now, first = self._clock(), await self._store.first(municipality_id)
            closed = await self._store.snapshots(municipality_id)
            for month in months_between(month_of(first), month_of(now)) if first else []:
                if month not in closed and is_over(month, now):
                    await self._close(municipality_id, month, now)

    async def _close(self, home: str, month: str, now: datetime) -> None:
        until = begin(next_month(month))
        counts = await self._store.count(home, begin(month), until)
        made = snapshot(home, month, counts, now)
        # Noted first: a month is never closed without the log knowing its hash.
        detail = {"sha256": made.sha256.hex(), "rows": len(counts)}
        await self._audit.note(home, "count:month:close", month, detail, now=now)
        await self._store.close(home, made)

    async def of(self, municipality_id: str, months: list[str]) -> list[Month]:
        """Return the counts of months. Raises `Corrupt` for one that was changed."""
        await self.close_due(municipality_id)
        closed = await self._store.snapshots(municipality_id)
        every = await self._store.corrections(municipality_id, months)
        found = []
        for month in months:
            stored = closed.get(month)
            mine = [one for one in every if one.month == month]
            if stored is None:
                until = begin(next_month(month))
                counts = await self._store.count(municipality_id, begin(month), until)
            else:
                counts = stored.counts()
            found.append(Month(month, stored, corrected(counts, mine), mine))
        return found

    async def correct(self, permit: Permit, item: Correction) -> None:
        """Add a correction to a closed month.

        Raises `Conflict` `month_open` while it goes on, `count_negative` below none.
        """
        permit.require("count.correct", item.month)
        home = permit.municipality_id
        (month,) = await self.of(home, [item.month])
        if month.closed is None:
            raise Conflict("this month is not closed", code="month_open")
        total = next((x.count + more for x, more in month.rows if x.of == item.of), 0)
        if total + item.difference < 0:
            raise Conflict("a count cannot be below none", code="count_negative")
        detail = {"id": item.id, "difference": item.difference, "by": item.person_id}
        await self._audit.note(home, "count:month:correct", item.month, detail, now=item.at)
        await self._store.correct(home, item)
