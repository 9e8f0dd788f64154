"""What is missing is noted, asked for soon, once per round trip, and not for ever."""

import itertools

import pytest

from media.gaps import MAX_MISSING, MISSING_SECONDS, Gaps
from media.missing import GIVE_UP_SECONDS, MAX_ASKS, SHORTEST_SECONDS, Missing


def _asked_at(rtt: float | None, seconds: float = 3.0) -> list[float]:
    """Return when one missing packet is asked for by a tick every 20 ms."""
    missing = Missing()
    return [n / 50 for n in range(int(seconds * 50)) if missing.due([(1, 0.0)], n / 50, rtt)]


def test_a_missing_packet_is_asked_for_within_a_tick_and_not_at_once() -> None:
    missing = Missing()
    assert missing.due([(65535, 0.0), (0, 0.0)], 0.0) == []
    assert missing.due([(65535, 0.0), (0, 0.0)], 0.02) == [65535, 0]
    assert missing.due([(0, 0.0)], 1.0) == [0]


@pytest.mark.parametrize(("rtt", "spacing"), [(0.0, 0.04), (0.1, 0.12), (0.2, 0.24), (9.0, 0.4)])
def test_requests_are_a_round_trip_apart(rtt: float, spacing: float) -> None:
    times = _asked_at(rtt)
    gaps = [b - a for a, b in itertools.pairwise(times)]
    assert all(spacing - 1e-6 <= gap <= spacing + 0.021 for gap in gaps)


def test_sound_is_asked_for_more_often_as_only_requests_may_be_lost() -> None:
    missing = Missing(SHORTEST_SECONDS)
    times = [n / 50 for n in range(150) if missing.due([(1, 0.0)], n / 50, 0.2)]
    gaps = [b - a for a, b in itertools.pairwise(times)]
    assert len(times) == MAX_ASKS
    assert all(gap <= SHORTEST_SECONDS + 0.021 for gap in gaps)


def test_requests_end_by_number_on_a_short_line_and_by_time_on_a_long_one() -> None:
    assert len(_asked_at(0.0)) == MAX_ASKS
    assert 2 <= len(_asked_at(5.0)) <= 4
    assert max(_asked_at(5.0)) <= GIVE_UP_SECONDS + 0.02


def test_what_was_given_up_is_told_once() -> None:
    missing = Missing()
    assert missing.due([(1, 0.0)], 0.02) == [1]
    assert not missing.gave_up()
    for now in (GIVE_UP_SECONDS + 0.1, GIVE_UP_SECONDS + 0.2):
        assert missing.due([(1, 0.0)], now) == []
    assert missing.gave_up()
    assert not missing.gave_up()


def test_numbers_skipped_are_missing_until_they_come() -> None:
    gaps = Gaps()
    assert gaps.open(65534, 1, 0.5)
    assert gaps.items(0.5) == [(65535, 0.5), (0, 0.5)]
    gaps.arrived(65535)
    assert 0 in gaps
    assert 65535 not in gaps
    assert gaps.items(0.6 + MISSING_SECONDS) == []


def test_what_is_older_than_a_keyframe_is_not_missed() -> None:
    gaps = Gaps()
    gaps.open(65533, 3, 0.0)
    gaps.forget_before(1)
    assert gaps.items(0.02) == [(1, 0.0), (2, 0.0)]


def test_too_much_missing_is_given_up_at_once() -> None:
    gaps = Gaps()
    assert gaps.open(0, MAX_MISSING, 0.0)
    assert not gaps.open(500, 503, 0.0)
    assert len(gaps) == 0
