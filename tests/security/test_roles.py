"""The one table of roles: what the gate decides by, and what may never stand in it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from security.people import Role
from security.policy.baseline import BASELINE
from security.policy.decide import decide
from security.policy.facts import Actor, Facts
from security.roles import (
    DECIDING,
    EVIDENCE,
    HALF,
    PEOPLE,
    READING,
    ROLES,
    SCOPES,
    TABLET,
    Holder,
    may,
    pages_of,
)

TEXT = Path(__file__).resolve().parents[2] / "static" / "text"
NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
HOLDERS: tuple[Holder, ...] = (TABLET, *Role)
EVERY_PAGE = ("counter", "desk", "officer")


def test_every_action_of_the_gate_stands_beside_somebody_and_nothing_else_does() -> None:
    entered = frozenset[str]().union(*ROLES.values(), *SCOPES.values())
    missing, unknown = set(BASELINE) - entered, entered - set(BASELINE)
    assert not missing, f"enter into ROLES of security/roles.py who may do: {sorted(missing)}"
    assert not unknown, f"the gate has no rule in baseline.py for: {sorted(unknown)}"


def test_every_role_and_the_bare_tablet_stand_in_the_table() -> None:
    assert set(ROLES) == set(HOLDERS)


def test_an_administrator_reads_no_evidence() -> None:
    assert not ROLES[Role.ADMINISTRATOR] & EVIDENCE


def test_an_officer_changes_no_people_and_reads_no_evidence() -> None:
    assert not ROLES[Role.OFFICER] & (PEOPLE | EVIDENCE)


def test_half_a_sign_in_opens_its_second_half_alone() -> None:
    for holder in HOLDERS:
        opened = {action for action in BASELINE if may(holder, "sign-in", action)}
        assert opened == (set() if holder in (TABLET, Role.CLERK) else HALF)


def test_an_auditor_changes_nothing_but_the_own_sign_in() -> None:
    assert ROLES[Role.AUDITOR] <= READING


@pytest.mark.parametrize("holder", [TABLET, Role.CLERK])
def test_a_counter_never_decides(holder: Holder) -> None:
    assert not ROLES[holder] & DECIDING


@pytest.mark.parametrize("action", sorted(BASELINE))
def test_the_gate_denies_by_role_exactly_what_the_table_does_not_let_pass(action: str) -> None:
    for holder in HOLDERS:
        for page in EVERY_PAGE:
            actor = Actor(page, "m", "p" if holder else None, holder, "t", tablet_live=True)
            term = next(x for x in BASELINE[action].terms if x.reason == _of_role(action))
            assert term.met(Facts(NOW, actor, "s", "m")) is may(holder, page, action)


def _of_role(action: str) -> object:
    """Return the reason that a role without any action is given first."""
    bare = Actor("nowhere", "m", "p", Role.AUDITOR, "t", tablet_live=True)
    found = decide(BASELINE, action, Facts(NOW, bare, "s", "m")).reasons
    return next(one for one in found if one.code != "not_enrolled")


def test_nobody_acts_from_a_page_of_another_role() -> None:
    assert pages_of(Role.CLERK) == pages_of(TABLET) == {"counter"}
    assert pages_of(Role.VERIFIER) == pages_of(Role.SENIOR) == {"desk"}
    assert pages_of(Role.ADMINISTRATOR) == {"desk", "officer"}
    assert pages_of(Role.OFFICER) == pages_of(Role.AUDITOR) == {"officer"}


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_action_has_words(language: str) -> None:
    words = json.loads((TEXT / f"{language}.json").read_text("utf-8"))
    missing = [action for action in BASELINE if f"action.{action}" not in words]
    assert not missing, f"static/text/{language}.json lacks action.*: {missing}"
