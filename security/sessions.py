"""What signing in needs of a database. Implemented by server/db/people.py and sessions.py.

Every method is durable when it returns.
"""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any, Protocol

from security.factors import Enrolled
from security.people import (
    Factor,
    Link,
    LinkPurpose,
    Municipality,
    Person,
    Principal,
    Session,
    SessionKind,
    Tablet,
)
from security.recovery import Recovery


class PeopleStore(Protocol):
    """People and tablets."""

    async def municipalities(self) -> list[Municipality]:
        """Return every municipality, by name."""

    async def person(self, municipality_id: str, person_id: str) -> Person | None:
        """Return a person of the municipality."""

    async def person_by_login(self, municipality_id: str, login: str) -> Person | None:
        """Return the person with this sign-in name."""

    async def clerks(self, municipality_id: str, office_id: str) -> list[Person]:
        """Return the clerks of an office, by sign-in name."""

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

    async def tablet(self, municipality_id: str, tablet_id: str) -> Tablet | None:
        """Return a tablet of the municipality."""

    async def set_password(
        self,
        municipality_id: str,
        person_id: str,
        password_hash: str,
        *,
        end_sessions_at: datetime | None,
    ) -> None:
        """Store a hash; with a time, end every session of the person."""

    async def enrol_tablet(
        self, municipality_id: str, tablet_id: str, public_key: bytes, now: datetime
    ) -> None:
        """Mark a tablet as enrolled by this key (SPKI) and end every earlier session on it."""

    async def revoke_tablet(self, municipality_id: str, tablet_id: str, now: datetime) -> bool:
        """Revoke a tablet, its sessions and unused codes; false when there is no such tablet."""


class Notes(Protocol):
    """Where it is written that somebody signed in, was locked out, enrolled a tablet."""

    async def note(
        self, municipality_id: str, tag: str, subject: str, detail: dict[str, Any], *, now: datetime
    ) -> None:
        """Append an entry to the municipality's audit log; ids and codes only."""


class FactorStore(Protocol):
    """Second factors and recoveries. Everything is scoped by the municipality."""

    async def factors(self, municipality_id: str, person_id: str) -> list[Enrolled]:
        """Return the person's factors, the oldest first, with a TOTP that waits for its code."""

    async def passkey(self, municipality_id: str, credential_id: bytes) -> Enrolled | None:
        """Return the passkey with this credential id."""

    async def has_factor(self, municipality_id: str, person_id: str) -> bool:
        """Tell whether the person has a factor in use."""

    async def add_factor(self, item: Enrolled) -> None:
        """Store a factor; a TOTP that waits replaces one that waited. Raises `Conflict`."""

    async def use_factor(self, item: Enrolled, counter: int, now: datetime) -> bool:
        """Note a use with its counter; of two with the same counter above 0 one gets true."""

    async def begin_totp(self, item: Enrolled, counter: int, now: datetime) -> bool:
        """Take a waiting TOTP into use, in place of the one before; false when it is gone."""

    async def remove_factor(self, municipality_id: str, person_id: str, factor_id: str) -> bool:
        """Delete a factor; false when there is no such one."""

    async def keep_only(self, municipality_id: str, person_id: str, factor_id: str) -> None:
        """Delete every other factor of the person, and the recovery."""

    async def recovery(self, municipality_id: str, person_id: str) -> Recovery | None:
        """Return the person's recovery."""

    async def recoveries(self, municipality_id: str) -> list[Recovery]:
        """Return all recoveries of the municipality."""

    async def put_recovery(self, before: Recovery | None, after: Recovery) -> None:
        """Store a recovery. Raises `Conflict` when it is no longer as it was `before`."""

    async def drop_recovery(self, municipality_id: str, person_id: str) -> None:
        """Forget a recovery."""


class SessionStore(Protocol):
    """Sessions, one-time links and failed tries."""

    async def count_try(
        self, key: str, now: datetime, *, limit: int, forget_before: datetime
    ) -> int:
        """Count a try under `key` and return the count; stop counting above `limit`.

        Counting begins anew when the last one is older than `forget_before`.
        """

    async def count_spaced_try(
        self, key: str, now: datetime, *, pause: Callable[[int], timedelta]
    ) -> tuple[timedelta, int]:
        """Count a try under `key` unless `pause(tries so far)` since the last one is not over.

        Return what is left to wait (nothing: it was counted) and the count.
        """

    async def clear_tries(self, key: str) -> None:
        """Forget the tries under `key`."""

    async def begin(self, session: Session, *, unused_since: datetime) -> None:
        """Store a new session; a clerk's replaces whichever clerk was signed in on the tablet.

        A desk is 離席 at first, unless the person sits at it already: in another session that is
        live and was used after `unused_since`.
        """

    async def principal(self, token_hash: str, kind: SessionKind) -> Principal | None:
        """Return the session with all that stands behind it, ended or not."""

    async def touch(self, token_hash: str, now: datetime) -> None:
        """Note that the session was used."""

    async def end(self, token_hash: str, now: datetime) -> None:
        """End one session."""

    async def set_factor(self, token_hash: str, factor: Factor) -> None:
        """Note that the session rests on a second factor from now on."""

    async def end_sessions_of(
        self, municipality_id: str, person_id: str, now: datetime, *, but: str | None = None
    ) -> None:
        """End every session of the person, `but` the one of that token's hash."""

    async def end_recovering(self, municipality_id: str, person_id: str, now: datetime) -> None:
        """End the halves of a sign-in that the person began by a recovery's link."""

    async def drop_links(self, municipality_id: str, person_id: str, purpose: LinkPurpose) -> None:
        """Void the person's unused links of a purpose."""

    async def live_sessions(self, hashes: Collection[str], now: datetime) -> set[str]:
        """Return those of `hashes` that nothing has ended (idleness apart)."""

    async def add_link(self, link: Link) -> None:
        """Store a one-time token; one for a tablet or a password replaces the former ones."""

    async def link(self, token_hash: str) -> Link | None:
        """Return a link, used or not."""

    async def use_link(self, token_hash: str, purpose: LinkPurpose, now: datetime) -> Link | None:
        """Mark a link as used and return it; None when unknown, used, expired or of other purpose.

        Of any number of callers at once, one gets it.
        """
