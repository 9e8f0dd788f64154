"""HTTP routes of the officer's page: the policy, its versions, "would this be allowed?"."""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from security.errors import NotFound, ProtocolError
from security.gate import Permit
from security.people import OfficeKind, Person, Role
from security.policy.baseline import BASELINE
from security.policy.decide import decide
from security.policy.facts import Facts
from security.policy.lockout import require_known, require_somebody_let_in
from security.policy.model import BASELINE_POLICY, Policy
from security.policy.rehearse import Changed
from security.policy.versions import Version
from server.api.body import answer, read_body
from server.api.keys import PARTS
from server.api.nouns import time_view
from server.api.policy_views import changes_view, policy_view, roles_view, version_view
from server.api.shut_out import found_shut_out, shut_out_view
from server.api.speaker import Speaker, speaker_of
from server.parts import Parts
from server.policy_question import Question, action_of, terms_of
from server.policy_review import read_draft, would_end
from server.policy_text import edited, policy_text
from server.procedure_grounds import ProcedureGrounds

routes = web.RouteTableDef()
COUNTED_DAYS = (1, 7, 30)
MAX_DAYS = 90
SHOWN_CHANGES = 200
Text = Annotated[str, StringConstraints(max_length=1000)]


class Body(BaseModel):
    """Base of every request body."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DraftBody(Body):
    """A change: either the whole text, or single values over what is in force.

    `even_if_shut_out`: its author knows that it would keep them out.
    """

    note: Text = ""
    text: Annotated[str, StringConstraints(max_length=65_536)] | None = None
    values: dict[str, Any] = Field(default_factory=dict)
    clauses: dict[str, str] = Field(default_factory=dict)
    looser: dict[str, dict[str, str]] = Field(default_factory=dict)
    even_if_shut_out: bool = False


class ApproveBody(Body):
    """When the version takes force; null means at once.

    `even_if_shut_out`: whoever signs knows that it keeps them or its author out.
    """

    starts_at: datetime | None = None
    even_if_shut_out: bool = False


class QuestionBody(Body):
    """Would this be allowed? `version` is the version asked; null: the one in force."""

    action: Annotated[str, StringConstraints(max_length=64)]
    version: int | None = None
    office: str | None = None
    procedure: str | None = None
    role: Role | None = None
    address: Annotated[str, StringConstraints(max_length=64)] | None = None
    tls: Annotated[str, StringConstraints(pattern=r"^(1\.2|1\.3|proxy|none)$")] = "1.3"
    at: datetime | None = None
    trained_on: date | None = None
    second_factor: bool = False
    appointed: bool = True
    real: bool = True


async def asked(request: web.Request, action: str) -> tuple[Parts, Speaker, Permit]:
    """Return parts, speaker and the permit for `action` on the speaker's municipality."""
    parts = request.app[PARTS]
    speaker = await speaker_of(parts, request)
    home = speaker.municipality.id
    permit = await parts.gate.ask(action, speaker.facts(home, now=parts.clock()))
    if speaker.person is not None and speaker.person.role is Role.OFFICER:
        parts.officer_lines.came(speaker.person.id, speaker.reach)
    return parts, speaker, permit


def person_here(speaker: Speaker) -> Person:
    """Return the person at the page. Raises `NotFound`."""
    if speaker.person is None:
        raise NotFound("no such thing")
    return speaker.person


def _number(request: web.Request) -> int:
    return number_of(request.match_info["number"])


def number_of(text: str) -> int:
    """Return the number of a version. Raises `NotFound` for what is none."""
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise NotFound("no such thing")
    return int(text)


def _days(request: web.Request) -> int:
    text = request.query.get("days", "30")
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:6]) <= MAX_DAYS:
        raise ProtocolError(f"days is a number from 1 to {MAX_DAYS}")
    return int(text)


async def names_of(parts: Parts, home: str) -> dict[str, str]:
    """Return the names of all people of a municipality by id."""
    return {person.id: person.name for person in await parts.people.people(home)}


@routes.get("/api/v1/policy")
async def policy(request: web.Request) -> web.Response:
    """Return every setting in force, its standing, how often it was asked; people and offices."""
    parts, speaker, _ = await asked(request, "policy.read")
    home = speaker.municipality.id
    counts = {days: await parts.review.counts(home, days=days) for days in COUNTED_DAYS}
    here: dict[str, Any] = {
        "offices": [{"id": x.id, "name": x.name} for x in await parts.people.offices(home)],
        "people": [
            {"id": x.id, "name": x.name, "role": x.role.value}
            for x in await parts.people.people(home)
        ],
    }
    return answer(policy_view(parts.policies.of(home), counts) | here)


