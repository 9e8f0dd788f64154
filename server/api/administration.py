"""HTTP routes of the administration page: offices, procedures opened, tablets, people.

Every change is asked of the gate and made by server/administration.py, as the commands make it.
"""

from collections.abc import Awaitable
from dataclasses import replace
from datetime import date, timedelta
from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, StringConstraints

from security.audit.chain import Json
from security.errors import Denied, NotFound
from security.people import LINK_LIFETIME, LinkPurpose, Office, OfficeKind, Person, Role, Tablet
from security.pin_rule import FIRST_LIFETIME
from server.administration import Entrance, Hand
from server.api.administration_views import house_view, office_view, person_view, tablet_view
from server.api.body import answer, read_body
from server.api.keys import PARTS
from server.api.speaker import Speaker, path_id, speaker_of
from server.parts import Parts

routes = web.RouteTableDef()
Name = Annotated[
    str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,200}$", strip_whitespace=True)
]
Line = Annotated[
    str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{0,200}$", strip_whitespace=True)
]
Login = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._@-]{0,63}$")]
Id = Annotated[str, StringConstraints(max_length=64)]
# One administrator alone makes no second one, nor sets the password of one: two of them appoint
# officers and recover factors together. A second one is added by a command of the shell.
NOT_BY_PAGE = frozenset({Role.ADMINISTRATOR})


class Body(BaseModel):
    """Base of every request body."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class OfficeBody(Body):
    """A post office; `kind` simple is refused (Q&A 11)."""

    name: Name
    kind: OfficeKind = OfficeKind.DIRECT


class DaysBody(Body):
    """What is entered of an office; all of it, as it then stands."""

    designated_on: date | None
    resolved_on: date | None
    resolution_ref: Line
    contract_ref: Line


class OpeningBody(Body):
    """A procedure opens (or closes) from a day on, by a document."""

    procedure: Id
    opens: bool
    from_on: date
    basis: Line


class NameBody(Body):
    """A name."""

    name: Name


class ModeBody(Body):
    """本番 or 研修モード."""

    real: bool


class PersonBody(Body):
    """A new person; a clerk belongs to an office."""

    login: Login
    name: Name
    role: Role
    office: Id | None = None


class TrainingBody(Body):
    """The day of the last training."""

    on: date


async def _asked(request: web.Request, action: str) -> tuple[Parts, Speaker, Hand]:
    """Return parts, speaker and hand of who may do `action` in the own municipality."""
    parts = request.app[PARTS]
    speaker = await speaker_of(parts, request)
    home = speaker.municipality.id
    await parts.gate.ask(action, speaker.facts(home, now=parts.clock()))
    return parts, speaker, hand_of(parts, speaker)


def hand_of(parts: Parts, speaker: Speaker) -> Hand:
    """Return the hand of whoever works at a page."""
    if speaker.person is None:
        raise Denied("nobody is signed in", code="signed_out", http_status=401)
    home, me = speaker.municipality.id, speaker.person.id

    async def note(tag: str, subject: str, detail: Json) -> None:
        said = {**detail, "by": me}
        await parts.audit.note(home, f"administration:{tag}", subject, said, now=parts.clock())

    return Hand(home, me, note)


async def _found(looked: Awaitable[Any | None]) -> Any:
    item = await looked
    if item is None:
        raise NotFound("no such thing")
    return item


async def _office(request: web.Request, parts: Parts, hand: Hand) -> Office:
    wanted = parts.people.office(hand.municipality_id, path_id(request, "office"))
    office: Office = await _found(wanted)
    return office


async def _tablet(request: web.Request, parts: Parts, hand: Hand) -> Tablet:
    wanted = parts.people.tablet(hand.municipality_id, path_id(request, "tablet"))
    tablet: Tablet = await _found(wanted)
    return tablet


async def _person(request: web.Request, parts: Parts, hand: Hand) -> Person:
    wanted = parts.people.person(hand.municipality_id, path_id(request, "worker"))
    person: Person = await _found(wanted)
    return person


@routes.get("/api/v1/administration")
async def administration(request: web.Request) -> web.Response:
    """Return offices with their days, tablets and procedures, and people."""
    parts, speaker, _ = await _asked(request, "house.read")
    home = speaker.municipality.id
    return answer(
        house_view(
            today=parts.administration.today(),
            procedures=parts.procedures.catalog(home, parts.clock()),
            offices=await parts.people.offices(home),
            tablets=await parts.people.tablets(home),
            openings=await parts.procedure_store.openings(home),
            people=await parts.people.people(home),
        )
    )


# Offices


@routes.post("/api/v1/offices")
async def add_office(request: web.Request) -> web.Response:
    """Register a directly managed post office."""
    parts, _, hand = await _asked(request, "office.edit")
    body = await read_body(request, OfficeBody)
    item = await parts.administration.add_office(hand, body.name, body.kind)
    return answer(office_view(item), status=201)


@routes.post("/api/v1/offices/{office}")
async def enter_office(request: web.Request) -> web.Response:
    """Enter designation, resolution and contract of an office."""
    parts, _, hand = await _asked(request, "office.edit")
    before = await _office(request, parts, hand)
    body = await read_body(request, DaysBody)
    after = replace(before, **dict(body))
    return answer(office_view(await parts.administration.enter_office(hand, before, after)))


@routes.post("/api/v1/offices/{office}/openings")
async def open_procedure(request: web.Request) -> web.Response:
    """Enter that a procedure opens or closes at an office from a day on."""
    parts, _, hand = await _asked(request, "procedure.open")
    office = await _office(request, parts, hand)
    body = await read_body(request, OpeningBody)
    item = await parts.administration.open_procedure(
        hand, office, body.procedure, opens=body.opens, from_on=body.from_on, basis=body.basis
    )
    return answer({"id": item.id}, status=201)


@routes.post("/api/v1/openings/{opening}/withdraw")
async def withdraw_opening(request: web.Request) -> web.Response:
    """Take an entry back whose day has not come."""
    parts, _, hand = await _asked(request, "procedure.open")
    await parts.administration.withdraw_opening(hand, path_id(request, "opening"))
    return web.Response(status=204)


# Tablets


@routes.post("/api/v1/offices/{office}/tablets")
async def add_tablet(request: web.Request) -> web.Response:
    """Add a tablet and return its enrolment code."""
    parts, _, hand = await _asked(request, "tablet.edit")
    office = await _office(request, parts, hand)
    body = await read_body(request, NameBody)
    item, code = await parts.administration.add_tablet(hand, office, body.name)
    return answer({"tablet": tablet_view(item), **_code(request, parts, code)}, status=201)


@routes.post("/api/v1/tablets/{tablet}/code")
async def enrol_code(request: web.Request) -> web.Response:
    """Return a new enrolment code of a tablet."""
    parts, _, hand = await _asked(request, "tablet.edit")
    item = await _tablet(request, parts, hand)
    code = await parts.administration.enrol_code(hand, item)
    return answer({"tablet": tablet_view(item), **_code(request, parts, code)})


@routes.post("/api/v1/tablets/{tablet}/mode")
async def switch_tablet(request: web.Request) -> web.Response:
    """Switch a tablet to 本番 or 研修モード, for its next call; its page is told."""
    parts, _, hand = await _asked(request, "tablet.edit")
    item = await _tablet(request, parts, hand)
    body = await read_body(request, ModeBody)
    after = await parts.administration.switch_tablet(hand, item, real=body.real)
    await parts.shifts.renew(("counter", item.id))
    return answer(tablet_view(after))


def _code(request: web.Request, parts: Parts, code: str) -> dict[str, str]:
    until = parts.clock() + LINK_LIFETIME[LinkPurpose.ENROL]
    link = f"{request.headers['Origin']}/enrol#{code}"
    return {"code": code, "link": link, "expires_at": until.isoformat()}


# People


@routes.post("/api/v1/people")
async def add_person(request: web.Request) -> web.Response:
    """Add a person; the answer holds what is handed over, once: a link, or a clerk's first PIN."""
    parts, _, hand = await _asked(request, "person.edit")
    body = await read_body(request, PersonBody)
    _require_by_page(body.role)
    wanted = parts.people.office(hand.municipality_id, body.office) if body.office else None
    office = await _found(wanted) if wanted else None
    item, entrance = await parts.administration.add_person(
        hand, login=body.login, name=body.name, role=body.role, office=office
    )
    shown = {"person": person_view(item), **_entrance(request, parts, entrance)}
    return answer(shown, status=201)


