"""What is missing is asked for soon, once per round trip, and not for ever."""

import itertools

import pytest

from media.missing import GIVE_UP_SECONDS, MAX_ASKS, MAX_MISSING, Missing


def _asked_at(rtt: float | None, seconds: float = 3.0) -> list[float]:
    """Return when one missing packet is asked for by a tick every 20 ms."""
    missing = Missing()
    missing.gap(0, 2, 0.0)
    return [n / 50 for n in range(int(seconds * 50)) if missing.due(n / 50, rtt)]


def test_a_missing_packet_is_asked_for_within_a_tick_and_not_at_once() -> None:
    missing = Missing()
    assert missing.gap(65534, 1, 0.0)
    assert missing.due(0.0) == []
    assert missing.due(0.02) == [65535, 0]
    missing.arrived(65535)
    assert missing.due(1.0) == [0]


@pytest.mark.parametrize(("rtt", "spacing"), [(0.0, 0.04), (0.1, 0.12), (0.2, 0.24), (9.0, 0.4)])
def test_requests_are_a_round_trip_apart(rtt: float, spacing: float) -> None:
    times = _asked_at(rtt)
    gaps = [b - a for a, b in itertools.pairwise(times)]
    assert all(spacing - 1e-6 <= gap <= spacing + 0.021 for gap in gaps)


def test_requests_end_by_number_on_a_short_line_and_by_time_on_a_long_one() -> None:
    assert len(_asked_at(0.0)) == MAX_ASKS
    assert 2 <= len(_asked_at(5.0)) <= 4
    assert max(_asked_at(5.0)) <= GIVE_UP_SECONDS + 0.02


def test_what_was_given_up_is_told_once() -> None:
    missing = Missing()
    missing.gap(0, 2, 0.0)
    assert not missing.gave_up()
    assert missing.due(GIVE_UP_SECONDS + 0.1) == []
    assert missing.gave_up()
    assert not missing.gave_up()
    assert len(missing) == 0


def test_what_is_older_than_a_keyframe_is_not_asked_for() -> None:
    missing = Missing()
    missing.gap(65533, 3, 0.0)
    missing.forget_before(1)
    assert missing.due(0.02) == [1, 2]


def test_too_much_missing_is_given_up_at_once() -> None:
    missing = Missing()
    assert missing.gap(0, MAX_MISSING, 0.0)
    assert not missing.gap(500, 503, 0.0)
    assert len(missing) == 0
