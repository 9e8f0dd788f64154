"""Second factors and recoveries on disk. Secrets and names stand sealed with the house key."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from security.crypto.keys import DataKey
from security.errors import Conflict
from security.factors import Enrolled
from security.people import Factor
from security.recovery import Recovery
from server.db import schema as t
from server.db.engine import Database, one_row
from server.db.people import SqlPeople

_FACTOR = t.factor.c
_RECOVERY = t.factor_recovery.c


class SqlFactors:
    """Implements `FactorStore` of security/sessions.py."""

    def __init__(self, database: Database, people: SqlPeople) -> None:
        self._database = database
        self._people = people

    async def factors(self, municipality_id: str, person_id: str) -> list[Enrolled]:
        """Return the person's factors, the oldest first, with a TOTP that waits for its code."""
        rows = await self._rows(*_of(municipality_id, person_id))
        key = await self._people.house_key(municipality_id)
        return [_read(key, row) for row in rows]

    async def passkey(self, municipality_id: str, credential_id: bytes) -> Enrolled | None:
        """Return the passkey with this credential id."""
        which = (_FACTOR.municipality_id == municipality_id, _FACTOR.credential_id == credential_id)
        rows = await self._rows(*which)
        return _read(await self._people.house_key(municipality_id), rows[0]) if rows else None

    async def has_factor(self, municipality_id: str, person_id: str) -> bool:
        """Tell whether the person has a factor in use."""
        return bool(
            await self._rows(*_of(municipality_id, person_id), _FACTOR.added_at.is_not(None))
        )

    async def kinds(self, municipality_id: str) -> dict[str, set[Factor]]:
        """Return which kinds of factor each person of the municipality uses."""
        which = (_FACTOR.municipality_id == municipality_id, _FACTOR.added_at.is_not(None))
        found: dict[str, set[Factor]] = {}
        for row in await self._rows(*which):
            found.setdefault(row.person_id, set()).add(Factor(row.kind))
        return found

    async def add_factor(self, item: Enrolled) -> None:
        """Store a factor; a TOTP that waits replaces one that waited. Raises `Conflict`."""
        key = await self._people.house_key(item.municipality_id)
        waiting = (*_of(item.municipality_id, item.person_id), _FACTOR.added_at.is_(None))
        try:
            async with self._database.writing() as connection:
                if item.added_at is None:
                    await connection.execute(sa.delete(t.factor).where(*waiting))
                await connection.execute(sa.insert(t.factor).values(_values(key, item)))
        except IntegrityError as error:
            raise Conflict("this passkey is enrolled already") from error

    async def use_factor(self, item: Enrolled, counter: int, now: datetime) -> bool:
        """Note a use with its counter; of two with the same counter above 0 one gets true."""
        grows = _FACTOR.counter < counter
        if item.kind is Factor.PASSKEY and counter == 0:
            grows = _FACTOR.counter == 0  # an authenticator that does not count
        using = sa.update(t.factor).where(*_this(item), _FACTOR.added_at.is_not(None), grows)
        async with self._database.writing() as connection:
            return one_row(await connection.execute(using.values(counter=counter, used_at=now)))

    async def begin_totp(self, item: Enrolled, counter: int, now: datetime) -> bool:
        """Take a waiting TOTP into use, in place of the one before; false when it is gone."""
        before = (*_of(item.municipality_id, item.person_id), _FACTOR.kind == Factor.TOTP)
        taking = sa.update(t.factor).where(*_this(item), _FACTOR.added_at.is_(None))
        values = {"added_at": now, "used_at": now, "counter": counter}
        async with self._database.writing() as connection:
            if not one_row(await connection.execute(taking.values(values))):
                return False
            await connection.execute(sa.delete(t.factor).where(*before, _FACTOR.id != item.id))
        return True

    async def remove_factor(self, municipality_id: str, person_id: str, factor_id: str) -> bool:
        """Delete a factor; false when there is no such one."""
        removing = sa.delete(t.factor).where(*_of(municipality_id, person_id))
        async with self._database.writing() as connection:
            return one_row(await connection.execute(removing.where(_FACTOR.id == factor_id)))

    async def keep_only(self, municipality_id: str, person_id: str, factor_id: str) -> None:
        """Delete every other factor of the person, and the recovery."""
        others = (*_of(municipality_id, person_id), _FACTOR.id != factor_id)
        async with self._database.writing() as connection:
            await connection.execute(sa.delete(t.factor).where(*others))
            await connection.execute(_without(municipality_id, person_id))

    # Recoveries

    async def recovery(self, municipality_id: str, person_id: str) -> Recovery | None:
        """Return the person's recovery."""
        found = await self.recoveries(municipality_id)
        return next((one for one in found if one.person_id == person_id), None)

    async def recoveries(self, municipality_id: str) -> list[Recovery]:
        """Return all recoveries of the municipality."""
        query = sa.select(t.factor_recovery).where(_RECOVERY.municipality_id == municipality_id)
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        return [Recovery(**{c.name: getattr(row, c.name) for c in _RECOVERY}) for row in rows]

    async def put_recovery(self, before: Recovery | None, after: Recovery) -> None:
        """Store a recovery. Raises `Conflict` when it is no longer as it was `before`."""
        values = {c.name: getattr(after, c.name) for c in _RECOVERY}
        changing = sa.update(t.factor_recovery)
        if before is not None:
            changing = changing.where(*(c == getattr(before, c.name) for c in _RECOVERY))
        try:
            async with self._database.writing() as connection:
                if before is None:
                    await connection.execute(sa.insert(t.factor_recovery).values(values))
                elif not one_row(await connection.execute(changing.values(values))):
                    raise Conflict("somebody else was faster")
        except IntegrityError as error:
            raise Conflict("somebody else was faster") from error

    async def drop_recovery(self, municipality_id: str, person_id: str) -> None:
        """Forget a recovery."""
        async with self._database.writing() as connection:
            await connection.execute(_without(municipality_id, person_id))

    async def _rows(self, *which: sa.ColumnElement[bool]) -> list[Any]:
        query = sa.select(t.factor).where(*which).order_by(_FACTOR.added_at, _FACTOR.id)
        async with self._database.reading() as connection:
            return list((await connection.execute(query)).all())


