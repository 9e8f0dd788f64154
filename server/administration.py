"""What administrators change: offices, procedures opened, tablets, people.

The page and the commands do it by the same functions, under a `Hand` that says who does it and
writes each change into the audit log. Who may do it is asked before: by the gate of whoever comes
over the network; a command is of somebody who has a shell on the host.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Protocol

from security.audit.chain import Json
from security.errors import Conflict, Denied, NotFound, ProtocolError
from security.ids import new_id
from security.officers import Appointment
from security.people import LinkPurpose, Office, OfficeKind, Person, Role, Tablet
from server.policies import ZONE
from server.procedures.catalog import shipped
from server.procedures.opening import Opening, check_entry, withdrawn

Note = Callable[[str, str, Json], Awaitable[None]]


class People(Protocol):
    """Where offices, tablets and people stand."""

    async def add_office(self, item: Office) -> None:
        """Store a new office; raises `Conflict`."""

    async def set_office(self, item: Office) -> None:
        """Overwrite what is entered of an office."""

    async def add_tablet(self, item: Tablet) -> None:
        """Store a new tablet."""

    async def set_tablet_real(self, municipality_id: str, tablet_id: str, *, real: bool) -> None:
        """Switch a tablet to 本番 or 研修モード."""

    async def add_person(self, item: Person) -> None:
        """Store a new person; raises `Conflict`."""

    async def set_training(self, municipality_id: str, person_id: str, on: date | None) -> None:
        """Write down the day of a person's last training."""

    async def disable_person(self, municipality_id: str, person_id: str, now: datetime) -> bool:
        """Disable a person and end every session."""


class Openings(Protocol):
    """Where openings stand."""

    async def add_opening(self, item: Opening) -> None:
        """Store a new entry."""

    async def openings(self, municipality_id: str, office_id: str | None = None) -> list[Opening]:
        """Return the entries of a municipality."""

    async def withdraw_opening(self, item: Opening) -> None:
        """Store that an entry was taken back. Raises `Conflict` if it was already."""


class Links(Protocol):
    """Makes one-time tokens."""

    async def make_link(
        self,
        purpose: LinkPurpose,
        municipality_id: str,
        *,
        person_id: str | None = None,
        tablet_id: str | None = None,
    ) -> str:
        """Return a one-time token; only its SHA-256 is kept."""


class Officers(Protocol):
    """Where appointments stand."""

    async def appointment(self, municipality_id: str, person_id: str) -> Appointment | None:
        """Return the appointment of a person."""


class FirstPins(Protocol):
    """Gives clerks their first PIN."""

    async def first_pin(self, person: Person) -> str:
        """Return a first PIN; the one before is void."""


@dataclass(frozen=True, slots=True)
class Hand:
    """Who changes something in a municipality: a person, or None: a command of the shell."""

    municipality_id: str
    person_id: str | None
    note: Note


@dataclass(frozen=True, slots=True)
class Entrance:
    """What a new person, or one who starts anew, is handed: a clerk a PIN, others a link."""

    purpose: LinkPurpose | None
    secret: str


