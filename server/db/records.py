"""Records on disk: written once, in the transaction that closes their call, and only added to.

What is searched by stands in columns of the call; the record itself is sealed with the call's key.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from security.audit.chain import Head, Stored
from security.crypto.keys import DataKey
from security.errors import Conflict, NotFound
from server.calls.call import Call, Outcome, State
from server.db import outbox
from server.db import schema as t
from server.db.calls import Closing, SqlCalls
from server.db.engine import Database, shrink
from server.hooks.fact import Fact
from server.records.bundle import Signed, sha256_hex
from server.records.record import Record

_RECORD, _ADDITION, _BASIS = t.record.c, t.record_addition.c, t.record_basis.c
_CALL, _ENTRY = t.call.c, t.audit_entry.c
_SLICE = 500


@dataclass(frozen=True, slots=True)
class Kept:
    """A record as it lies in the table, opened."""

    id: str
    call_id: str
    record: Signed
    additions: tuple[Signed, ...]


@dataclass(frozen=True, slots=True)
class Made:
    """A record ready to be written: the call's key, what it rests on, and who is told."""

    record: Record
    signed: Signed
    key: DataKey
    bases: tuple[bytes, bytes]
    fact: Fact


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the list: ids and codes, nothing sealed."""

    id: str
    call_id: str
    number: str
    at: datetime
    training: bool
    procedure: str
    outcome: str
    office_id: str
    clerk_id: str
    desk_id: str
    additions: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is searched for; None asks for nothing. `person` decided or held the originals."""

    number: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    office: str | None = None
    person: str | None = None


class SqlRecords:
    """Every query is scoped by municipality."""

    def __init__(self, database: Database, calls: SqlCalls) -> None:
        self._database = database
        self._calls = calls

    def beside(self, make: Callable[[Call], Awaitable[Made | None]]) -> Closing:
        """Return what writes the record of a call that closes, in the same transaction."""

        async def write(connection: AsyncConnection, call: Call) -> None:
            made = await make(call)
            if made is not None:
                await self._add(connection, made)

        return write

    async def _add(self, connection: AsyncConnection, made: Made) -> None:
        record = made.record
        home = record.municipality.id
        for content in made.bases:
            await _keep_basis(connection, home, content)
        values = {
            "id": record.id,
            "municipality_id": home,
            "call_id": record.call,
            "record_sealed": made.key.seal(
                made.signed.content, "record", home, record.call, record.id
            ),
            "signature": made.signed.signature,
        }
        await connection.execute(sa.insert(t.record).values(values))
        await outbox.add(connection, made.fact)

    async def add_addition(
        self, kept: Kept, home: str, number: int, signed: Signed, person_id: str, fact: Fact
    ) -> None:
        """Write an addition with the fact of it. Raises `Conflict` when another one came first."""
        key = await self._calls.data_key(home, kept.call_id)
        values = {
            "record_id": kept.id,
            "number": number,
            "municipality_id": home,
            "at": fact.at,
            "person_id": person_id,
            "addition_sealed": key.seal(signed.content, *_addition_ids(home, kept, number)),
            "signature": signed.signature,
        }
        mine = (_ADDITION.municipality_id == home, _ADDITION.record_id == kept.id)
        async with self._database.writing() as connection:
            query = sa.select(sa.func.count()).select_from(t.record_addition).where(*mine)
            if (await connection.execute(query)).scalar_one() != number - 1:
                raise Conflict("somebody else has added something meanwhile")
            await connection.execute(sa.insert(t.record_addition).values(values))
            await outbox.add(connection, fact)

    async def get(self, home: str, record_id: str) -> Kept:
        """Return a record with its additions. Raises `NotFound`, `Corrupt`."""
        query = sa.select(t.record).where(_RECORD.municipality_id == home, _RECORD.id == record_id)
        mine = (_ADDITION.municipality_id == home, _ADDITION.record_id == record_id)
        added = sa.select(t.record_addition).where(*mine).order_by(_ADDITION.number)
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).one_or_none()
            additions = (await connection.execute(added)).all()
        if row is None:
            raise NotFound("there is no such record")
        key = await self._calls.data_key(home, row.call_id)
        content = key.open(row.record_sealed, "record", home, row.call_id, row.id)
        kept = Kept(row.id, row.call_id, Signed(content, row.signature), ())
        opened = tuple(
            Signed(
                key.open(one.addition_sealed, *_addition_ids(home, kept, one.number)), one.signature
            )
            for one in additions
        )
        return Kept(kept.id, kept.call_id, kept.record, opened)

    async def has(self, home: str, record_id: str) -> bool:
        """Tell whether the municipality has this record."""
        this = (_RECORD.municipality_id == home, _RECORD.id == record_id)
        async with self._database.reading() as connection:
            found = await connection.execute(sa.select(_RECORD.id).where(*this))
            return found.one_or_none() is not None

    async def id_of_call(self, home: str, call_id: str) -> str | None:
        """Return the id of the record of a call, None while there is none."""
        query = sa.select(_RECORD.id).where(
            _RECORD.municipality_id == home, _RECORD.call_id == call_id
        )
        async with self._database.reading() as connection:
            return (await connection.execute(query)).scalar_one_or_none()

    async def search(self, home: str, wanted: Wanted, *, limit: int) -> list[Row]:
        """Return at most `limit` records, newest first."""
        added = (
            sa.select(sa.func.count())
            .select_from(t.record_addition)
            .where(_ADDITION.record_id == _RECORD.id)
            .scalar_subquery()
        )
        query = (
            sa.select(_RECORD.id.label("record_id"), added.label("additions"), t.call)
            .join(t.call, _CALL.id == _RECORD.call_id)
            .where(_RECORD.municipality_id == home, *_asked(wanted))
            .order_by(_CALL.closed_at.desc(), _CALL.id)
            .limit(limit)
        )
        async with self._database.reading() as connection:
            return [_row(row) for row in await connection.execute(query)]

    async def basis(self, home: str, sha256: str) -> bytes:
        """Return the template or policy with this hash. Raises `NotFound`."""
        this = (_BASIS.municipality_id == home, _BASIS.sha256 == sha256)
        async with self._database.reading() as connection:
            found = (
                await connection.execute(sa.select(_BASIS.content).where(*this))
            ).scalar_one_or_none()
        if found is None:
            raise NotFound("what the record rests on is not kept")
        return bytes(found)

    async def owed(self) -> list[tuple[str, str]]:
        """Return municipality and id of closed calls that a desk answered and have no record."""
        query = (
            sa.select(_CALL.municipality_id, _CALL.id)
            .join(t.record, _RECORD.call_id == _CALL.id, isouter=True)
            .where(
                _CALL.state == State.CLOSED,
                _CALL.outcome.in_([one.value for one in Outcome]),
                _CALL.desk_id.is_not(None),
                _CALL.key_wrapped.is_not(None),
                _CALL.record_gone_at.is_(None),
                _RECORD.id.is_(None),
            )
        )
        async with self._database.reading() as connection:
            return [(row.municipality_id, row.id) for row in await connection.execute(query)]

    async def make_one_up(self, made: Made) -> None:
        """Write a record that was owed, by itself."""
        async with self._database.writing() as connection:
            await self._add(connection, made)

    async def entries_of(self, home: str, call_id: str, since: datetime) -> list[Stored]:
        """Return the audit entries that hold a call's id, oldest first, none older than then."""
        needle, found, before = call_id.encode(), list[Stored](), 2**62
        query = sa.select(t.audit_entry).where(_ENTRY.municipality_id == home)
        query = query.order_by(_ENTRY.position.desc()).limit(_SLICE)
        async with self._database.reading() as connection:
            while True:
                rows = (await connection.execute(query.where(_ENTRY.position < before))).all()
                young = [row for row in rows if row.at >= since]
                found += [
                    Stored(row.position, row.tag, row.at, row.entry, row.link)
                    for row in young
                    if needle in row.entry
                ]
                if len(young) < _SLICE:
                    return found[::-1]
                before = rows[-1].position

    async def stretch(self, home: str, first: int, last: int) -> tuple[Head, list[Stored]] | None:
        """Return the head before position `first` and the entries from there up to `last`.

        None when they were let go.
        """
        where = (_ENTRY.municipality_id == home, _ENTRY.position.between(first - 1, last))
        query = sa.select(t.audit_entry).where(*where).order_by(_ENTRY.position)
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        stored = [Stored(row.position, row.tag, row.at, row.entry, row.link) for row in rows]
        before = Head()
        if first > 1:
            if not stored or stored[0].position != first - 1:
                return None
            before, stored = Head(first - 1, stored[0].link), stored[1:]
        return (before, stored) if stored and stored[0].position == first else None


