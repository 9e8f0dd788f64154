""" "Would this be allowed?": a question put to the rules without anybody having to try it. Pure.

Whoever is not described is taken as rightful for the action: a clerk at an enrolled tablet places
a call, a verifier answers one. So what is refused is refused for what the question says.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from security.errors import NotFound
from security.people import DESK_ROLES, GUEST_ROLES, INVITABLE_ROLES, OfficeKind, Role
from security.policy.decide import Rule, Term
from security.policy.facts import Actor, CallFacts, Facts, Grounds, Line
from security.policy.model import Policy
from security.roles import ROLES, SCOPES, SYSTEM_PAGE, pages_of
from server.policies import ZONE

ALIASES = {
    "start-call": "call.place",
    "accept-call": "call.accept",
    "close-call": "call.close",
    "sign-in": "session.begin",
}
OF_ONESELF = ("session.half", "factor.read", "factor.enrol", "factor.remove", "recovery.ask")
RIGHTFUL: tuple[Role, ...] = (
    Role.VERIFIER,
    *Role,
)  # the first whom the table lets do it, where none is named
HOME, TABLET, PERSON, ANOTHER, CALL = "municipality", "tablet", "person", "another", "call"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. `at` is aware; `address` a network address; `office` its id."""

    action: str
    policy: Policy
    at: datetime
    office: str | None = None
    office_kind: OfficeKind = OfficeKind.DIRECT
    procedure_open: bool = True
    role: Role | None = None
    address: str | None = None
    tls: str | None = "1.3"
    trained_on: date | None = None
    second_factor: bool = False
    appointed: bool = True
    real: bool = False
    grounds: Grounds | None = None  # of an office; None: taken as good

    def facts(self) -> Facts:
        """Return the facts that the question describes."""
        today = self.at.astimezone(ZONE).date()
        return Facts(
            now=self.at.astimezone(UTC),
            actor=self._actor(),
            subject=PERSON if self.action in OF_ONESELF else CALL,
            subject_municipality_id=HOME,
            call=self._call(),
            procedure_open=self.procedure_open,
            outcome_allowed=True,
            policy=self.policy,
            line=Line(self.address, self.tls),
            today=today,
            training=not self.real,
            consented=True,
            takes_up=True,
            invited=self._invited(),
            grounds=self.grounds or Grounds(today, today, "required", today, today),
        )

    def _invited(self) -> str | None:
        """Return who would be asked into a call: the role that the question names, or a senior."""
        if self.action != "call.invite":
            return None
        return self.role.value if self.role in INVITABLE_ROLES else Role.SENIOR.value

    def _actor(self) -> Actor:
        opening = tuple(scope for scope, actions in SCOPES.items() if self.action in actions)
        if opening and self.role is None:
            here = (self.address,) if self.address else ()
            return Actor(SYSTEM_PAGE, HOME, token=PERSON, scopes=opening, networks=here)
        role = self._role()
        pages = pages_of(role)
        counter = self.action in ("call.place", "call.take_over") or "counter" in pages
        return Actor(
            page="counter" if counter else min(pages),
            municipality_id=HOME,
            person_id=PERSON,
            role=role,
            tablet_id=TABLET if counter else None,
            tablet_live=counter,
            office_id=self.office,
            office_kind=self.office_kind if counter else None,
            trained_on=self.trained_on,
            second_factor=self.second_factor,
            appointed=self.appointed,
        )

    def _desk(self) -> str:
        """Return whose desk the call is at: who confirms a decision does not lead the call."""
        return ANOTHER if self.action == "approval.answer" else PERSON

    def _role(self) -> Role:
        """Return who acts; of `call.invite` a role that may be invited is the one who is asked."""
        invited = self.action == "call.invite" and self.role in INVITABLE_ROLES
        if self.role is not None and not invited:
            return self.role
        return next(one for one in RIGHTFUL if self.action in ROLES[one])

    def _call(self) -> CallFacts | None:
        if self.action in ("call.place", "session.begin", "session.half", "socket.open"):
            return None
        is_desk = self.role is None or self.role in DESK_ROLES or self.action == "call.invite"
        guest = self.action in ("call.join", "call.leave") or (
            self.role in GUEST_ROLES and self.action != "call.invite"
        )
        return CallFacts(
            CALL,
            HOME,
            TABLET,
            self._desk() if is_desk and not guest else None,
            "talking",
            answered=True,
            training=not self.real,
            guests=(PERSON,) if guest and self.action != "call.join" else (),
            asked=(PERSON,) if guest and self.action == "call.join" else (),
        )


def action_of(name: str, rules: Mapping[str, Rule]) -> str:
    """Return the gate's name of an action. Raises `NotFound` naming those there are."""
    action = ALIASES.get(name, name)
    if action not in rules:
        known = ", ".join([*ALIASES, *rules])
        raise NotFound(f"there is no action {name} (there are: {known})")
    return action


def not_looked_up(question: Question, rules: Mapping[str, Rule]) -> frozenset[str]:
    """Return the codes of the terms that are taken as met: what is entered was not looked up."""
    if question.grounds is not None:
        return frozenset()
    taken, nothing = question.facts(), replace(question, grounds=Grounds()).facts()
    terms = rules[question.action].terms
    return frozenset(x.reason.code for x in terms if x.met(taken) and not x.met(nothing))


def terms_of(question: Question, rules: Mapping[str, Rule]) -> list[tuple[Term, bool]]:
    """Return every term of the action's rule, and whether it is met."""
    facts = question.facts()
    return [(term, term.met(facts)) for term in rules[question.action].terms]
