"""The shipped rules: what must hold for each action. Pure.

Which role may do it at all stands in security/roles.py and is the first thing asked.
A municipality's policy tightens or loosens the terms that name one of its settings (terms.py); the
others stand in every municipality alike.
"""

from dataclasses import replace
from types import MappingProxyType

from security.errors import Reason
from security.people import DESK_ROLES, OfficeKind
from security.policy.decide import Rule, Term
from security.policy.eligibility import DESIGNATED, PRECHECKED, RESOLVED
from security.policy.facts import Facts
from security.policy.terms import (
    APPROVED,
    BUNDLE_NETWORK,
    BUNDLE_STILLS,
    FACTOR_FIRST,
    FACTORS_SET,
    FIRST_FACTOR,
    FOUR_EYES,
    FROM_WHERE,
    GUEST_WELCOME,
    HAND_OVER,
    INVITABLE,
    KEEPING_SET,
    NO_INSURER_NUMBER,
    NO_MALWARE,
    NO_MY_NUMBER,
    NOT_TAKEN,
    RECORDING_AGREED,
    RECORDING_ON,
    RECORDING_VIEWER,
    RELAY,
    RINGS_HERE,
    SCANNED,
    SECOND_FACTOR,
    SOURCES,
    STILL_TRIES,
    STILL_VIEWER,
    STILLS_ON,
    TOKEN_NETWORK,
    TRAINED,
    VPN,
    WITHIN_LENGTH,
    WITHIN_WAIT,
)
from security.roles import COUNTER, DECIDING, DESK, SYSTEM_PAGE, may, opens

QUEUED_STATES = frozenset({"waiting", "ringing"})
OPEN_STATES = frozenset({"talking", "interrupted", "deciding"})


def _same_municipality(f: Facts) -> bool:
    return f.actor.municipality_id == f.subject_municipality_id


def _is_counter_of_call(f: Facts) -> bool:
    return (
        f.call is not None
        and f.actor.page == "counter"
        and f.actor.tablet_live
        and f.actor.tablet_id == f.call.tablet_id
    )


def _is_desk_of_call(f: Facts) -> bool:
    return (
        f.call is not None
        and f.actor.page == "desk"
        and f.actor.role in DESK_ROLES
        and f.actor.person_id is not None
        and f.actor.person_id == f.call.desk_id
    )


def _is_guest_of_call(f: Facts) -> bool:
    return (
        f.call is not None
        and f.actor.page == "desk"
        and f.actor.person_id is not None
        and f.actor.person_id in f.call.guests
    )


def _is_asked(f: Facts) -> bool:
    return f.call is not None and f.actor.page == "desk" and f.actor.person_id in f.call.asked


def _is_party(f: Facts) -> bool:
    return _is_counter_of_call(f) or _is_desk_of_call(f)


