"""What the administration page is shown, as JSON. Pure."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from security.people import Office, Person, Role, Tablet
from server.procedures.catalog import Catalog
from server.procedures.opening import Opening, availability
from server.procedures.template import Template

Json = dict[str, Any]


def house_view(
    *,
    today: date,
    procedures: Catalog,
    offices: Sequence[Office],
    tablets: Sequence[Tablet],
    openings: Sequence[Opening],
    people: Sequence[Person],
) -> Json:
    """Return everything of a municipality's house."""
    names = {one.id: one.name for one in people}
    return {
        "today": today.isoformat(),
        "procedures": [_procedure(one) for one in procedures.procedures],
        "offices": [
            {
                **office_view(office),
                "tablets": [tablet_view(one) for one in tablets if one.office_id == office.id],
                "clerks": sum(_works_at(one, office) for one in people),
                **_opened(office, procedures, openings, names, today),
            }
            for office in offices
        ],
        "people": [person_view(one) for one in people],
    }


def _procedure(one: Template) -> Json:
    names = {"name": one.name.model_dump(), "resolution": one.resolution}
    return {"id": one.id, "group": one.group, **names}


def _works_at(person: Person, office: Office) -> bool:
    is_clerk = person.role is Role.CLERK and person.disabled_at is None
    return is_clerk and person.office_id == office.id


def _opened(
    office: Office,
    procedures: Catalog,
    openings: Sequence[Opening],
    names: dict[str, str],
    today: date,
) -> Json:
    mine = [one for one in openings if one.office_id == office.id]
    rows = []
    for one in procedures.procedures:
        entries = [entry for entry in mine if entry.procedure == one.id]
        found = availability(entries, today, shipped_open=one.status == "open")
        rows.append(
            {
                "id": one.id,
                "open": found.open,
                "since": _day(found.since),
                "basis": found.basis,
                "opens_on": _day(found.opens_on),
            }
        )
    return {"procedures": rows, "openings": [_opening(one, names, today) for one in mine]}


def _opening(one: Opening, names: dict[str, str], today: date) -> Json:
    return {
        "id": one.id,
        "procedure": one.procedure,
        "opens": one.opens,
        "from_on": _day(one.from_on),
        "basis": one.basis,
        "set_by": names.get(one.set_by or ""),
        "set_at": _time(one.set_at),
        "withdrawn_at": _time(one.withdrawn_at),
        "may_withdraw": one.withdrawn_at is None and one.from_on > today,
    }


def office_view(office: Office) -> Json:
    """Return an office with what is entered of it."""
    return {
        "id": office.id,
        "name": office.name,
        "designated_on": _day(office.designated_on),
        "resolved_on": _day(office.resolved_on),
        "resolution_ref": office.resolution_ref,
        "contract_ref": office.contract_ref,
    }


def tablet_view(tablet: Tablet) -> Json:
    """Return a tablet; no secret of it."""
    return {
        "id": tablet.id,
        "name": tablet.name,
        "real": tablet.real,
        "enrolled_at": _time(tablet.enrolled_at),
        "revoked_at": _time(tablet.revoked_at),
    }


def person_view(person: Person) -> Json:
    """Return a person; no secret of theirs, but whether there is one."""
    return {
        "id": person.id,
        "login": person.login,
        "name": person.name,
        "role": person.role.value,
        "office": person.office_id,
        "trained_on": _day(person.trained_on),
        "ready": bool(person.pin_hash if person.role is Role.CLERK else person.password_hash),
        "ended_at": _time(person.disabled_at),
    }


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _time(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
