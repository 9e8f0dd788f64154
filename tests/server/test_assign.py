"""Which desk is asked, and how long a wait is thought to be. Pure."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from server.calls.assign import FreeDesk, choose, estimate_wait_seconds
from server.calls.call import Call

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
CALL = Call(
    id="c",
    number="R-261123-0001",
    municipality_id="m",
    office_id="o",
    tablet_id="t",
    clerk_id="p",
    procedure="new-issue",
    training=True,
    consent="{}",
    placed_at=NOW,
)
ONE = FreeDesk("one", NOW - timedelta(minutes=5))
TWO = FreeDesk("two", NOW - timedelta(minutes=9))


def test_the_longest_idle_desk_is_asked_first() -> None:
    assert choose(CALL, [ONE, TWO]) == "two"


def test_whoever_was_asked_already_comes_after_whoever_was_not() -> None:
    assert choose(replace(CALL, offered=("two",)), [ONE, TWO]) == "one"


def test_when_all_were_asked_the_one_asked_longest_ago_is_next() -> None:
    assert choose(replace(CALL, offered=("two", "one")), [ONE, TWO]) == "two"
    assert choose(replace(CALL, offered=("two", "one", "two")), [ONE, TWO]) == "one"


def test_without_a_free_desk_nobody_is_asked() -> None:
    assert choose(CALL, []) is None


@pytest.mark.parametrize(
    ("ahead", "desks_open", "desks_free", "talks", "seconds"),
    [
        (0, 0, 0, [600.0], None),
        (0, 1, 1, [], 0),
        (0, 1, 0, [], None),
        (0, 1, 0, [600.0], 600),
        (1, 1, 0, [600.0], 1200),
        (1, 2, 0, [600.0], 600),
        (2, 2, 1, [300.0, 600.0, 900.0], 600),
        (1, 2, 2, [600.0], 0),
    ],
)
def test_a_wait_is_the_median_talk_times_the_rounds_before_it(
    ahead: int, desks_open: int, desks_free: int, talks: list[float], seconds: int | None
) -> None:
    assert estimate_wait_seconds(ahead, desks_open, desks_free, talks) == seconds
