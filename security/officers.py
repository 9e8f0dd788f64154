"""Who may sign policies: appointed by two administrators, so that no one invents both. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime

from security.errors import Conflict, Denied
from security.people import Person, Role


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


def propose(person: Person, *, administrator: str, now: datetime) -> Appointment:
    """Return the proposal. Raises `Conflict` for another role, `Denied` for oneself."""
    if person.role is not Role.OFFICER or person.disabled_at is not None:
        raise Conflict(
            "only a person with the role of officer can be appointed", code="not_officer"
        )
    if person.id == administrator:
        raise Denied("nobody appoints themselves", code="same_person")
    return Appointment(person.municipality_id, person.id, administrator, now)


def confirm(appointment: Appointment, *, administrator: str, now: datetime) -> Appointment:
    """Return the appointment confirmed by a second administrator. Raises `Denied`, `Conflict`."""
    if appointment.holds:
        raise Conflict("this officer is appointed already", code="conflict")
    if administrator in (appointment.proposed_by, appointment.person_id):
        raise Denied("a second administrator confirms", code="same_person")
    return replace(appointment, confirmed_by=administrator, confirmed_at=now)
