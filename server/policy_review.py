"""Changing a policy: drafts, what they would have changed, approval, withdrawal.

Every step asks for its permit first and stands in the audit log; who may take which step is said
by the rules (security/policy/baseline.py) and by security/policy/versions.py.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from security.audit.chain import Json, Stored
from security.errors import Corrupt, NotFound, ProtocolError, Reason, TooMuch
from security.gate import Permit
from security.policy.baseline import BASELINE
from security.policy.decide import decide
from security.policy.facts import Facts
from security.policy.model import Policy
from security.policy.rehearse import Asked, Changed, Kept, count, rehearse
from security.policy.replay import facts_of
from security.policy.versions import MAX_BYTES, Version, approve, withdraw
from server.policies import PolicyBook, read_policy
from server.settings_file import SettingsError

MAX_NOTE = 1000
MAX_REHEARSED = 20_000
GATE = "gate:"


# Asked of a policy before it is stored or takes force, with whom it concerns: it raises to refuse.
LetIn = Callable[[Policy, tuple[str, ...]], Awaitable[None]]


class Versions(Protocol):
    """Where versions are kept."""

    async def version(self, municipality_id: str, number: int) -> Version | None:
        """Return one version."""

    async def add(
        self,
        municipality_id: str,
        *,
        base: int,
        text: str,
        note: str,
        author_id: str,
        now: datetime,
    ) -> Version:
        """Store a draft under the next number."""

    async def settle(self, before: Version, after: Version) -> None:
        """Store that a version was approved or withdrawn, if it is still as it was `before`."""


class Log(Protocol):
    """Where the past stands."""

    async def since(self, municipality_id: str, at: datetime, *, limit: int) -> list[Stored]:
        """Return the newest entries from `at` on, oldest first."""

    async def note(
        self, municipality_id: str, tag: str, subject: str, detail: Json, *, now: datetime
    ) -> None:
        """Append an event."""


class Tallies(Protocol):
    """Where questions to the gate are counted."""

    async def since(self, municipality_id: str, at: datetime) -> Mapping[tuple[str, str], int]:
        """Return counts by action and code from the beginning of that hour on."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a draft would have changed: `asked` decisions of the past were made anew.

    `cut_at`: there were more than are looked at; the oldest of these is from then.
    """

    asked: int
    changed: tuple[Changed, ...]
    from_position: int
    cut_at: datetime | None


class PolicyReview:
    """The way of a policy from draft to in force. `clock` returns aware UTC."""

    def __init__(
        self,
        versions: Versions,
        book: PolicyBook,
        log: Log,
        tallies: Tallies,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._versions = versions
        self._book = book
        self._log = log
        self._tallies = tallies
        self._clock = clock
        self._settling = asyncio.Lock()  # whether a version may start rests on all the others

    async def draft(
        self, permit: Permit, text: str, note: str, author_id: str, let_in: LetIn
    ) -> Version:
        """Store a draft; `permit` is for `policy.draft` on the municipality.

        Raises `ProtocolError` `bad_policy` with every mistake, each a line of the text.
        """
        permit.require("policy.draft", permit.municipality_id)
        policy = await asyncio.to_thread(read_draft, text)
        await let_in(policy, (author_id,))
        if len(note) > MAX_NOTE:
            raise TooMuch(
                "the note is too long", limit=MAX_NOTE, unit="characters", code="too_long"
            )
        home = permit.municipality_id
        base = self._book.of(home).number
        version = await self._versions.add(
            home, base=base, text=text, note=note, author_id=author_id, now=self._clock()
        )
        await self._note(version, "draft", {"base": base})
        return version

    async def approve(
        self,
        permit: Permit,
        number: int,
        officer: str,
        starts_at: datetime | None,
        let_in: LetIn,
    ) -> Version:
        """Let a draft take force at `starts_at`, or at once; `permit` is for `policy.approve`."""
        permit.require("policy.approve", permit.municipality_id)
        async with self._settling:
            version = await self.version(permit.municipality_id, number)
            policy = await asyncio.to_thread(read_draft, version.text)
            now = self._clock()
            approved = approve(
                version,
                policy,
                self._book.approved(version.municipality_id),
                officer=officer,
                starts_at=starts_at or now,
                now=now,
            )
            await let_in(policy, (officer, version.author_id))
            said = {"starts_at": int((starts_at or now).timestamp())}
            await self._settle(version, approved, "approve", said)
            self._book.put(approved)
        return approved

    async def withdraw(self, permit: Permit, number: int, officer: str) -> Version:
        """Take a draft back, or what has not started yet; `permit` is for `policy.withdraw`."""
        permit.require("policy.withdraw", permit.municipality_id)
        async with self._settling:
            version = await self.version(permit.municipality_id, number)
            withdrawn = withdraw(version, officer=officer, now=self._clock())
            await self._settle(version, withdrawn, "withdraw", {})
            if version.starts_at is not None:
                self._book.put(withdrawn)
        return withdrawn

    async def _settle(self, before: Version, after: Version, what: str, detail: Json) -> None:
        """Store what was settled. It is noted first: nothing takes force that no entry names."""
        await self._note(after, what, detail)
        try:
            await self._versions.settle(before, after)
        except BaseException:
            await self._note(after, f"{what}:undone", {})
            raise

    async def version(self, municipality_id: str, number: int) -> Version:
        """Return one version. Raises `NotFound`."""
        found = await self._versions.version(municipality_id, number)
        if found is None:
            raise NotFound("there is no such version")
        return found

    async def rehearse(self, municipality_id: str, policy: Policy, *, days: int) -> Rehearsal:
        """Make the decisions of the last `days` anew under `policy`."""
        since = self._clock() - timedelta(days=days)
        stored = await self._log.since(municipality_id, since, limit=MAX_REHEARSED)
        before = self._book.of(municipality_id).policy

        def work() -> Rehearsal:
            kept = list(decisions_of(municipality_id, stored, before))
            changed = rehearse(BASELINE, kept, policy)
            cut_at = stored[0].at if len(stored) == MAX_REHEARSED else None
            first = stored[0].position if stored else 0
            return Rehearsal(len(kept), tuple(changed), first, cut_at)

        return await asyncio.to_thread(work)

    async def counts(self, municipality_id: str, *, days: int) -> dict[str, Asked]:
        """Return how often each setting was asked and refused in the last `days`, by the hour."""
        since = self._clock() - timedelta(days=days)
        return count(BASELINE, await self._tallies.since(municipality_id, since)).by_setting

    async def _note(self, version: Version, what: str, detail: Json) -> None:
        tag = f"policy:version:{what}"
        said = {**detail, "number": version.number}
        home = version.municipality_id
        await self._log.note(home, tag, str(version.number), said, now=self._clock())


def would_end(policy: Policy, running: Iterable[tuple[str, Facts]]) -> frozenset[str]:
    """Return the ids of the running calls that `policy` would not let go on.

    `running`: what is asked anew when a policy takes force, each with the facts of who is asked.
    A guest who may not stay leaves, and the call goes on without.
    """
    ended = set()
    for action, facts in running:
        call = facts.call
        if call is None or facts.actor.person_id in call.guests:
            continue
        if not decide(BASELINE, action, replace(facts, policy=policy)).allowed:
            ended.add(call.id)
    return frozenset(ended)


def read_draft(text: str) -> Policy:
    """Return the policy of a draft. Raises `ProtocolError` `bad_policy` with every mistake."""
    if len(text.encode()) > MAX_BYTES:
        raise ProtocolError("the policy is too large", code="bad_policy")
    try:
        return read_policy(text)
    except SettingsError as error:
        reasons = tuple(
            Reason("bad_policy", f"{p.line}: {p.key}: found {p.found}, allowed {p.allowed}", p.key)
            for p in error.problems
        )
        raise ProtocolError(
            "the policy has mistakes", code="bad_policy", reasons=reasons
        ) from error


def decisions_of(home: str, stored: Iterable[Stored], policy: Policy) -> Iterable[Kept]:
    """Yield the gate's decisions among entries; what an older version wrote is left out."""
    for one in stored:
        entry = _gate_entry(one)
        if entry is None or "facts" not in entry:
            continue
        action = one.tag.removeprefix(GATE).replace(":", ".")
        if action == "step.take_over" and entry["allowed"] and "takes_up" not in entry["facts"]:
            continue  # of an older version, which did not keep what it was allowed for
        facts = facts_of(
            entry["facts"], policy, home=home, subject=str(entry["subject"]), now=one.at
        )
        yield Kept(one.position, action, bool(entry["allowed"]), facts)


def _gate_entry(stored: Stored) -> Json | None:
    if not stored.tag.startswith(GATE):
        return None
    try:
        entry = json.loads(stored.entry)
    except ValueError as error:
        raise Corrupt(f"position {stored.position}: the entry is not JSON") from error
    return entry if isinstance(entry, dict) else None
