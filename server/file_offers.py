"""Asks the scanner about a file that has arrived, then the gate whether it may be offered."""

import logging
from collections.abc import Callable
from datetime import datetime

from files.entry import FileEntry
from files.inspect import Pieces
from files.scan import Scanner
from security.errors import NotFound, Unavailable
from security.gate import Gate
from security.policy.facts import Actor, Facts
from server.calls.call import Call
from server.calls.facts import call_facts
from server.db.calls import SqlCalls
from server.db.people import SqlPeople
from server.policies import ZONE, PolicyBook

log = logging.getLogger(__name__)
NOT_SCANNED = "not"


class FileOffers:
    """What `Uploads` asks before a file is shown to the other side."""

    def __init__(
        self,
        scanner: Scanner | None,
        gate: Gate,
        book: PolicyBook,
        calls: SqlCalls,
        people: SqlPeople,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._scanner = scanner
        self._gate = gate
        self._book = book
        self._calls = calls
        self._people = people
        self._clock = clock

    async def inspect(self, entry: FileEntry, pieces: Pieces) -> str | None:
        """Return `clean`, `not` (nobody could scan it), or None where the policy has none scanned.

        Raises `Denied` (`malware`, `not_scanned`), `NotFound` when the call is gone.
        """
        call = await self._calls.get(entry.municipality_id, entry.call_id)
        if call is None:
            raise NotFound("the call of the file is gone")
        wanted = self._book.of(entry.municipality_id).policy.files.scan != "off"
        scanned = await self._scan(entry, pieces) if wanted else None
        await self._gate.ask("file.offer", await self._facts(entry, call, scanned))
        return scanned or (NOT_SCANNED if wanted else None)

    async def is_training(self, municipality_id: str, call_id: str) -> bool:
        """Tell whether a call is 研修モード; one that is not there any more counts as such."""
        call = await self._calls.get(municipality_id, call_id)
        return call is None or call.training

    async def _scan(self, entry: FileEntry, pieces: Pieces) -> str | None:
        if self._scanner is None:
            return None
        try:
            return (await self._scanner.scan(pieces())).value
        except Unavailable as away:
            log.warning("file %s was not scanned: %s", entry.id, away.message)
            return None

    async def _facts(self, entry: FileEntry, call: Call, scanned: str | None) -> Facts:
        now, in_force = self._clock(), self._book.of(entry.municipality_id)
        return Facts(
            now=now,
            actor=await self._sender(entry, call),
            subject=entry.id,
            subject_municipality_id=entry.municipality_id,
            call=call_facts(call),
            policy=in_force.policy,
            policy_number=in_force.number,
            today=now.astimezone(ZONE).date(),
            training=call.training,
            scanned=scanned,
        )

    async def _sender(self, entry: FileEntry, call: Call) -> Actor:
        if entry.party == "counter":
            return Actor(
                page="counter",
                municipality_id=entry.municipality_id,
                tablet_id=call.tablet_id,
                tablet_live=True,
                office_id=call.office_id,
            )
        person = await self._people.person(entry.municipality_id, entry.person_id)
        return Actor(
            page="desk",
            municipality_id=entry.municipality_id,
            person_id=entry.person_id,
            role=person.role if person else None,
        )
