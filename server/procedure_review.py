"""Changing a template: a draft, the approval by another administrator, in force, in words.

Who may take which step is asked of the gate before; every step stands in the audit log. A version
is for calls placed from its beginning on: a running call keeps its own.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from security.errors import NotFound, ProtocolError, Reason, TooMuch
from server.administration import Hand
from server.procedures.book import ProcedureBook, read_template
from server.procedures.catalog import shipped_text
from server.procedures.changes import Both, changes
from server.procedures.template import Template
from server.procedures.versions import MAX_BYTES, MAX_NOTE, TemplateVersion, approved, withdrawn
from server.settings_file import SettingsError

FILE = "procedure.toml"


class Versions(Protocol):
    """Where versions are kept."""

    async def versions(self, municipality_id: str | None = None) -> list[TemplateVersion]:
        """Return all versions of a municipality, or of every one."""

    async def version(self, municipality_id: str, number: int) -> TemplateVersion | None:
        """Return one version."""

    async def add_version(self, version: TemplateVersion) -> TemplateVersion:
        """Store a version under the next number and return it."""

    async def settle_version(self, before: TemplateVersion, after: TemplateVersion) -> None:
        """Store that a version was approved or withdrawn, if it is still as it was `before`."""


class ProcedureReview:
    """The way of a template from draft to in force. `clock` returns aware UTC."""

    def __init__(
        self, versions: Versions, book: ProcedureBook, *, clock: Callable[[], datetime]
    ) -> None:
        self._versions = versions
        self._book = book
        self._clock = clock
        self._settling = asyncio.Lock()

    async def draft(self, hand: Hand, text: str, note: str) -> TemplateVersion:
        """Store a draft. Raises `ProtocolError` `bad_template` with every mistake and its line."""
        template = await asyncio.to_thread(read_draft, text)
        if len(note) > MAX_NOTE:
            raise TooMuch(
                "the note is too long", limit=MAX_NOTE, unit="characters", code="too_long"
            )
        made = TemplateVersion(
            hand.municipality_id, 0, template.id, text, note, hand.person_id, self._clock()
        )
        version = await self._versions.add_version(made)
        await self._note(hand, version, "draft")
        return version

    async def approve(self, hand: Hand, number: int, starts_at: datetime | None) -> TemplateVersion:
        """Put a draft in force for calls placed from `starts_at` on, or from now."""
        async with self._settling:
            version = await self.version(hand.municipality_id, number)
            await asyncio.to_thread(read_draft, version.text)
            now = self._clock()
            after = approved(version, by=hand.person_id, starts_at=starts_at or now, now=now)
            await self._versions.settle_version(version, after)
            self._book.put(after)
        await self._note(hand, after, "approve")
        return after

    async def withdraw(self, hand: Hand, number: int) -> TemplateVersion:
        """Take back a draft, or what has not begun."""
        async with self._settling:
            version = await self.version(hand.municipality_id, number)
            after = withdrawn(version, by=hand.person_id, now=self._clock())
            await self._versions.settle_version(version, after)
            if after.starts_at is not None:
                self._book.put(after)
        await self._note(hand, after, "withdraw")
        return after

    async def version(self, municipality_id: str, number: int) -> TemplateVersion:
        """Return one version. Raises `NotFound`."""
        found = await self._versions.version(municipality_id, number)
        if found is None:
            raise NotFound("there is no such version")
        return found

    async def refresh(self) -> None:
        """Take up what a command has put in force or taken back beside the running service."""
        for version in self._book.missing(await self._versions.versions()):
            await asyncio.to_thread(self._book.put, version)

    def changes(self, version: TemplateVersion) -> list[Both]:
        """Return in words what a version changes against what is in force now."""
        now = self._book.template(version.municipality_id, version.procedure, self._clock())
        after = read_template(version.text.encode(), file=FILE)
        return changes(now, after) if now is not None else []

    def text(self, municipality_id: str, procedure: str) -> str:
        """Return the text in force now, the shipped one before the first version."""
        found = self._book.version(municipality_id, procedure, self._clock())
        return found.text if found else shipped_text(procedure)

    async def _note(self, hand: Hand, version: TemplateVersion, what: str) -> None:
        starts = version.starts_at
        detail = {"number": version.number, "procedure": version.procedure}
        begins = {"starts_at": int(starts.timestamp())} if starts and what == "approve" else {}
        await hand.note(f"procedure:version:{what}", str(version.number), {**detail, **begins})


def read_draft(text: str) -> Template:
    """Return the template of a draft. Raises `ProtocolError` `bad_template` with every mistake."""
    if len(text.encode()) > MAX_BYTES:
        raise ProtocolError("the template is too large", code="bad_template")
    try:
        return read_template(text.encode(), file=FILE)
    except SettingsError as error:
        reasons = tuple(
            Reason(
                "bad_template", f"{p.line}: {p.key}: found {p.found}, allowed {p.allowed}", p.key
            )
            for p in error.problems
        )
        what = "the template has mistakes"
        raise ProtocolError(what, code="bad_template", reasons=reasons) from error