@routes.get("/api/v1/policy/text")
async def text(request: web.Request) -> web.Response:
    """Return the policy in force as commented TOML."""
    parts, speaker, _ = await asked(request, "policy.read")
    shown = policy_text(parts.policies.of(speaker.municipality.id).policy)
    headers = {"Content-Disposition": 'attachment; filename="policy.toml"'}
    return web.Response(text=shown, content_type="application/toml", headers=headers)


@routes.get("/api/v1/policy/roles")
async def roles(request: web.Request) -> web.Response:
    """Return the table of roles by which the gate decides."""
    await asked(request, "policy.read")
    return answer(roles_view())


@routes.get("/api/v1/policy/versions")
async def versions(request: web.Request) -> web.Response:
    """List all versions, newest first."""
    parts, speaker, _ = await asked(request, "policy.read")
    home, now = speaker.municipality.id, parts.clock()
    current, names = parts.policies.version_in_force(home), await names_of(parts, home)
    found = reversed(await parts.policy_store.versions(home))
    return answer({"versions": [version_view(one, current, names, now) for one in found]})


@routes.get("/api/v1/policy/versions/{number}")
async def version(request: web.Request) -> web.Response:
    """Return one version: its text, its changes against its base, what is in force, and `against`.

    `against` is the number of any other version, 0 for the baseline.
    """
    parts, speaker, _ = await asked(request, "policy.read")
    home = speaker.municipality.id
    found = await parts.review.version(home, _number(request))
    shown = await _whole(parts, found)
    if "against" in request.query:
        other = number_of(request.query["against"])
        before = await _policy_of(parts, home, other)
        mine = await asyncio.to_thread(read_draft, found.text)
        shown["against"] = {"number": other, "changes": changes_view(before, mine)}
    return answer(shown)


async def _whole(parts: Parts, found: Version) -> dict[str, Any]:
    home = found.municipality_id
    current, names = parts.policies.version_in_force(home), await names_of(parts, home)
    mine = await asyncio.to_thread(read_draft, found.text)
    base = await _policy_of(parts, home, found.base)
    return {
        **version_view(found, current, names, parts.clock()),
        "text": found.text,
        "against": None,
        "changes": changes_view(base, mine),
        "against_in_force": changes_view(parts.policies.of(home).policy, mine),
        "unset": list(mine.unset()),
        "shut_out": shut_out_view(await found_shut_out(parts, home, mine), names),
    }


async def _policy_of(parts: Parts, home: str, number: int) -> Policy:
    if number == 0:
        return BASELINE_POLICY
    found = await parts.review.version(home, number)
    return await asyncio.to_thread(read_draft, found.text)


@routes.post("/api/v1/policy/versions")
async def draft(request: web.Request) -> web.Response:
    """Store a draft."""
    body = await read_body(request, DraftBody)
    parts, speaker, permit = await asked(request, "policy.draft")
    before = parts.policies.of(speaker.municipality.id).policy
    said = body.text
    if said is None:
        said = edited(before, body.values, body.clauses, body.looser)
        after = await asyncio.to_thread(read_draft, said)
        if after == before:
            raise ProtocolError("nothing is changed", code="bad_policy")

    async def let_in(policy: Policy, concerned: tuple[str, ...]) -> None:
        found = await found_shut_out(parts, speaker.municipality.id, policy)
        require_known(found, concerned, confirmed=body.even_if_shut_out)

    author = person_here(speaker).id
    made = await parts.review.draft(permit, said, body.note, author, let_in)
    return answer(await _whole(parts, made), status=201)


@routes.get("/api/v1/policy/versions/{number}/rehearsal")
async def rehearsal(request: web.Request) -> web.Response:
    """Say which decisions of the past the version would have changed, and which calls it ends."""
    parts, speaker, _ = await asked(request, "policy.read")
    home, days = speaker.municipality.id, _days(request)
    found = await _policy_of(parts, home, _number(request))
    result = await parts.review.rehearse(home, found, days=days)
    return answer(
        {
            "days": days,
            "asked": result.asked,
            "from_position": result.from_position,
            "cut_at": time_view(result.cut_at) if result.cut_at else None,
            "ends_calls": len(would_end(found, _running(parts, home))),
            "by_action": _by_action(result.changed),
            "changed": [
                {
                    "position": one.position,
                    "action": one.action,
                    "allowed": one.allowed,
                    "codes": list(one.codes),
                }
                for one in result.changed[:SHOWN_CHANGES]
            ],
            "changed_count": len(result.changed),
        }
    )


