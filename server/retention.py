"""Deletes what the policy says is due, and leaves a signed proof of each deletion.

In this order: the bytes of files are made unreadable and removed; rows go and the proof comes in
one transaction; the audit log is told. A run that is killed anywhere is finished by the next one:
what is due is asked of the rows, and which proofs the log knows stands beside them.
"""

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Protocol

from security.audit.signed import SignedHead
from security.deletions import Deletion, Kind, Proof
from security.errors import MadoguchiError
from security.ids import new_id
from server.audit_signing import AuditSigning
from server.db.audit import SqlAudit
from server.db.audit_export import SqlExported
from server.db.deletions import Due, SqlDeletions
from server.policies import ZONE, InForce, PolicyBook

log = logging.getLogger(__name__)


class Shredder(Protocol):
    """What is asked of the blobs."""

    async def shred_file(self, municipality_id: str, call_id: str, file_id: str) -> None:
        """Make every byte of a file unreadable and remove it; harmless when it is gone."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One deletion that is due, and the setting that asks for it."""

    due: Due
    because: str


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is due in a municipality. `audit`: the log goes up to this signed head."""

    deletions: tuple[Planned, ...]
    audit: SignedHead | None


class Retention:
    """Knows what is due in a municipality, and does it."""

    def __init__(
        self,
        store: SqlDeletions,
        shredder: Shredder,
        signing: AuditSigning,
        audit: SqlAudit,
        book: PolicyBook,
        exported: SqlExported,
    ) -> None:
        self._store = store
        self._shredder = shredder
        self._signing = signing
        self._audit = audit
        self._book = book
        self._exported = exported
        self.failed = 0  # deletions that did not succeed since the start

    async def plan(self, municipality_id: str, now: datetime) -> Plan:
        """Return what a run would delete now; nothing for what the policy leaves unset."""
        policy = self._book.of(municipality_id).policy
        kept = policy.retention
        over = await self._store.due_training(municipality_id, day_began(now))
        found = [Planned(due, "retention.training") for due in over]
        chat_days = kept.chat_days
        if policy.chat.keep == "drop":
            chat_days = None
            found += await self._due(Kind.CHAT, municipality_id, now, "chat.keep")
        periods = (
            (Kind.CHAT, chat_days, "retention.chat_days"),
            (Kind.FILES, kept.files_days, "retention.files_days"),
            (Kind.STILLS, kept.stills_days, "retention.stills_days"),
            (Kind.RECORD, kept.records_days, "retention.records_days"),
        )
        for kind, days, because in periods:
            if days is not None:
                before = now - timedelta(days=days)
                found += await self._due(kind, municipality_id, before, because)
        head = None
        if kept.audit_days is not None:
            before = now - timedelta(days=kept.audit_days)
            head = await self._audit.trimmable(municipality_id, before)
            if policy.audit.export == "syslog" and head is not None:
                # What its receiver has not got yet is not let go.
                sent = await self._exported.position(municipality_id)
                head = head if head.head.count <= sent else None
        return Plan(tuple(found), head)

    async def _due(
        self, kind: Kind, municipality_id: str, before: datetime, because: str
    ) -> list[Planned]:
        return [Planned(x, because) for x in await self._store.due(kind, municipality_id, before)]

    async def run(self, municipality_id: str, now: datetime) -> int:
        """Delete what is due and return how many proofs that made.

        One that fails stops no other; the first failure is raised when the rest is done.
        """
        plan, in_force = await self.plan(municipality_id, now), self._book.of(municipality_id)
        failures = await self._delete_each(municipality_id, plan.deletions, in_force, now)
        if plan.audit is not None:
            await self._trim(municipality_id, plan.audit, in_force, now)
        await self._tell_the_log(municipality_id, now)
        made = len(plan.deletions) - len(failures) + (plan.audit is not None)
        if made:
            await self._store.wipe()
            log.info("municipality %s: %d deletions", municipality_id, made)
        if failures:
            raise failures[0]
        return made

    async def drop_chats(self, municipality_id: str, now: datetime) -> None:
        """Do at once what does not wait for a day: `chat.keep` says that chats go with the call."""
        in_force = self._book.of(municipality_id)
        if in_force.policy.chat.keep != "drop":
            return
        due = await self._due(Kind.CHAT, municipality_id, now, "chat.keep")
        failures = await self._delete_each(municipality_id, due, in_force, now)
        if due:
            await self._tell_the_log(municipality_id, now)
            await self._store.wipe()
        if failures:
            raise failures[0]

    async def _delete_each(
        self, municipality_id: str, every: Iterable[Planned], in_force: InForce, now: datetime
    ) -> list[Exception]:
        """Delete each and return the failures; what failed stays due."""
        failures: list[Exception] = []
        for planned in every:
            try:
                await self._delete(municipality_id, planned, in_force, now)
            except (MadoguchiError, OSError) as error:
                self.failed += 1
                failures.append(error)
                what, call = planned.due.kind.value, planned.due.call_id
                log.error("%s of call %s stay: %s", what, call, type(error).__name__)
        return failures

    async def _delete(
        self, municipality_id: str, planned: Planned, in_force: InForce, now: datetime
    ) -> None:
        due = planned.due
        if due.kind in (Kind.FILES, Kind.STILLS, Kind.TRAINING):
            for file_id in due.ids:
                if file_id == due.call_id:
                    continue
                await self._shredder.shred_file(municipality_id, due.call_id, file_id)
        deletion = Deletion(
            new_id(), municipality_id, due.kind, due.call_id, due.ids, len(due.ids), now,
            planned.because, in_force.number,
        )  # fmt: skip
        await self._store.delete(deletion, await self._signing.prove(deletion))

    async def _trim(
        self, municipality_id: str, head: SignedHead, in_force: InForce, now: datetime
    ) -> None:
        """Note where the log will begin, then let go what stands before."""
        first = await self._audit.first_position(municipality_id)
        count = head.head.count
        detail = {"count": count, "link": head.head.link.hex(), "policy": in_force.number}
        await self._audit.note(
            municipality_id, "retention:audit:trim", municipality_id, detail, now=now
        )
        deletion = Deletion(
            new_id(), municipality_id, Kind.AUDIT, None, (f"{first}-{count}",), count - first + 1,
            now, "retention.audit_days", in_force.number,
        )  # fmt: skip
        kept = self._store.keeping(deletion, await self._signing.prove(deletion))
        await self._audit.trim(municipality_id, head, kept)

    async def _tell_the_log(self, municipality_id: str, now: datetime) -> None:
        for kept in await self._store.not_noted(municipality_id):
            said = json.loads(kept.proof.statement)
            detail = {name: said[name] for name in ("kind", "count", "because", "policy")}
            subject = said["call"] or municipality_id
            await self._audit.note(
                municipality_id,
                f"retention:{kept.kind}:delete",
                subject,
                {**detail, "proof": kept.id},
                now=now,
            )
            await self._store.noted(kept, now)


def day_began(now: datetime) -> datetime:
    """Return when the day at the municipality began. Calls of 研修モード closed before are due."""
    today = now.astimezone(ZONE).date()
    return datetime.combine(today, time(), ZONE).astimezone(UTC)


def readable(proof: Proof) -> dict[str, object]:
    """Return what a proof says, once its signature has been verified. Raises `Corrupt`."""
    proof.check()
    said: dict[str, object] = json.loads(proof.statement)
    return said