@routes.post("/api/v1/people/{worker}/entrance")
async def new_entrance(request: web.Request) -> web.Response:
    """Return a new one-time link or first PIN of a person."""
    parts, _, hand = await _asked(request, "person.edit")
    person = await _person(request, parts, hand)
    _require_by_page(person.role)
    entrance = await parts.administration.new_entrance(hand, person)
    return answer({"person": person_view(person), **_entrance(request, parts, entrance)})


@routes.post("/api/v1/people/{worker}/training")
async def set_training(request: web.Request) -> web.Response:
    """Write down the day of a person's last training."""
    parts, _, hand = await _asked(request, "person.edit")
    person = await _person(request, parts, hand)
    body = await read_body(request, TrainingBody)
    return answer(person_view(await parts.administration.set_training(hand, person, body.on)))


@routes.post("/api/v1/people/{worker}/end")
async def end_person(request: web.Request) -> web.Response:
    """End a person's work here; every sign-in of theirs ends at once."""
    parts, _, hand = await _asked(request, "person.edit")
    person = await _person(request, parts, hand)
    if person.id == hand.person_id:
        raise Denied("another administrator ends this", code="second_administrator")
    await parts.administration.end_person(hand, person)
    return web.Response(status=204)


def _require_by_page(role: Role) -> None:
    if role in NOT_BY_PAGE:
        raise Denied("administrators are added by a command", code="second_administrator")


def _entrance(request: web.Request, parts: Parts, entrance: Entrance) -> dict[str, str | None]:
    if entrance.purpose is None:
        until = parts.clock() + FIRST_LIFETIME
        return {"pin": entrance.secret, "link": None, "expires_at": until.isoformat()}
    until = parts.clock() + LINK_LIFETIME.get(entrance.purpose, timedelta())
    link = f"{request.headers['Origin']}/password#{entrance.secret}"
    return {"pin": None, "link": link, "expires_at": until.isoformat()}
