"""Versions of policies and appointments of officers, on disk."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from security.errors import Conflict
from security.officers import Appointment
from security.policy.versions import Version
from server.db import schema as t
from server.db.engine import Database, one_row

_VERSION, _APPOINTMENT = t.policy_version.c, t.officer_appointment.c


class SqlPolicies:
    """Every query is scoped by a municipality, but the one that fills the book at the start."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def every_approved(self) -> list[Version]:
        """Return all approved versions of all municipalities, by number."""
        return await self._versions(_VERSION.starts_at.is_not(None))

    async def versions(self, municipality_id: str) -> list[Version]:
        """Return all versions of a municipality, by number."""
        return await self._versions(_VERSION.municipality_id == municipality_id)

    async def version(self, municipality_id: str, number: int) -> Version | None:
        """Return one version."""
        found = await self._versions(
            _VERSION.municipality_id == municipality_id, _VERSION.number == number
        )
        return found[0] if found else None

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
        return await self._add(Version(municipality_id, 0, base, text, author_id, now, note))

    async def add_rescue(self, version: Version) -> Version:
        """Store a version that nobody approved under the next number (server/cli/rescue.py)."""
        return await self._add(version)

    async def _add(self, version: Version) -> Version:
        async with self._database.writing() as connection:
            query = sa.select(sa.func.max(_VERSION.number)).where(
                _VERSION.municipality_id == version.municipality_id
            )
            last = (await connection.execute(query)).scalar() or 0
            numbered = replace(version, number=last + 1)
            await connection.execute(sa.insert(t.policy_version).values(_values(numbered)))
        return numbered

    async def settle(self, before: Version, after: Version) -> None:
        """Store that a draft was approved or withdrawn, or an approved one withdrawn.

        Raises `Conflict` when it is no longer as it was `before`: somebody else was faster.
        """
        changing = (
            sa.update(t.policy_version)
            .where(*(c == getattr(before, c.name) for c in _VERSION))
            .values(_values(after))
        )
        async with self._database.writing() as connection:
            if not one_row(await connection.execute(changing)):
                raise Conflict("this version is no draft any more", code="not_a_draft")

    async def appointments(self, municipality_id: str) -> list[Appointment]:
        """Return who was proposed or appointed as officer."""
        query = sa.select(t.officer_appointment).where(
            _APPOINTMENT.municipality_id == municipality_id
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        return [Appointment(**{c.name: getattr(row, c.name) for c in _APPOINTMENT}) for row in rows]

    async def appointment(self, municipality_id: str, person_id: str) -> Appointment | None:
        """Return the appointment of a person."""
        every = await self.appointments(municipality_id)
        return next((one for one in every if one.person_id == person_id), None)

    async def put_appointment(self, item: Appointment) -> None:
        """Store an appointment, over an older one of the same person."""
        values = {c.name: getattr(item, c.name) for c in _APPOINTMENT}
        this = (
            _APPOINTMENT.municipality_id == item.municipality_id,
            _APPOINTMENT.person_id == item.person_id,
        )
        async with self._database.writing() as connection:
            await connection.execute(sa.delete(t.officer_appointment).where(*this))
            await connection.execute(sa.insert(t.officer_appointment).values(values))

    async def _versions(self, *which: sa.ColumnElement[bool]) -> list[Version]:
        query = sa.select(t.policy_version).where(*which).order_by(_VERSION.number)
        async with self._database.reading() as connection:
            return [_version(row) for row in await connection.execute(query)]


def _values(version: Version) -> dict[str, Any]:
    return {c.name: getattr(version, c.name) for c in _VERSION}


def _version(row: Any) -> Version:
    return Version(**{c.name: getattr(row, c.name) for c in _VERSION})
