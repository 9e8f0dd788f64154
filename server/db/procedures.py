"""Openings of procedures and municipalities' own templates, on disk."""

from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from security.errors import Conflict
from server.db import schema as t
from server.db.engine import Database, one_row
from server.procedures.opening import Opening
from server.procedures.versions import TemplateVersion

_OPENING, _VERSION = t.procedure_opening.c, t.procedure_version.c


class SqlProcedures:
    """Every query is scoped by a municipality, but the one that fills the book."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # Openings

    async def add_opening(self, item: Opening) -> None:
        """Store a new entry."""
        async with self._database.writing() as connection:
            await connection.execute(sa.insert(t.procedure_opening).values(_plain(item, _OPENING)))

    async def openings(self, municipality_id: str, office_id: str | None = None) -> list[Opening]:
        """Return the entries of a municipality, or of one office of it, in order of their days."""
        where = [_OPENING.municipality_id == municipality_id]
        if office_id is not None:
            where.append(_OPENING.office_id == office_id)
        order = (_OPENING.from_on, _OPENING.set_at, _OPENING.id)
        query = sa.select(t.procedure_opening).where(*where).order_by(*order)
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        return [Opening(**{c.name: getattr(row, c.name) for c in _OPENING}) for row in rows]

    async def withdraw_opening(self, item: Opening) -> None:
        """Store that an entry was taken back. Raises `Conflict` if it was already."""
        values = {"withdrawn_by": item.withdrawn_by, "withdrawn_at": item.withdrawn_at}
        changing = (
            sa.update(t.procedure_opening)
            .where(_OPENING.id == item.id, _OPENING.municipality_id == item.municipality_id)
            .where(_OPENING.withdrawn_at.is_(None))
            .values(values)
        )
        async with self._database.writing() as connection:
            if not one_row(await connection.execute(changing)):
                raise Conflict("this entry was taken back already", code="has_begun")

    # Templates

    async def versions(self, municipality_id: str | None = None) -> list[TemplateVersion]:
        """Return all versions of a municipality, or of every one, by number."""
        query = sa.select(t.procedure_version).order_by(_VERSION.municipality_id, _VERSION.number)
        if municipality_id is not None:
            query = query.where(_VERSION.municipality_id == municipality_id)
        async with self._database.reading() as connection:
            return [_version(row) for row in await connection.execute(query)]

    async def version(self, municipality_id: str, number: int) -> TemplateVersion | None:
        """Return one version."""
        this = (_VERSION.municipality_id == municipality_id, _VERSION.number == number)
        query = sa.select(t.procedure_version).where(*this)
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).first()
        return _version(row) if row else None

    async def add_version(self, version: TemplateVersion) -> TemplateVersion:
        """Store a version under the next number and return it."""
        async with self._database.writing() as connection:
            mine = _VERSION.municipality_id == version.municipality_id
            query = sa.select(sa.func.max(_VERSION.number)).where(mine)
            last = (await connection.execute(query)).scalar() or 0
            numbered = replace(version, number=last + 1)
            values = _plain(numbered, _VERSION)
            await connection.execute(sa.insert(t.procedure_version).values(values))
        return numbered

    async def settle_version(self, before: TemplateVersion, after: TemplateVersion) -> None:
        """Store that a version was approved or withdrawn.

        Raises `Conflict` when it is no longer as it was `before`: somebody else was faster.
        """
        changing = (
            sa.update(t.procedure_version)
            .where(*(c == getattr(before, c.name) for c in _VERSION))
            .values(_plain(after, _VERSION))
        )
        async with self._database.writing() as connection:
            if not one_row(await connection.execute(changing)):
                raise Conflict("this version is no draft any more", code="not_a_draft")


def _plain(item: object, columns: Any) -> dict[str, Any]:
    return {c.name: getattr(item, c.name) for c in columns}


def _version(row: Any) -> TemplateVersion:
    return TemplateVersion(**{c.name: getattr(row, c.name) for c in _VERSION})
