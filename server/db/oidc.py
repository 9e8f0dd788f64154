"""Which account here belongs to whom in a municipality's own directory."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from security.errors import Conflict
from security.people import Person, Role
from server.db import schema as t
from server.db.engine import Database
from server.db.people import SqlPeople
from server.keys import seal_name

_LINK = t.oidc_link.c


class SqlOidcLinks:
    """Links from a directory's subject, by its hash, to a person of the same municipality."""

    def __init__(self, database: Database, people: SqlPeople) -> None:
        self._database = database
        self._people = people

    async def find(self, municipality_id: str, subject_hash: str) -> str | None:
        """Return the person's id."""
        query = sa.select(_LINK.person_id).where(
            _LINK.municipality_id == municipality_id, _LINK.subject_hash == subject_hash
        )
        async with self._database.reading() as connection:
            return (await connection.execute(query)).scalar_one_or_none()

    async def has_link(self, municipality_id: str, person_id: str) -> bool:
        """Tell whether a person has an account in a directory."""
        mine = (_LINK.municipality_id == municipality_id, _LINK.person_id == person_id)
        async with self._database.reading() as connection:
            found = await connection.execute(sa.select(_LINK.person_id).where(*mine).limit(1))
            return found.first() is not None

    async def add(self, person: Person, subject_hash: str, now: datetime) -> None:
        """Store a new person with the link, both or neither. Raises `Conflict`."""
        home = person.municipality_id
        sealed = seal_name(await self._people.house_key(home), home, person.id, person.name)
        values = {
            "id": person.id,
            "municipality_id": home,
            "login": person.login,
            "name_sealed": sealed,
            "role": person.role,
        }
        try:
            async with self._database.writing() as connection:
                await connection.execute(sa.insert(t.person).values(values))
                await connection.execute(_linking(home, subject_hash, person.id, now))
        except IntegrityError as error:
            raise Conflict("there is already such a person") from error

    async def link(
        self, municipality_id: str, person_id: str, subject_hash: str, now: datetime
    ) -> None:
        """Link a person who is there already, in place of any former link of that person."""
        mine = (_LINK.municipality_id == municipality_id, _LINK.person_id == person_id)
        try:
            async with self._database.writing() as connection:
                await connection.execute(sa.delete(t.oidc_link).where(*mine))
                await connection.execute(_linking(municipality_id, subject_hash, person_id, now))
        except IntegrityError as error:
            raise Conflict("this subject of the directory belongs to somebody else") from error

    async def set_role(self, municipality_id: str, person_id: str, role: Role) -> None:
        """Give a person the role that the directory says."""
        mine = (t.person.c.municipality_id == municipality_id, t.person.c.id == person_id)
        async with self._database.writing() as connection:
            await connection.execute(sa.update(t.person).where(*mine).values(role=role))


def _linking(municipality_id: str, subject_hash: str, person_id: str, now: datetime) -> sa.Insert:
    return sa.insert(t.oidc_link).values(
        municipality_id=municipality_id,
        subject_hash=subject_hash,
        person_id=person_id,
        linked_at=now,
    )