SAME_MUNICIPALITY = Term(_same_municipality, Reason("not_found", "belongs to another municipality"))
SOMEBODY = Term(
    lambda f: f.actor.person_id is not None or f.actor.tablet_live or f.actor.token is not None,
    Reason("signed_out", "nobody is signed in"),
)
LIVE_PAGE = Term(
    lambda f: f.actor.page in ("counter", "desk"),
    Reason("denied", "this page holds no socket"),
)
TABLET_LIVE = Term(
    lambda f: f.actor.page == "counter" and f.actor.tablet_live,
    Reason("not_enrolled", "the tablet is not enrolled or was revoked"),
)
CLERK_HERE = Term(
    lambda f: f.actor.page != "counter" or f.actor.person_id is not None,
    Reason("no_clerk", "no clerk is signed in on the tablet"),
)
DIRECT_OFFICE = Term(
    lambda f: f.actor.office_kind is OfficeKind.DIRECT,
    Reason("office_not_direct", "only directly managed post offices may be delegated to", "Q&A 11"),
)
PROCEDURE_OPEN = Term(
    lambda f: f.procedure_open,
    Reason("procedure_not_open", "the procedure is not open at this office", "Q&A 2"),
)
OUTCOME_ALLOWED = Term(
    lambda f: f.outcome_allowed,
    Reason("outcome_not_allowed", "the procedure does not end so", "Q&A 4"),
)
STEPS_DONE = Term(
    lambda f: not f.steps_missing,
    Reason("steps_missing", "steps of the procedure are not done"),
)
FROM_ITS_TABLET = Term(
    lambda f: f.takes_up,
    Reason("wrong_state", "the call before on this tablet did not break off, or left nothing"),
)
# Who leads the call does not confirm it.
NOT_ITS_DESK = Term(
    lambda f: f.call is not None and f.actor.person_id != f.call.desk_id,
    Reason("own_call", "who leads a call does not confirm it", "four eyes"),
)
PARTY = Term(_is_party, Reason("not_your_call", "not a party of this call"))
SOMEBODY_IN = Term(
    lambda f: _is_party(f) or _is_guest_of_call(f),
    Reason("not_your_call", "not a party of this call"),
)
ASKED = Term(_is_asked, Reason("not_your_call", "not asked into this call"))
ASKED_OR_GUEST = Term(
    lambda f: _is_asked(f) or _is_guest_of_call(f),
    Reason("not_your_call", "neither in this call nor asked into it"),
)
COUNTER_OF_CALL = Term(_is_counter_of_call, Reason("not_your_call", "not the counter of this call"))
DESK_OF_CALL = Term(_is_desk_of_call, Reason("not_your_call", "not the desk of this call"))
CALL_LIVE = Term(
    lambda f: f.call is not None and f.call.state in OPEN_STATES,
    Reason("wrong_state", "the call is not under way"),
)
JOINABLE = Term(
    lambda f: (
        f.call is not None
        and (
            f.call.state in OPEN_STATES
            or (f.call.state in QUEUED_STATES and _is_counter_of_call(f))
        )
    ),
    Reason("wrong_state", "the call is not under way"),
)
ANSWERED = Term(
    lambda f: f.call is not None and f.call.answered,
    Reason("wrong_state", "the call was never answered"),
)
APPOINTED = Term(
    lambda f: f.actor.appointed,
    Reason("not_appointed", "two administrators have not appointed this officer yet", "four eyes"),
)
# Second factors are one's own.
OWN = Term(
    lambda f: f.actor.person_id is not None and f.subject == f.actor.person_id,
    Reason("denied", "only the person may do this"),
)
ANOTHERS = Term(
    lambda f: f.subject != f.actor.person_id,
    Reason("second_administrator", "nobody recovers an own factor"),
)


def role(action: str) -> Term:
    """Return the term that security/roles.py decides."""
    reason = Reason("denied", "this role may not do this")
    if action in DECIDING:
        reason = Reason(
            "counter_cannot_decide",
            "only municipal staff at a desk may do this",
            "identity check stays with municipal staff",
        )
    elif action in ("call.place", "precheck.begin"):
        reason = Reason("no_clerk", "no clerk is signed in on the tablet")
    elif action in COUNTER - DESK:
        reason = Reason("not_your_call", "only the counter of the call may do this")
    return Term(lambda f: _lets(f, action), reason)


def _lets(f: Facts, action: str) -> bool:
    """Tell what the table of roles says, or of another system the scopes of its token."""
    if f.actor.page == SYSTEM_PAGE:
        return f.actor.token is not None and opens(f.actor.scopes, action)
    return may(f.actor.role, f.actor.page, action)