def _asked(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if wanted.number is not None:
        found.append(_CALL.number == wanted.number)
    if wanted.since is not None:
        found.append(_CALL.closed_at >= wanted.since)
    if wanted.until is not None:
        found.append(_CALL.closed_at < wanted.until)
    if wanted.office is not None:
        found.append(_CALL.office_id == wanted.office)
    if wanted.person is not None:
        found.append(sa.or_(_CALL.desk_id == wanted.person, _CALL.clerk_id == wanted.person))
    return found


def _row(row: Any) -> Row:
    columns = ("number", "training", "procedure", "outcome", "office_id", "clerk_id", "desk_id")
    same = {name: getattr(row, name) for name in columns}
    return Row(id=row.record_id, call_id=row.id, at=row.closed_at, additions=row.additions, **same)


async def _keep_basis(connection: AsyncConnection, home: str, content: bytes) -> None:
    sha256 = sha256_hex(content)
    this = (_BASIS.municipality_id == home, _BASIS.sha256 == sha256)
    if (await connection.execute(sa.select(_BASIS.sha256).where(*this))).one_or_none() is None:
        values = {"municipality_id": home, "sha256": sha256, "content": content}
        await connection.execute(sa.insert(t.record_basis).values(values))


def _addition_ids(home: str, kept: Kept, number: int) -> tuple[str, ...]:
    return ("record-addition", home, kept.call_id, kept.id, str(number))


async def delete_of_call(connection: AsyncConnection, home: str, call_id: str) -> None:
    """Remove the record of a call of 研修モード with what was added, in its transaction."""
    query = sa.select(_RECORD.id).where(_RECORD.municipality_id == home, _RECORD.call_id == call_id)
    record_id = (await connection.execute(query)).scalar_one_or_none()
    if record_id is None:
        return
    added = (_ADDITION.municipality_id == home, _ADDITION.record_id == record_id)
    await shrink(connection, "record_addition", sa.delete(t.record_addition).where(*added))
    this = (_RECORD.municipality_id == home, _RECORD.id == record_id)
    await shrink(connection, "record", sa.delete(t.record).where(*this))
