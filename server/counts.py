"""Counts of real calls: month x office x procedure x outcome. Pure.

A call counts in the month, in Japan, in which it was closed with an outcome; 研修モード and calls
that nobody answered count nowhere. A month is closed an hour after its end and never changes:
what was wrong is corrected by additions with a reason.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pydantic_core import from_json

from security.audit.chain import canonical
from security.errors import Corrupt, ProtocolError

ZONE = ZoneInfo("Asia/Tokyo")
GRACE = timedelta(hours=1)
_MONTH = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True, order=True)
class Count:
    """How many calls of one office, procedure and outcome."""

    office_id: str
    procedure: str
    outcome: str
    count: int

    @property
    def of(self) -> tuple[str, str, str]:
        """Return what is counted."""
        return (self.office_id, self.procedure, self.outcome)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A closed month: its counts as canonical JSON, and their hash."""

    month: str
    closed_at: datetime
    statement: bytes
    sha256: bytes

    def counts(self) -> list[Count]:
        """Return the counts. Raises `Corrupt` when they are not what was hashed."""
        if hashlib.sha256(self.statement).digest() != self.sha256:
            raise Corrupt(f"the counts of {self.month} do not verify")
        return [Count(*row) for row in from_json(self.statement)["counts"]]


@dataclass(frozen=True, slots=True)
class Correction:
    """What is added to (or, negative, taken from) a count of a closed month."""

    id: str
    month: str
    office_id: str
    procedure: str
    outcome: str
    difference: int
    reason: str
    person_id: str
    at: datetime

    @property
    def of(self) -> tuple[str, str, str]:
        """Return what is corrected."""
        return (self.office_id, self.procedure, self.outcome)


def month_of(at: datetime) -> str:
    """Return the month of a moment in Japan, as 2026-11."""
    return f"{at.astimezone(ZONE):%Y-%m}"


def require_month(text: str) -> str:
    """Return a month as it is written. Raises `ProtocolError`."""
    if _MONTH.fullmatch(text) is None:
        raise ProtocolError("a month is written as 2026-11")
    return text


def next_month(month: str) -> str:
    """Return the month after."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year + 1}-01" if number == 12 else f"{year}-{number + 1:02d}"


def begin(month: str) -> datetime:
    """Return the first moment of a month in Japan, in UTC."""
    return datetime(int(month[:4]), int(month[5:]), 1, tzinfo=ZONE).astimezone(UTC)


def months_between(first: str, last: str) -> list[str]:
    """Return every month from `first` to `last`, both included."""
    found = []
    while first <= last:
        found.append(first)
        first = next_month(first)
    return found


def is_over(month: str, now: datetime) -> bool:
    """Tell whether a month can be closed."""
    return now >= begin(next_month(month)) + GRACE


def snapshot(municipality_id: str, month: str, counts: Iterable[Count], now: datetime) -> Snapshot:
    """Return a month as it is closed."""
    rows = [[*one.of, one.count] for one in sorted(counts)]
    statement = canonical({"municipality": municipality_id, "month": month, "counts": rows})
    return Snapshot(month, now, statement, hashlib.sha256(statement).digest())


def corrected(
    counts: Iterable[Count], corrections: Iterable[Correction]
) -> list[tuple[Count, int]]:
    """Return every count with the sum of its corrections, also where only those are."""
    by_of = {one.of: one.count for one in counts}
    differences: dict[tuple[str, str, str], int] = {}
    for one in corrections:
        differences[one.of] = differences.get(one.of, 0) + one.difference
    every = sorted({*by_of, *differences})
    return [(Count(*of, by_of.get(of, 0)), differences.get(of, 0)) for of in every]
