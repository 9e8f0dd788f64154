"""What stands before each route and each message of a page: the one list that a test walks.

tests/server/test_walk.py goes to every route of the application and sends every message as every
role, and compares the answers with this list and security/roles.py. A route or message that is
not entered here fails that test. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from security.roles import HALF_PAGE

EVERY_PAGE = frozenset({"counter", "desk", "officer"})


@dataclass(frozen=True, slots=True)
class Open:
    """Nobody has to be signed in. `why` says what protects it, or that nothing needs to."""

    why: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Whoever is signed in on one of `pages`, whatever the role; answers the own things alone."""

    pages: frozenset[str] = EVERY_PAGE


@dataclass(frozen=True, slots=True)
class Asks:
    """Only what the gate allows: `action` stands beside the roles that may (security/roles.py)."""

    action: str
    pages: frozenset[str] = EVERY_PAGE


@dataclass(frozen=True, slots=True)
class ByToken:
    """Only another system, by a token whose scopes open `action`; no cookie counts."""

    action: str


SOCKET = Asks("socket.open", frozenset({"counter", "desk"}))
Access = Open | SignedIn | Asks | ByToken
HALF = SignedIn(frozenset({HALF_PAGE}))  # whose second factor is outstanding
PAGE = Open("holds nothing personal")
PROOF = Open("the body proves who it is")
COUNTER = SignedIn(frozenset({"counter"}))
CHECK = Asks("precheck.go_on", frozenset({"counter"}))
_CALL = "/api/v1/calls/{call}"
_FILE = f"{_CALL}/files/{{file}}"
_RECOVERY = "/api/v1/recoveries/{person}"
_HOOK = "/api/v1/hooks/{hook}"
_RECORD = "/api/v1/records/{record}"
_VERSION = "/api/v1/policy/versions/{number}"