class Administration:
    """The changes. `clock` returns aware UTC."""

    def __init__(
        self,
        people: People,
        openings: Openings,
        links: Links,
        pins: FirstPins,
        officers: Officers,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._people = people
        self._openings = openings
        self._links = links
        self._pins = pins
        self._officers = officers
        self._clock = clock

    def today(self) -> date:
        """Return the date in Japan."""
        return self._clock().astimezone(ZONE).date()

    # Offices

    async def add_office(self, hand: Hand, name: str, kind: OfficeKind) -> Office:
        """Register a post office; raises `Conflict` for a 簡易郵便局 (Q&A 11) or a known name."""
        item = Office(new_id(), hand.municipality_id, name, kind)
        await self._people.add_office(item)
        await hand.note("office:add", item.id, {})
        return item

    async def enter_office(self, hand: Hand, before: Office, after: Office) -> Office:
        """Enter designation, resolution and contract of an office; what changed is logged."""
        changed: Json = {}
        for name in ("designated_on", "resolved_on", "resolution_ref", "contract_ref"):
            if (value := getattr(after, name)) != getattr(before, name):
                changed |= _logged(name, value)
        if changed:
            await self._people.set_office(after)
            await hand.note("office:edit", after.id, changed)
        return after

    async def open_procedure(
        self, hand: Hand, office: Office, procedure: str, *, opens: bool, from_on: date, basis: str
    ) -> Opening:
        """Enter that a procedure opens (or closes) at an office from a day on, by a document.

        Raises `NotFound` for no such procedure, `ProtocolError` for no document or a wrong day.
        """
        if shipped().get(procedure) is None:
            raise NotFound("there is no such procedure")
        check_entry(from_on, basis, today=self.today())
        item = Opening(
            new_id(), hand.municipality_id, office.id, procedure, opens, from_on, basis.strip(),
            hand.person_id, self._clock(),
        )  # fmt: skip
        await self._openings.add_opening(item)
        detail = {"procedure": procedure, "from_on": from_on.isoformat(), "opening": item.id}
        await hand.note("procedure:open" if opens else "procedure:close", office.id, detail)
        return item

    async def withdraw_opening(self, hand: Hand, opening_id: str) -> Opening:
        """Take an entry back whose day has not come. Raises `NotFound`, `Conflict`."""
        every = await self._openings.openings(hand.municipality_id)
        found = next((one for one in every if one.id == opening_id), None)
        if found is None:
            raise NotFound("there is no such entry")
        gone = withdrawn(found, by=hand.person_id, now=self._clock(), today=self.today())
        await self._openings.withdraw_opening(gone)
        detail = {"procedure": gone.procedure, "from_on": gone.from_on.isoformat()}
        detail["opening"] = gone.id
        await hand.note("procedure:withdraw", gone.office_id, detail)
        return gone

    # Tablets

    async def add_tablet(self, hand: Hand, office: Office, name: str) -> tuple[Tablet, str]:
        """Add a tablet and return it with its enrolment code."""
        item = Tablet(new_id(), hand.municipality_id, office.id, name, None, None)
        await self._people.add_tablet(item)
        await hand.note("tablet:add", item.id, {"office": office.id})
        return item, await self._code(item)

    async def enrol_code(self, hand: Hand, tablet: Tablet) -> str:
        """Return a new enrolment code; earlier ones no longer count."""
        await hand.note("tablet:enrol-code", tablet.id, {})
        return await self._code(tablet)

    async def switch_tablet(self, hand: Hand, tablet: Tablet, *, real: bool) -> Tablet:
        """Switch a tablet to 本番 or to 研修モード, for its next call."""
        await self._people.set_tablet_real(hand.municipality_id, tablet.id, real=real)
        await hand.note("tablet:mode", tablet.id, {"real": real})
        return replace(tablet, real=real)

    async def _code(self, tablet: Tablet) -> str:
        home = tablet.municipality_id
        return await self._links.make_link(LinkPurpose.ENROL, home, tablet_id=tablet.id)

    # People

    async def add_person(
        self, hand: Hand, *, login: str, name: str, role: Role, office: Office | None
    ) -> tuple[Person, Entrance]:
        """Add a person and return what is handed over: a one-time link, or a clerk's first PIN."""
        if (role is Role.CLERK) != (office is not None):
            raise ProtocolError("a clerk, and nobody else, belongs to an office")
        place = office.id if office else None
        item = Person(new_id(), hand.municipality_id, login, name, role, place, None, None)
        await self._people.add_person(item)
        await hand.note("person:add", item.id, {"role": role.value})
        return item, await self._entrance(hand, item)

    async def new_entrance(self, hand: Hand, person: Person) -> Entrance:
        """Return a new one-time link, or first PIN.

        Raises `Conflict` for whoever has left, and for an officer who is proposed or appointed
        `Denied` `officer_entrance`, but to the shell: an administrator who could take that link
        would sign policies in the officer's place.
        """
        if person.disabled_at is not None:
            raise Conflict("this person works here no more", code="has_begun")
        if hand.person_id is not None and await self._is_officer(person):
            await hand.note("person:link-refused", person.id, {"code": "officer_entrance"})
            raise Denied("an appointed officer's link is made at the host", code="officer_entrance")
        if person.role is not Role.CLERK:
            await hand.note("person:link", person.id, {"purpose": LinkPurpose.PASSWORD.value})
        return await self._entrance(hand, person)

    async def _is_officer(self, person: Person) -> bool:
        """Tell whether somebody is appointed as officer, or proposed."""
        if person.role is not Role.OFFICER:
            return False
        found = await self._officers.appointment(person.municipality_id, person.id)
        return found is not None and found.stands(self._clock())

    async def _entrance(self, hand: Hand, person: Person) -> Entrance:
        if person.role is Role.CLERK:
            first = await self._pins.first_pin(person)
            await hand.note("person:pin", person.id, {})
            return Entrance(None, first)
        purpose, home = LinkPurpose.PASSWORD, person.municipality_id
        return Entrance(purpose, await self._links.make_link(purpose, home, person_id=person.id))

    async def set_training(self, hand: Hand, person: Person, on: date) -> Person:
        """Write down the day of a person's last training.

        Raises `ProtocolError` for a day to come.
        """
        if on > self.today():
            raise ProtocolError("that day is yet to come", code="bad_day")
        await self._people.set_training(hand.municipality_id, person.id, on)
        await hand.note("person:train", person.id, {"on": on.isoformat()})
        return replace(person, trained_on=on)

    async def end_person(self, hand: Hand, person: Person) -> None:
        """End a person's work here; every sign-in of theirs ends at once."""
        await self._people.disable_person(hand.municipality_id, person.id, self._clock())
        await hand.note("person:disable", person.id, {})


def _logged(name: str, value: date | str | None) -> Json:
    """Return what the audit log says of something entered: a day, of a text that it was entered.

    Whoever writes the text may name somebody in it, and so short a text is guessed from its hash.
    """
    if isinstance(value, str):
        return {name: "entered" if value else "emptied"}
    return {name: value and value.isoformat()}
