"""Signing in by a municipality's own directory: from a browser's answer to a person of ours."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from security.errors import Conflict, Denied, NotFound
from security.ids import new_id
from security.oidc.flow import Try, new_try, way_to
from security.oidc.roles import (
    GIVEN,
    Known,
    groups_in,
    link_key,
    login_in,
    name_in,
    own_login,
    require_given,
    role_of,
    second_factor_in,
)
from security.oidc.token import is_fresh, refused, subject_of
from security.people import Municipality, Person, Role
from security.secret_file import read_secret
from security.sessions import Notes
from security.tries import SourceTries
from server.db.oidc import SqlOidcLinks
from server.db.people import SqlPeople
from server.oidc.provider import Provider
from server.oidc.settings import Directory

JUST_NOW = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a browser brings back from a directory; `slug` is whose address it came to."""

    slug: str
    state: str
    code: str | None
    issuer: str | None


class OidcSignIn:
    """The service; `clock` returns aware UTC."""

    def __init__(
        self,
        directories: Mapping[str, Directory],
        people: SqlPeople,
        links: SqlOidcLinks,
        *,
        notes: Notes,
        clock: Callable[[], datetime],
    ) -> None:
        """Raises `Unavailable` when the file of a shared secret cannot be used."""
        self._providers = {
            slug: Provider(
                one, read_secret(one.client_secret_file) if one.client_secret_file else None
            )
            for slug, one in directories.items()
        }
        self._people = people
        self._links = links
        self._notes = notes
        self._clock = clock
        self._sources = SourceTries()

    def directory(self, slug: str) -> Directory | None:
        """Return a municipality's settings, None when it has no directory."""
        found = self._providers.get(slug)
        return found.settings if found else None

    def require_local(self, slug: str, role: Role) -> None:
        """Raise `Denied` `oidc_only` where such a role signs in by the directory alone."""
        found = self.directory(slug)
        if found is not None and not found.local_sign_in and role in GIVEN:
            raise Denied("this role signs in by the directory", code="oidc_only")

    async def require_unlinked(self, person: Person) -> None:
        """Raise `Denied` `oidc_only` for a person with an account in a directory."""
        home = person.municipality_id
        if person.role in GIVEN and await self._links.has_link(home, person.id):
            raise Denied("this person signs in by the directory", code="oidc_only")

    async def is_linked(self, home: Municipality, person: Person) -> bool:
        """Tell whether a person signs in by the directory that the municipality has."""
        if self.directory(home.slug) is None:
            return False
        return person.role in GIVEN and await self._links.has_link(home.id, person.id)

    async def begin(
        self, slug: str | None, redirect_uri: Callable[[str], str], *, anew: bool = False
    ) -> tuple[Try, str]:
        """Return a fresh try and where the browser goes; `anew`: to be asked there who it is.

        Raises `NotFound` where there is no directory, `Unavailable` `oidc_unreachable`.
        """
        slug = slug or (next(iter(self._providers)) if len(self._providers) == 1 else "")
        provider = self._provider(slug)
        attempt = new_try(slug)
        way = way_to(
            (await provider.discovery()).authorization_endpoint,
            attempt,
            client_id=provider.settings.client_id,
            scopes=provider.settings.scopes,
            redirect_uri=redirect_uri(slug),
            anew=anew,
        )
        return attempt, way

    async def finish(
        self, attempt: Try | None, answer: Answer, redirect_uri: str, *, source: str | None
    ) -> tuple[Person, Known]:
        """Return who has come back, and what the directory says.

        The account is made at the first time and has the role of the person's groups from then
        on. Raises `Denied` with an `oidc_…` code, `Unavailable`, `TooMuch` `too_many_tries`.
        """
        if source is not None:
            self._sources.count(source, self._clock())
        if attempt is None or not attempt.is_answered_by(answer.slug, answer.state):
            raise Denied("no such try was begun here", code="oidc_state", http_status=401)
        home = await self._home(attempt.slug)
        try:
            known = await self._known(attempt, answer, redirect_uri)
            person = await self._person(home, self._provider(attempt.slug).settings, known)
        except Denied as denied:
            await self._note(home.id, "refused", home.id, {"code": denied.code})
            raise
        if source is not None:
            self._sources.succeeded(source)
        return person, known

    async def way_out(self, slug: str, back_to: str) -> str | None:
        """Return where a browser signs out of the directory too. Raises `Unavailable`."""
        found = self._providers.get(slug)
        return await found.way_out(back_to) if found else None

    async def close(self) -> None:
        """Close every connection."""
        for provider in self._providers.values():
            await provider.close()

    def _provider(self, slug: str) -> Provider:
        if slug not in self._providers:
            raise NotFound("the municipality has no directory")
        return self._providers[slug]

    async def _home(self, slug: str) -> Municipality:
        for one in await self._people.municipalities():
            if one.slug == slug:
                return one
        raise NotFound("there is no such municipality")

    async def _known(self, attempt: Try, answer: Answer, redirect_uri: str) -> Known:
        provider = self._provider(attempt.slug)
        settings = provider.settings
        found = await provider.discovery()
        told = answer.issuer is not None or found.authorization_response_iss_parameter_supported
        if told and answer.issuer != settings.issuer:
            raise refused("the answer comes from another issuer")
        if not answer.code:
            raise refused("it gave no code")
        tokens = await provider.tokens(answer.code, attempt.verifier, redirect_uri)
        claims = await provider.claims(tokens.id_token, attempt.nonce)
        if groups_in(claims, settings.groups_claim) is not None:
            return self._known_by(claims, claims, settings)
        more = await provider.more(tokens.access_token)
        # OpenID Connect Core section 5.3.2: another subject's answer must not be used.
        if more and more.get("sub") != claims["sub"]:
            raise refused("it told of another person")
        return self._known_by(claims, {**more, **claims}, settings)

    def _known_by(
        self, claims: Mapping[str, Any], more: Mapping[str, Any], settings: Directory
    ) -> Known:
        fresh = is_fresh(claims, now=self._clock(), within=JUST_NOW)
        return replace(_known(claims, more, settings), fresh=fresh)

    async def _person(self, home: Municipality, settings: Directory, known: Known) -> Person:
        key = link_key(home.id, settings.issuer, known.subject)
        person = await self._linked(home, key)
        if person is not None:
            require_given(person)
        role = role_of(known.groups, settings.groups)
        if person is None:
            return await self._add(home, key, known, role)
        if person.role is not role:
            await self._links.set_role(home.id, person.id, role)
            await self._note(home.id, "role", person.id, {"role": role.value})
        return await self._linked(home, key) or person

    async def _add(self, home: Municipality, key: str, known: Known, role: Role) -> Person:
        login = known.login
        if not login or await self._people.person_by_login(home.id, login):
            login = own_login(key)
        name = known.name or login
        person = Person(new_id(), home.id, login, name, role, None, None, None)
        try:
            await self._links.add(person, key, self._clock())
        except Conflict:
            found = await self._linked(home, key)  # twice at once: the other one was first
            if found is None:
                raise
            return found
        await self._note(home.id, "account", person.id, {"role": role.value})
        return person

    async def _linked(self, home: Municipality, key: str) -> Person | None:
        person_id = await self._links.find(home.id, key)
        return await self._people.person(home.id, person_id) if person_id else None

    async def _note(
        self, municipality_id: str, event: str, subject: str, detail: dict[str, Any]
    ) -> None:
        now = self._clock()
        await self._notes.note(municipality_id, f"sign-in:oidc:{event}", subject, detail, now=now)


def _known(claims: Mapping[str, Any], more: Mapping[str, Any], settings: Directory) -> Known:
    """Return who it is; what vouches for a second factor is taken from the signed token alone."""
    return Known(
        subject=subject_of(claims),
        groups=groups_in(more, settings.groups_claim) or (),
        name=name_in(more),
        login=login_in(more),
        second_factor=second_factor_in(
            claims, amr=settings.second_factor_amr, acr=settings.second_factor_acr
        ),
    )
