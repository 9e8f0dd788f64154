"""Signing in and out: passwords, one-time links, enrolment of tablets, and who speaks by a token.

Codes of the errors are those of server/api/PROTOCOL.md section 6.
"""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from security.errors import Denied, NotFound
from security.password_rule import check_password
from security.passwords import Passwords, bad_credentials
from security.people import (
    LINK_LIFETIME,
    Factor,
    Link,
    LinkPurpose,
    Municipality,
    Person,
    Principal,
    Role,
    Session,
    SessionKind,
    SessionLimits,
    Tablet,
    idle_too_long,
    may_sign_in,
    tablet_live,
    usable,
)
from security.sessions import Notes, PeopleStore, SessionStore
from security.sign_in_refusals import code_unknown, link_used, not_enrolled, signed_out
from security.sign_in_rules import (
    Exchanged,
    NewSession,
    claimed,
    normal_login,
    opens,
    page_of,
    try_key,
)
from security.tablet_key import KeyClaim, key_name
from security.tokens import code_hash, new_code, new_token, token_hash
from security.tries import SourceTries, too_many_tries

MAX_TRIES = 10
LOCKED = timedelta(minutes=15)
TOUCH_EVERY = timedelta(minutes=1)

Busy = Callable[[Principal], bool]
# Asked before a session begins: municipality, page, person and tablet; it raises to refuse and
# says whether the sign-in is only half done: a second factor is outstanding.
Admit = Callable[[str, str, Person | None, Tablet | None], Awaitable[bool]]


async def admit_everybody(
    municipality_id: str, page: str, person: Person | None, tablet: Tablet | None
) -> bool:
    """Refuse nobody who has proved who they are, and ask for nothing more."""
    return False


def nobody_is_busy(principal: Principal) -> bool:
    """Tell that nobody is in a call."""
    return False


def somebody_is_busy(principal: Principal) -> bool:
    """Tell that whoever asks is in a call."""
    return True


