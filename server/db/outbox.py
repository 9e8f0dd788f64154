"""The outbox: facts written with what they tell of, and how far each has come to each destination.

`add` belongs into the transaction that writes the fact itself, so that neither is there without
the other. Whoever dies before telling finds what is left to tell here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic_core import from_json
from sqlalchemy.ext.asyncio import AsyncConnection

from security.errors import Conflict, NotFound
from server.db import schema as t
from server.db.engine import Database, one_row
from server.hooks.fact import Fact

_OUT = t.outbox.c
_DEL = t.delivery.c
OPEN = ("waiting", "dead")
MAX_PROBLEM = 200


async def add(connection: AsyncConnection, fact: Fact) -> None:
    """Write `fact` in the transaction of `connection`; it is told once that is committed."""
    values = {
        "id": fact.id,
        "municipality_id": fact.municipality_id,
        "type": fact.type,
        "subject": fact.subject,
        "training": fact.training,
        "at": fact.at,
        "data": fact.data_json(),
    }
    await connection.execute(sa.insert(t.outbox).values(values))


@dataclass(frozen=True, slots=True)
class Delivery:
    """A fact on its way to `destination`. `held` facts of the same subject wait behind it."""

    position: int
    destination: str
    fact: Fact
    state: str
    tries: int
    first_at: datetime | None
    next_at: datetime
    problem: str | None
    held: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a try. Without `next_at` it is over: `done`, or `dead`."""

    delivery: Delivery
    state: str
    at: datetime
    next_at: datetime | None = None
    problem: str | None = None


