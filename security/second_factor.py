"""Second factors at work: the second half of a sign-in, and enrolling, naming, removing them.

Codes of the errors are those of server/api/PROTOCOL.md section 6.
"""

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any

from security import challenges, passkeys
from security.challenges import Challenges, bad_passkey
from security.errors import Conflict, NotFound
from security.factors import (
    MAX_PASSKEYS,
    Enrolled,
    bad_code,
    factor_name,
    new_secret,
    secret_uri,
    step_of_code,
)
from security.gate import Permit
from security.ids import new_id
from security.passkeys import Place
from security.people import Factor, Person, Principal, SessionKind, may_sign_in
from security.sessions import FactorStore, Notes, PeopleStore, SessionStore
from security.sign_in import LOCKED, MAX_TRIES, Admit, SignIn
from security.sign_in_refusals import signed_out
from security.sign_in_rules import NewSession
from security.tries import too_many_tries

Json = dict[str, Any]
USE, MAKE = "use", "make"
KEY_BYTES = 32


class SecondFactor:
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
        self._challenges = Challenges(secrets.token_bytes(KEY_BYTES))

    # The second half of a sign-in

    async def by_code(
        self, half: Principal, token: str, code: str, *, page: str, source: str | None, admit: Admit
    ) -> NewSession:
        """Go on from half a sign-in by a code of the authenticator app; `token` is the half's.

        Raises `Denied` `bad_code` for a wrong or used one, `TooMuch` `too_many_tries`.
        """
        self._sign_in.count_source(source)
        person = person_of(half)
        key = await self._count("code", person)
        totp = await self._totp(person)
        if totp is None or not may_sign_in(person, page, None):
            raise bad_code()
        now = self._clock()
        step = step_of_code(totp.secret, code, after=totp.counter, now=now)
        if not await self._factors.use_factor(totp, step, now):
            raise bad_code()
        await self._sessions.clear_tries(key)
        self._sign_in.succeeded(source)
        return await self.go_on(person, page, Factor.TOTP, admit=admit, half_token=token)

    async def go_on(
        self, person: Person, page: str, factor: Factor, *, admit: Admit, half_token: str | None
    ) -> NewSession:
        """Begin the whole session of a person who has shown `factor`, and end its half."""
        if not may_sign_in(person, page, None):
            raise signed_out()
        await admit(person.municipality_id, page, person, None)
        begun = await self._sign_in.begin_for(person, None, factor)
        if half_token is not None:
            await self._sign_in.sign_out(half_token)
        return begun

    def passkey_wanted(self, place: Place) -> Json:
        """Return what a browser is asked for, before anybody has said who it is."""
        return passkeys.options_to_use(place, self._challenge(USE, ""))

    async def by_passkey(
        self,
        credential: Json,
        place: Place,
        *,
        page: str,
        source: str | None,
        admit: Admit,
        half_token: str | None = None,
    ) -> NewSession:
        """Sign in by a passkey alone, which is password and second factor in one.

        Raises `Denied` `bad_passkey` for whatever is wrong with it, `TooMuch` `too_many_tries`.
        """
        self._sign_in.count_source(source)
        said = passkeys.read_asserted(credential)
        now = self._clock()
        self._challenges.take(said.challenge, USE, "", now=now)
        person = await self._people.person(said.municipality_id, said.person_id)
        factor = await self._factors.passkey(said.municipality_id, said.credential_id)
        if person is None or factor is None or factor.person_id != person.id:
            raise bad_passkey()
        key = await self._count("passkey", person)
        counter = passkeys.verify_asserted(credential, said.challenge, place, factor)
        await self._use_passkey(person, factor, counter, now)
        if not may_sign_in(person, page, None):
            raise bad_passkey()
        await self._sessions.clear_tries(key)
        self._sign_in.succeeded(source)
        return await self.go_on(person, page, Factor.PASSKEY, admit=admit, half_token=half_token)

    async def _use_passkey(
        self, person: Person, factor: Enrolled, counter: int, now: datetime
    ) -> None:
        goes_on = passkeys.counter_goes_on(factor.counter, counter)
        if not goes_on or not await self._factors.use_factor(factor, counter, now):
            # The signature was good: somebody else has the same key.
            await self._note(person, "passkey:copied", {"factor": factor.id})
            raise bad_passkey()

    # One's own factors

    async def of(self, person: Person) -> list[Enrolled]:
        """Return the factors that a person uses, the oldest first."""
        every = await self._factors.factors(person.municipality_id, person.id)
        return [one for one in every if one.added_at is not None]

    async def offer_totp(self, permit: Permit, person: Person, issuer: str) -> tuple[str, str]:
        """Return a fresh secret and its address for a QR code; it waits for its first code."""
        permit.require("factor.enrol", person.id)
        secret = new_secret()
        home = person.municipality_id
        await self._factors.add_factor(
            Enrolled(new_id(), home, person.id, Factor.TOTP, "", None, secret=secret)
        )
        return secret, secret_uri(secret, login=person.login, issuer=issuer)

    async def take_totp(self, permit: Permit, person: Person, code: str) -> Enrolled:
        """Take the offered secret into use once it gave a code, in place of the one before.

        Raises `Denied` `bad_code`, `TooMuch` `too_many_tries`.
        """
        permit.require("factor.enrol", person.id)
        key = await self._count("code", person)
        every = await self._factors.factors(person.municipality_id, person.id)
        waiting = next((one for one in every if one.added_at is None), None)
        if waiting is None:
            raise bad_code()
        now = self._clock()
        step = step_of_code(waiting.secret, code, after=waiting.counter, now=now)
        if not await self._factors.begin_totp(waiting, step, now):
            raise bad_code()
        await self._sessions.clear_tries(key)
        await self._note(person, "totp:add", {"factor": waiting.id})
        return waiting

    async def offer_passkey(
        self, permit: Permit, person: Person, place: Place, service: str
    ) -> Json:
        """Return what a browser is asked to make. Raises `Conflict` `too_many_passkeys`."""
        permit.require("factor.enrol", person.id)
        known = await self._passkeys(person)
        return passkeys.options_to_make(
            place,
            self._challenge(MAKE, person.id),
            handle=passkeys.handle_of(person.municipality_id, person.id),
            login=person.login,
            service=service,
            known=[one.credential_id for one in known if one.credential_id is not None],
        )

    async def add_passkey(
        self, permit: Permit, person: Person, name: str, credential: Json, place: Place
    ) -> Enrolled:
        """Enrol a passkey that a browser made.

        Raises `ProtocolError` `bad_passkey_made`, `Denied` `bad_passkey` for a challenge that is
        not the person's, `Conflict` when it is enrolled already.
        """
        permit.require("factor.enrol", person.id)
        kept_name, now = factor_name(name), self._clock()
        challenge = passkeys.challenge_made(credential)
        self._challenges.take(challenge, MAKE, person.id, now=now)
        made = passkeys.verify_made(credential, challenge, place)
        await self._passkeys(person)
        item = Enrolled(
            new_id(),
            person.municipality_id,
            person.id,
            Factor.PASSKEY,
            kept_name,
            now,
            counter=made.counter,
            credential_id=made.credential_id,
            public_key=made.public_key,
            rp_id=place.rp_id,
        )
        await self._factors.add_factor(item)
        await self._note(person, "passkey:add", {"factor": item.id})
        return item

    async def remove(
        self, permit: Permit, person: Person, factor_id: str, *, required: bool
    ) -> None:
        """Take a factor away. Raises `NotFound`, `Conflict` `last_factor` when one is required."""
        permit.require("factor.remove", person.id)
        mine = await self.of(person)
        if factor_id not in [one.id for one in mine]:
            raise NotFound("no such factor")
        if required and len(mine) == 1:
            raise Conflict("the policy asks this role for a second factor", code="last_factor")
        await self._factors.remove_factor(person.municipality_id, person.id, factor_id)
        await self._note(person, "factor:remove", {"factor": factor_id})

    async def enrolled(self, principal: Principal, item: Enrolled) -> None:
        """Let a session rest on the factor that was just enrolled in it.

        In a recovery it takes the place of all former ones. Then, and by the first one, the
        person's other sign-ins end: they rest on the password alone.
        """
        session, person, now = principal.session, person_of(principal), self._clock()
        home, recovering = person.municipality_id, session.factor is Factor.RECOVERY
        if recovering:
            await self._factors.keep_only(home, person.id, item.id)
        if not session.second_factor:  # whoever has a factor has shown it: `factor.enrol`
            kept = None if recovering else session.token_hash
            await self._sessions.end_sessions_of(home, person.id, now, but=kept)
        if session.kind is not SessionKind.HALF:
            await self._sessions.set_factor(session.token_hash, item.kind)
        if recovering:
            await self._note(person, "recovery:done", {"factor": item.id})

    # Within

    async def _totp(self, person: Person) -> Enrolled | None:
        return next((one for one in await self.of(person) if one.kind is Factor.TOTP), None)

    async def _passkeys(self, person: Person) -> list[Enrolled]:
        found = [one for one in await self.of(person) if one.kind is Factor.PASSKEY]
        if len(found) >= MAX_PASSKEYS:
            raise Conflict(f"at most {MAX_PASSKEYS} passkeys", code="too_many_passkeys")
        return found

    def _challenge(self, purpose: str, holder: str) -> bytes:
        random = secrets.token_bytes(challenges.RANDOM_BYTES)
        return self._challenges.make(purpose, holder, random, now=self._clock())

    async def _count(self, what: str, person: Person) -> str:
        key = hashlib.sha256(f"{what}\n{person.id}".encode()).hexdigest()
        now = self._clock()
        tries = await self._sessions.count_try(
            key, now, limit=MAX_TRIES, forget_before=now - LOCKED
        )
        if tries == MAX_TRIES:
            await self._note(person, f"{what}:last-try", {})
        if tries > MAX_TRIES:
            raise too_many_tries(MAX_TRIES, f"tries in {LOCKED.seconds // 60} minutes")
        return key

    async def _note(self, person: Person, event: str, detail: Json) -> None:
        if self._notes is not None:
            now, tag = self._clock(), f"factor:{event}"
            await self._notes.note(person.municipality_id, tag, person.id, detail, now=now)


def person_of(principal: Principal) -> Person:
    """Return who has signed in, half or whole. Raises `Denied` `signed_out`."""
    if principal.person is None:
        raise signed_out()
    return principal.person
