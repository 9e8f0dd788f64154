"""Who may sign policies: when a proposal counts."""

from datetime import UTC, datetime, timedelta

import pytest

from security.errors import Conflict, Denied
from security.officers import CONFIRM_WITHIN, confirm, propose
from security.people import Person, Role

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
OFFICER = Person("o", "m", "o", "o", Role.OFFICER, None, None, None)
FIRST = Person("a", "m", "a", "a", Role.ADMINISTRATOR, None, None, None)


@pytest.mark.parametrize(
    ("after", "renewed"),
    [
        (timedelta(0), False),
        (CONFIRM_WITHIN - timedelta(seconds=1), False),
        (CONFIRM_WITHIN, True),
    ],
)
def test_a_proposal_counts_for_seven_days(after: timedelta, renewed: bool) -> None:
    proposal = propose(OFFICER, administrator="a", now=NOW)
    assert proposal.must_be_renewed(FIRST, NOW + after) is renewed
    assert proposal.stands(NOW + after) is not renewed


def test_an_appointment_stands_whatever_became_of_who_made_it() -> None:
    proposal = propose(OFFICER, administrator="a", now=NOW)
    appointed = confirm(proposal, OFFICER, administrator="b", now=NOW)
    assert not appointed.must_be_renewed(None, NOW + timedelta(days=400))
    assert appointed.stands(NOW + timedelta(days=400))


def test_who_proposed_or_is_the_officer_does_not_confirm() -> None:
    proposal = propose(OFFICER, administrator="a", now=NOW)
    for somebody in ("a", "o"):
        with pytest.raises(Denied):
            confirm(proposal, OFFICER, administrator=somebody, now=NOW)


def test_who_is_no_officer_any_more_is_not_confirmed() -> None:
    proposal = propose(OFFICER, administrator="a", now=NOW)
    moved = Person("o", "m", "o", "o", Role.AUDITOR, None, None, None)
    with pytest.raises(Conflict):
        confirm(proposal, moved, administrator="b", now=NOW)