class SignIn:
    """The service; `clock` returns aware UTC."""

    def __init__(
        self,
        people: PeopleStore,
        sessions: SessionStore,
        *,
        clock: Callable[[], datetime],
        passwords: Passwords | None = None,
        limits: SessionLimits | None = None,
        tighten: Callable[[str, SessionLimits], SessionLimits] | None = None,
        notes: Notes | None = None,
    ) -> None:
        self._people = people
        self._sessions = sessions
        self._clock = clock
        self._passwords = passwords or Passwords()
        self._notes = notes
        self._sources = SourceTries()
        self.limits = limits or SessionLimits()
        self._tighten = tighten

    def limits_of(self, municipality_id: str) -> SessionLimits:
        """Return the limits that hold in a municipality."""
        return self._tighten(municipality_id, self.limits) if self._tighten else self.limits

    async def sign_in(
        self,
        municipality: str | None,
        login: str,
        password: str,
        *,
        page: str,
        tablet: Tablet | None = None,
        source: str | None = None,
        admit: Admit = admit_everybody,
    ) -> NewSession:
        """Begin a clerk's or a desk session, or half of one; `municipality` is a slug.

        It may be None on a tablet, or when there is only one municipality. `source` is the network
        address that asks; here as in the other methods that take one, tries from it are limited.
        `admit` is asked last, of who has proved to be somebody: nothing has begun when it raises.

        Raises `Denied` `not_enrolled` on a counter without a live tablet, `bad_credentials` for
        whatever else is wrong, `TooMuch` `too_many_tries` after ten failures, known name or not,
        after too many from one source, or when too many wait.
        """
        self.count_source(source)
        self._passwords.require_room()
        if page == "counter" and (tablet is None or not tablet_live(tablet)):
            raise not_enrolled()
        home = await self._find_municipality(municipality, tablet)
        login = normal_login(login)
        key = try_key(home.id if home else f"?{municipality}", login)
        await self._count_try(key, home.id if home else None)
        person = await self._people.person_by_login(home.id, login) if home else None
        replacement = await self._passwords.verify(
            person.password_hash if person else None, password
        )
        if person is None or not may_sign_in(person, page, tablet):
            raise bad_credentials()
        tablet = tablet if page == "counter" else None
        half = await admit(person.municipality_id, page, person, tablet)
        await self._sessions.clear_tries(key)
        if replacement is not None:
            await self._people.set_password(
                person.municipality_id, person.id, replacement, end_sessions_at=None
            )
        begun = await self.begin_for(person, tablet, half=half)
        self.succeeded(source)
        return begun

    async def confirm_password(self, person: Person, password: str) -> None:
        """Check a person's password once more.

        Raises `Denied` `bad_credentials`, `TooMuch` `too_many_tries` by the same count as signing
        in.
        """
        self._passwords.require_room()
        key = try_key(person.municipality_id, person.login)
        await self._count_try(key, person.municipality_id)
        await self._passwords.verify(person.password_hash, password)
        await self._sessions.clear_tries(key)

    async def set_password(self, token: str, password: str, *, source: str | None = None) -> Person:
        """Set the password of the person whose link `token` is; ends the person's sessions.

        Raises `ProtocolError` `weak_password`, upon which the link can be used again, or `Denied`
        `link_used`, or `TooMuch` `too_many_tries`.
        """
        self.count_source(source)
        link = await self._sessions.link(token_hash(token))
        fresh = link is not None and opens(link, LinkPurpose.PASSWORD, self._clock())
        if link is None or link.person_id is None or not fresh:
            raise link_used()
        person = await self._people.person(link.municipality_id, link.person_id)
        if person is None or person.disabled_at is not None:
            raise link_used()
        shortest = self.limits_of(person.municipality_id).password_characters
        check_password(password, person.login, shortest=shortest)
        hashed = await self._passwords.hash(password)
        now = self._clock()
        if await self._sessions.use_link(link.token_hash, LinkPurpose.PASSWORD, now) is None:
            raise link_used()
        await self._people.set_password(
            person.municipality_id, person.id, hashed, end_sessions_at=now
        )
        await self._sessions.clear_tries(try_key(person.municipality_id, person.login))
        await self._note(person.municipality_id, "person:password", person.id)
        self.succeeded(source)
        return person

    async def _find_municipality(
        self, slug: str | None, tablet: Tablet | None
    ) -> Municipality | None:
        every = await self._people.municipalities()
        if tablet is not None:
            return next((m for m in every if m.id == tablet.municipality_id), None)
        if slug is None:
            return every[0] if len(every) == 1 else None
        return next((m for m in every if m.slug == slug), None)

    async def _count_try(self, key: str, municipality_id: str | None) -> None:
        # Counted before the check: a hundred tries at once are a hundred tries.
        now = self._clock()
        tries = await self._sessions.count_try(
            key, now, limit=MAX_TRIES, forget_before=now - LOCKED
        )
        if tries == MAX_TRIES and municipality_id is not None:
            # The key, not the name: whoever holds the list of names can tell, nobody else.
            await self._note(municipality_id, "name:last-try", key)
        if tries > MAX_TRIES:
            raise too_many_tries(MAX_TRIES, f"tries in {LOCKED.seconds // 60} minutes")

    def count_source(self, source: str | None) -> None:
        """Count a try from a network address. Raises `TooMuch` `too_many_tries`."""
        if source is not None:
            self._sources.count(source, self._clock())

    def succeeded(self, source: str | None) -> None:
        """Take the try back: it went well."""
        if source is not None:
            self._sources.succeeded(source)

    async def begin_proven(
        self, person: Person, factor: Factor | None = None, *, admit: Admit = admit_everybody
    ) -> tuple[str, NewSession]:
        """Begin the session of who has proved to be somebody elsewhere; return the page too.

        The municipality's own directory (OpenID Connect) has vouched for the person, and with
        `factor` for a second factor; else it may be half of one.
        """
        page = page_of(person, None)
        if not may_sign_in(person, page, None):
            raise bad_credentials()
        half = await admit(person.municipality_id, page, person, None)
        return page, await self.begin_for(person, None, factor, half=half)

    # One-time links and codes

    async def make_link(
        self,
        purpose: LinkPurpose,
        municipality_id: str,
        *,
        person_id: str | None = None,
        tablet_id: str | None = None,
    ) -> str:
        """Return a new one-time token, or for `ENROL` a code as it is shown.

        The caller has checked that person and tablet belong to the municipality.
        """
        token = new_code() if purpose is LinkPurpose.ENROL else new_token()
        hashed = code_hash(token) if purpose is LinkPurpose.ENROL else token_hash(token)
        expires_at = self._clock() + LINK_LIFETIME[purpose]
        await self._sessions.add_link(
            Link(hashed, purpose, municipality_id, person_id, tablet_id, expires_at, None)
        )
        return token

    async def exchange_link(
        self,
        token: str,
        *,
        claim: KeyClaim | None = None,
        source: str | None = None,
        admit: Admit = admit_everybody,
    ) -> Exchanged:
        """Use up a sign-in link and begin its sessions; raises `Denied` `link_used`.

        A link with a tablet enrols it by the key of `claim` and signs the clerk in on it (the
        demo's). Raises `TooMuch` `too_many_tries`, `Denied` `key_required`, `key_refused`. Whom
        `admit` or the key refuses can use the link again.
        """
        self.count_source(source)
        hashed = token_hash(token)
        link = await self._fresh_link(hashed, LinkPurpose.SIGN_IN)
        if link is None:
            raise link_used()
        home = link.municipality_id
        person = await self._people.person(home, link.person_id) if link.person_id else None
        tablet = await self._tablet_to_be(link)
        page = page_of(person, tablet)
        if person is not None and not may_sign_in(person, page, tablet):
            raise link_used()
        key = claimed(claim, token) if tablet is not None else b""
        half = await admit(home, page, person, tablet)
        if await self._sessions.use_link(hashed, LinkPurpose.SIGN_IN, self._clock()) is None:
            raise link_used()
        begun: list[NewSession] = []
        if tablet is not None:
            begun.append(await self._enrol(home, tablet.id, key))
        if person is not None:
            begun.append(await self.begin_for(person, tablet, half=half))
        self.succeeded(source)
        return Exchanged(page, tuple(begun))

    async def enrol(
        self,
        code: str,
        claim: KeyClaim,
        *,
        source: str | None = None,
        admit: Admit = admit_everybody,
    ) -> NewSession:
        """Use up an enrolment code and begin the tablet's session; raises `Denied` `code_unknown`.

        From now on the tablet is who holds the key of `claim`; whatever device was enrolled as it
        before is no longer. Raises `ProtocolError` `bad_key`, `Denied` `key_refused`, `TooMuch`
        `too_many_tries`. Whom `admit` or the key refuses can use the code again.
        """
        self.count_source(source)
        hashed = code_hash(code)
        link = await self._fresh_link(hashed, LinkPurpose.ENROL)
        tablet = await self._tablet_to_be(link) if link else None
        if link is None or tablet is None:
            raise code_unknown()
        key = claimed(claim, code)
        await admit(link.municipality_id, "counter", None, tablet)
        if await self._sessions.use_link(hashed, LinkPurpose.ENROL, self._clock()) is None:
            raise code_unknown()
        begun = await self._enrol(link.municipality_id, tablet.id, key)
        self.succeeded(source)
        return begun

    async def _fresh_link(self, hashed: str, purpose: LinkPurpose) -> Link | None:
        link = await self._sessions.link(hashed)
        return link if link is not None and opens(link, purpose, self._clock()) else None

    async def _tablet_to_be(self, link: Link) -> Tablet | None:
        """Return the link's tablet as it is once the link has enrolled it."""
        if link.tablet_id is None:
            return None
        tablet = await self._people.tablet(link.municipality_id, link.tablet_id)
        return tablet and replace(tablet, enrolled_at=self._clock(), revoked_at=None)

    async def _enrol(self, municipality_id: str, tablet_id: str, key: bytes) -> NewSession:
        await self._people.enrol_tablet(municipality_id, tablet_id, key, self._clock())
        await self._note(municipality_id, "tablet:enrol", tablet_id, {"key": key_name(key)})
        return await self._begin(SessionKind.TABLET, municipality_id, None, tablet_id)

    async def revoke_tablet(self, municipality_id: str, tablet_id: str) -> None:
        """End the tablet's enrolment, its sessions and unused codes; raises `NotFound`."""
        if not await self._people.revoke_tablet(municipality_id, tablet_id, self._clock()):
            raise NotFound("no such tablet")
        await self._note(municipality_id, "tablet:revoke", tablet_id)

    # Sessions

    async def authenticate(
        self,
        token: str | None,
        kind: SessionKind,
        *,
        busy: Busy = nobody_is_busy,
        touch: bool = True,
    ) -> Principal:
        """Return who speaks by `token`; of whoever is `busy` (in a call) idleness is overlooked.

        `touch` counts this as use of the session. Raises `Denied` `signed_out`, or `not_enrolled`
        for a tablet.
        """
        refusal = not_enrolled() if kind is SessionKind.TABLET else signed_out()
        if not token:
            raise refusal
        principal = await self._sessions.principal(token_hash(token), kind)
        now = self._clock()
        if principal is None or not usable(principal, now):
            raise refusal
        limits = self.limits_of(principal.municipality.id)
        if idle_too_long(principal.session, limits, now) and not busy(principal):
            raise refusal
        if touch:
            await self.touch(principal.session)
        return principal

    async def authenticate_counter(
        self, tablet_token: str | None, clerk_token: str | None, *, busy: Busy = nobody_is_busy
    ) -> Principal:
        """Return the counter's principal: the clerk's on this tablet, else the tablet's alone.

        Raises `Denied` `not_enrolled`.
        """
        alone = await self.authenticate(tablet_token, SessionKind.TABLET)
        try:
            clerk = await self.authenticate(clerk_token, SessionKind.CLERK, busy=busy)
        except Denied:
            return alone
        return clerk if clerk.session.tablet_id == alone.session.tablet_id else alone

    async def touch(self, session: Session) -> None:
        """Note that the session is in use, at most once a minute."""
        now = self._clock()
        if now - session.last_seen_at >= TOUCH_EVERY:
            await self._sessions.touch(session.token_hash, now)

    async def live_sessions(self, hashes: Collection[str]) -> set[str]:
        """Return those of `hashes` that still stand: neither revoked nor past their absolute limit.

        Idleness does not count here, so that a running call goes on.
        """
        return await self._sessions.live_sessions(hashes, self._clock()) if hashes else set()

    async def sign_out(self, token: str) -> None:
        """End the session of `token`; harmless when there is none."""
        await self._sessions.end(token_hash(token), self._clock())

    async def begin_for(
        self,
        person: Person,
        tablet: Tablet | None,
        factor: Factor | None = None,
        *,
        half: bool = False,
    ) -> NewSession:
        """Begin the session of a person who was admitted; `half` of it, or with a `factor`."""
        kind = SessionKind.CLERK if person.role is Role.CLERK else SessionKind.DESK
        kind = SessionKind.HALF if half else kind
        tablet_id = tablet.id if tablet else None
        home, shown = person.municipality_id, {"factor": factor.value} if factor else {}
        where = {"tablet": tablet_id} if tablet_id else {}
        await self._note(home, f"{kind.value}:begin", person.id, shown | where)
        return await self._begin(kind, home, person.id, tablet_id, factor)

    async def _note(
        self, municipality_id: str, event: str, subject: str, detail: dict[str, Any] | None = None
    ) -> None:
        if self._notes is not None:
            now, said = self._clock(), detail or {}
            await self._notes.note(municipality_id, f"sign-in:{event}", subject, said, now=now)

    async def _begin(
        self,
        kind: SessionKind,
        municipality_id: str,
        person_id: str | None,
        tablet_id: str | None,
        factor: Factor | None = None,
    ) -> NewSession:
        token, now = new_token(), self._clock()
        limits = self.limits_of(municipality_id)
        session = Session(
            token_hash(token),
            kind,
            municipality_id,
            person_id,
            tablet_id,
            created_at=now,
            last_seen_at=now,
            expires_at=now + limits.lifetime(kind),
            revoked_at=None,
            factor=factor,
        )
        await self._sessions.begin(session, unused_since=now - limits.idle)
        return NewSession(token, session)
