"""Versions of a municipality's own templates: draft, approval by a second one, in force. Pure.

As with the policy nothing is overwritten. A call keeps the version that was in force when it was
placed, so a version starts now or later, never in the past.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from security.errors import Conflict, Denied, ProtocolError

MAX_AHEAD = timedelta(days=366)
# So long before it starts a version is stored by a command, whose running service looks for it
# meanwhile: no call is placed under one template and gone on with under another.
TAKEN_UP_WITHIN = timedelta(seconds=15)
MAX_BYTES = 65_536
MAX_NOTE = 1000


@dataclass(frozen=True, slots=True)
class TemplateVersion:
    """One version of a template; `text` is its TOML. Persons are None for a command of the shell.

    `number` counts within the municipality, over all its procedures.
    """

    municipality_id: str
    number: int
    procedure: str
    text: str
    note: str
    author_id: str | None
    drafted_at: datetime
    approved_by: str | None = None
    approved_at: datetime | None = None
    starts_at: datetime | None = None
    withdrawn_by: str | None = None
    withdrawn_at: datetime | None = None


def in_force(
    versions: Iterable[TemplateVersion], procedure: str, at: datetime
) -> TemplateVersion | None:
    """Return the version for calls placed at `at`: None while the shipped template holds."""
    found = [
        (one.starts_at, one.number, one)
        for one in versions
        if one.procedure == procedure
        and one.starts_at is not None
        and one.withdrawn_at is None
        and one.starts_at <= at
    ]
    return max(found)[2] if found else None


def state_of(version: TemplateVersion, current: TemplateVersion | None, now: datetime) -> str:
    """Return draft, approved, in_force, past or withdrawn; `current` is the one in force."""
    if version.withdrawn_at is not None:
        return "withdrawn"
    if version.starts_at is None:
        return "draft"
    if version.starts_at > now:
        return "approved"
    return "in_force" if current and current.number == version.number else "past"


def approved(
    version: TemplateVersion, *, by: str | None, starts_at: datetime, now: datetime
) -> TemplateVersion:
    """Return the draft approved, for calls placed from `starts_at` on.

    Raises `Denied` when the author approves it, `Conflict` for what is no draft any more,
    `ProtocolError` for a beginning in the past or more than a year ahead.
    """
    if version.starts_at is not None or version.withdrawn_at is not None:
        raise Conflict("this version is no draft any more", code="not_a_draft")
    if by is not None and by == version.author_id:
        raise Denied("another administrator approves what one has drawn up", code="own_draft")
    if not now <= starts_at <= now + MAX_AHEAD:
        raise ProtocolError("a version starts now or within a year", code="bad_start")
    return replace(version, approved_by=by, approved_at=now, starts_at=starts_at)


def withdrawn(version: TemplateVersion, *, by: str | None, now: datetime) -> TemplateVersion:
    """Return the version withdrawn. Raises `Conflict` once it has started."""
    begun = version.starts_at is not None and version.starts_at <= now
    if begun or version.withdrawn_at is not None:
        raise Conflict("what was in force is not withdrawn; draw up another", code="not_a_draft")
    return replace(version, withdrawn_by=by, withdrawn_at=now)
