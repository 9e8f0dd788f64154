"""Municipalities, offices, people and tablets on disk. Names of persons stand sealed."""

import logging
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from security.crypto.keys import DataKey
from security.errors import Conflict, Corrupt, NotFound
from security.people import Municipality, Office, OfficeKind, Person, Role, Tablet, check_office
from server.db import schema as t
from server.db.engine import Database, one_row
from server.keys import KeyRing, open_name, seal_name

log = logging.getLogger(__name__)

Row = Any  # of SQLAlchemy, or a part of one
_ENTERED = ("designated_on", "resolved_on", "resolution_ref", "contract_ref")


class SqlPeople:
    """Who and what there is. Every query but the list of municipalities is scoped by one."""

    def __init__(self, database: Database, keys: KeyRing) -> None:
        self._database = database
        self._keys = keys

    # Municipalities

    async def add_municipality(self, item: Municipality) -> None:
        """Store a new municipality with a fresh house key; raises `Conflict` if it is there."""
        wrapped = self._keys.fresh_house(item.id)
        await self._insert(t.municipality, {**_plain(item, t.municipality), "key_wrapped": wrapped})

    async def set_municipality(self, item: Municipality) -> None:
        """Overwrite name, hours and telephone."""
        values = {"name": item.name, "hours": item.hours, "telephone": item.telephone}
        async with self._database.writing() as connection:
            await connection.execute(
                sa.update(t.municipality).where(t.municipality.c.id == item.id).values(values)
            )

    async def municipalities(self) -> list[Municipality]:
        """Return every municipality, by slug."""
        rows = await self._rows(sa.select(t.municipality).order_by(t.municipality.c.slug))
        return [read_municipality(row) for row in rows]

    async def municipality(self, municipality_id: str) -> Municipality | None:
        """Return one municipality."""
        rows = await self._rows(
            sa.select(t.municipality).where(t.municipality.c.id == municipality_id)
        )
        return read_municipality(rows[0]) if rows else None

    async def require_key(self) -> None:
        """Raise `Corrupt` when the key-encryption key opens no municipality's house key.

        It is another key then, and nothing at all could be read with it.
        """
        rows = await self._rows(sa.select(t.municipality.c.id, t.municipality.c.key_wrapped))
        first: Corrupt | None = None
        for row in rows:
            try:
                self._keys.house(row.id, row.key_wrapped)
            except Corrupt as error:
                log.error("municipality %s: its house key does not open", row.id)
                first = first or error
            else:
                return
        if first is not None:
            raise first

    async def house_key(self, municipality_id: str) -> DataKey:
        """Return a municipality's house key; raises `NotFound`, `Corrupt`."""
        this = t.municipality.c.id == municipality_id
        rows = await self._rows(sa.select(t.municipality.c.key_wrapped).where(this))
        if not rows:
            raise NotFound("there is no such municipality")
        return self._keys.house(municipality_id, rows[0].key_wrapped)

    # Offices

    async def add_office(self, item: Office) -> None:
        """Store a new office; raises `Conflict` for a 簡易郵便局 (Q&A 11) or a known name."""
        check_office(item.name, item.kind)
        await self._insert(t.office, _plain(item, t.office))

    async def offices(self, municipality_id: str) -> list[Office]:
        """Return the municipality's offices, by name."""
        rows = await self._rows(_of(t.office, municipality_id).order_by(t.office.c.name))
        return [read_office(row) for row in rows]

    async def office(self, municipality_id: str, office_id: str) -> Office | None:
        """Return one office of the municipality."""
        rows = await self._rows(_of(t.office, municipality_id, office_id))
        return read_office(rows[0]) if rows else None

    async def set_office(self, item: Office) -> None:
        """Overwrite what is entered of an office beside its name and kind."""
        values = {name: getattr(item, name) for name in _ENTERED}
        this = (t.office.c.municipality_id == item.municipality_id, t.office.c.id == item.id)
        async with self._database.writing() as connection:
            await connection.execute(sa.update(t.office).where(*this).values(values))

    # People

    async def add_person(self, item: Person) -> None:
        """Store a new person; raises `Conflict` when the sign-in name is taken."""
        house = await self.house_key(item.municipality_id)
        sealed = seal_name(house, item.municipality_id, item.id, item.name)
        await self._insert(t.person, {**_plain(item, t.person), "name_sealed": sealed})

    async def people(self, municipality_id: str) -> list[Person]:
        """Return the municipality's people, by sign-in name."""
        where = t.person.c.municipality_id == municipality_id
        rows = await self._rows(_PERSON.where(where).order_by(t.person.c.login))
        return [self.read_person(row) for row in rows]

    async def person(self, municipality_id: str, person_id: str) -> Person | None:
        """Return one person of the municipality."""
        return await self._person(municipality_id, t.person.c.id == person_id)

    async def person_by_login(self, municipality_id: str, login: str) -> Person | None:
        """Return the person with this sign-in name."""
        return await self._person(municipality_id, t.person.c.login == login)

    async def disable_person(self, municipality_id: str, person_id: str, now: datetime) -> bool:
        """Disable a person and end every session; false when there is no such person."""
        mine = (t.person.c.municipality_id == municipality_id, t.person.c.id == person_id)
        async with self._database.writing() as connection:
            found = one_row(
                await connection.execute(sa.update(t.person).where(*mine).values(disabled_at=now))
            )
            if found:
                await connection.execute(
                    end_sessions(now).where(t.session.c.person_id == person_id)
                )
        return found

    async def set_training(self, municipality_id: str, person_id: str, on: date | None) -> None:
        """Write down the day of a person's last training."""
        mine = (t.person.c.municipality_id == municipality_id, t.person.c.id == person_id)
        async with self._database.writing() as connection:
            await connection.execute(sa.update(t.person).where(*mine).values(trained_on=on))

    async def set_desk_open(self, municipality_id: str, person_id: str, *, open: bool) -> None:
        """Remember that the person takes calls (受付中), or does not (離席)."""
        mine = (t.person.c.municipality_id == municipality_id, t.person.c.id == person_id)
        async with self._database.writing() as connection:
            await connection.execute(sa.update(t.person).where(*mine).values(desk_open=open))

    async def desk_open(self, municipality_id: str, person_id: str) -> bool:
        """Tell whether the person's desk takes calls (受付中)."""
        mine = (t.person.c.municipality_id == municipality_id, t.person.c.id == person_id)
        rows = await self._rows(sa.select(t.person.c.desk_open).where(*mine))
        return bool(rows and rows[0].desk_open)

    async def open_desks(self) -> list[tuple[str, str]]:
        """Return municipality and person of every desk that was left 受付中."""
        query = sa.select(t.person.c.municipality_id, t.person.c.id).where(
            t.person.c.desk_open, t.person.c.disabled_at.is_(None)
        )
        return [(row.municipality_id, row.id) for row in await self._rows(query)]

    async def set_password(
        self,
        municipality_id: str,
        person_id: str,
        password_hash: str,
        *,
        end_sessions_at: datetime | None,
    ) -> None:
        """Store a hash; with a time, end every session of the person."""
        mine = (t.person.c.municipality_id == municipality_id, t.person.c.id == person_id)
        async with self._database.writing() as connection:
            await connection.execute(
                sa.update(t.person).where(*mine).values(password_hash=password_hash)
            )
            if end_sessions_at is not None:
                ending = end_sessions(end_sessions_at).where(t.session.c.person_id == person_id)
                await connection.execute(ending)

    async def end_entrances(self, municipality_id: str, person_id: str, now: datetime) -> None:
        """End every way in of a person: password, factors, recovery, unused links, sessions."""
        mine = (t.person.c.municipality_id == municipality_id, t.person.c.id == person_id)
        ways = (t.link, t.factor, t.factor_recovery)
        async with self._database.writing() as connection:
            await connection.execute(sa.update(t.person).where(*mine).values(password_hash=None))
            for way in ways:
                its = (way.c.municipality_id == municipality_id, way.c.person_id == person_id)
                await connection.execute(sa.delete(way).where(*its))
            await connection.execute(end_sessions(now).where(t.session.c.person_id == person_id))

    async def clerks(self, municipality_id: str, office_id: str) -> list[Person]:
        """Return the clerks of an office, by sign-in name."""
        where = (t.person.c.municipality_id == municipality_id, t.person.c.office_id == office_id)
        query = _PERSON.where(*where, t.person.c.role == Role.CLERK).order_by(t.person.c.login)
        return [self.read_person(row) for row in await self._rows(query)]

    async def set_pin(
        self,
        municipality_id: str,
        person_id: str,
        pin_hash: str,
        *,
        first_until: datetime | None,
        end_sessions_at: datetime,
    ) -> None:
        """Store the hash of a clerk's PIN and end the clerk's sessions.

        With `first_until` it is a first one.
        """
        mine = (t.person.c.municipality_id == municipality_id, t.person.c.id == person_id)
        values = {"pin_hash": pin_hash, "pin_first_until": first_until}
        async with self._database.writing() as connection:
            await connection.execute(sa.update(t.person).where(*mine).values(values))
            ending = end_sessions(end_sessions_at).where(t.session.c.person_id == person_id)
            await connection.execute(ending)

    # Tablets

    async def add_tablet(self, item: Tablet) -> None:
        """Store a new tablet."""
        await self._insert(t.tablet, _plain(item, t.tablet))

    async def tablets(self, municipality_id: str) -> list[Tablet]:
        """Return the municipality's tablets, by office and name."""
        order = (t.tablet.c.office_id, t.tablet.c.name)
        rows = await self._rows(_of(t.tablet, municipality_id).order_by(*order))
        return [read_tablet(row) for row in rows]

    async def tablet(self, municipality_id: str, tablet_id: str) -> Tablet | None:
        """Return one tablet of the municipality."""
        rows = await self._rows(_of(t.tablet, municipality_id, tablet_id))
        return read_tablet(rows[0]) if rows else None

    async def enrol_tablet(
        self, municipality_id: str, tablet_id: str, public_key: bytes, now: datetime
    ) -> None:
        """Mark a tablet as enrolled by this key (SPKI) and end every earlier session on it."""
        values = {"enrolled_at": now, "revoked_at": None, "public_key": public_key}
        async with self._database.writing() as connection:
            await connection.execute(
                sa.update(t.tablet).where(*_this_tablet(municipality_id, tablet_id)).values(values)
            )
            await connection.execute(end_sessions(now).where(t.session.c.tablet_id == tablet_id))

    async def set_tablet_real(self, municipality_id: str, tablet_id: str, *, real: bool) -> None:
        """Switch a tablet to 本番 or 研修モード."""
        this = sa.update(t.tablet).where(*_this_tablet(municipality_id, tablet_id))
        async with self._database.writing() as connection:
            await connection.execute(this.values(real=real))

    async def revoke_tablet(self, municipality_id: str, tablet_id: str, now: datetime) -> bool:
        """Revoke a tablet, its sessions and unused codes; false when there is no such tablet."""
        this = sa.update(t.tablet).where(*_this_tablet(municipality_id, tablet_id))
        unused = (t.link.c.tablet_id == tablet_id, t.link.c.used_at.is_(None))
        async with self._database.writing() as connection:
            if not one_row(await connection.execute(this.values(revoked_at=now))):
                return False
            await connection.execute(end_sessions(now).where(t.session.c.tablet_id == tablet_id))
            await connection.execute(sa.delete(t.link).where(*unused))
        return True

    # Within

    def read_person(self, row: Row) -> Person:
        """Return the person of a row selected with `columns()` of person and municipality."""
        house = self._keys.house(row.municipality_id, row.municipality_key_wrapped)
        return Person(
            id=row.person_id,
            municipality_id=row.municipality_id,
            login=row.person_login,
            name=open_name(house, row.municipality_id, row.person_id, row.person_name_sealed),
            role=Role(row.person_role),
            office_id=row.person_office_id,
            password_hash=row.person_password_hash,
            disabled_at=row.person_disabled_at,
            trained_on=row.person_trained_on,
            pin_hash=row.person_pin_hash,
            pin_first_until=row.person_pin_first_until,
        )

    async def _person(self, municipality_id: str, which: sa.ColumnElement[bool]) -> Person | None:
        where = t.person.c.municipality_id == municipality_id
        rows = await self._rows(_PERSON.where(where, which))
        return self.read_person(rows[0]) if rows else None

    async def _rows(self, query: sa.Select[Any]) -> list[Row]:
        async with self._database.reading() as connection:
            return list((await connection.execute(query)).all())

    async def _insert(self, table: sa.Table, values: dict[str, Any]) -> None:
        try:
            async with self._database.writing() as connection:
                await connection.execute(sa.insert(table).values(values))
        except IntegrityError as error:
            raise Conflict(f"there is already such a {table.name}") from error


