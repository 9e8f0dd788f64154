"""Makes the record of a call in the transaction that closes it, and what was owed at the start.

All that a record tells is read while the writer of the database is held, so nothing is said or
sent between the reading and the close.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from chat.log import open_lines
from security.audit.chain import time_text
from security.errors import Conflict, Corrupt, NotFound, Unavailable
from security.ids import new_id
from security.people import Person, Role
from security.policy.model import BASELINE_POLICY
from security.policy.versions import Version
from server.audit_signing import AuditSigning
from server.calls.call import Call
from server.calls.quality import Summaries
from server.db.calls import SqlCalls
from server.db.chat import SqlChat
from server.db.files import SqlFiles
from server.db.people import SqlPeople
from server.db.records import Kept, Made, SqlRecords
from server.hooks.fact import Fact
from server.policies import PolicyBook
from server.policy_text import policy_text
from server.procedures.book import ProcedureBook
from server.procedures.sheet import Sheet
from server.record_keys import RecordKeys
from server.records.bundle import Signed, sha256_hex
from server.records.compose import ZONE, Known, compose, template_bytes, transcript_bytes
from server.records.record import (
    ADDITION_LABEL,
    RECORD_LABEL,
    Addition,
    AuditPlace,
    Named,
    Position,
    Record,
    read_record,
    sign,
)
from server.records.verify import names_call

log = logging.getLogger(__name__)
CLOCK_SLACK = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the keeper reads. Steps and quality are asked by municipality and call."""

    people: SqlPeople
    calls: SqlCalls
    chat: SqlChat
    files: SqlFiles
    procedures: ProcedureBook
    policies: PolicyBook
    signing: AuditSigning
    quality: Callable[[str, str], Awaitable[Summaries]]
    steps: Callable[[str, str], Awaitable[Sheet | None]]


