"""Facts as the audit log keeps them, and read again: a decision can be made anew years later. Pure.

What is kept are ids, codes, dates and one network address; never names, numbers or free text.
The policy is not repeated in each entry: its version's number stands in the entry.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from security.errors import Corrupt
from security.people import OfficeKind, Role
from security.policy.facts import Actor, CallFacts, Facts, Grounds, Line
from security.policy.model import Policy

Json = dict[str, Any]


def facts_json(facts: Facts) -> Json:
    """Return what an entry keeps of `facts`; nothing that stands at its default is written."""
    actor, call, line = facts.actor, facts.call, facts.line
    kept = {
        "actor": {
            "page": actor.page,
            "person": actor.person_id,
            "role": actor.role and actor.role.value,
            "tablet": actor.tablet_id,
            "tablet_live": actor.tablet_live,
            "office": actor.office_id,
            "office_kind": actor.office_kind and actor.office_kind.value,
            "trained_on": actor.trained_on and actor.trained_on.isoformat(),
            "second_factor": actor.second_factor,
            "has_factor": actor.has_factor,
            "recovering": actor.recovering,
            "appointed": actor.appointed,
            "token": actor.token,
            "scopes": list(actor.scopes) or None,
            "networks": list(actor.networks) or None,
        },
        "policy": facts.policy_number,
        "home": facts.subject_municipality_id,
        "call": call
        and {
            "id": call.id,
            "home": call.municipality_id,
            "tablet": call.tablet_id,
            "desk": call.desk_id,
            "state": call.state,
            "answered": call.answered,
            "clerk": call.clerk_id,
            "clerks_before": list(call.clerks_before) or None,
            "training": call.training,
            "guests": list(call.guests) or None,
            "asked": list(call.asked) or None,
        },
        "line": {
            "address": line.address,
            "tls": line.tls,
            "relayed": line.relayed,
            "vouched": line.vouched,
        },
        "procedure_open": facts.procedure_open,
        "outcome_allowed": facts.outcome_allowed,
        "today": facts.today and facts.today.isoformat(),
        "training": facts.training,
        "consented": facts.consented,
        "tries": facts.tries,
        "scanned": facts.scanned,
        "invited": facts.invited,
        "my_number": facts.my_number,
        "insurer_number": facts.insurer_number,
        "taken": facts.taken,
        "stills": facts.stills,
        "waited_seconds": facts.waited_seconds,
        "talked_seconds": facts.talked_seconds,
        "steps_missing": facts.steps_missing,
        "approval_missing": facts.approval_missing,
        "takes_up": facts.takes_up,
        "grounds": _grounds_json(facts.grounds),
    }
    return _pruned(kept)


def facts_of(
    kept: Mapping[str, Any], policy: Policy, *, home: str, subject: str, now: datetime
) -> Facts:
    """Return the facts of an entry of municipality `home`, to be decided under `policy`.

    Raises `Corrupt` for what `facts_json` did not write.
    """
    try:
        return Facts(
            now=now,
            actor=_actor(kept.get("actor", {}), home),
            subject=subject,
            subject_municipality_id=kept["home"],
            call=_call(kept["call"]) if "call" in kept else None,
            procedure_open=kept.get("procedure_open", False),
            outcome_allowed=kept.get("outcome_allowed", False),
            policy=policy,
            policy_number=kept.get("policy", 0),
            line=_line(kept.get("line", {})),
            today=date.fromisoformat(kept["today"]) if "today" in kept else None,
            training=kept.get("training", False),
            consented=kept.get("consented", False),
            tries=kept.get("tries", 0),
            scanned=kept.get("scanned"),
            invited=kept.get("invited"),
            my_number=kept.get("my_number", False),
            insurer_number=kept.get("insurer_number", False),
            taken=kept.get("taken", False),
            stills=kept.get("stills", False),
            waited_seconds=kept.get("waited_seconds", 0),
            talked_seconds=kept.get("talked_seconds", 0),
            steps_missing=kept.get("steps_missing", False),
            approval_missing=kept.get("approval_missing", False),
            takes_up=kept.get("takes_up", False),
            grounds=_grounds(kept.get("grounds", {})),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Corrupt("an audit entry holds facts that cannot be read") from error


def line_of(entry: Mapping[str, Any]) -> Line:
    """Return the line of a gate's entry, as it was believed then."""
    return _line(entry.get("facts", {}).get("line", {}))


def _actor(kept: Mapping[str, Any], home: str) -> Actor:
    return Actor(
        page=kept.get("page", ""),
        municipality_id=home,
        person_id=kept.get("person"),
        role=Role(kept["role"]) if "role" in kept else None,
        tablet_id=kept.get("tablet"),
        tablet_live=kept.get("tablet_live", False),
        office_id=kept.get("office"),
        office_kind=OfficeKind(kept["office_kind"]) if "office_kind" in kept else None,
        trained_on=date.fromisoformat(kept["trained_on"]) if "trained_on" in kept else None,
        second_factor=kept.get("second_factor", False),
        has_factor=kept.get("has_factor", False),
        recovering=kept.get("recovering", False),
        appointed=kept.get("appointed", False),
        token=kept.get("token"),
        scopes=tuple(kept.get("scopes", ())),
        networks=tuple(kept.get("networks", ())),
    )


def _call(kept: Mapping[str, Any]) -> CallFacts:
    return CallFacts(
        id=kept["id"],
        municipality_id=kept["home"],
        tablet_id=kept["tablet"],
        desk_id=kept.get("desk"),
        state=kept["state"],
        answered=kept.get("answered", False),
        clerk_id=kept.get("clerk"),
        clerks_before=tuple(kept.get("clerks_before", ())),
        training=kept.get("training", False),
        guests=tuple(kept.get("guests", ())),
        asked=tuple(kept.get("asked", ())),
    )


def _grounds_json(grounds: Grounds) -> Json:
    resolution = grounds.resolution if grounds.resolution != "required" else None
    return {
        "designated_on": grounds.designated_on and grounds.designated_on.isoformat(),
        "resolved_on": grounds.resolved_on and grounds.resolved_on.isoformat(),
        "resolution": resolution,
        "office_checked_on": grounds.office_checked_on and grounds.office_checked_on.isoformat(),
        "tablet_checked_on": grounds.tablet_checked_on and grounds.tablet_checked_on.isoformat(),
    }


def _grounds(kept: Mapping[str, Any]) -> Grounds:
    def day(name: str) -> date | None:
        return date.fromisoformat(kept[name]) if name in kept else None

    return Grounds(
        day("designated_on"),
        day("resolved_on"),
        kept.get("resolution", "required"),
        day("office_checked_on"),
        day("tablet_checked_on"),
    )


def _line(kept: Mapping[str, Any]) -> Line:
    relayed, vouched = kept.get("relayed", False), kept.get("vouched", False)
    return Line(kept.get("address"), kept.get("tls"), relayed, vouched)


def _pruned(kept: Json) -> Json:
    out: Json = {}
    for name, value in kept.items():
        inner = _pruned(value) if isinstance(value, dict) else value
        if inner not in (None, False, 0, {}, ""):
            out[name] = inner
    return out