ROUTES: Mapping[tuple[str, str], Access] = MappingProxyType(
    {
        ("GET", "/"): PAGE,
        ("GET", "/counter"): PAGE,
        ("GET", "/desk"): PAGE,
        ("GET", "/sign-in"): PAGE,
        ("GET", "/link"): PAGE,
        ("GET", "/enrol"): PAGE,
        ("GET", "/password"): PAGE,
        ("GET", "/officer"): PAGE,
        ("GET", "/signed-in/{municipality}"): PAGE,
        ("GET", "/account"): PAGE,
        ("GET", "/factor"): PAGE,
        ("GET", "/healthz"): PAGE,
        ("GET", "/metrics"): Open("loopback alone; ids and counts"),
        ("GET", "/api/openapi.json"): PAGE,
        ("GET", "/api/v1/municipalities"): PAGE,
        ("POST", "/api/v1/sign-in"): PROOF,
        ("POST", "/api/v1/links"): PROOF,
        ("POST", "/api/v1/password"): PROOF,
        ("POST", "/api/v1/enrol"): PROOF,
        ("POST", "/api/v1/oidc/begin"): Open("leads to the municipality's directory"),
        ("POST", "/api/v1/oidc/finish"): Open("the directory proves who it is"),
        ("POST", "/api/v1/tablet/challenge"): COUNTER,
        ("POST", "/api/v1/tablet/proof"): COUNTER,
        ("GET", "/api/v1/clerks"): COUNTER,
        ("POST", "/api/v1/clerk"): COUNTER,
        ("GET", "/api/v1/half"): HALF,
        ("POST", "/api/v1/sign-in/code"): HALF,
        ("POST", "/api/v1/sign-in/passkey/options"): Open("a challenge opens nothing"),
        ("POST", "/api/v1/sign-in/passkey"): PROOF,
        ("POST", "/api/v1/recovery"): HALF,
        ("POST", "/api/v1/recovery/link"): PROOF,
        ("GET", "/api/v1/factors"): Asks("factor.read"),
        ("POST", "/api/v1/factors/totp"): Asks("factor.enrol"),
        ("POST", "/api/v1/factors/totp/confirm"): Asks("factor.enrol"),
        ("POST", "/api/v1/factors/passkeys/options"): Asks("factor.enrol"),
        ("POST", "/api/v1/factors/passkeys"): Asks("factor.enrol"),
        ("POST", "/api/v1/factors/remove"): Asks("factor.remove"),
        ("GET", "/api/v1/recoveries"): Asks("recovery.read"),
        ("POST", f"{_RECOVERY}/start"): Asks("recovery.start"),
        ("POST", f"{_RECOVERY}/confirm"): Asks("recovery.confirm"),
        ("POST", f"{_RECOVERY}/withdraw"): Asks("recovery.withdraw"),
        ("GET", "/api/v1/me"): SignedIn(),
        ("POST", "/api/v1/sign-out"): SignedIn(),
        ("GET", "/api/v1/procedures"): SignedIn(),
        ("GET", "/api/v1/documents"): SignedIn(frozenset({"desk"})),
        ("GET", "/api/v1/eligibility"): COUNTER,
        ("GET", "/api/v1/calls"): SignedIn(frozenset({"desk"})),
        ("GET", "/api/v1/ws"): SOCKET,
        ("GET", "/api/v1/approvals"): Asks("approval.read"),
        ("GET", _CALL): Asks("call.read"),
        ("GET", f"{_CALL}/resident"): Asks("call.read"),
        ("GET", f"{_CALL}/invitable"): Asks("call.invitable"),
        ("OPTIONS", f"{_CALL}/files"): PAGE,
        ("POST", f"{_CALL}/files"): Asks("file.send"),
        ("HEAD", _FILE): Asks("file.send"),
        ("PATCH", _FILE): Asks("file.send"),
        ("DELETE", _FILE): Asks("file.withdraw"),
        ("GET", f"{_FILE}/content"): Asks("file.read"),
        ("GET", "/precheck"): PAGE,
        ("POST", "/api/v1/precheck"): Asks("precheck.begin", frozenset({"counter"})),
        ("POST", "/api/v1/precheck/media"): CHECK,
        ("POST", "/api/v1/precheck/file"): CHECK,
        ("PATCH", "/api/v1/precheck/file"): CHECK,
        ("GET", "/api/v1/precheck/file"): CHECK,
        ("POST", "/api/v1/precheck/result"): CHECK,
        ("GET", "/api/v1/prechecks"): Asks("precheck.read"),
        ("POST", "/api/v1/tablets/{tablet}/revoke"): Asks("tablet.revoke"),
        ("GET", "/administration"): PAGE,
        ("GET", "/api/v1/administration"): Asks("house.read"),
        ("GET", "/api/v1/procedures/texts"): Asks("procedure.read"),
        ("GET", "/api/v1/procedures/versions"): Asks("procedure.read"),
        ("POST", "/api/v1/procedures/versions"): Asks("procedure.draft"),
        ("GET", "/api/v1/procedures/versions/{number}"): Asks("procedure.read"),
        ("POST", "/api/v1/procedures/versions/{number}/approve"): Asks("procedure.approve"),
        ("POST", "/api/v1/procedures/versions/{number}/withdraw"): Asks("procedure.withdraw"),
        ("POST", "/api/v1/offices"): Asks("office.edit"),
        ("POST", "/api/v1/offices/{office}"): Asks("office.edit"),
        ("POST", "/api/v1/offices/{office}/openings"): Asks("procedure.open"),
        ("POST", "/api/v1/openings/{opening}/withdraw"): Asks("procedure.open"),
        ("POST", "/api/v1/offices/{office}/tablets"): Asks("tablet.edit"),
        ("POST", "/api/v1/tablets/{tablet}/code"): Asks("tablet.edit"),
        ("POST", "/api/v1/tablets/{tablet}/mode"): Asks("tablet.edit"),
        ("POST", "/api/v1/people"): Asks("person.edit"),
        ("POST", "/api/v1/people/{worker}/entrance"): Asks("person.edit"),
        ("POST", "/api/v1/people/{worker}/training"): Asks("person.edit"),
        ("POST", "/api/v1/people/{worker}/end"): Asks("person.edit"),
        ("GET", "/api/v1/policy"): Asks("policy.read"),
        ("GET", "/api/v1/policy/text"): Asks("policy.read"),
        ("GET", "/api/v1/policy/roles"): Asks("policy.read"),
        ("GET", "/api/v1/policy/versions"): Asks("policy.read"),
        ("POST", "/api/v1/policy/versions"): Asks("policy.draft"),
        ("GET", _VERSION): Asks("policy.read"),
        ("GET", f"{_VERSION}/rehearsal"): Asks("policy.read"),
        ("POST", f"{_VERSION}/approve"): Asks("policy.approve"),
        ("POST", f"{_VERSION}/withdraw"): Asks("policy.withdraw"),
        ("POST", "/api/v1/policy/explain"): Asks("policy.read"),
        ("GET", "/api/v1/officers"): Asks("policy.read"),
        ("POST", "/api/v1/officers/{person}/appoint"): Asks("officer.appoint"),
        ("GET", "/api/v1/hooks"): Asks("hook.read"),
        ("POST", "/api/v1/hooks"): Asks("hook.change"),
        ("POST", f"{_HOOK}/rotate"): Asks("hook.change"),
        ("POST", f"{_HOOK}/test"): Asks("hook.change"),
        ("POST", f"{_HOOK}/remove"): Asks("hook.change"),
        ("POST", "/api/v1/deliveries/{delivery}/retry"): Asks("hook.change"),
        ("POST", "/api/v1/deliveries/{delivery}/give-up"): Asks("hook.change"),
        ("GET", "/api/v1/tokens"): Asks("token.read"),
        ("POST", "/api/v1/tokens"): Asks("token.change"),
        ("POST", "/api/v1/tokens/{token}/revoke"): Asks("token.change"),
        ("GET", "/api/v1/counts"): Asks("count.read"),
        ("GET", "/api/v1/counts/export"): Asks("count.read"),
        ("POST", "/api/v1/counts/corrections"): Asks("count.correct"),
        ("GET", "/api/v1/rest/records"): ByToken("rest.records"),
        ("GET", "/api/v1/rest/records/{call}"): ByToken("rest.records"),
        ("GET", "/api/v1/rest/records/{call}/bundle"): ByToken("rest.bundle"),
        ("GET", "/api/v1/rest/counts"): ByToken("rest.counts"),
        ("GET", "/hooks"): PAGE,
        ("GET", "/counts"): PAGE,
        ("GET", "/api/v1/audit"): Asks("audit.read"),
        ("GET", "/records"): PAGE,
        ("GET", "/api/v1/records"): Asks("record.read"),
        ("GET", _RECORD): Asks("record.read"),
        ("POST", f"{_RECORD}/verify"): Asks("record.read"),
        ("POST", f"{_RECORD}/additions"): Asks("record.correct"),
        ("GET", f"{_RECORD}/bundle"): Asks("record.export"),
        ("GET", f"{_RECORD}/pdf"): Asks("record.read"),
        ("GET", "/api/v1/audit/export"): Asks("audit.read"),
        ("GET", "/api/v1/deletions"): Asks("audit.read"),
        ("GET", "/api/v1/audit/chain"): Asks("audit.read"),
    }
)

