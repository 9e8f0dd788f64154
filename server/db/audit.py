"""The audit log on disk: one chain per municipality, in a table that can only grow."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from security.audit.chain import Head, Json, Stored, Walk, gate_tag
from security.audit.export import entry_line, opening
from security.audit.heads import FILE_NAME, HeadsFile
from security.audit.signatures import Signatures, Verified
from security.audit.signed import SignedHead
from security.errors import Corrupt
from security.policy.decide import Decision
from security.policy.facts import Facts
from security.policy.replay import facts_json
from server.db import schema as t
from server.db.audit_heads import SqlAuditHeads
from server.db.audit_writer import AuditWriter
from server.db.engine import Database, shrink

_ENTRY = t.audit_entry.c
_BATCH = 1_000
_SLICE = 500  # rows that are built on the event loop at once: below 10 ms


class SqlAudit:
    """Implements `Audit` of security/gate.py; other events of note go in by `note`."""

    def __init__(self, database: Database, folder: Path) -> None:
        """Keep the chains in `database` and their heads in `folder`."""
        self._database = database
        self._heads = HeadsFile(folder / FILE_NAME)
        self._writer = AuditWriter(database, self._heads)
        self.signed = SqlAuditHeads(database, folder)

    async def write(self, decision: Decision, facts: Facts) -> None:
        """Append one entry for `decision`; durable, with the head in its second file."""
        body = {
            "facts": facts_json(facts),
            "subject": facts.subject,
            "allowed": decision.allowed,
            "reasons": [reason.code for reason in decision.reasons],
        }
        tag = gate_tag(decision.action)
        await self._writer.append(facts.actor.municipality_id, tag, body, facts.now)

    async def note(
        self, municipality_id: str, tag: str, subject: str, detail: Json, *, now: datetime
    ) -> None:
        """Append an event that no gate decided; `tag` is source:subject:action.

        `detail` holds codes and ids, never names or other personal text.
        """
        await self._writer.append(municipality_id, tag, {"subject": subject, "detail": detail}, now)

    async def verify(self, municipality_id: str) -> Head:
        """Walk the whole chain and return its head; see `verified`."""
        return (await self.verified(municipality_id)).head

    async def verified(
        self, municipality_id: str, keys: Collection[bytes] | None = None
    ) -> Verified:
        """Walk the whole chain with its signed heads, which must be by one of `keys`.

        None: by one key, whichever it is. Raises `Corrupt` naming the first broken position.
        """
        heads = await asyncio.to_thread(self._heads.read)
        signatures = Signatures(await self.signed.every(municipality_id), keys)
        start = signatures.begin(await self.first_position(municipality_id))
        walk = Walk(municipality_id, heads.get(municipality_id), start)
        while batch := await self._after(municipality_id, walk.head.count):
            await asyncio.to_thread(_take, batch, walk, signatures)
        walk.require_trim()
        signatures.finish(walk.finish())
        return Verified(walk.head, signatures.count, signatures.key, walk.set_back)

    async def follow(self, municipality_id: str, start: Head | None) -> Head:
        """Walk the chain from `start`, which must still stand there, and return its head.

        Raises `Corrupt` naming the first broken position.
        """
        known = (await asyncio.to_thread(self._heads.read)).get(municipality_id)
        walk = Walk(municipality_id, known, start or Head())
        if start is not None:
            stands = await self._after(municipality_id, start.count - 1, limit=1)
            was_let_go = await self.first_position(municipality_id) == start.count + 1
            here = [(one.position, one.link) for one in stands]
            if here != [(start.count, start.link)] and not was_let_go:
                raise Corrupt(f"position {start.count}: the link is not the one that was signed")
        while batch := await self._after(municipality_id, walk.head.count):
            await asyncio.to_thread(_take, batch, walk, None)
        # The first entry of all may be on disk before the file of heads knows the chain.
        return walk.finish() if known is not None else walk.head

    async def first_position(self, municipality_id: str) -> int:
        """Return where the chain begins: 1 as long as nothing was let go."""
        query = sa.select(sa.func.min(_ENTRY.position)).where(
            _ENTRY.municipality_id == municipality_id
        )
        async with self._database.reading() as connection:
            return int((await connection.execute(query)).scalar_one() or 1)

    async def trimmable(self, municipality_id: str, before: datetime) -> SignedHead | None:
        """Return the newest signed head that covers none but entries from before then.

        None when there is none, or nothing stands before it any more.
        """
        query = sa.select(sa.func.min(_ENTRY.position)).where(
            _ENTRY.municipality_id == municipality_id, _ENTRY.at >= before
        )
        async with self._database.reading() as connection:
            kept_from = (await connection.execute(query)).scalar_one()
        first = await self.first_position(municipality_id)
        fitting = [
            one
            for one in await self.signed.every(municipality_id)
            if one.head.count >= first and (kept_from is None or one.head.count < kept_from)
        ]
        return max(fitting, key=lambda one: one.head.count, default=None)

    async def trim(
        self,
        municipality_id: str,
        head: SignedHead,
        beside: Callable[[AsyncConnection], Awaitable[None]] | None = None,
    ) -> None:
        """Let go the entries that a signed head covers; an entry has told of it (`TRIM_TAG`).

        `beside` is done in the same transaction: both or neither.
        """
        gone = sa.delete(t.audit_entry).where(
            _ENTRY.municipality_id == municipality_id, _ENTRY.position <= head.head.count
        )
        async with self._database.writing() as connection:
            await shrink(connection, "audit_entry", gone)
            if beside is not None:
                await beside(connection)

    async def chains(self) -> list[str]:
        """Return the municipalities that have a chain or a head that says so. Raises `Corrupt`."""
        query = sa.select(_ENTRY.municipality_id).distinct()
        async with self._database.reading() as connection:
            stored = set((await connection.execute(query)).scalars())
        return sorted(stored | set(await asyncio.to_thread(self._heads.read)))

    async def export(self, municipality_id: str) -> AsyncIterator[str]:
        """Give the whole chain as lines (FORMAT.md section 6)."""
        known = (await asyncio.to_thread(self._heads.read)).get(municipality_id, Head())
        yield opening(municipality_id, known, await self.signed.every(municipality_id))
        position = 0
        while batch := await self._after(municipality_id, position):
            yield "".join(entry_line(stored) for stored in batch)
            position = batch[-1].position

    async def newest(self, before: datetime | None = None) -> datetime | None:
        """Return when the newest entry of all (before then) was written, None without one."""
        query = sa.select(sa.func.max(_ENTRY.at))
        if before is not None:
            query = query.where(_ENTRY.at < before)
        async with self._database.reading() as connection:
            found = (await connection.execute(query)).scalar_one()
        return found if isinstance(found, datetime) else None

    async def after(self, municipality_id: str, position: int, *, limit: int) -> list[Stored]:
        """Return at most `limit` entries after `position`, oldest first."""
        return await self._after(municipality_id, position, limit=limit)

    def when_committed(self, told: Callable[[], None]) -> None:
        """Let `told` be called after each commit of this process; it may not wait."""
        self._writer.when_committed(told)

    async def since(self, municipality_id: str, at: datetime, *, limit: int) -> list[Stored]:
        """Return the newest `limit` entries from `at` on, oldest first."""
        which = (_ENTRY.municipality_id == municipality_id, _ENTRY.at >= at)
        return (await self._newest_of(which, None, limit))[::-1]

    async def newest_of_subject(
        self, municipality_id: str, tag: str, subject: str
    ) -> Stored | None:
        """Return the newest entry of a tag that allowed something about `subject`."""
        text = sa.cast(_ENTRY.entry, sa.Text)
        which = (
            _ENTRY.municipality_id == municipality_id,
            _ENTRY.tag == tag,
            sa.func.json_extract(text, "$.subject") == subject,
            sa.func.json_extract(text, "$.allowed") == sa.true(),
        )
        found = await self._newest_of(which, None, 1)
        return found[0] if found else None

    async def between(
        self,
        municipality_id: str,
        since: datetime,
        until: datetime,
        *,
        before: int | None,
        limit: int,
    ) -> list[Stored]:
        """Return at most `limit` entries of a time, below position `before`, newest first."""
        mine = _ENTRY.municipality_id == municipality_id
        which = (mine, _ENTRY.at >= since, _ENTRY.at <= until)
        return await self._newest_of(which, before, limit)

    async def _newest_of(
        self, which: Sequence[sa.ColumnElement[bool]], before: int | None, limit: int
    ) -> list[Stored]:
        """Return at most `limit` entries, newest first, read so that the loop goes on between."""
        found: list[Stored] = []
        query = sa.select(t.audit_entry).where(*which).order_by(_ENTRY.position.desc())
        async with self._database.reading() as connection:
            while len(found) < limit:
                size = min(_SLICE, limit - len(found))
                below = query if before is None else query.where(_ENTRY.position < before)
                rows = (await connection.execute(below.limit(size))).all()
                found += [Stored(r.position, r.tag, r.at, r.entry, r.link) for r in rows]
                if len(rows) < size:
                    break
                before = found[-1].position
        return found

    async def _after(
        self, municipality_id: str, position: int, *, limit: int | None = None
    ) -> list[Stored]:
        query = (
            sa.select(t.audit_entry)
            .where(_ENTRY.municipality_id == municipality_id, _ENTRY.position > position)
            .order_by(_ENTRY.position)
            .limit(limit or _BATCH)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        return [Stored(row.position, row.tag, row.at, row.entry, row.link) for row in rows]


def _take(batch: Sequence[Stored], walk: Walk, signatures: Signatures | None) -> None:
    for stored in batch:
        walk.take(stored)
        if signatures is not None:
            signatures.take(walk.head)
