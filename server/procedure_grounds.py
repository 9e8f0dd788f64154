"""What a real call would stand on at an office at some moment, for questions without a tablet.

A counter is told by server/api/eligibility.py, which knows the tablet as well.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from security.people import Office
from security.policy.facts import Grounds
from server.policies import ZONE
from server.procedures.book import ProcedureBook
from server.procedures.opening import Opening, availability, may_be_placed


class Openings(Protocol):
    """Where openings stand."""

    async def openings(self, municipality_id: str, office_id: str | None = None) -> list[Opening]:
        """Return the entries of a municipality, or of one office of it."""


class Checks(Protocol):
    """Where results of 開始前点検 stand."""

    async def last_passed(
        self, municipality_id: str, *, office_id: str | None = None, until: datetime | None = None
    ) -> datetime | None:
        """Return when a check was last passed at an office, `until` then."""


@dataclass(frozen=True, slots=True)
class Found:
    """Whether a procedure is open, and what is entered of the office; None: of no office."""

    open: bool
    grounds: Grounds | None = None


class ProcedureGrounds:
    """Looks up what is entered in a municipality."""

    def __init__(self, book: ProcedureBook, openings: Openings, checks: Checks) -> None:
        self._book = book
        self._openings = openings
        self._checks = checks

    async def at(
        self, home: str, office: Office | None, procedure: str | None, at: datetime, *, real: bool
    ) -> Found:
        """Return what holds at `at`, aware, for a call that is `real` or 研修モード.

        Without an office the procedure is open when it is at any. A 開始前点検 counts as that of
        the tablet that would call, wherever at the office it was passed.
        """
        is_open = procedure is None or await self._is_open(home, office, procedure, at, real=real)
        if office is None:
            return Found(is_open)
        template = self._book.template(home, procedure or "", at)
        checked = await self._checks.last_passed(home, office_id=office.id, until=at)
        day = checked.astimezone(ZONE).date() if checked else None
        resolution = template.resolution if template else "required"
        grounds = Grounds(office.designated_on, office.resolved_on, resolution, day, day)
        return Found(is_open, grounds)

    async def _is_open(
        self, home: str, office: Office | None, procedure: str, at: datetime, *, real: bool
    ) -> bool:
        template = self._book.template(home, procedure, at)
        if template is None:
            return False
        entries = await self._openings.openings(home, office.id if office else None)
        mine = [one for one in entries if one.procedure == procedure]
        by_office = _by_office(mine) if office is None else [mine]
        day = at.astimezone(ZONE).date()
        found = (availability(x, day, shipped_open=template.status == "open") for x in by_office)
        return any(may_be_placed(one, training=not real) for one in found)


def _by_office(entries: Iterable[Opening]) -> list[list[Opening]]:
    """Return the entries office by office, and those of an office that has none."""
    found: dict[str, list[Opening]] = {}
    for one in entries:
        found.setdefault(one.office_id, []).append(one)
    return [*found.values(), []]
