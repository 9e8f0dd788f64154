"""Municipality, office, person, tablet and sign-in session: what they are and the rules over them.

Pure: facts and `now` come in, values go out.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """What a person may be."""

    CLERK = "clerk"
    VERIFIER = "verifier"
    SENIOR = "senior"
    ADMINISTRATOR = "administrator"
    OFFICER = "officer"
    AUDITOR = "auditor"


DESK_ROLES = frozenset({Role.VERIFIER, Role.SENIOR})


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
    """A directly managed post office of a municipality."""

    id: str
    municipality_id: str
    name: str
    kind: OfficeKind


@dataclass(frozen=True, slots=True)
class Person:
    """A signed-in human. `office_id` is set for clerks only; `password_hash` is argon2id or None."""

    id: str
    municipality_id: str
    login: str
    name: str
    role: Role
    office_id: str | None
    password_hash: str | None
    disabled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Tablet:
    """An enrolled device of an office's counter."""

    id: str
    municipality_id: str
    office_id: str
    name: str
    enrolled_at: datetime | None
    revoked_at: datetime | None


class SessionKind(StrEnum):
    """Which cookie a session lives in."""

    TABLET = "tablet"
    CLERK = "clerk"
    DESK = "desk"


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


class LinkPurpose(StrEnum):
    """What a one-time token opens."""

    SIGN_IN = "sign_in"  # a desk person, or tablet + clerk when tablet_id is set (demo)
    PASSWORD = "password"  # set the first or a new password
    ENROL = "enrol"  # enrol a tablet


@dataclass(frozen=True, slots=True)
class Link:
    """A one-time token, stored hashed, valid for 10 minutes."""

    token_hash: str
    purpose: LinkPurpose
    municipality_id: str
    person_id: str | None
    tablet_id: str | None
    expires_at: datetime
    used_at: datetime | None