def _running(parts: Parts, home: str) -> list[tuple[str, Facts]]:
    """Return what would be asked of every open call, as its pages are connected now."""
    pages = [("media.join", facts) for _, facts in parts.present.in_calls(home)]
    calls = parts.registry.open_calls(home)
    return pages + [("call.continue", parts.times.facts(one)) for one in calls]


def _by_action(changed: Sequence[Changed]) -> list[dict[str, Any]]:
    """Return how often the outcome of each action would change, and by which terms."""
    found: dict[str, dict[str, Any]] = {}
    for one in changed:
        row = found.setdefault(
            one.action, {"action": one.action, "refused": 0, "allowed": 0, "codes": []}
        )
        row["allowed" if one.allowed else "refused"] += 1
        row["codes"] += [code for code in one.codes if code not in row["codes"]]
    return list(found.values())


@routes.post("/api/v1/policy/versions/{number}/approve")
async def approve(request: web.Request) -> web.Response:
    """Approve a draft of another officer."""
    body = await read_body(request, ApproveBody)
    if body.starts_at is not None and body.starts_at.tzinfo is None:
        raise ProtocolError("starts_at needs a time zone")
    parts, speaker, permit = await asked(request, "policy.approve")
    officer = person_here(speaker).id

    async def let_in(policy: Policy, concerned: tuple[str, ...]) -> None:
        found = await found_shut_out(parts, speaker.municipality.id, policy)
        require_somebody_let_in(found)
        require_known(found, concerned, confirmed=body.even_if_shut_out)

    number, starts_at = _number(request), body.starts_at
    approved = await parts.review.approve(permit, number, officer, starts_at, let_in)
    return answer(await _whole(parts, approved))


@routes.post("/api/v1/policy/versions/{number}/withdraw")
async def withdraw(request: web.Request) -> web.Response:
    """Withdraw a draft, or a version that has not started."""
    parts, speaker, permit = await asked(request, "policy.withdraw")
    found = await parts.review.withdraw(permit, _number(request), person_here(speaker).id)
    return answer(await _whole(parts, found))


@routes.post("/api/v1/policy/explain")
async def explain(request: web.Request) -> web.Response:
    """Say whether something would be allowed, with every term of its rule."""
    body = await read_body(request, QuestionBody)
    parts, speaker, _ = await asked(request, "policy.read")
    home = speaker.municipality.id
    question = await _question(parts, home, body)
    decision = decide(BASELINE, question.action, question.facts())
    terms = [
        {
            "code": term.reason.code,
            "met": met,
            "message": term.reason.message,
            "clause": term.unmet_reason(question.facts()).clause,
            "setting": term.setting,
        }
        for term, met in terms_of(question, BASELINE)
    ]
    return answer({"action": question.action, "allowed": decision.allowed, "terms": terms})


async def _question(parts: Parts, home: str, body: QuestionBody) -> Question:
    office = await parts.people.office(home, body.office) if body.office else None
    if body.office and office is None:
        raise NotFound("there is no such office")
    if body.at is not None and body.at.tzinfo is None:
        raise ProtocolError("at needs a time zone")
    at = body.at or parts.clock()
    asked_of = (
        parts.policies.policy_at(home, at)
        if body.version is None
        else await _policy_of(parts, home, body.version)
    )
    entered = ProcedureGrounds(parts.procedures, parts.procedure_store, parts.precheck_store)
    found = await entered.at(home, office, body.procedure, at, real=body.real)
    return Question(
        action=action_of(body.action, BASELINE),
        policy=asked_of,
        at=at,
        office=body.office,
        office_kind=office.kind if office else OfficeKind.DIRECT,
        procedure_open=found.open,
        role=body.role,
        address=body.address,
        tls=None if body.tls == "none" else body.tls,
        trained_on=body.trained_on,
        second_factor=body.second_factor,
        appointed=body.appointed,
        real=body.real,
        grounds=found.grounds,
    )
