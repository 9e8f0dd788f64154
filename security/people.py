"""Municipality, office, person, tablet and sign-in session: what they are and the rules over them.

Pure: facts and `now` come in, values go out.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from security.errors import Conflict, Reason
from security.password_rule import MIN_CHARACTERS

CLOCK_SLACK = timedelta(minutes=5)
SLUG_PATTERN = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
LOGIN_PATTERN = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")


class Role(StrEnum):
    """What a person may be."""

    CLERK = "clerk"
    VERIFIER = "verifier"
    SENIOR = "senior"
    ADMINISTRATOR = "administrator"
    OFFICER = "officer"
    AUDITOR = "auditor"
    INTERPRETER = "interpreter"
    REPRESENTATIVE = "representative"


DESK_ROLES = frozenset({Role.VERIFIER, Role.SENIOR})
# Who takes part in a call when its desk asks them, and does nothing else.
GUEST_ROLES = frozenset({Role.INTERPRETER, Role.REPRESENTATIVE})
INVITABLE_ROLES = GUEST_ROLES | {Role.SENIOR}
DESK_PAGE_ROLES = DESK_ROLES | GUEST_ROLES | {Role.ADMINISTRATOR}
OFFICER_PAGE_ROLES = frozenset({Role.OFFICER, Role.AUDITOR, Role.ADMINISTRATOR})


class OfficeKind(StrEnum):
    """直営郵便局 or 簡易郵便局; the second can never be registered (Q&A 11)."""

    DIRECT = "direct"
    SIMPLE = "simple"


@dataclass(frozen=True, slots=True)
class Municipality:
    """A tenant. `hours` and `telephone` are what the counter shows while no desk is open."""

    id: str
    slug: str
    name: str
    hours: str
    telephone: str


@dataclass(frozen=True, slots=True)
class Office:
    """A directly managed post office of a municipality.

    `designated_on`: the day from which it is designated (指定), `resolved_on`: the day of the
    assembly's resolution (議会の議決) and `resolution_ref` its number, `contract_ref` the contract
    with the municipality. None and empty: not entered yet; real calls wait for the days (Q&A 3).
    """

    id: str
    municipality_id: str
    name: str
    kind: OfficeKind
    designated_on: date | None = None
    resolved_on: date | None = None
    resolution_ref: str = ""
    contract_ref: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """A signed-in human. `office_id` is set for clerks only; `password_hash` is argon2id.

    `trained_on`: the day of the last training, None: none is known.
    """

    id: str
    municipality_id: str
    login: str
    name: str
    role: Role
    office_id: str | None
    password_hash: str | None
    disabled_at: datetime | None
    trained_on: date | None = None
    pin_hash: str | None = None  # of clerks, argon2id
    pin_first_until: datetime | None = None  # the PIN is a first one, to be changed by then


@dataclass(frozen=True, slots=True)
class Tablet:
    """An enrolled device of an office's counter.

    `real`: an administrator has switched it to 本番; every call from another is 研修モード.
    """

    id: str
    municipality_id: str
    office_id: str
    name: str
    enrolled_at: datetime | None
    revoked_at: datetime | None
    public_key: bytes | None = None  # SPKI; None before enrolment, or enrolled before keys
    real: bool = False


class SessionKind(StrEnum):
    """Which cookie a session lives in."""

    TABLET = "tablet"
    CLERK = "clerk"
    DESK = "desk"
    HALF = "half"  # the first half of a sign-in at a desk; it opens nothing but the second


class Factor(StrEnum):
    """What a person showed beside the password; a half session may rest on a recovery's link."""

    TOTP = "totp"
    PASSKEY = "passkey"
    TABLET = "tablet"  # the key of the tablet that a clerk stands at, beside the PIN
    DIRECTORY = "directory"  # the municipality's own directory vouches for one
    RECOVERY = "recovery"


@dataclass(frozen=True, slots=True)
class Session:
    """A sign-in. The token itself is never stored, only its SHA-256 (`token_hash`, hex)."""

    token_hash: str
    kind: SessionKind
    municipality_id: str
    person_id: str | None
    tablet_id: str | None
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    factor: Factor | None = None

    @property
    def second_factor(self) -> bool:
        """Tell whether the sign-in carried a second factor."""
        return self.factor not in (None, Factor.RECOVERY)


