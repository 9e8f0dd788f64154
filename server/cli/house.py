"""What every command works with: the settings, the stores, and the municipality that is meant."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from security.audit.chain import Json
from security.clerk_sign_in import ClerkSignIn
from security.errors import Conflict, NotFound, Unavailable
from security.passwords import Passwords
from security.people import Municipality, Office, Person, Tablet
from security.sign_in import SignIn
from security.sign_in_rules import normal_login
from server.administration import Administration, Hand
from server.clock import utc_now
from server.db.audit import SqlAudit
from server.db.engine import FILE_NAME, Database, open_database
from server.db.people import SqlPeople
from server.db.policies import SqlPolicies
from server.db.procedures import SqlProcedures
from server.db.sessions import SqlSessions
from server.keys import KeyRing, load_kek
from server.policies import PolicyBook
from server.procedure_review import ProcedureReview
from server.procedures.book import ProcedureBook
from server.settings import Settings


@dataclass(frozen=True, slots=True)
class House:
    """The stores, opened beside whatever server runs on the same data."""

    settings: Settings
    database: Database
    people: SqlPeople
    sign_in: SignIn
    clerks: ClerkSignIn
    audit: SqlAudit

    async def municipality(self, slug: str | None) -> Municipality:
        """Return the municipality that is meant; `slug` may be left out when there is one."""
        every = await self.people.municipalities()
        if slug is None and len(every) == 1:
            return every[0]
        found = next((m for m in every if m.slug == slug), None)
        if found is None:
            known = ", ".join(m.slug for m in every) or "none yet"
            what = f"there is no municipality {slug}" if slug else "say which with --municipality"
            raise NotFound(f"{what} (there are: {known})")
        return found

    async def office(self, home: Municipality, name: str) -> Office:
        """Return the office with this name or id."""
        for office in await self.people.offices(home.id):
            if name in (office.name, office.id):
                return office
        raise NotFound(f"there is no office {name} in {home.slug}")

    async def person(self, home: Municipality, login: str) -> Person:
        """Return the person with this sign-in name."""
        found = await self.people.person_by_login(home.id, normal_login(login))
        if found is None:
            raise NotFound(f"there is no person {login} in {home.slug}")
        return found

    async def tablet(self, home: Municipality, name: str) -> Tablet:
        """Return the tablet with this id, or with this name if only one has it."""
        every = await self.people.tablets(home.id)
        found = [t for t in every if name == t.id] or [t for t in every if name == t.name]
        if not found:
            raise NotFound(f"there is no tablet {name} in {home.slug}")
        if len(found) > 1:
            ids = ", ".join(t.id for t in found)
            raise Conflict(f"several tablets are called {name}; give the id (there are: {ids})")
        return found[0]

    @property
    def administration(self) -> Administration:
        """Return what changes offices, procedures, tablets and people."""
        store = SqlProcedures(self.database)
        officers = SqlPolicies(self.database)
        return Administration(
            self.people, store, self.sign_in, self.clerks, officers, clock=utc_now
        )

    @property
    def templates(self) -> ProcedureReview:
        """Return what puts a municipality's own templates in force."""
        return ProcedureReview(SqlProcedures(self.database), ProcedureBook(), clock=utc_now)

    async def policies(self) -> PolicyBook:
        """Return the policies that two officers have approved."""
        book = PolicyBook(utc_now)
        for version in await SqlPolicies(self.database).every_approved():
            book.put(version)
        return book

    def hand(self, home: Municipality) -> Hand:
        """Return the hand of whoever has this shell."""

        async def note(tag: str, subject: str, detail: Json) -> None:
            await self.note(home.id, tag, subject, detail)

        return Hand(home.id, None, note)

    async def note(self, municipality_id: str, tag: str, subject: str, detail: Json) -> None:
        """Write into the audit log that a command changed something, and under which user id."""
        said = {**detail, "uid": os.getuid()}
        await self.audit.note(municipality_id, f"command:{tag}", subject, said, now=utc_now())

    def url(self, path: str, secret: str) -> str:
        """Return the address of a page with a one-time secret in its fragment."""
        server = self.settings.server
        scheme = "https" if server.tls_certificate else "http"
        base = server.public_url or f"{scheme}://localhost:{server.port}"
        return f"{base}{path}#{secret}"


def make_house(settings: Settings) -> House:
    """Return the stores over the data that `settings` name. Raises `Unavailable`, `Corrupt`."""
    database = open_database(settings.data.folder)
    people = SqlPeople(database, KeyRing(load_kek(settings.keys.kek_file, os.environ)))
    audit = SqlAudit(database, settings.data.folder)
    sessions = SqlSessions(database, people)
    passwords, limits = Passwords(), settings.sessions.limits()
    sign_in = SignIn(
        people, sessions, clock=utc_now, passwords=passwords, limits=limits, notes=audit
    )
    clerks = ClerkSignIn(people, sessions, sign_in, clock=utc_now, passwords=passwords, notes=audit)
    return House(settings, database, people, sign_in, clerks, audit)


@asynccontextmanager
async def open_house(config: Path) -> AsyncIterator[House]:
    """Give the house of a settings file. Raises `SettingsError`, `Unavailable`, `Corrupt`."""
    settings = Settings.load(config)
    require_database(settings.data.folder)
    house = make_house(settings)
    try:
        await house.database.require_current()
        yield house
    finally:
        await house.database.engine.dispose()


def require_database(folder: Path) -> None:
    """Raise `Unavailable` unless there is a database in `folder`."""
    if not (folder / FILE_NAME).is_file():
        raise Unavailable(f"there is no {FILE_NAME} in {folder}; make one with: madoguchi init DIR")


def run(config: Path, work: Callable[[House], Awaitable[None]]) -> None:
    """Do `work` in the house of a settings file."""

    async def inside() -> None:
        async with open_house(config) as house:
            await work(house)

    asyncio.run(inside())
