"""Recovering a lost second factor: a person asks, two administrators act, a link opens once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from security import recovery
from security.errors import Conflict, Denied
from security.gate import Permit
from security.people import Factor, LinkPurpose, Person
from security.recovery import Recovery
from security.roles import HALF_PAGE
from security.sessions import FactorStore, Notes, PeopleStore, SessionStore
from security.sign_in import Admit, SignIn
from security.sign_in_refusals import link_used
from security.sign_in_rules import NewSession
from security.tokens import token_hash


class Recoveries:
    """The service; `clock` returns aware UTC."""

    def __init__(
        self,
        sign_in: SignIn,
        people: PeopleStore,
        sessions: SessionStore,
        factors: FactorStore,
        *,
        clock: Callable[[], datetime],
        notes: Notes | None = None,
    ) -> None:
        self._sign_in = sign_in
        self._people = people
        self._sessions = sessions
        self._factors = factors
        self._clock = clock
        self._notes = notes

    async def ask(self, permit: Permit, person: Person) -> None:
        """Tell the administrators that a person has lost the factor; asking again is harmless."""
        permit.require("recovery.ask", person.id)
        before = await self._factors.recovery(person.municipality_id, person.id)
        if before is not None and before.state(self._clock()) != "none":
            return
        empty = before or Recovery(person.municipality_id, person.id)
        await self._factors.put_recovery(before, replace(empty, asked_at=self._clock()))
        await self._note(person, "ask", person.id)

    async def start(self, permit: Permit, person: Person, administrator: str) -> Recovery:
        """Start it, as the first of two administrators. Raises `Conflict`, `Denied`."""
        permit.require("recovery.start", person.id)
        _take_part(person)
        before = await self._factors.recovery(person.municipality_id, person.id)
        empty = before or Recovery(person.municipality_id, person.id)
        after = recovery.start(empty, administrator=administrator, now=self._clock())
        await self._factors.put_recovery(before, after)
        await self._void(person)
        await self._note(person, "start", administrator)
        return after

    async def confirm(
        self, permit: Permit, person: Person, administrator: str
    ) -> tuple[Recovery, str]:
        """Confirm it, as the second one, and return the token of the link for the person."""
        permit.require("recovery.confirm", person.id)
        _take_part(person)
        before = await self._factors.recovery(person.municipality_id, person.id)
        empty = before or Recovery(person.municipality_id, person.id)
        after = recovery.confirm(empty, administrator=administrator, now=self._clock())
        await self._factors.put_recovery(before, after)
        await self._note(person, "confirm", administrator)
        home = person.municipality_id
        return after, await self._sign_in.make_link(LinkPurpose.FACTOR, home, person_id=person.id)

    async def withdraw(self, permit: Permit, person: Person, administrator: str) -> None:
        """Take it back; its link is void, and so is a sign-in that it has begun."""
        permit.require("recovery.withdraw", person.id)
        await self._factors.drop_recovery(person.municipality_id, person.id)
        await self._void(person)
        await self._note(person, "withdraw", administrator)

    async def open_link(
        self,
        token: str,
        password: str | None,
        *,
        source: str | None,
        admit: Admit,
        proven: str | None = None,
    ) -> NewSession:
        """Begin half a sign-in in which a new factor is set up, by link and password together.

        The administrator who handed the link over knows it, so it alone opens nothing. `proven`
        is who has just proved to the directory who they are, which stands for the password. Raises
        `Denied` `link_used`, `bad_credentials`, `directory_again`, `TooMuch` `too_many_tries`.
        """
        self._sign_in.count_source(source)
        hashed, now = token_hash(token), self._clock()
        link = await self._sessions.link(hashed)
        fresh = link is not None and link.used_at is None and now < link.expires_at
        if link is None or not fresh or link.purpose is not LinkPurpose.FACTOR:
            raise link_used()
        home, person_id = link.municipality_id, link.person_id or ""
        person = await self._people.person(home, person_id)
        if person is None or person.disabled_at is not None:
            raise link_used()
        if password is not None:
            await self._sign_in.confirm_password(person, password)
        elif proven != person.id:
            raise directory_again()
        await admit(home, HALF_PAGE, person, None)
        if await self._sessions.use_link(hashed, LinkPurpose.FACTOR, now) is None:
            raise link_used()
        begun = await self._sign_in.begin_for(person, None, Factor.RECOVERY, half=True)
        self._sign_in.succeeded(source)
        return begun

    async def _void(self, person: Person) -> None:
        """Let what was begun by an earlier link open nothing: the link, and half a sign-in."""
        home = person.municipality_id
        await self._sessions.drop_links(home, person.id, LinkPurpose.FACTOR)
        await self._sessions.end_recovering(home, person.id, self._clock())

    async def _note(self, person: Person, event: str, by: str) -> None:
        if self._notes is not None:
            now, tag = self._clock(), f"factor:recovery:{event}"
            await self._notes.note(person.municipality_id, tag, person.id, {"by": by}, now=now)


def directory_again() -> Denied:
    """Return the answer to who has to show the directory anew who they are."""
    return Denied("sign in by the directory once more first", code="directory_again")


def _take_part(person: Person) -> None:
    if person.disabled_at is not None or person.office_id is not None:
        raise Conflict("this person has no second factor to recover", code="conflict")