class RecordKeeper:
    """Makes records, and adds to them."""

    def __init__(self, store: SqlRecords, keys: RecordKeys, sources: Sources) -> None:
        self.store = store
        self.keys = keys
        self._from = sources
        self.owed: set[tuple[str, str]] = set()  # municipality and call, to be tried again
        self._baseline = policy_text(BASELINE_POLICY).encode()

    async def of_closing(self, call: Call) -> Made | None:
        """Return the record of a call that closes, to be written in the same transaction.

        A call that nobody answered has none. What cannot be made now is owed: a call that must
        end is never kept open by something that does not verify, nor by a fault of ours.
        Raises `Unavailable`: without the database the call does not close either.
        """
        if not _has_record(call):
            return None
        try:
            return await self._make(call, self._from.policies.version_in_force)
        except Unavailable:
            raise
        except Exception as error:
            self._owe(call.municipality_id, call.id, error)
            return None

    async def find_owed(self) -> int:
        """Look through the calls of the past for records that are owed, and make them."""
        self.owed |= set(await self.store.owed())
        return await self.make_owed()

    async def make_owed(self) -> int:
        """Make what is owed and can be made; return how many records that were.

        One that fails stays owed, is named in the log without a word of what it holds, and keeps
        no other from being made.
        """
        done = 0
        for home, call_id in sorted(self.owed):
            try:
                done += await self._make_up(home, call_id)
                self.owed.discard((home, call_id))
            except Exception as error:
                self._owe(home, call_id, error)
        return done

    async def _make_up(self, home: str, call_id: str) -> bool:
        call = await self._from.calls.get(home, call_id)
        if call is None or not _has_record(call) or await self.store.id_of_call(home, call_id):
            return False
        closed_at = call.closed_at or call.placed_at
        made = await self._make(call, lambda home: self._from.policies.version_at(home, closed_at))
        await self.store.make_one_up(made)
        return True

    def _owe(self, home: str, call_id: str, error: Exception) -> None:
        self.owed.add((home, call_id))
        log.error("call %s: its record is owed: %s", call_id, type(error).__name__)

    async def add(
        self, home: str, record_id: str, text: str, by: Person, now: datetime, *, after: int
    ) -> Kept:
        """Add a correction to a closed record and return it with that.

        `after`: how many additions whoever writes has seen. Raises `Conflict` when there are more.
        """
        kept = await self.store.get(home, record_id)
        if len(kept.additions) != after:
            raise Conflict("somebody else has added something meanwhile")
        previous = kept.additions[-1] if kept.additions else kept.record
        content = Addition(
            record=record_id,
            number=after + 1,
            previous=sha256_hex(previous.content),
            at=time_text(now),
            by=Named(id=by.id, name=by.name),
            text=text,
        ).to_bytes()
        signed = Signed(content, sign(await self.keys.signing_key(home), ADDITION_LABEL, content))
        fact = _added(read_record(kept.record.content), after + 1, signed, now)
        await self.store.add_addition(kept, home, after + 1, signed, by.id, fact)
        return await self.store.get(home, record_id)

    async def _make(self, call: Call, policy_of: Callable[[str], Version | None]) -> Made:
        home, known = call.municipality_id, self._from
        template = known.procedures.template_of(call)
        if template is None:
            raise NotFound("the procedure of the call is not known")
        key = await known.calls.data_key(home, call.id)
        sealed = await known.chat.list_after(home, call.id, 0)
        messages = await asyncio.to_thread(open_lines, sealed, key)
        in_force = policy_of(home)
        policy = in_force.text.encode() if in_force else self._baseline
        sheet = await known.steps(home, call.id) or Sheet(call.id, home, 0)
        persons = await self._persons(call, sheet)
        earlier = await self._earlier_number(home, sheet)
        record = compose(
            Known(
                record_id=new_id(),
                call=call,
                day=call.placed_at.astimezone(ZoneInfo(ZONE)).date(),
                names=await self._names(call, persons),
                seniors=[x.id for x in persons if x.role is Role.SENIOR and x.id != call.desk_id],
                template=template,
                template_version=known.procedures.version_of(call),
                sheet=sheet,
                files=[one.entry for one in await known.files.list_of_call(home, call.id)],
                transcript=transcript_bytes(messages),
                messages=len(messages),
                policy_text=policy,
                policy_version=in_force.number if in_force else 0,
                quality=await known.quality(home, call.id),
                audit=await self._audit_place(call),
                earlier_number=earlier,
            )
        )
        content = record.to_bytes()
        read_record(content)
        signed = Signed(content, sign(await self.keys.signing_key(home), RECORD_LABEL, content))
        return Made(record, signed, key, (template_bytes(template), policy), _fact(record, signed))

    async def _earlier_number(self, home: str, sheet: Sheet) -> str:
        """Return the number of the call that things were taken over of; empty once it is gone."""
        with contextlib.suppress(Corrupt, NotFound):
            found = await self._from.calls.get(home, sheet.earlier) if sheet.earlier else None
            return found.number if found is not None else ""
        return ""

    async def _audit_place(self, call: Call) -> AuditPlace:
        home = call.municipality_id
        since = call.placed_at - CLOCK_SLACK
        entries = await self.store.entries_of(home, call.id, since)
        # Of a record that was owed: what was noted of the call after its end is no part of it.
        end = call.closed_at or since
        about = [one for one in entries if names_call(one.entry, call.id)]
        mine = [one for one in about if one.at <= end] or about
        if not mine:
            raise NotFound("the audit log does not know this call")
        first, last = (
            Position(position=one.position, link=one.link.hex()) for one in (mine[0], mine[-1])
        )
        key = await self._from.signing.public_key(home)
        return AuditPlace(first=first, last=last, key=key.hex())

    async def _persons(self, call: Call, sheet: Sheet) -> list[Person]:
        joined = [guest.person_id for guest in call.guests if guest.joined_at is not None]
        senior = [x for one in sheet.approvals for x in (one.asked_by, one.answered_by)]
        chips = [one.person_id for one in sheet.chips]
        steps = [one.person_id for one in sheet.marks.values()]
        ends = [call.clerk_id, call.desk_id, *call.clerks_before, *call.desks_before]
        ids = dict.fromkeys([*ends, *joined, *senior, *chips, *steps])
        home = call.municipality_id
        found = [await self._from.people.person(home, each) for each in ids if each]
        return [one for one in found if one is not None]

    async def _names(self, call: Call, persons: Sequence[Person]) -> dict[str, str]:
        home, people = call.municipality_id, self._from.people
        parts = (
            await people.municipality(home),
            await people.office(home, call.office_id),
            await people.tablet(home, call.tablet_id),
        )
        return {one.id: one.name for one in (*parts, *persons) if one is not None}


def _added(record: Record, number: int, signed: Signed, at: datetime) -> Fact:
    """Return the fact that a record was added to: ids, numbers and the addition's hash."""
    data = {
        "record": record.id,
        "call": record.call,
        "number": record.number,
        "addition": number,
        "sha256": sha256_hex(signed.content),
        "training": record.training,
    }
    return Fact(record.municipality.id, "record.added", record.call, at, data, record.training)


def _has_record(call: Call) -> bool:
    return call.outcome is not None and call.desk_id is not None and call.closed_at is not None


def _fact(record: Record, signed: Signed) -> Fact:
    """Return the fact that a record was closed: ids, codes and its hash."""
    data = {
        "record": record.id,
        "call": record.call,
        "number": record.number,
        "outcome": record.outcome.value,
        "sha256": sha256_hex(signed.content),
        "training": record.training,
    }
    at = datetime.fromisoformat(record.times.closed)
    home = record.municipality.id
    return Fact(home, "record.closed", record.call, at, data, record.training)
