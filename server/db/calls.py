"""Calls on disk. What is not a column of its own stands sealed in `detail_sealed` as JSON."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import sqlalchemy as sa
from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json
from sqlalchemy.ext.asyncio import AsyncConnection

from security.crypto.keys import DataKey
from security.errors import Conflict, Corrupt, MadoguchiError
from server.calls.call import Call, State
from server.db import outbox
from server.db import schema as t
from server.db.engine import Database, one_row
from server.hooks.fact import call_closed

log = logging.getLogger(__name__)

Closing = Callable[[AsyncConnection, Call], Awaitable[None]]
_CALL = TypeAdapter(Call)
_COLUMNS = frozenset(column.name for column in t.call.c) & set(Call.__dataclass_fields__)


class CallKeys(Protocol):
    """Gives the key of a call from its wrapped form."""

    def call(self, call_id: str, wrapped: bytes | None) -> DataKey:
        """Return the key; raises `NotFound` when it was destroyed, `Corrupt` when it is wrong."""


@dataclass(frozen=True, slots=True)
class OpenCalls:
    """The calls that were open, oldest first, and the ids of those that could not be read."""

    calls: list[Call]
    left_out: list[str]


class SqlCalls:
    """Implements `CallStore` of server/calls/store.py."""

    def __init__(self, database: Database, keys: CallKeys) -> None:
        self._database = database
        self._keys = keys
        self.closing: list[Closing] = []  # what is written with the end of a call
        self._told: list[Callable[[], None]] = []

    def when_closing(self, beside: Closing) -> None:
        """Let `beside` write what goes with the end of a call, in the same transaction."""
        self.closing.append(beside)

    def when_closed(self, told: Callable[[], None]) -> None:
        """Let `told` be called once the end of a call is on disk; it may not wait."""
        self._told.append(told)

    async def insert_numbered(
        self, municipality_id: str, prefix: str, make: Callable[[int], tuple[Call, bytes]]
    ) -> Call:
        """Write the call that `make` returns for the next number under `prefix`, from 1.

        `make` returns the call and its wrapped data key. Number and call are written together, so
        a call that is not written leaves no gap.
        """
        async with self._database.writing() as connection:
            call, wrapped = make(await _next_number(connection, municipality_id, prefix))
            await connection.execute(sa.insert(t.call).values(self._new(call, wrapped)))
        return call

    async def save(self, call: Call) -> None:
        """Write a changed call; raises `Conflict` unless the stored version is one less.

        That it is over stands in the outbox from the same commit on.
        """
        this = (t.call.c.id == call.id, t.call.c.municipality_id == call.municipality_id)
        async with self._database.writing() as connection:
            query = sa.select(t.call.c.key_wrapped, t.call.c.state).where(*this)
            stored = (await connection.execute(query)).one_or_none()
            wrapped = stored and stored.key_wrapped
            if stored is None or wrapped is None:
                raise Conflict("there is no such call any more")
            changing = sa.update(t.call).where(*this, t.call.c.version == call.version - 1)
            values = self._values(call, wrapped)
            if not one_row(await connection.execute(changing.values(values))):
                raise Conflict("the call was changed by somebody else")
            if call.state is State.CLOSED and stored.state != State.CLOSED:
                await _tell(connection, call)
                for beside in self.closing:
                    await beside(connection, call)
        if call.state is State.CLOSED:
            for told in self._told:
                told()

    async def load_open(self) -> list[Call]:
        """Return every call that is not closed and can be read, oldest first."""
        return (await self.read_open()).calls

    async def read_open(self) -> OpenCalls:
        """Return every call that is not closed, of every municipality.

        One that does not verify is left out and named in the log: it must not keep the others
        from going on.
        """
        found = OpenCalls([], [])
        async with self._database.reading() as connection:
            for call_id in (await connection.execute(_OPEN_IDS)).scalars().all():
                # A row at a time: a column that cannot be read fails its own row alone.
                query = sa.select(t.call).where(t.call.c.id == call_id)
                try:
                    found.calls.append(self._call((await connection.execute(query)).one()))
                except (MadoguchiError, ValueError, OverflowError) as error:
                    log.error("call %s is left out: %s", call_id, type(error).__name__)
                    found.left_out.append(call_id)
        return found

    async def open_ids(self) -> set[str]:
        """Return the ids of the calls that are not closed, readable or not."""
        async with self._database.reading() as connection:
            return set((await connection.execute(_OPEN_IDS)).scalars())

    async def get(self, municipality_id: str, call_id: str) -> Call | None:
        """Return one call of the municipality."""
        found = await self._read(
            t.call.c.municipality_id == municipality_id, t.call.c.id == call_id
        )
        return found[0] if found else None

    async def key(self, municipality_id: str, call_id: str) -> bytes | None:
        """Return the wrapped data key of a call; None when there is no call or no key any more."""
        this = (t.call.c.municipality_id == municipality_id, t.call.c.id == call_id)
        query = sa.select(t.call.c.key_wrapped).where(*this)
        async with self._database.reading() as connection:
            return (await connection.execute(query)).scalar_one_or_none()

    async def of_desk(self, municipality_id: str, person_id: str, since: datetime) -> list[Call]:
        """Return the calls placed since `since` that a person answered, oldest first."""
        return await self._read(
            t.call.c.municipality_id == municipality_id,
            t.call.c.desk_id == person_id,
            t.call.c.placed_at >= since,
            t.call.c.answered_at.is_not(None),
        )

    async def last_of_tablet(self, call: Call, since: datetime) -> Call | None:
        """Return the call that the tablet placed before `call`, none placed before `since`."""
        this = (t.call.c.municipality_id == call.municipality_id,)
        query = sa.select(t.call).where(*this, t.call.c.tablet_id == call.tablet_id)
        query = query.where(t.call.c.placed_at >= since, t.call.c.placed_at <= call.placed_at)
        newest = (t.call.c.placed_at.desc(), t.call.c.number.desc())
        query = query.where(t.call.c.id != call.id).order_by(*newest).limit(1)
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).one_or_none()
        return self._call(row) if row is not None and row.key_wrapped is not None else None

    async def data_key(self, municipality_id: str, call_id: str) -> DataKey:
        """Return the data key of a call; raises `NotFound` when there is none, `Corrupt`."""
        return self._keys.call(call_id, await self.key(municipality_id, call_id))

    async def _read(self, *which: sa.ColumnElement[bool]) -> list[Call]:
        query = sa.select(t.call).where(*which).order_by(t.call.c.placed_at, t.call.c.id)
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        return [self._call(row) for row in rows if row.key_wrapped is not None]

    def _new(self, call: Call, key_wrapped: bytes) -> dict[str, Any]:
        return {**self._values(call, key_wrapped), "key_wrapped": key_wrapped}

    def _values(self, call: Call, key_wrapped: bytes) -> dict[str, Any]:
        key = self._keys.call(call.id, key_wrapped)
        detail = _CALL.dump_json(call, exclude=set(_COLUMNS))
        columns = {name: getattr(call, name) for name in _COLUMNS}
        return {**columns, "detail_sealed": key.seal(detail, *_ids(call))}

    def _call(self, row: Any) -> Call:
        key = self._keys.call(row.id, row.key_wrapped)
        try:
            detail = from_json(key.open(row.detail_sealed, *_ids(row)))
            return _CALL.validate_python(
                {**detail, **{name: getattr(row, name) for name in _COLUMNS}}
            )
        except (ValidationError, ValueError, TypeError) as error:
            raise Corrupt("a stored call cannot be read") from error


async def _tell(connection: AsyncConnection, call: Call) -> None:
    fact = call_closed(call)
    if fact is not None:
        await outbox.add(connection, fact)


async def _next_number(connection: AsyncConnection, municipality_id: str, prefix: str) -> int:
    numbers = t.call_number
    this = (numbers.c.municipality_id == municipality_id, numbers.c.prefix == prefix)
    query = sa.select(numbers.c.last).where(*this).with_for_update()
    last = (await connection.execute(query)).scalar_one_or_none()
    if last is None:
        new = {"municipality_id": municipality_id, "prefix": prefix, "last": 1}
        await connection.execute(sa.insert(numbers).values(new))
        return 1
    await connection.execute(sa.update(numbers).where(*this).values(last=last + 1))
    return int(last) + 1


_OPEN_IDS = (
    sa.select(t.call.c.id)
    .where(t.call.c.state != State.CLOSED)
    .order_by(t.call.c.placed_at, t.call.c.id)
)


def _ids(call: Any) -> tuple[str, str, str]:
    return ("call-detail", call.municipality_id, call.id)
