"""What each role may do, as one table. Pure.

The gate asks it in every rule (`role()` of security/policy/baseline.py): an action that does not
stand beside a role here is denied to it, whatever else holds. What stands here is still subject to
the other terms of its rule: being a party of the call, the network, training, four eyes.

Three promises are read off the table and held by tests/security/test_roles.py: an administrator
reads no evidence, an officer changes no people, an auditor changes nothing but the own sign-in,
and a clerk never decides. A new action of the gate is entered here, or nobody may do it.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from security.people import DESK_PAGE_ROLES, OFFICER_PAGE_ROLES, Role

HALF_PAGE = "sign-in"  # a sign-in whose second factor is outstanding
SYSTEM_PAGE = "system"  # no page: another system of the municipality, by its token
TABLET = None  # a counter's tablet on which no clerk is signed in
Holder = Role | None

# The own sign-in: its second factor, and no more while that is outstanding.
HALF = frozenset({"session.half", "factor.read", "factor.enrol", "recovery.ask"})
OWN_SIGN_IN = HALF | {"factor.remove"}
SIGNED_IN = frozenset({"session.begin"})
LIVE = SIGNED_IN | {"socket.open"}
PARTY = frozenset(
    {
        "call.veil",
        "call.devices",
        "call.quality",
        "call.read",
        "media.join",
        "media.path",
        "recording.start",
        "still.take",
        "chat.send",
        "chat.read",
        "file.send",
        "file.read",
        "file.offer",
        "file.withdraw",
    }
)
# What either end ticks: who holds the originals is a clerk, never a tablet by itself.
TICKING = frozenset({"step.tick"})
# `call.continue` is asked in its name by the watch over times (server/call_times.py).
COUNTER = LIVE | PARTY | {"call.withdraw", "call.unveil", "call.continue"}
# The identity check stays with municipal staff: none of these ever stands beside a clerk.
DECIDING = frozenset(
    {
        "call.accept",
        "call.pass",
        "call.decide",
        "call.reopen",
        "call.close",
        "call.invite",
        "call.invitable",
        "call.uninvite",
        "media.warm",
        "desk.state",
        "step.lead",
        "step.take_over",
        "approval.ask",
        "call.hand_over",
    }
)
# 本人確認記録: the desk reads and corrects them, who answers for it takes them out of the house.
RECORDS = frozenset({"record.read", "record.correct"})
DESK = LIVE | OWN_SIGN_IN | PARTY | TICKING | DECIDING | RECORDS | {"recording.view", "still.view"}
# Asked into a call: all that an interpreter or a representative does, and a senior besides.
INVITED = frozenset({"call.join", "call.leave"})
GUEST = (
    LIVE
    | OWN_SIGN_IN
    | INVITED
    | {"call.devices", "call.quality", "call.read", "media.join", "media.path"}
    | {"media.warm", "desk.state"}
)
# 上席確認: a second person looks at exceptions.
CONFIRMING = frozenset({"approval.read", "approval.answer"})
# What is seen, said and kept of a call.
EVIDENCE = frozenset(
    {"call.read", "chat.read", "file.read", "recording.view", "still.view", "media.join"}
) | {"record.read", "record.export"}
# Who works here, with what.
RECOVERIES = frozenset({"recovery.read", "recovery.start", "recovery.confirm", "recovery.withdraw"})
# 開始前点検: the clerk tries the tablet; who answers for offices reads what came of it.
CHECKING = frozenset({"precheck.begin", "precheck.go_on", "precheck.read"})
# 連携 and 件数: what other systems are told, and what they may read.
HOOKS_READ = frozenset({"hook.read", "token.read", "count.read"})
HOOKS = HOOKS_READ | {"hook.change", "token.change", "count.correct"}
READING = (
    OWN_SIGN_IN
    | HOOKS_READ
    | {
        "session.begin",
        "policy.read",
        "audit.read",
        "recording.view",
        "still.view",
        "socket.open",
        "precheck.read",
        "record.read",
        "record.export",
    }
)
PROCEDURES = frozenset(
    {
        "procedure.open",
        "procedure.read",
        "procedure.draft",
        "procedure.approve",
        "procedure.withdraw",
    }
)
HOUSE = PROCEDURES | {"house.read", "office.edit", "tablet.edit", "person.edit"}
PEOPLE = RECOVERIES | HOUSE | {"tablet.revoke", "officer.appoint"}

ROLES: Mapping[Holder, frozenset[str]] = MappingProxyType(
    {
        TABLET: COUNTER | {"precheck.read"},
        Role.CLERK: COUNTER | TICKING | CHECKING | {"call.place", "call.take_over"},
        Role.VERIFIER: DESK | {"precheck.read"},
        Role.SENIOR: DESK | INVITED | CONFIRMING | {"count.read", "record.export", "precheck.read"},
        Role.INTERPRETER: GUEST,
        Role.REPRESENTATIVE: GUEST,
        Role.ADMINISTRATOR: LIVE | OWN_SIGN_IN | PEOPLE | HOOKS | {"policy.read", "precheck.read"},
        Role.OFFICER: SIGNED_IN
        | OWN_SIGN_IN
        | HOOKS_READ
        | {"policy.read", "policy.draft", "policy.approve", "policy.withdraw", "audit.read"}
        | {"precheck.read"},
        Role.AUDITOR: SIGNED_IN
        | OWN_SIGN_IN
        | HOOKS_READ
        | {"policy.read", "audit.read", "recording.view", "still.view", "precheck.read"}
        | {"record.read", "record.export"},
    }
)

# What each scope of a token opens. No scope opens anything that changes something.
SCOPES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "records": frozenset({"rest.records"}),
        "bundles": frozenset({"rest.bundle"}),
        "counts": frozenset({"rest.counts"}),
    }
)


def pages_of(holder: Holder) -> frozenset[str]:
    """Return the pages from which somebody acts."""
    if holder in (TABLET, Role.CLERK):
        return frozenset({"counter"})
    desk = {"desk"} if holder in DESK_PAGE_ROLES else set()
    return frozenset(desk | ({"officer"} if holder in OFFICER_PAGE_ROLES else set()))


def may(holder: Holder, page: str, action: str) -> bool:
    """Tell whether the table lets `holder`, who acts from `page`, do `action`."""
    if page == HALF_PAGE:
        return action in HALF & ROLES[holder]
    return page in pages_of(holder) and action in ROLES[holder]


def opens(scopes: Iterable[str], action: str) -> bool:
    """Tell whether one of a token's scopes opens `action`."""
    return any(action in SCOPES.get(scope, ()) for scope in scopes)
