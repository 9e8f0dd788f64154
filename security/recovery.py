"""A lost second factor: two administrators together give the person a new beginning. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from security.errors import Conflict, Denied

CONFIRM_WITHIN = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Recovery:
    """How far the recovery of one person has come."""

    municipality_id: str
    person_id: str
    asked_at: datetime | None = None
    started_by: str | None = None
    started_at: datetime | None = None
    confirmed_by: str | None = None
    confirmed_at: datetime | None = None

    def state(self, now: datetime) -> str:
        """Return `none`, `asked`, `started` or `confirmed`; what grew old has not happened."""
        if self.started_at is not None and now - self.started_at < CONFIRM_WITHIN:
            return "started" if self.confirmed_at is None else "confirmed"
        return "none" if self.asked_at is None else "asked"


def start(recovery: Recovery, *, administrator: str, now: datetime) -> Recovery:
    """Return it started by one administrator. Raises `Conflict`, `Denied`."""
    if administrator == recovery.person_id:
        raise second_administrator()
    if recovery.state(now) == "started":
        raise Conflict("it is started already; another administrator confirms", code="conflict")
    return replace(
        recovery, started_by=administrator, started_at=now, confirmed_by=None, confirmed_at=None
    )


def confirm(recovery: Recovery, *, administrator: str, now: datetime) -> Recovery:
    """Return it confirmed by a second administrator. Raises `Conflict`, `Denied`."""
    if recovery.state(now) != "started":
        raise Conflict("there is nothing to confirm", code="wrong_state")
    if administrator in (recovery.started_by, recovery.person_id):
        raise second_administrator()
    return replace(recovery, confirmed_by=administrator, confirmed_at=now)


def second_administrator() -> Denied:
    """Return the answer to somebody who may not be the one to do this."""
    return Denied("another administrator does this", code="second_administrator")
