"""A clerk signs in on an enrolled tablet by a PIN: device and PIN. PROTOCOL.md section 5.

The tablet alone is not a person, and the PIN is worth nothing without the tablet's key. Wrong PINs
make that tablet wait for that clerk, longer each time (security/pin_rule.py).
"""

import hashlib
import math
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from security.errors import Conflict, Denied, TooMuch
from security.passwords import Passwords
from security.people import Factor, Person, Role, Tablet, may_sign_in
from security.pin_rule import (
    FIRST_DIGITS,
    FIRST_LIFETIME,
    check_pin,
    is_locked,
    is_trivial,
    normal_pin,
    pause_after,
)
from security.sessions import Notes, PeopleStore, SessionStore
from security.sign_in import Admit, SignIn, admit_everybody
from security.sign_in_rules import NewSession

NOTED_AFTER = 5  # wrong PINs in a row, and after each as many more


class ClerkSignIn:
    """The service; `clock` returns aware UTC."""

    def __init__(
        self,
        people: PeopleStore,
        sessions: SessionStore,
        sign_in: SignIn,
        *,
        clock: Callable[[], datetime],
        passwords: Passwords,
        notes: Notes | None = None,
    ) -> None:
        self._people = people
        self._sessions = sessions
        self._sign_in = sign_in
        self._clock = clock
        self._passwords = passwords
        self._notes = notes

    async def clerks(self, tablet: Tablet) -> list[Person]:
        """Return who may stand at this tablet: the clerks of its office, in order of sign-in name.

        One without a PIN is among them, so that a missing PIN can be said.
        """
        every = await self._people.clerks(tablet.municipality_id, tablet.office_id)
        return [one for one in every if may_sign_in(one, "counter", tablet)]

    async def sign_in(
        self,
        tablet: Tablet,
        person_id: str,
        pin: str,
        *,
        new_pin: str | None = None,
        admit: Admit = admit_everybody,
    ) -> tuple[NewSession, Person]:
        """Begin a clerk's session on the tablet; whoever was signed in on it is no longer.

        With `new_pin` the PIN is changed as well. Raises `TooMuch` `pin_wait` with the seconds to
        wait, `Denied` `bad_pin`, `pin_change` when a first PIN is right and a new one is to be
        chosen, `pin_expired` when a first PIN is too old, `pin_locked` after too many wrong
        ones, `ProtocolError` `weak_pin`.
        """
        self._passwords.require_room()
        person = await self._clerk(tablet, person_id)
        key = _try_key(tablet.id, person_id, person.pin_hash if person else None)
        failures = await self._count(key, known=person is not None)
        person = await self._proven(tablet, person, normal_pin(pin), failures)
        await admit(person.municipality_id, "counter", person, tablet)
        if new_pin is None and person.pin_first_until is not None:
            await self._sessions.clear_tries(key)
            raise pin_change()
        if new_pin is not None:
            await self._change(person, normal_pin(pin), normal_pin(new_pin))
        await self._sessions.clear_tries(key)
        return await self._sign_in.begin_for(person, tablet, Factor.TABLET), person

    async def first_pin(self, person: Person) -> str:
        """Give a clerk a first PIN, good for a day and for choosing the own one; return it.

        The PIN before is void and the clerk signed out. Raises `Conflict` for anybody else.
        """
        if person.role is not Role.CLERK or person.disabled_at is not None:
            raise Conflict("only a clerk has a PIN")
        pin, now = _draw(), self._clock()
        await self._people.set_pin(
            person.municipality_id,
            person.id,
            await self._passwords.hash(pin),
            first_until=now + FIRST_LIFETIME,
            end_sessions_at=now,
        )
        return pin

    async def _clerk(self, tablet: Tablet, person_id: str) -> Person | None:
        found = await self._people.person(tablet.municipality_id, person_id)
        return found if found is not None and may_sign_in(found, "counter", tablet) else None

    async def _count(self, key: str, *, known: bool) -> int:
        """Count the try before it is made; return how many were wrong, this one taken as such.

        That a `known` clerk's PIN is locked is said before any wait, which would be in vain.
        """
        now = self._clock()
        left, failures = await self._sessions.count_spaced_try(key, now, pause=pause_after)
        waits = left > timedelta(0)
        if known and is_locked(failures if waits else failures - 1):
            raise pin_locked()
        if waits:
            raise pin_wait(left)
        return failures

    async def _proven(
        self, tablet: Tablet, person: Person | None, pin: str, failures: int
    ) -> Person:
        try:
            await self._passwords.verify(person.pin_hash if person else None, pin)
        except Denied as wrong:
            if person is not None and failures % NOTED_AFTER == 0:
                detail = {"tablet": tablet.id, "tries": failures}
                await self._note(person.municipality_id, "clerk:wrong-pin", person.id, detail)
            if person is not None and is_locked(failures):
                detail = {"tablet": tablet.id, "tries": failures}
                await self._note(person.municipality_id, "clerk:pin-locked", person.id, detail)
                raise pin_locked() from wrong
            if (pause := pause_after(failures)) > timedelta(0):
                raise pin_wait(pause) from wrong
            raise bad_pin() from wrong
        if person is None:
            raise bad_pin()
        if person.pin_first_until is not None and self._clock() >= person.pin_first_until:
            raise pin_expired()
        return person

    async def _change(self, person: Person, before: str, pin: str) -> None:
        check_pin(pin, person.login, before=before)
        home, hashed = person.municipality_id, await self._passwords.hash(pin)
        await self._people.set_pin(
            home, person.id, hashed, first_until=None, end_sessions_at=self._clock()
        )
        await self._note(home, "clerk:pin", person.id, {})

    async def _note(
        self, municipality_id: str, event: str, subject: str, detail: dict[str, object]
    ) -> None:
        if self._notes is not None:
            now, tag = self._clock(), f"sign-in:{event}"
            await self._notes.note(municipality_id, tag, subject, detail, now=now)


def _draw() -> str:
    while True:
        pin = "".join(secrets.choice("0123456789") for _ in range(FIRST_DIGITS))
        if not is_trivial(pin):
            return pin


def _try_key(tablet_id: str, person_id: str, pin_hash: str | None) -> str:
    """Return what tries are counted under; a new PIN begins anew."""
    text = f"pin\n{tablet_id}\n{person_id}\n{pin_hash}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()


def bad_pin() -> Denied:
    """Return the answer to a PIN that is not this clerk's, or to nobody's."""
    return Denied("this is not the clerk's PIN", code="bad_pin", http_status=401)


def pin_wait(left: timedelta) -> TooMuch:
    """Return the answer to who must wait before the next PIN."""
    seconds = max(1, math.ceil(left.total_seconds()))
    return TooMuch(
        "wrong PINs: wait before the next try",
        limit=seconds,
        unit="seconds",
        code="pin_wait",
        http_status=429,
    )


def pin_locked() -> Denied:
    """Return the answer to who has to get a new first PIN, after too many wrong ones."""
    return Denied("too many wrong PINs; ask for a new one", code="pin_locked")


def pin_change() -> Denied:
    """Return the answer to a first PIN that is right: an own one is to be chosen."""
    return Denied("choose a PIN of your own", code="pin_change")


def pin_expired() -> Denied:
    """Return the answer to a first PIN that is too old."""
    return Denied("the first PIN is too old; ask for another", code="pin_expired")
