"""What a senior has said of a call's steps, and what keeps it."""

from datetime import UTC, date, datetime

import pytest

from server.procedures import lock
from server.procedures import progress as p
from server.procedures.catalog import shipped
from server.procedures.sheet import About, Approval, Chip, Sheet
from server.procedures.sheet_json import from_bytes, to_bytes
from server.procedures.template import Template

NOW, DAY = datetime(2026, 11, 24, 1, 0, tzinfo=UTC), date(2026, 11, 24)
FOUND = shipped().get("new-issue")
assert FOUND is not None
TEMPLATE: Template = FOUND


def asked(sheet: Sheet, about: About, reason: str = "理由") -> Sheet:
    return lock._with(sheet, Approval(about, reason, "desk", NOW))


def answered(sheet: Sheet, about: About, *, yes: bool) -> Sheet:
    return lock.answer(sheet, about, approve=yes, reason="写真が違う", person_id="senior", now=NOW)


@pytest.mark.parametrize("about", list(About))
def test_a_refusal_stays_whatever_is_done_or_asked_afterwards(about: About) -> None:
    refused = answered(asked(Sheet("c", "m", 0), about), about, yes=False)
    said = refused.approval(about)
    assert said is not None
    assert (said.approved, said.answer, said.answered_by) == (False, "写真が違う", "senior")
    chip = Chip("passport", "読取機", "agrees", "desk", NOW)
    changed = lock.changed(refused, p.Progress(pin=True))
    for later in (changed, lock.with_chip(refused, chip), from_bytes(to_bytes(changed))):
        assert later.approvals == (said,)
    again = answered(asked(refused, about, "もう一度"), about, yes=True)
    assert [one.approved for one in again.approvals] == [False, True]
    newest = again.approval(about)
    assert newest is not None
    assert newest.reason == "もう一度"


def test_what_a_senior_let_pass_is_void_after_a_change_and_the_refusal_before_is_not() -> None:
    about = About.DECISION
    refused = answered(asked(Sheet("c", "m", 0), about), about, yes=False)
    given = answered(asked(refused, about), about, yes=True)
    void = lock.changed(given, p.Progress(pin=True))
    assert [one.approved for one in void.approvals] == [False]
    always = lock.Confirming("always")
    assert not lock.lock_of(TEMPLATE, given, DAY, always, "desk").approval
    assert lock.lock_of(TEMPLATE, void, DAY, always, "desk").approval
