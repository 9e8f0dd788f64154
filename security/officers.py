"""Who may sign policies: appointed by two administrators, so that no one invents both. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from security.errors import Conflict, Denied
from security.people import Person, Role

CONFIRM_WITHIN = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Appointment:
    """One officer's appointment; `proposed_by` is None when `madoguchi init` made it."""

    municipality_id: str
    person_id: str
    proposed_by: str | None
    proposed_at: datetime
    confirmed_by: str | None = None
    confirmed_at: datetime | None = None

    @property
    def holds(self) -> bool:
        """Tell whether two administrators, or `init`, stand behind it."""
        return self.confirmed_at is not None

    @property
    def confirm_until(self) -> datetime:
        """Return until when a second administrator may confirm it."""
        return self.proposed_at + CONFIRM_WITHIN

    def stands(self, now: datetime) -> bool:
        """Tell whether it holds or can still be confirmed; an old proposal has not happened."""
        return self.holds or now < self.confirm_until

    def must_be_renewed(self, proposer: Person | None, now: datetime) -> bool:
        """Tell whether somebody has to propose anew.

        A proposal has grown old, or who made it is no administrator any more.
        """
        if self.holds:
            return False
        return not self.stands(now) or proposer is None or not _is_administrator(proposer)


def propose(person: Person, *, administrator: str, now: datetime) -> Appointment:
    """Return the proposal. Raises `Conflict` for another role, `Denied` for oneself."""
    _require_officer(person)
    if person.id == administrator:
        raise Denied("nobody appoints themselves", code="second_administrator")
    return Appointment(person.municipality_id, person.id, administrator, now)


def confirm(
    appointment: Appointment, person: Person, *, administrator: str, now: datetime
) -> Appointment:
    """Return the appointment of `person` confirmed by a second administrator.

    Raises `Denied` for the first one, `Conflict` for who is no officer or disabled by now.
    """
    _require_officer(person)
    if appointment.holds:
        raise Conflict("this officer is appointed already", code="conflict")
    if administrator in (appointment.proposed_by, appointment.person_id):
        raise Denied("a second administrator confirms", code="second_administrator")
    return replace(appointment, confirmed_by=administrator, confirmed_at=now)


def _require_officer(person: Person) -> None:
    if person.role is not Role.OFFICER or person.disabled_at is not None:
        raise Conflict(
            "only a person with the role of officer can be appointed", code="not_officer"
        )


def _is_administrator(person: Person) -> bool:
    return person.role is Role.ADMINISTRATOR and person.disabled_at is None
