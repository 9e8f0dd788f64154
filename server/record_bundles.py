"""Gathers a bundle: the record, what it rests on, and the bytes of what was sent in the call."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chat.log import open_lines
from files.blobs import Blobs
from files.entry import FileEntry
from files.opened import OpenedFile
from files.sealing import place_of
from security.audit.signed import SignedHead
from security.deletions import Kind, Proof
from security.errors import Unavailable
from server.audit_signing import AuditSigning
from server.db.audit import SqlAudit
from server.db.calls import SqlCalls
from server.db.chat import SqlChat
from server.db.deletions import SqlDeletions
from server.db.files import SqlFiles
from server.db.records import SqlRecords
from server.record_keys import RecordKeys
from server.records.bundle import Contents, Segment, make
from server.records.compose import transcript_bytes
from server.records.record import Record, read_record


@dataclass(frozen=True, slots=True)
class Held:
    """What the policy asks about a bundle before it is given to somebody."""

    stills: bool
    taken: bool  # one of its files was had before


class RecordBundles:
    """Makes bundles of closed records."""

    def __init__(
        self,
        store: SqlRecords,
        keys: RecordKeys,
        calls: SqlCalls,
        chat: SqlChat,
        files: SqlFiles,
        blobs: Blobs,
        audit: SqlAudit,
        signing: AuditSigning,
        deletions: SqlDeletions,
    ) -> None:
        self._store = store
        self._keys = keys
        self._calls = calls
        self._chat = chat
        self._files = files
        self._blobs = blobs
        self._audit = audit
        self._signing = signing
        self._deletions = deletions

    async def make(self, home: str, record_id: str, now: datetime) -> tuple[Record, bytes]:
        """Return a record and its bundle. Raises `NotFound`, `Corrupt`, `Unavailable`.

        The audit log is signed up to now when no signed head covers the call yet.
        """
        kept = await self._store.get(home, record_id)
        record = read_record(kept.record.content)
        segment = await self._segment(record, now)
        contents = Contents(
            kept.record,
            await self._store.basis(home, record.procedure.template.sha256),
            await self._store.basis(home, record.policy.sha256),
            await self._transcript(record),
            segment,
            await self._evidence(record),
            kept.additions,
            await self._proofs(record),
        )
        key = await self._keys.signing_key(home)
        return record, await asyncio.to_thread(make, contents, key, now=now)

    async def held(self, home: str, record_id: str, taker: str) -> Held:
        """Return what a bundle holds for `taker`, a person or a token. Raises `NotFound`."""
        record = read_record((await self._store.get(home, record_id)).record.content)
        entries = await self._offered(record)
        stills = {one.id for one in record.evidence if one.kind == "still"}
        return Held(
            any(one.still or one.id in stills for one in entries),
            any(taker in x.taken_by for x in entries),
        )

    async def take(self, record: Record, taker: str, now: datetime) -> tuple[list[FileEntry], bool]:
        """Note that `taker` has the bundle's files; return those had for the first time.

        Also tells whether that is every one of them.
        """
        entries = await self._offered(record)
        new = [one for one in entries if await self._files.take(one, taker, now)]
        return new, len(new) == len(entries)

    async def give_back(self, entries: Sequence[FileEntry], taker: str) -> None:
        """Take that back: the bundle did not arrive."""
        for one in entries:
            await self._files.give_back(one, taker)

    async def _segment(self, record: Record, now: datetime) -> Segment | None:
        home, place = record.municipality.id, record.audit
        signed = await self._head_over(home, place.last.position)
        if signed is None:
            await self._signing.sign(home, now)
            signed = await self._head_over(home, place.last.position)
        if signed is None:
            raise Unavailable("the audit log could not be signed")
        found = await self._store.stretch(home, place.first.position, signed.head.count)
        return None if found is None else Segment(found[0], found[1], signed)

    async def _head_over(self, home: str, position: int) -> SignedHead | None:
        """Return the first signed head that covers a position."""
        heads = [x for x in await self._audit.signed.every(home) if x.head.count >= position]
        return min(heads, key=lambda one: one.head.count, default=None)

    async def _transcript(self, record: Record) -> bytes | None:
        home = record.municipality.id
        sealed = await self._chat.list_after(home, record.call, 0)
        if not sealed and record.chat.messages:
            return None
        key = await self._calls.data_key(home, record.call)
        return transcript_bytes(await asyncio.to_thread(open_lines, sealed, key))

    async def _evidence(self, record: Record) -> dict[str, bytes]:
        key = await self._calls.data_key(record.municipality.id, record.call)
        found: dict[str, bytes] = {}
        for entry in await self._offered(record):
            async with await OpenedFile.open(entry, self._blobs, key, place_of(entry)) as file:
                found[entry.id] = await file.read(0, file.length)
        return found

    async def _offered(self, record: Record) -> list[FileEntry]:
        """Return the files of a record whose bytes are still there."""
        wanted = {one.id for one in record.evidence if one.state == "offered"}
        stored = await self._files.list_of_call(record.municipality.id, record.call)
        return [one.entry for one in stored if one.entry.id in wanted]

    async def _proofs(self, record: Record) -> Sequence[Proof]:
        """Return the proofs about this call, and those of the log that reach its beginning."""
        found = []
        for one in await self._deletions.every(record.municipality.id):
            said = json.loads(one.proof.statement)
            of_log = one.kind is Kind.AUDIT and _covers(said["ids"], record.audit.first.position)
            if said["call"] == record.call or of_log:
                found.append(one.proof)
        return found


def _covers(ids: Sequence[str], position: int) -> bool:
    first, _, last = (ids[0] if ids else "").partition("-")
    return first.isdecimal() and last.isdecimal() and int(first) <= position <= int(last)
