"""What a sign-in rests on, without a store or a clock: names, links, pages. Pure."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from security.people import Link, LinkPurpose, Person, Role, Session, SessionKind, Tablet
from security.tablet_key import KeyClaim, key_required, require_claim


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session that has just begun, with the token that goes into its cookie and nowhere else."""

    token: str
    session: Session


@dataclass(frozen=True, slots=True)
class Exchanged:
    """What a one-time link opened: the page to go to and one cookie for each session."""

    page: str
    sessions: tuple[NewSession, ...]

    @property
    def half(self) -> bool:
        """Tell whether a second factor is outstanding."""
        return any(new.session.kind is SessionKind.HALF for new in self.sessions)


def normal_login(login: str) -> str:
    """Return the form in which sign-in names are stored and compared."""
    # JSON can carry half of a surrogate pair, which no database takes.
    return login.strip().casefold().encode("utf-8", "replace").decode()


def try_key(municipality: str, login: str) -> str:
    """Return the key by which failed tries at a name are counted: a hash, not the name."""
    text = f"{municipality}\n{login}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()


def opens(link: Link, purpose: LinkPurpose, now: datetime) -> bool:
    """Tell whether a link is unused, in time and for that purpose."""
    return link.purpose is purpose and link.used_at is None and now < link.expires_at


def claimed(claim: KeyClaim | None, secret: str) -> bytes:
    """Return the key that a tablet claims with a one-time secret. Raises `Denied`."""
    if claim is None:
        raise key_required()
    return require_claim(claim, secret)


def page_of(person: Person | None, tablet: Tablet | None) -> str:
    """Return the page to which a sign-in leads."""
    if person is not None and person.role in (Role.OFFICER, Role.AUDITOR):
        return "officer"
    return "desk" if tablet is None else "counter"
