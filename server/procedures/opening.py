"""From when on a procedure is open at an office: dated entries, each with its document. Pure.

Nothing is overwritten. What holds on a day is said by the entry with the latest day that has come;
of two for one day by the one entered later. Before the first entry the shipped status holds: that
of September 2023 (Q&A 2).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from security.errors import Conflict, ProtocolError

MAX_BASIS = 200
MAX_AHEAD = timedelta(days=732)


@dataclass(frozen=True, slots=True)
class Opening:
    """One entry: opened (`opens`) or closed from the day `from_on` on, by `basis`.

    `set_by` and `withdrawn_by` are persons, None for a command of the shell.
    """

    id: str
    municipality_id: str
    office_id: str
    procedure: str
    opens: bool
    from_on: date
    basis: str
    set_by: str | None
    set_at: datetime
    withdrawn_by: str | None = None
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Availability:
    """What holds on a day: `since` and `basis` of the entry, None and "" when none says so.

    `opens_on` is the day of the next opening, while it is closed.
    """

    open: bool
    since: date | None = None
    basis: str = ""
    opens_on: date | None = None


def availability(openings: Iterable[Opening], day: date, *, shipped_open: bool) -> Availability:
    """Return what the entries of one office and one procedure say of `day`."""
    valid = sorted(
        (one for one in openings if one.withdrawn_at is None),
        key=lambda one: (one.from_on, one.set_at, one.id),
    )
    come = [one for one in valid if one.from_on <= day]
    last = come[-1] if come else None
    is_open = last.opens if last else shipped_open
    coming = None if is_open else next((x.from_on for x in valid if _opens_after(x, day)), None)
    if last is None:
        return Availability(is_open, opens_on=coming)
    return Availability(is_open, last.from_on, last.basis, coming)


def may_be_placed(found: Availability, *, training: bool) -> bool:
    """Tell whether calls may be placed: in 研修モード also before the day of the opening."""
    return found.open or (training and found.opens_on is not None)


def _opens_after(one: Opening, day: date) -> bool:
    return one.opens and one.from_on > day


def check_entry(from_on: date, basis: str, *, today: date) -> None:
    """Raise `ProtocolError` for an entry without document, or too far from today."""
    if not basis.strip():
        raise ProtocolError("basis names the document that it rests on", code="basis_required")
    if abs(from_on - today) > MAX_AHEAD:
        raise ProtocolError("the day is more than two years from today", code="bad_day")


def withdrawn(one: Opening, *, by: str | None, now: datetime, today: date) -> Opening:
    """Return the entry taken back. Raises `Conflict` once its day has come: enter the opposite."""
    if one.withdrawn_at is not None or one.from_on <= today:
        raise Conflict("this entry is in force; enter what holds from now on", code="has_begun")
    return replace(one, withdrawn_by=by, withdrawn_at=now)
