"""What a counter would need to place a call: the facts, and the route that says every term."""

import contextlib
from dataclasses import dataclass, replace
from datetime import date

from aiohttp import web

from security.errors import Denied, NotFound
from security.people import Tablet
from security.policy.baseline import BASELINE
from security.policy.decide import decide
from security.policy.facts import Facts, Grounds
from server.api.body import answer
from server.api.keys import PARTS
from server.api.speaker import Speaker, speaker_of
from server.parts import Parts
from server.policies import ZONE
from server.procedures.catalog import ProcedureNoun
from server.procedures.opening import Availability, Opening, availability, may_be_placed

routes = web.RouteTableDef()
PLACE = "call.place"


@dataclass(frozen=True, slots=True)
class Asked:
    """The facts of `call.place` for one procedure at one counter, and what holds there today."""

    facts: Facts
    available: Availability

    @property
    def training(self) -> bool:
        """Tell whether the call would be 研修モード."""
        return self.facts.training


async def last_passed(parts: Parts, tablet: Tablet) -> tuple[date | None, date | None]:
    """Return the days of the last 開始前点検 passed: at the tablet's office, and on the tablet."""
    home, store = tablet.municipality_id, parts.precheck_store
    office_at = await store.last_passed(home, office_id=tablet.office_id)
    tablet_at = await store.last_passed(home, tablet_id=tablet.id)
    found = [at.astimezone(ZONE).date() if at else None for at in (office_at, tablet_at)]
    return found[0], found[1]


async def asked(parts: Parts, speaker: Speaker, procedure: str, *, practise: bool) -> Asked:
    """Return what the gate is asked when this counter calls about `procedure` now.

    It is 研修モード unless an administrator has switched the tablet to 本番; `practise` asks for
    研修モード all the same. There a procedure may be practised as soon as its opening is entered.
    """
    now, home = parts.clock(), speaker.municipality.id
    tablet, office = speaker.tablet, speaker.office
    subject = tablet.id if tablet else ""
    facts = speaker.facts(subject, now=now)
    today = facts.today or now.date()
    training = practise or tablet is None or not tablet.real
    template = parts.procedures.template(home, procedure, now)
    if office is None or template is None:
        return Asked(replace(facts, training=training), Availability(open=False))
    entries = await parts.procedure_store.openings(home, office.id)
    found = _available(entries, procedure, today, shipped_open=template.status == "open")
    grounds = Grounds(
        office.designated_on,
        office.resolved_on,
        template.resolution,
        *(await last_passed(parts, tablet) if tablet else (None, None)),
    )
    may = may_be_placed(found, training=training)
    facts = replace(facts, training=training, procedure_open=may, grounds=grounds)
    return Asked(facts, found)


def _available(
    entries: list[Opening], procedure: str, today: date, *, shipped_open: bool
) -> Availability:
    mine = [one for one in entries if one.procedure == procedure]
    return availability(mine, today, shipped_open=shipped_open)


async def offered(parts: Parts, speaker: Speaker) -> tuple[ProcedureNoun, ...]:
    """Return the procedures as a page is shown them; a counter with what holds at its office."""
    now, home = parts.clock(), speaker.municipality.id
    nouns = parts.procedures.catalog(home, now).nouns()
    tablet, office = speaker.tablet, speaker.office
    if tablet is None or office is None:
        return nouns
    today = speaker.facts(tablet.id, now=now).today or now.date()
    entries = await parts.procedure_store.openings(home, office.id)

    def here(noun: ProcedureNoun) -> ProcedureNoun:
        found = _available(entries, noun.id, today, shipped_open=noun.status == "open")
        may = may_be_placed(found, training=not tablet.real)
        changes = {
            "status": "open" if may else "preparing",
            "reason": None if may else noun.reason,
            "opens_on": found.opens_on,
        }
        return noun.model_copy(update=changes)

    return tuple(here(noun) for noun in nouns)


@routes.get("/api/v1/eligibility")
async def eligibility(request: web.Request) -> web.Response:
    """Say whether a call may be placed from this counter, with every term and what it rests on.

    What stands against it is written to the audit log as the refused attempt that it is.
    """
    parts = request.app[PARTS]
    speaker = await speaker_of(parts, request)
    if speaker.page != "counter" or speaker.tablet is None:
        raise NotFound("no such thing")
    procedure = request.query.get("procedure", "")[:64]
    practise = request.query.get("training") == "1"
    found = await asked(parts, speaker, procedure, practise=practise)
    decision = decide(BASELINE, PLACE, found.facts)
    if not decision.allowed:
        with contextlib.suppress(Denied):
            await parts.gate.ask(PLACE, found.facts)
    return answer(_view(found, allowed=decision.allowed))


def _view(found: Asked, *, allowed: bool) -> dict[str, object]:
    facts = found.facts
    return {
        "mode": "training" if found.training else "real",
        "allowed": allowed,
        "terms": [
            {
                "code": term.reason.code,
                "met": term.met(facts),
                "clause": term.unmet_reason(facts).clause,
                "setting": term.setting,
            }
            for term in BASELINE[PLACE].terms
        ],
        "today": _day(facts.today),
        "designated_on": _day(facts.grounds.designated_on),
        "resolved_on": _day(facts.grounds.resolved_on),
        "opens_on": _day(found.available.opens_on),
    }


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