class LinkPurpose(StrEnum):
    """What a one-time token opens."""

    SIGN_IN = "sign_in"  # a desk person, or tablet + clerk when tablet_id is set (demo)
    PASSWORD = "password"  # noqa: S105  # set the first or a new password
    ENROL = "enrol"  # enrol a tablet
    FACTOR = "factor"  # set up a new second factor, together with the password


@dataclass(frozen=True, slots=True)
class Link:
    """A one-time token, stored hashed, valid for the time of its purpose (`LINK_LIFETIME`)."""

    token_hash: str
    purpose: LinkPurpose
    municipality_id: str
    person_id: str | None
    tablet_id: str | None
    expires_at: datetime
    used_at: datetime | None


# A password link is handed to a person who may not be at hand; the others are used on the spot.
LINK_LIFETIME = {
    LinkPurpose.SIGN_IN: timedelta(minutes=10),
    LinkPurpose.PASSWORD: timedelta(hours=24),
    LinkPurpose.ENROL: timedelta(minutes=10),
    LinkPurpose.FACTOR: timedelta(hours=1),
}
HALF_LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a sign-in lasts untouched (`idle`) and at all, and how long a tablet's enrolment.

    `password_characters` is the length of the shortest password.
    """

    idle: timedelta = timedelta(minutes=15)
    absolute: timedelta = timedelta(hours=12)
    tablet: timedelta = timedelta(days=400)
    password_characters: int = MIN_CHARACTERS

    def lifetime(self, kind: SessionKind) -> timedelta:
        """Return how long a session of `kind` may last at most."""
        if kind is SessionKind.HALF:
            return HALF_LIFETIME
        return self.tablet if kind is SessionKind.TABLET else self.absolute


@dataclass(frozen=True, slots=True)
class Principal:
    """A session with all that stands behind it.

    `person` is None for a tablet without a clerk; `tablet` and `office` are None at a desk.
    """

    session: Session
    municipality: Municipality
    person: Person | None
    tablet: Tablet | None
    office: Office | None


def usable(principal: Principal, now: datetime) -> bool:
    """Tell whether nothing has ended the sign-in: time, revocation, a disabled person or tablet."""
    session, person, tablet = principal.session, principal.person, principal.tablet
    if session.revoked_at is not None or now >= session.expires_at:
        return False
    if session.kind is not SessionKind.TABLET and session.last_seen_at - now > CLOCK_SLACK:
        return False  # the clock was set back: nobody knows how long ago that was
    if person is not None and person.disabled_at is not None:
        return False
    return tablet is None or tablet_live(tablet)


def idle_too_long(session: Session, limits: SessionLimits, now: datetime) -> bool:
    """Tell whether a person has left the page alone for too long; tablets never are."""
    if session.kind is SessionKind.TABLET:
        return False
    return now - session.last_seen_at >= limits.idle


def tablet_live(tablet: Tablet) -> bool:
    """Tell whether the tablet is enrolled and not revoked."""
    return tablet.enrolled_at is not None and tablet.revoked_at is None


def may_sign_in(person: Person, page: str, tablet: Tablet | None) -> bool:
    """Tell whether the role and the place fit.

    A clerk works on an enrolled tablet of the own office, officers and auditors at the page of
    the policy, everybody else at the desk, administrators at either.
    """
    if person.disabled_at is not None:
        return False
    if page == "counter":
        return (
            person.role is Role.CLERK
            and tablet is not None
            and tablet_live(tablet)
            and tablet.municipality_id == person.municipality_id
            and tablet.office_id == person.office_id
        )
    if page == "officer":
        return person.role in OFFICER_PAGE_ROLES
    return page == "desk" and person.role in DESK_PAGE_ROLES


SIMPLE_OFFICE = Reason(
    "office_not_direct",
    "a simple post office (簡易郵便局) cannot be registered: "
    "only directly managed post offices (直営郵便局) may be delegated to",
    "Q&A 11",
)


def check_office(name: str, kind: OfficeKind) -> None:
    """Raise `Conflict` for a 簡易郵便局, whether by its kind or by its name (Q&A 11)."""
    if kind is not OfficeKind.DIRECT or "簡易郵便局" in name:
        raise Conflict(
            f"{SIMPLE_OFFICE.message} ({SIMPLE_OFFICE.clause})",
            code=SIMPLE_OFFICE.code,
            reasons=(SIMPLE_OFFICE,),
        )