# Of messages with two meanings the first: `call.veil` with `on` true, `offer` in a call.
MESSAGES: Mapping[str, Access] = MappingProxyType(
    {
        "hello": SOCKET,
        "pong": SOCKET,
        "call.place": Asks("call.place"),
        "call.withdraw": Asks("call.withdraw"),
        "call.accept": Asks("call.accept"),
        "call.pass": Asks("call.pass"),
        "call.decide": Asks("call.decide"),
        "call.reopen": Asks("call.reopen"),
        "call.close": Asks("call.close"),
        "call.invite": Asks("call.invite"),
        "call.uninvite": Asks("call.uninvite"),
        "call.join": Asks("call.join"),
        "call.leave": Asks("call.leave"),
        "call.veil": Asks("call.veil"),
        "call.devices": Asks("call.devices"),
        "call.quality": Asks("call.quality"),
        "step.tick": Asks("step.tick"),
        "step.answer": Asks("step.lead"),
        "step.draw": Asks("step.lead"),
        "step.bind": Asks("step.lead"),
        "step.still": Asks("step.lead"),
        "step.document": Asks("step.lead"),
        "step.grant": Asks("step.lead"),
        "step.code": Asks("step.lead"),
        "step.chip": Asks("step.tick"),
        "step.take-over": Asks("step.take_over"),
        "approval.ask": Asks("approval.ask"),
        "approval.answer": Asks("approval.answer"),
        "call.hand-over": Asks("call.hand_over"),
        "desk.state": Asks("desk.state"),
        "offer": Asks("media.join"),
        "chat.send": Asks("chat.send"),
        "chat.read": Asks("chat.read"),
        "precheck.chat": CHECK,
    }
)