class SqlOutbox:
    """Facts and deliveries on disk."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def unspread(self, limit: int) -> list[tuple[int, Fact]]:
        """Return the oldest facts that have no addresses yet, with their positions."""
        query = sa.select(t.outbox).where(_OUT.spread_at.is_(None))
        async with self._database.reading() as connection:
            rows = await connection.execute(query.order_by(_OUT.position).limit(limit))
            return [(row.position, _fact(row)) for row in rows]

    async def spread(self, addressed: Iterable[tuple[int, Fact, list[str]]], now: datetime) -> None:
        """Address each fact to its destinations, all of them in one transaction."""
        every = list(addressed)
        rows = [
            {
                "position": position,
                "destination": destination,
                "municipality_id": fact.municipality_id,
                "subject": fact.subject,
                "state": "waiting",
                "tries": 0,
                "next_at": now,
            }
            for position, fact, destinations in every
            for destination in destinations
        ]
        positions = [position for position, _, _ in every]
        async with self._database.writing() as connection:
            if rows:
                await connection.execute(sa.insert(t.delivery), rows)
            done = sa.update(t.outbox).where(_OUT.position.in_(positions))
            await connection.execute(done.values(spread_at=now))

    async def due_destinations(self, now: datetime) -> list[str]:
        """Return the destinations to which something is to be told now."""
        query = sa.select(_DEL.destination).where(_DEL.state == "waiting", _DEL.next_at <= now)
        async with self._database.reading() as connection:
            return list((await connection.execute(query.distinct())).scalars())

    async def due(self, destination: str, now: datetime, limit: int) -> list[Delivery]:
        """Return what is to be told there now, oldest first: of each subject the first alone.

        What is dead holds what follows of its subject, until somebody retries or gives it up.
        """
        before = t.delivery.alias("before")
        blocked = sa.exists().where(
            before.c.destination == _DEL.destination,
            before.c.subject == _DEL.subject,
            before.c.position < _DEL.position,
            before.c.state.in_(OPEN),
        )
        which = (_DEL.destination == destination, _DEL.state == "waiting", _DEL.next_at <= now)
        return await self._read(which=(*which, ~blocked), limit=limit)

    async def settle(self, told: Iterable[Told]) -> None:
        """Write what came of tries, in one transaction."""
        async with self._database.writing() as connection:
            for one in told:
                delivery = one.delivery
                values: dict[str, Any] = {
                    "state": one.state,
                    "tries": delivery.tries + 1,
                    "first_at": delivery.first_at or one.at,
                    "next_at": one.next_at or one.at,
                    "done_at": one.at if one.state == "done" else None,
                    "problem": one.problem and one.problem[:MAX_PROBLEM],
                }
                this = (
                    _DEL.position == delivery.position,
                    _DEL.destination == delivery.destination,
                )
                changing = sa.update(t.delivery).where(*this, _DEL.state == "waiting")
                await connection.execute(changing.values(values))

    async def troubled(self, municipality_id: str, limit: int = 200) -> list[Delivery]:
        """Return the dead letters of a municipality and what was tried in vain so far."""
        mine = _DEL.municipality_id == municipality_id
        bad = sa.or_(_DEL.state == "dead", sa.and_(_DEL.state == "waiting", _DEL.tries > 0))
        return await self._read(which=(mine, bad), limit=limit)

    async def retry(
        self, municipality_id: str, position: int, destination: str, now: datetime
    ) -> None:
        """Try one again at once, for another day. Raises `NotFound`, `Conflict` `wrong_state`."""
        again = {"state": "waiting", "first_at": None, "next_at": now}
        await self._change(municipality_id, position, destination, again)

    async def give_up(self, municipality_id: str, position: int, destination: str) -> None:
        """Let one go untold; what waits behind it goes on. Raises as `retry` does."""
        await self._change(municipality_id, position, destination, {"state": "given_up"})

    async def _change(
        self, municipality_id: str, position: int, destination: str, values: dict[str, Any]
    ) -> None:
        this = (
            _DEL.municipality_id == municipality_id,
            _DEL.position == position,
            _DEL.destination == destination,
        )
        async with self._database.writing() as connection:
            changing = sa.update(t.delivery).where(*this, _DEL.state.in_(OPEN))
            if one_row(await connection.execute(changing.values(values))):
                return
            if (await connection.execute(sa.select(_DEL.state).where(*this))).first() is None:
                raise NotFound("there is no such delivery")
        # What followed it has gone on meanwhile: telling it now would be out of order.
        raise Conflict("this delivery is over", code="wrong_state")

    async def figures(self, municipality_id: str | None = None) -> dict[str, dict[str, int]]:
        """Return how many deliveries of each destination are in each state."""
        query = sa.select(_DEL.destination, _DEL.state, sa.func.count())
        if municipality_id is not None:
            query = query.where(_DEL.municipality_id == municipality_id)
        found: dict[str, dict[str, int]] = {}
        async with self._database.reading() as connection:
            for destination, state, count in await connection.execute(
                query.group_by(_DEL.destination, _DEL.state)
            ):
                found.setdefault(destination, {})[state] = count
        return found

    async def sweep(self, before: datetime) -> int:
        """Forget facts of before then that are told or given up everywhere; return how many."""
        still = sa.exists().where(_DEL.position == _OUT.position, _DEL.state.in_(OPEN))
        over = sa.select(_OUT.position).where(_OUT.spread_at < before, ~still)
        async with self._database.writing() as connection:
            positions = list((await connection.execute(over.limit(500))).scalars())
            for table in (t.delivery, t.outbox):
                gone = sa.delete(table).where(table.c.position.in_(positions))
                await connection.execute(gone)
        return len(positions)

    async def _read(self, *, which: tuple[Any, ...], limit: int) -> list[Delivery]:
        behind = t.delivery.alias("behind")
        held = (
            sa.select(sa.func.count())
            .where(
                behind.c.destination == _DEL.destination,
                behind.c.subject == _DEL.subject,
                behind.c.position > _DEL.position,
                behind.c.state == "waiting",
            )
            .scalar_subquery()
        )
        query = (
            sa.select(t.outbox, *_COLUMNS, held.label("held"))
            .join(t.delivery, _DEL.position == _OUT.position)
            .where(*which)
            .order_by(_DEL.position)
            .limit(limit)
        )
        async with self._database.reading() as connection:
            return [_delivery(row) for row in await connection.execute(query)]


_COLUMNS = (_DEL.destination, _DEL.state, _DEL.tries, _DEL.first_at, _DEL.next_at, _DEL.problem)


def _delivery(row: Any) -> Delivery:
    return Delivery(
        row.position,
        row.destination,
        _fact(row),
        row.state,
        row.tries,
        row.first_at,
        row.next_at,
        row.problem,
        row.held,
    )


def _fact(row: Any) -> Fact:
    home = row.municipality_id
    return Fact(
        home, row.type, row.subject, row.at, from_json(row.data), training=row.training, id=row.id
    )
