"""What is due to be deleted, and the proofs of what was. Rows and proof go in one transaction."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from security.deletions import Deletion, Kind, Proof
from server.calls.call import State
from server.db import schema as t
from server.db.engine import Database
from server.db.records import delete_of_call

_CALL, _CHAT, _FILE, _PROOF = t.call.c, t.chat_message.c, t.file.c, t.deletion.c
# The column that names a piece of each kind, and what else is asked of its row.
_PIECES: dict[Kind, tuple[sa.Column[Any], *tuple[sa.ColumnElement[bool], ...]]] = {
    Kind.CHAT: (_CHAT.number,),
    Kind.FILES: (_FILE.id, _FILE.still.is_(False)),
    Kind.STILLS: (_FILE.id, _FILE.still.is_(True)),
    Kind.RECORD: (t.record.c.id,),
}


@dataclass(frozen=True, slots=True)
class Due:
    """What goes of one call: `ids` are numbers of messages, ids of files, or of all of it."""

    kind: Kind
    call_id: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeptProof:
    """A proof as it lies in the table."""

    id: str
    municipality_id: str
    kind: Kind
    at: datetime
    proof: Proof


class SqlDeletions:
    """Every query is scoped by municipality."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due(self, kind: Kind, municipality_id: str, closed_before: datetime) -> list[Due]:
        """Return what there is of a kind in calls closed before then, oldest call first."""
        column, *which = _PIECES[kind]
        query = (
            sa.select(_CALL.id, column.label("what"))
            .join(t.call, _CALL.id == column.table.c.call_id)
            .where(
                *which,
                _CALL.municipality_id == municipality_id,
                _CALL.state == State.CLOSED,
                _CALL.closed_at < closed_before,
            )
            .order_by(_CALL.closed_at, _CALL.id, column)
        )
        found: dict[str, list[str]] = {}
        async with self._database.reading() as connection:
            for row in await connection.execute(query):
                found.setdefault(row.id, []).append(str(row.what))
        return [Due(kind, call_id, tuple(ids)) for call_id, ids in found.items()]

    async def due_training(self, municipality_id: str, closed_before: datetime) -> list[Due]:
        """Return the calls of 研修モード closed before then, with their files, oldest first."""
        query = (
            sa.select(_CALL.id, _FILE.id.label("file_id"))
            .join(t.file, _CALL.id == _FILE.call_id, isouter=True)
            .where(
                _CALL.municipality_id == municipality_id,
                _CALL.training.is_(True),
                _CALL.state == State.CLOSED,
                _CALL.closed_at < closed_before,
            )
            .order_by(_CALL.closed_at, _CALL.id, _FILE.id)
        )
        found: dict[str, list[str]] = {}
        async with self._database.reading() as connection:
            for row in await connection.execute(query):
                ids = found.setdefault(row.id, [row.id])
                if row.file_id is not None:
                    ids.append(row.file_id)
        return [Due(Kind.TRAINING, call_id, tuple(ids)) for call_id, ids in found.items()]

    async def delete(self, deletion: Deletion, proof: Proof) -> None:
        """Remove the rows of what goes of a call, or all of it, and keep the proof.

        Both or neither.
        """
        home, call_id = deletion.municipality_id, deletion.call_id
        async with self._database.writing() as connection:
            if deletion.kind is Kind.CHAT:
                for table in (t.chat_read, t.chat_message):
                    mine = (table.c.municipality_id == home, table.c.call_id == call_id)
                    await connection.execute(sa.delete(table).where(*mine))
            elif deletion.kind in (Kind.FILES, Kind.STILLS):
                await self._delete_files(connection, home, deletion.ids)
            elif deletion.kind is Kind.RECORD and call_id is not None:
                await _delete_record(connection, home, call_id, deletion.at)
            elif deletion.kind is Kind.TRAINING and call_id is not None:
                await self._delete_files(connection, home, deletion.ids)
                await _delete_call(connection, home, call_id)
            if deletion.kind is not Kind.TRAINING and call_id is not None:
                await _destroy_idle_key(connection, home, call_id)
            await _keep(connection, deletion, proof)

    def keeping(
        self, deletion: Deletion, proof: Proof
    ) -> Callable[[AsyncConnection], Awaitable[None]]:
        """Return what keeps the proof, to be done in the transaction that deletes."""
        return lambda connection: _keep(connection, deletion, proof)

    async def _delete_files(
        self, connection: AsyncConnection, home: str, ids: Sequence[str]
    ) -> None:
        taken = (t.file_taken.c.municipality_id == home, t.file_taken.c.file_id.in_(ids))
        await connection.execute(sa.delete(t.file_taken).where(*taken))
        mine = (_FILE.municipality_id == home, _FILE.id.in_(ids))
        await connection.execute(sa.delete(t.file).where(*mine))

    async def not_noted(self, municipality_id: str) -> list[KeptProof]:
        """Return the proofs of which the audit log does not know yet, oldest first."""
        return await self._proofs(municipality_id, _PROOF.noted_at.is_(None))

    async def noted(self, kept: KeptProof, at: datetime) -> None:
        """Remember that the audit log knows."""
        this = (_PROOF.id == kept.id, _PROOF.municipality_id == kept.municipality_id)
        async with self._database.writing() as connection:
            await connection.execute(sa.update(t.deletion).where(*this).values(noted_at=at))

    async def every(self, municipality_id: str) -> list[KeptProof]:
        """Return all proofs of a municipality, oldest first."""
        return await self._proofs(municipality_id)

    async def newest(
        self, municipality_id: str, *, before: str | None, limit: int
    ) -> list[KeptProof]:
        """Return at most `limit` proofs that follow the one with the id `before`, newest first.

        All proofs of a run have one time, so that the id decides too. Nothing follows an unknown.
        """
        which = () if before is None else (_follows(municipality_id, before),)
        order = (_PROOF.at.desc(), _PROOF.id.desc())
        return await self._proofs(municipality_id, *which, order=order, limit=limit)

    async def wipe(self) -> None:
        """Leave nothing of deleted rows in the write-ahead log."""
        await self._database.checkpoint()

    async def _proofs(
        self,
        municipality_id: str,
        *which: sa.ColumnElement[bool],
        order: Sequence[sa.ColumnElement[Any]] = (_PROOF.at, _PROOF.id),
        limit: int | None = None,
    ) -> list[KeptProof]:
        query = sa.select(t.deletion).where(_PROOF.municipality_id == municipality_id, *which)
        query = query.order_by(*order).limit(limit)
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        return [
            KeptProof(
                row.id,
                row.municipality_id,
                Kind(row.kind),
                row.at,
                Proof(row.statement, row.public_key, row.signature),
            )
            for row in rows
        ]


