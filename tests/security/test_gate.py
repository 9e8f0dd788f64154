"""The gate: default deny, every unmet term at once, permits that only it makes."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from security.errors import Denied, NotFound
from security.gate import Gate, Permit
from security.people import OfficeKind, Role
from security.policy.baseline import BASELINE
from security.policy.decide import Decision, Rule, decide
from security.policy.facts import Actor, CallFacts, Facts, Line

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
COUNTER = Actor(
    page="counter",
    municipality_id="m",
    person_id="clerk",
    role=Role.CLERK,
    tablet_id="t",
    tablet_live=True,
    office_id="o",
    office_kind=OfficeKind.DIRECT,
)
DESK = Actor(page="desk", municipality_id="m", person_id="v", role=Role.VERIFIER)
CALL = CallFacts("c", "m", "t", "v", "talking", answered=True)


def facts(actor: Actor = COUNTER, call: CallFacts | None = CALL, **changes: object) -> Facts:
    made = Facts(NOW, actor, "c", "m", call, procedure_open=True, line=Line("192.0.2.1", "1.3"))
    return replace(made, **changes)  # type: ignore[arg-type]


class Log:
    """An audit log in a list."""

    def __init__(self) -> None:
        self.decisions: list[Decision] = []

    async def write(self, decision: Decision, facts: Facts) -> None:
        """Keep the decision."""
        self.decisions.append(decision)


async def test_an_unknown_action_is_denied() -> None:
    with pytest.raises(Denied) as denied:
        await Gate(BASELINE, Log()).ask("call.nothing", facts())
    assert denied.value.code == "no_rule"


def test_a_rule_without_terms_is_denied() -> None:
    assert not decide({"x": Rule("x", ())}, "x", facts()).allowed


def test_no_shipped_rule_is_empty() -> None:
    assert all(rule.terms for rule in BASELINE.values())


def test_placing_a_call_names_every_unmet_term_at_once() -> None:
    stranger = Actor(page="desk", municipality_id="m", office_kind=OfficeKind.SIMPLE)
    decision = decide(BASELINE, "call.place", facts(stranger, procedure_open=False))
    codes = [reason.code for reason in decision.reasons]
    assert codes == ["not_enrolled", "no_clerk", "office_not_direct", "procedure_not_open"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"tablet_live": False}, "not_enrolled"),
        ({"role": None}, "no_clerk"),
        ({"office_kind": OfficeKind.SIMPLE}, "office_not_direct"),
    ],
)
def test_each_term_of_placing_a_call_stands_alone(change: dict[str, object], code: str) -> None:
    actor = replace(COUNTER, **change)  # type: ignore[arg-type]
    decision = decide(BASELINE, "call.place", facts(actor))
    assert [reason.code for reason in decision.reasons] == [code]


DESK_ACTIONS = ("call.accept", "call.decide", "call.reopen", "call.close", "desk.state")


@pytest.mark.parametrize(("action", "role"), [*itertools.product(DESK_ACTIONS, Role)])
def test_a_counter_has_no_desk_action_whatever_its_role(action: str, role: Role) -> None:
    decision = decide(BASELINE, action, facts(replace(COUNTER, role=role)))
    assert "counter_cannot_decide" in [reason.code for reason in decision.reasons]


@pytest.mark.parametrize("action", sorted(BASELINE))
def test_every_action_refuses_an_actor_who_is_nobody(action: str) -> None:
    nobody = Actor(page="", municipality_id="m")
    assert not decide(BASELINE, action, facts(nobody)).allowed


@pytest.mark.parametrize("action", sorted(set(BASELINE) - {"call.place", "desk.state"}))
async def test_another_municipality_is_told_that_there_is_no_such_thing(action: str) -> None:
    for actor in (replace(COUNTER, municipality_id="x"), replace(DESK, municipality_id="x")):
        with pytest.raises(NotFound):
            await Gate(BASELINE, Log()).ask(action, facts(actor))


async def test_the_decision_is_written_before_it_acts_and_quiet_ones_only_when_refused() -> None:
    log = Log()
    gate = Gate(BASELINE, log)
    await gate.ask("chat.send", facts())
    await gate.ask("chat.read", facts())
    assert [d.action for d in log.decisions] == ["chat.send"]
    with pytest.raises(Denied):
        await gate.ask("chat.read", facts(replace(DESK, person_id="other")))
    assert [d.allowed for d in log.decisions] == [True, False]


async def test_a_failing_audit_log_stops_the_action() -> None:
    class Broken(Log):
        async def write(self, decision: Decision, facts: Facts) -> None:
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        await Gate(BASELINE, Broken()).ask("chat.send", facts())


def test_nobody_else_makes_a_permit() -> None:
    with pytest.raises(TypeError):
        Permit("file.read", "m", "f", NOW, object())


async def test_a_permit_opens_only_what_it_was_asked_for() -> None:
    permit = await Gate(BASELINE, Log()).ask("chat.send", facts())
    permit.require("chat.send", "c")
    for action, subject in (("chat.read", "c"), ("chat.send", "d")):
        with pytest.raises(Denied):
            permit.require(action, subject)