# Where somebody reads, sends or settles something, the network is asked anew: a cookie outlives the
# place in which it was given. `file.offer` is asked by the server in the name of a party.
# Each rule gets its role term below: who may do it is entered in security/roles.py.
_RULES = (
    Rule("session.begin", (SAME_MUNICIPALITY, SOMEBODY, *FROM_WHERE, SECOND_FACTOR)),
    Rule("session.half", (SAME_MUNICIPALITY, OWN, *FROM_WHERE, FIRST_FACTOR)),
    Rule("factor.read", (SAME_MUNICIPALITY, OWN, *FROM_WHERE), quiet=True),
    Rule("factor.enrol", (SAME_MUNICIPALITY, OWN, *FROM_WHERE, FACTOR_FIRST, FIRST_FACTOR)),
    Rule("factor.remove", (SAME_MUNICIPALITY, OWN, *FROM_WHERE, FACTOR_FIRST)),
    Rule("recovery.ask", (SAME_MUNICIPALITY, *FROM_WHERE, OWN)),
    Rule("recovery.read", (SAME_MUNICIPALITY, *FROM_WHERE), quiet=True),
    Rule("recovery.start", (SAME_MUNICIPALITY, *FROM_WHERE, SECOND_FACTOR, ANOTHERS)),
    Rule("recovery.confirm", (SAME_MUNICIPALITY, *FROM_WHERE, SECOND_FACTOR, ANOTHERS)),
    Rule("recovery.withdraw", (SAME_MUNICIPALITY, *FROM_WHERE, SECOND_FACTOR)),
    Rule(
        "socket.open",
        (SAME_MUNICIPALITY, SOMEBODY, LIVE_PAGE, *FROM_WHERE, SECOND_FACTOR),
        quiet=True,
    ),
    Rule(
        "call.place",
        (
            *(TABLET_LIVE, DIRECT_OFFICE, DESIGNATED, RESOLVED, PROCEDURE_OPEN),
            *(*FROM_WHERE, TRAINED, KEEPING_SET, FACTORS_SET, PRECHECKED),
        ),
    ),
    Rule("call.take_over", (SAME_MUNICIPALITY, COUNTER_OF_CALL, *FROM_WHERE, TRAINED)),
    Rule("call.withdraw", (SAME_MUNICIPALITY, COUNTER_OF_CALL)),
    Rule(
        "call.accept",
        (SAME_MUNICIPALITY, *FROM_WHERE, SECOND_FACTOR, TRAINED, FOUR_EYES, RINGS_HERE),
    ),
    Rule("call.pass", (SAME_MUNICIPALITY,)),
    Rule("call.decide", (SAME_MUNICIPALITY, DESK_OF_CALL)),
    Rule("call.reopen", (SAME_MUNICIPALITY, DESK_OF_CALL)),
    Rule(
        "call.close",
        (SAME_MUNICIPALITY, DESK_OF_CALL, OUTCOME_ALLOWED, FOUR_EYES, STEPS_DONE, APPROVED),
    ),
    Rule("call.hand_over", (SAME_MUNICIPALITY, DESK_OF_CALL, CALL_LIVE, HAND_OVER)),
    Rule("approval.ask", (SAME_MUNICIPALITY, DESK_OF_CALL, CALL_LIVE)),
    Rule("approval.read", (SAME_MUNICIPALITY, *FROM_WHERE, SECOND_FACTOR), quiet=True),
    Rule(
        "approval.answer",
        (
            *(SAME_MUNICIPALITY, *FROM_WHERE, SECOND_FACTOR, TRAINED),
            *(CALL_LIVE, NOT_ITS_DESK, FOUR_EYES),
        ),
    ),
    Rule("call.invite", (SAME_MUNICIPALITY, DESK_OF_CALL, CALL_LIVE, INVITABLE)),
    Rule("call.invitable", (SAME_MUNICIPALITY, DESK_OF_CALL), quiet=True),
    Rule("call.uninvite", (SAME_MUNICIPALITY, DESK_OF_CALL)),
    Rule("call.join", (SAME_MUNICIPALITY, ASKED, CALL_LIVE, *FROM_WHERE, GUEST_WELCOME)),
    Rule("call.leave", (SAME_MUNICIPALITY, ASKED_OR_GUEST)),
    Rule("call.veil", (SAME_MUNICIPALITY, PARTY, CALL_LIVE)),
    Rule("call.unveil", (SAME_MUNICIPALITY, COUNTER_OF_CALL, CALL_LIVE)),
    Rule(
        "call.continue",
        (SAME_MUNICIPALITY, COUNTER_OF_CALL, WITHIN_LENGTH, WITHIN_WAIT),
        quiet=True,
    ),
    Rule("call.devices", (SAME_MUNICIPALITY, SOMEBODY_IN), quiet=True),
    Rule("call.quality", (SAME_MUNICIPALITY, SOMEBODY_IN), quiet=True),
    Rule("call.read", (SAME_MUNICIPALITY, *FROM_WHERE, SOMEBODY_IN), quiet=True),
    Rule("media.join", (SAME_MUNICIPALITY, SOMEBODY_IN, JOINABLE, *FROM_WHERE, GUEST_WELCOME)),
    Rule("media.warm", (SAME_MUNICIPALITY, *FROM_WHERE), quiet=True),
    Rule("media.path", (SAME_MUNICIPALITY, SOMEBODY_IN, JOINABLE, VPN, SOURCES, RELAY), quiet=True),
    # Each act stands in the log by a note of its own, with its step; here stand the refusals.
    Rule("step.tick", (SAME_MUNICIPALITY, CLERK_HERE, PARTY, CALL_LIVE), quiet=True),
    Rule("step.lead", (SAME_MUNICIPALITY, DESK_OF_CALL, CALL_LIVE), quiet=True),
    Rule("step.take_over", (SAME_MUNICIPALITY, DESK_OF_CALL, CALL_LIVE, FROM_ITS_TABLET)),
    Rule("recording.start", (SAME_MUNICIPALITY, PARTY, CALL_LIVE, RECORDING_ON, RECORDING_AGREED)),
    Rule("recording.view", (SAME_MUNICIPALITY, *FROM_WHERE, RECORDING_VIEWER)),
    Rule("still.take", (SAME_MUNICIPALITY, PARTY, CALL_LIVE, STILLS_ON, STILL_TRIES)),
    Rule("still.view", (SAME_MUNICIPALITY, *FROM_WHERE, STILL_VIEWER)),
    Rule(
        "chat.send",
        (
            *(SAME_MUNICIPALITY, SOMEBODY_IN, *FROM_WHERE, CALL_LIVE, ANSWERED),
            *(NO_MY_NUMBER, NO_INSURER_NUMBER),
        ),
    ),
    Rule("chat.read", (SAME_MUNICIPALITY, *FROM_WHERE, SOMEBODY_IN), quiet=True),
    Rule("file.send", (SAME_MUNICIPALITY, SOMEBODY_IN, *FROM_WHERE, CALL_LIVE, ANSWERED)),
    Rule("file.read", (SAME_MUNICIPALITY, SOMEBODY_IN, *FROM_WHERE, NOT_TAKEN)),
    Rule("file.offer", (SAME_MUNICIPALITY, SOMEBODY_IN, NO_MALWARE, SCANNED)),
    Rule("file.withdraw", (SAME_MUNICIPALITY, *FROM_WHERE, SOMEBODY_IN)),
    Rule("desk.state", (SAME_MUNICIPALITY,), quiet=True),
    Rule("precheck.begin", (SAME_MUNICIPALITY, TABLET_LIVE, *FROM_WHERE)),
    Rule("precheck.go_on", (SAME_MUNICIPALITY, TABLET_LIVE, *FROM_WHERE), quiet=True),
    Rule("precheck.read", (SAME_MUNICIPALITY, *FROM_WHERE), quiet=True),
    Rule("tablet.revoke", (SAME_MUNICIPALITY, *FROM_WHERE, SECOND_FACTOR)),
    Rule("policy.read", (SAME_MUNICIPALITY, *FROM_WHERE, SECOND_FACTOR), quiet=True),
    Rule("policy.draft", (SAME_MUNICIPALITY, *FROM_WHERE, SECOND_FACTOR, APPOINTED)),
    Rule("policy.approve", (SAME_MUNICIPALITY, *FROM_WHERE, SECOND_FACTOR, APPOINTED)),
    Rule("policy.withdraw", (SAME_MUNICIPALITY, *FROM_WHERE, SECOND_FACTOR, APPOINTED)),
    Rule("house.read", (SAME_MUNICIPALITY, *FROM_WHERE, SECOND_FACTOR), quiet=True),
    Rule("office.edit", (SAME_MUNICIPALITY, *FROM_WHERE, SECOND_FACTOR)),
    Rule("procedure.open", (SAME_MUNICIPALITY, *FROM_WHERE, SECOND_FACTOR)),
    Rule("tablet.edit", (SAME_MUNICIPALITY, *FROM_WHERE, SECOND_FACTOR)),
    Rule("person.edit", (SAME_MUNICIPALITY, *FROM_WHERE, SECOND_FACTOR)),
    Rule("procedure.read", (SAME_MUNICIPALITY, *FROM_WHERE, SECOND_FACTOR), quiet=True),
    Rule("procedure.draft", (SAME_MUNICIPALITY, *FROM_WHERE, SECOND_FACTOR)),
    Rule("procedure.approve", (SAME_MUNICIPALITY, *FROM_WHERE, SECOND_FACTOR)),
    Rule("procedure.withdraw", (SAME_MUNICIPALITY, *FROM_WHERE, SECOND_FACTOR)),
    Rule("officer.appoint", (SAME_MUNICIPALITY, *FROM_WHERE, SECOND_FACTOR)),
    Rule("audit.read", (SAME_MUNICIPALITY, *FROM_WHERE, SECOND_FACTOR)),
    Rule("record.read", (SAME_MUNICIPALITY, *FROM_WHERE, SECOND_FACTOR)),
    Rule("record.correct", (SAME_MUNICIPALITY, *FROM_WHERE, SECOND_FACTOR)),
    Rule(
        "record.export",
        (SAME_MUNICIPALITY, *FROM_WHERE, SECOND_FACTOR, BUNDLE_STILLS, NOT_TAKEN),
    ),
    Rule("hook.read", (SAME_MUNICIPALITY, *FROM_WHERE, SECOND_FACTOR), quiet=True),
    Rule("hook.change", (SAME_MUNICIPALITY, *FROM_WHERE, SECOND_FACTOR)),
    Rule("token.read", (SAME_MUNICIPALITY, *FROM_WHERE, SECOND_FACTOR), quiet=True),
    Rule("token.change", (SAME_MUNICIPALITY, *FROM_WHERE, SECOND_FACTOR)),
    Rule("count.read", (SAME_MUNICIPALITY, *FROM_WHERE, SECOND_FACTOR), quiet=True),
    Rule("count.correct", (SAME_MUNICIPALITY, *FROM_WHERE, SECOND_FACTOR)),
    Rule("rest.records", (SAME_MUNICIPALITY, SOMEBODY, *FROM_WHERE, TOKEN_NETWORK)),
    Rule(
        "rest.bundle",
        (
            *(SAME_MUNICIPALITY, SOMEBODY, *FROM_WHERE, TOKEN_NETWORK),
            *(BUNDLE_NETWORK, NOT_TAKEN),
        ),
    ),
    Rule("rest.counts", (SAME_MUNICIPALITY, SOMEBODY, *FROM_WHERE, TOKEN_NETWORK)),
)
# Whoever is nobody or nobody's here is told that first, before what the own role may do.
_FIRST = (SAME_MUNICIPALITY, SOMEBODY, TABLET_LIVE, CLERK_HERE)


def _with_role(rule: Rule) -> Rule:
    """Return the rule with the term by which the table of roles decides."""
    at = next((i for i, term in enumerate(rule.terms) if term not in _FIRST), len(rule.terms))
    return replace(rule, terms=(*rule.terms[:at], role(rule.action), *rule.terms[at:]))


BASELINE = MappingProxyType({rule.action: _with_role(rule) for rule in _RULES})
