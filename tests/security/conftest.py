"""A municipality over the real store, and a clock that is set by hand."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from security.crypto.keys import KeyEncryptionKey
from security.errors import Denied, TooMuch
from security.passwords import Passwords
from security.people import (
    LinkPurpose,
    Municipality,
    Office,
    OfficeKind,
    Person,
    Role,
    Tablet,
)
from security.sign_in import SignIn
from security.sign_in_rules import NewSession
from security.tablet_key import KeyClaim
from server.db.engine import Database, open_database
from server.db.people import SqlPeople
from server.db.sessions import SqlSessions
from server.demo.soft_key import SoftKey
from server.keys import KeyRing

GOOD = "correct horse battery staple"
FAST = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
START = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
LOGINS = {
    "clerk": Role.CLERK,
    "other-clerk": Role.CLERK,
    "verifier": Role.VERIFIER,
    "senior": Role.SENIOR,
    "administrator": Role.ADMINISTRATOR,
    "officer": Role.OFFICER,
    "auditor": Role.AUDITOR,
}


KEY = SoftKey()


def claim(secret: str) -> KeyClaim:
    """Return what a tablet's browser shows with a code or a link."""
    return KeyClaim(**KEY.claim(secret))


class Clock:
    """A clock that stands still."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **delta: float) -> None:
        """Let time pass."""
        self.now += timedelta(**delta)


class NoteBook:
    """Remembers what would go into the audit log."""

    def __init__(self) -> None:
        self.tags: list[str] = []

    async def note(
        self, municipality_id: str, tag: str, subject: str, detail: dict[str, Any], *, now: datetime
    ) -> None:
        """Take a note."""
        assert municipality_id
        assert subject
        self.tags.append(tag)


@dataclass
class House:
    """A municipality with everybody in it."""

    clock: Clock
    database: Database
    people: SqlPeople
    sessions: SqlSessions
    sign_in: SignIn
    notes: NoteBook

    async def tablet(self, tablet_id: str = "t") -> tuple[str, Tablet]:
        """Enrol a tablet and return its token and itself."""
        code = await self.sign_in.make_link(LinkPurpose.ENROL, "m", tablet_id=tablet_id)
        token = (await self.enrol(code)).token
        found = await self.people.tablet("m", tablet_id)
        assert found is not None
        return token, found

    async def enrol(self, code: str, source: str | None = None) -> NewSession:
        """Enrol a tablet by a code, with the one key of these tests."""
        return await self.sign_in.enrol(code, claim(code), source=source)

    async def at_desk(self, login: str = "verifier", password: str = GOOD) -> NewSession:
        """Sign in at the desk."""
        return await self.sign_in.sign_in("m", login, password, page="desk")

    async def clerk(self, tablet: Tablet, login: str = "clerk") -> NewSession:
        """Sign a clerk in."""
        return await self.sign_in.sign_in(None, login, GOOD, page="counter", tablet=tablet)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Municipalities m and n; two offices, two tablets and everybody in m, one person in n."""
    database = open_database(tmp_path)
    await database.migrate()
    people = SqlPeople(database, KeyRing(KeyEncryptionKey.generate()))
    for name in ("m", "n"):
        await people.add_municipality(Municipality(name, name, name, "", ""))
    for name in ("o", "other-o"):
        await people.add_office(Office(name, "m", name, OfficeKind.DIRECT))
    await people.add_tablet(Tablet("t", "m", "o", "1", None, None))
    await people.add_tablet(Tablet("other-t", "m", "other-o", "1", None, None))
    hashed = FAST.hash(GOOD)
    for login, role in LOGINS.items():
        office = None if role is not Role.CLERK else "other-o" if "other" in login else "o"
        await people.add_person(Person(login, "m", login, login, role, office, hashed, None))
    await people.add_person(
        Person("n-verifier", "n", "verifier", "V", Role.VERIFIER, None, FAST.hash("n" * 20), None)
    )
    clock, notes = Clock(), NoteBook()
    sessions = SqlSessions(database, people)
    sign_in = SignIn(people, sessions, clock=clock, passwords=Passwords(FAST), notes=notes)
    yield House(clock, database, people, sessions, sign_in, notes)
    await database.close()


async def code_of(awaitable: Any) -> str:
    """Return the code of the refusal that must come."""
    with pytest.raises((Denied, TooMuch)) as caught:
        await awaitable
    return str(caught.value.code)