def columns(*tables: sa.Table) -> list[sa.Label[Any]]:
    """Return the columns of `tables` as `table_column`, for queries over several."""
    return [column.label(f"{table.name}_{column.name}") for table in tables for column in table.c]


def part(row: Row, table: sa.Table) -> Any:
    """Return one table's share of a row selected with `columns()`."""
    return SimpleNamespace(
        **{column.name: getattr(row, f"{table.name}_{column.name}") for column in table.c}
    )


_PERSON = sa.select(*columns(t.person, t.municipality)).join(
    t.municipality, t.municipality.c.id == t.person.c.municipality_id
)


def end_sessions(now: datetime) -> sa.Update:
    """Return the statement that ends sessions; the caller says which."""
    return sa.update(t.session).where(t.session.c.revoked_at.is_(None)).values(revoked_at=now)


def read_municipality(row: Row) -> Municipality:
    """Return the municipality of a row."""
    return Municipality(row.id, row.slug, row.name, row.hours, row.telephone)


def read_office(row: Row) -> Office:
    """Return the office of a row."""
    values = {column.name: getattr(row, column.name) for column in t.office.c}
    return Office(**{**values, "kind": OfficeKind(row.kind)})


def read_tablet(row: Row) -> Tablet:
    """Return the tablet of a row."""
    return Tablet(**{column.name: getattr(row, column.name) for column in t.tablet.c})


def _this_tablet(municipality_id: str, tablet_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (t.tablet.c.municipality_id == municipality_id, t.tablet.c.id == tablet_id)


def _plain(item: object, table: sa.Table) -> dict[str, Any]:
    return {c.name: getattr(item, c.name) for c in table.c if hasattr(item, c.name)}


def _of(table: sa.Table, municipality_id: str, row_id: str | None = None) -> sa.Select[Any]:
    query = sa.select(table).where(table.c.municipality_id == municipality_id)
    return query if row_id is None else query.where(table.c.id == row_id)