def _of(municipality_id: str, person_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (_FACTOR.municipality_id == municipality_id, _FACTOR.person_id == person_id)


def _this(item: Enrolled) -> tuple[sa.ColumnElement[bool], ...]:
    return (*_of(item.municipality_id, item.person_id), _FACTOR.id == item.id)


def _without(municipality_id: str, person_id: str) -> sa.Delete:
    return sa.delete(t.factor_recovery).where(
        _RECOVERY.municipality_id == municipality_id, _RECOVERY.person_id == person_id
    )


def _ids(kind: str, item: Any) -> tuple[str, ...]:
    return (f"factor-{kind}", item.municipality_id, item.person_id, item.id)


def _values(key: DataKey, item: Enrolled) -> dict[str, Any]:
    plain = {c.name: getattr(item, c.name) for c in _FACTOR if hasattr(item, c.name)}
    sealed_name = key.seal(item.name.encode(), *_ids("name", item)) if item.name else None
    sealed_secret = key.seal(item.secret.encode(), *_ids("secret", item)) if item.secret else None
    return {**plain, "name_sealed": sealed_name, "secret_sealed": sealed_secret}


def _read(key: DataKey, row: Any) -> Enrolled:
    name = key.open(row.name_sealed, *_ids("name", row)).decode() if row.name_sealed else ""
    secret = key.open(row.secret_sealed, *_ids("secret", row)).decode() if row.secret_sealed else ""
    plain = {
        c.name: getattr(row, c.name)
        for c in _FACTOR
        if c.name not in ("name_sealed", "secret_sealed")
    }
    return Enrolled(**{**plain, "kind": Factor(row.kind), "name": name, "secret": secret})