def _follows(municipality_id: str, before: str) -> sa.ColumnElement[bool]:
    mine = (_PROOF.municipality_id == municipality_id, _PROOF.id == before)
    at = sa.select(_PROOF.at).where(*mine).scalar_subquery()
    return sa.or_(_PROOF.at < at, sa.and_(_PROOF.at == at, _PROOF.id < before))


async def _delete_record(
    connection: AsyncConnection, home: str, call_id: str, at: datetime
) -> None:
    """Remove a record, what was added, and the steps and answers that it was made of."""
    await delete_of_call(connection, home, call_id)
    steps = (t.call_steps.c.municipality_id == home, t.call_steps.c.call_id == call_id)
    await connection.execute(sa.delete(t.call_steps).where(*steps))
    this = (_CALL.municipality_id == home, _CALL.id == call_id)
    await connection.execute(sa.update(t.call).where(*this).values(record_gone_at=at))


async def _destroy_idle_key(connection: AsyncConnection, home: str, call_id: str) -> None:
    """Destroy the key of a call whose record is gone when it opens no message and no file more.

    Then what still stands sealed in the call's row opens with nothing; its ids, times and outcome
    stay, from which months are counted.
    """
    left = [
        sa.exists().where(table.c.municipality_id == home, table.c.call_id == call_id)
        for table in (t.chat_message, t.file, t.record)
    ]
    this = (_CALL.municipality_id == home, _CALL.id == call_id, _CALL.record_gone_at.is_not(None))
    idle = sa.update(t.call).where(*this, *(~one for one in left))
    await connection.execute(idle.values(key_wrapped=None))


async def _delete_call(connection: AsyncConnection, home: str, call_id: str) -> None:
    """Remove a call and every row that belongs to it, in whatever table."""
    await delete_of_call(connection, home, call_id)
    for table in reversed(t.metadata.sorted_tables):
        own = "call_id" if table is not t.call else "id"
        if own in table.c and (table is t.call or _belongs_to_call(table)):
            this = (table.c.municipality_id == home, table.c[own] == call_id)
            await connection.execute(sa.delete(table).where(*this))


def _belongs_to_call(table: sa.Table) -> bool:
    return any(key.column.table is t.call for key in table.c.call_id.foreign_keys)


async def _keep(connection: AsyncConnection, deletion: Deletion, proof: Proof) -> None:
    values = {
        "id": deletion.id,
        "municipality_id": deletion.municipality_id,
        "kind": deletion.kind.value,
        "at": deletion.at,
        "statement": proof.statement,
        "public_key": proof.key,
        "signature": proof.signature,
    }
    await connection.execute(sa.insert(t.deletion).values(values))
