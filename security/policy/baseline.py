"""The shipped rules: who may do what. Pure.

A municipality's policy tightens or loosens the terms that name one of its settings (terms.py); the
others stand in every municipality alike.
"""

from types import MappingProxyType

from security.errors import Reason
from security.people import DESK_ROLES, OfficeKind, Role
from security.policy.decide import Rule, Term
from security.policy.facts import Facts
from security.policy.terms import (
    FOUR_EYES,
    FROM_WHERE,
    INVITABLE,
    KEEPING_SET,
    NO_MY_NUMBER,
    NOT_A_CLERK,
    RECORDING_AGREED,
    RECORDING_ON,
    RECORDING_VIEWER,
    RELAY,
    SCANNED,
    SECOND_FACTOR,
    SOURCES,
    STILL_TRIES,
    STILL_VIEWER,
    STILLS_ON,
    TRAINED,
    VPN,
)

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


SAME_MUNICIPALITY = Term(_same_municipality, Reason("not_found", "belongs to another municipality"))
SOMEBODY = Term(
    lambda f: f.actor.person_id is not None or f.actor.tablet_live,
    Reason("signed_out", "nobody is signed in"),
)
TABLET_LIVE = Term(
    lambda f: f.actor.page == "counter" and f.actor.tablet_live,
    Reason("not_enrolled", "the tablet is not enrolled or was revoked"),
)
CLERK = Term(
    lambda f: (
        f.actor.page == "counter" and f.actor.role is Role.CLERK and f.actor.person_id is not None
    ),
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
DESK_ROLE = Term(
    lambda f: f.actor.page == "desk" and f.actor.role in DESK_ROLES,
    Reason(
        "counter_cannot_decide",
        "only municipal staff at a desk may do this",
        "identity check stays with municipal staff",
    ),
)
PARTY = Term(
    lambda f: _is_counter_of_call(f) or _is_desk_of_call(f),
    Reason("not_your_call", "not a party of this call"),
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
ADMINISTRATOR = Term(
    lambda f: f.actor.page == "desk" and f.actor.role is Role.ADMINISTRATOR,
    Reason("denied", "only an administrator may do this"),
)

READERS = frozenset({Role.OFFICER, Role.AUDITOR, Role.ADMINISTRATOR})
POLICY_READER = Term(
    lambda f: f.actor.page == "officer" and f.actor.role in READERS,
    Reason("denied", "only officers, auditors and administrators may read this"),
)
LOG_READER = Term(
    lambda f: f.actor.page == "officer" and f.actor.role in (Role.OFFICER, Role.AUDITOR),
    Reason("denied", "only officers and auditors may read the audit log"),
)
OFFICER = Term(
    lambda f: f.actor.page == "officer" and f.actor.role is Role.OFFICER,
    Reason("denied", "only an officer may do this"),
)
APPOINTED = Term(
    lambda f: f.actor.appointed,
    Reason("not_appointed", "two administrators have not appointed this officer yet", "four eyes"),
)
APPOINTER = Term(
    lambda f: f.actor.page == "officer" and f.actor.role is Role.ADMINISTRATOR,
    Reason("denied", "only an administrator may do this"),
)

_RULES = (
    Rule("session.begin", (SAME_MUNICIPALITY, SOMEBODY, *FROM_WHERE, SECOND_FACTOR)),
    Rule("socket.open", (SAME_MUNICIPALITY, SOMEBODY, *FROM_WHERE), quiet=True),
    Rule(
        "call.place",
        (TABLET_LIVE, CLERK, DIRECT_OFFICE, PROCEDURE_OPEN, *FROM_WHERE, TRAINED, KEEPING_SET),
    ),
    Rule("call.withdraw", (SAME_MUNICIPALITY, COUNTER_OF_CALL)),
    Rule("call.accept", (SAME_MUNICIPALITY, DESK_ROLE, *FROM_WHERE, TRAINED, FOUR_EYES)),
    Rule("call.pass", (SAME_MUNICIPALITY, DESK_ROLE)),
    Rule("call.decide", (SAME_MUNICIPALITY, DESK_ROLE, DESK_OF_CALL)),
    Rule("call.reopen", (SAME_MUNICIPALITY, DESK_ROLE, DESK_OF_CALL)),
    Rule("call.close", (SAME_MUNICIPALITY, DESK_ROLE, DESK_OF_CALL, FOUR_EYES)),
    Rule("call.invite", (SAME_MUNICIPALITY, DESK_ROLE, DESK_OF_CALL, CALL_LIVE, INVITABLE)),
    Rule("call.veil", (SAME_MUNICIPALITY, PARTY, CALL_LIVE)),
    Rule("call.unveil", (SAME_MUNICIPALITY, COUNTER_OF_CALL, CALL_LIVE)),
    Rule("call.devices", (SAME_MUNICIPALITY, PARTY), quiet=True),
    Rule("call.quality", (SAME_MUNICIPALITY, PARTY), quiet=True),
    Rule("call.read", (SAME_MUNICIPALITY, PARTY), quiet=True),
    Rule("media.join", (SAME_MUNICIPALITY, PARTY, JOINABLE, *FROM_WHERE)),
    Rule("media.warm", (SAME_MUNICIPALITY, DESK_ROLE, *FROM_WHERE), quiet=True),
    Rule("media.path", (SAME_MUNICIPALITY, PARTY, CALL_LIVE, VPN, SOURCES, RELAY), quiet=True),
    Rule("recording.start", (SAME_MUNICIPALITY, PARTY, CALL_LIVE, RECORDING_ON, RECORDING_AGREED)),
    Rule("recording.view", (SAME_MUNICIPALITY, RECORDING_VIEWER)),
    Rule("still.take", (SAME_MUNICIPALITY, PARTY, CALL_LIVE, STILLS_ON, STILL_TRIES)),
    Rule("still.view", (SAME_MUNICIPALITY, NOT_A_CLERK, STILL_VIEWER)),
    Rule("chat.send", (SAME_MUNICIPALITY, PARTY, CALL_LIVE, ANSWERED, NO_MY_NUMBER)),
    Rule("chat.read", (SAME_MUNICIPALITY, PARTY), quiet=True),
    Rule("file.send", (SAME_MUNICIPALITY, PARTY, CALL_LIVE, ANSWERED)),
    Rule("file.read", (SAME_MUNICIPALITY, PARTY)),
    Rule("file.offer", (SAME_MUNICIPALITY, PARTY, SCANNED)),
    Rule("file.withdraw", (SAME_MUNICIPALITY, PARTY)),
    Rule("desk.state", (DESK_ROLE,), quiet=True),
    Rule("tablet.revoke", (SAME_MUNICIPALITY, ADMINISTRATOR)),
    Rule("policy.read", (SAME_MUNICIPALITY, POLICY_READER), quiet=True),
    Rule("policy.draft", (SAME_MUNICIPALITY, OFFICER, APPOINTED)),
    Rule("policy.approve", (SAME_MUNICIPALITY, OFFICER, APPOINTED)),
    Rule("policy.withdraw", (SAME_MUNICIPALITY, OFFICER, APPOINTED)),
    Rule("officer.appoint", (SAME_MUNICIPALITY, APPOINTER)),
    Rule("audit.read", (SAME_MUNICIPALITY, LOG_READER)),
)
BASELINE = MappingProxyType({rule.action: rule for rule in _RULES})
