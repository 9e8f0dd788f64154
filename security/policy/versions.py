"""Versions of a municipality's policy: draft, approval by a second officer, in force. Pure.

Nothing is ever overwritten: a version in force stays readable when the next one takes over. Which
one is in force follows from the approved versions and the clock alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from security.errors import Conflict, Denied, ProtocolError, Reason
from security.policy.compare import unexplained
from security.policy.model import Policy

MAX_AHEAD = timedelta(days=366)
MAX_BYTES = 65_536


class VersionState(StrEnum):
    """変更案, 承認済み（未施行）, 施行中, 過去の版, 取下げ."""

    DRAFT = "draft"
    APPROVED = "approved"
    IN_FORCE = "in_force"
    PAST = "past"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Version:
    """One version. `text` is its TOML; `base` the number it was drawn up against."""

    municipality_id: str
    number: int
    base: int
    text: str
    author_id: str
    drafted_at: datetime
    note: str = ""
    approved_by: str | None = None
    approved_at: datetime | None = None
    starts_at: datetime | None = None
    withdrawn_by: str | None = None
    withdrawn_at: datetime | None = None

    @property
    def rescued(self) -> bool:
        """Tell whether root of the host put it in force, with no officer's approval."""
        return self.starts_at is not None and self.approved_by is None


def in_force(versions: Iterable[Version], now: datetime) -> Version | None:
    """Return the version in force: the approved one that started last; None before the first.

    A clock that was set back takes no version out of force that had started when a later one was
    approved, nor that later one.
    """
    found = [(one.starts_at, one.number, one) for one in started(versions, now) if one.starts_at]
    return max(found)[2] if found else None


def in_force_then(versions: Iterable[Version], at: datetime) -> Version | None:
    """Return the version that was in force at a time that is over; None before the first."""
    then = [one for one in versions if one.approved_at is not None and one.approved_at <= at]
    return in_force(then, at)


def started(versions: Iterable[Version], now: datetime) -> tuple[Version, ...]:
    """Return the approved versions whose beginning has come, the one in force among them."""
    versions = tuple(versions)
    now = _at_least(versions, now)
    return tuple(
        one
        for one in versions
        if one.starts_at is not None and one.withdrawn_at is None and one.starts_at <= now
    )


def waiting(versions: Iterable[Version], now: datetime) -> Version | None:
    """Return an approved version that has not started yet; None when there is none."""
    versions = tuple(versions)
    now = _at_least(versions, now)
    return next(
        (
            one
            for one in versions
            if one.starts_at is not None and one.withdrawn_at is None and one.starts_at > now
        ),
        None,
    )


def _at_least(versions: tuple[Version, ...], now: datetime) -> datetime:
    return max([now, *(one.approved_at for one in versions if one.approved_at is not None)])


def state_of(version: Version, current: Version | None, now: datetime) -> VersionState:
    """Return what a version is now; `current` is the one in force."""
    if version.withdrawn_at is not None:
        return VersionState.WITHDRAWN
    if version.starts_at is None:
        return VersionState.DRAFT
    if version.starts_at > now:
        return VersionState.APPROVED
    is_current = current is not None and version.number == current.number
    return VersionState.IN_FORCE if is_current else VersionState.PAST


def approve(
    version: Version, policy: Policy, others: Iterable[Version], *, officer: str,
    starts_at: datetime, now: datetime,
) -> Version:  # fmt: skip
    """Return the draft approved by `officer`, in force from `starts_at` on.

    `others` are the approved versions of the municipality.

    Raises `Denied` for its own author; `Conflict` when it is no draft, another version took over
    since it was drawn up, or one waits to start and would undo it; `ProtocolError` for a
    time that has passed or lies over a year ahead, and for settings looser than the baseline
    without a reason and a date that holds.
    """
    if version.withdrawn_at is not None or version.starts_at is not None:
        raise Conflict("this version is no draft", code="not_a_draft")
    if version.author_id == officer:
        what = "a change is approved by another officer than the one who drew it up"
        raise Denied(what, code="own_draft", reasons=(Reason("own_draft", what, "four eyes"),))
    others = tuple(others)
    current = in_force(others, now)
    if (current.number if current else 0) != version.base:
        raise Conflict("another version took over since; draw it up anew", code="outdated_draft")
    if waiting(others, now) is not None:
        what = "another approved version waits to start; withdraw it first"
        raise Conflict(what, code="version_waiting")
    if not now <= starts_at <= now + MAX_AHEAD:
        raise ProtocolError("the beginning lies in the past or over a year ahead", code="bad_start")
    require_explained(policy, starts_at)
    return replace(version, approved_by=officer, approved_at=now, starts_at=starts_at)


def require_explained(policy: Policy, at: datetime) -> None:
    """Raise `ProtocolError` naming each looser setting without a reason that holds on that day."""
    missing = list(unexplained(policy))
    missing += [key for key, one in policy.looser.items() if one.until < at.date()]
    if missing:
        raise ProtocolError(
            "looser than the baseline without a reason and a date: " + ", ".join(missing),
            code="looser_unexplained",
            reasons=tuple(Reason("looser_unexplained", key) for key in missing),
        )


def withdraw(version: Version, *, officer: str, now: datetime) -> Version:
    """Return the version withdrawn: a draft, or one that has not started yet. Raises `Conflict`."""
    has_started = version.starts_at is not None and version.starts_at <= now
    if version.withdrawn_at is not None or has_started:
        raise Conflict("only what is not in force yet can be withdrawn", code="not_a_draft")
    return replace(version, withdrawn_by=officer, withdrawn_at=now)


def rescue(current: Version, *, of: int, text: str, note: str, now: datetime) -> Version:
    """Return a version, in force at once, that says again what version `of` said; 0 the baseline.

    Nobody has approved it, and that shows (`rescued`). The next number is the store's to give.
    """
    return Version(
        current.municipality_id,
        current.number,
        current.number,
        text,
        current.author_id,
        now,
        f"救済 / rescue ({of}): {note}",
        approved_at=now,
        starts_at=now,
    )
