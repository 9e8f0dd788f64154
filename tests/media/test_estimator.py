"""A line's limit is found by the queue that grows and by what is lost, and by nothing else."""

import pytest

from media.estimator import Estimator
from media.sent import Seen

PACKET = 1200


def _sent(
    estimator: Estimator,
    bps: int,
    line_bps: float,
    seconds: float,
    *,
    begin: float = 0.0,
    lost: int = 0,
    queue: float = 0.0,
) -> float:
    """Send evenly over a line, feedback each 100 ms; return the queue at the end, in seconds.

    Of every 20 packets `lost` do not arrive. The receiver's clock is 1,000 s ahead.
    """
    spacing = PACKET * 8 / bps
    pending: list[Seen] = []
    reported = begin
    for number in range(int(seconds / spacing)):
        now = begin + number * spacing
        queue = max(0.0, queue - spacing) + PACKET * 8 / line_bps
        arrived = None if number % 20 < lost else now + queue + 1000.02
        pending.append(Seen(now, arrived, PACKET))
        if now - reported >= 0.1:
            estimator.take(pending, now)
            pending, reported = [], now
    return queue


def test_nothing_is_limited_while_nothing_speaks_against_it() -> None:
    estimator = Estimator()
    _sent(estimator, 2_000_000, 20e6, 10)
    assert estimator.limit(10) is None
    assert estimator.queue_seconds < 0.01


def test_a_growing_queue_limits_to_less_than_the_line_carries_within_a_second() -> None:
    estimator = Estimator()
    _sent(estimator, 1_500_000, 1e6, 1.0)
    limit = estimator.limit(1.0)
    assert limit is not None
    assert 500_000 < limit < 1_000_000
    assert estimator.queue_seconds > 0.2


def test_a_limit_that_is_used_without_a_queue_grows_until_there_is_none() -> None:
    estimator = Estimator()
    _sent(estimator, 1_500_000, 1e6, 1.0)
    at = 1.0
    for _ in range(60):
        limit = estimator.limit(at)
        if limit is None:
            break
        _sent(estimator, limit, 20e6, 0.5, begin=at)
        at += 0.5
    assert limit is None
    assert 5 < at < 25


def test_a_limit_that_is_not_used_does_not_grow_beyond_what_is_known() -> None:
    estimator = Estimator()
    _sent(estimator, 1_500_000, 1e6, 1.0)
    _sent(estimator, 200_000, 20e6, 20, begin=1.0)
    limit = estimator.limit(21)
    assert limit is not None
    assert limit < 900_000


@pytest.mark.parametrize(("lost", "limited"), [(1, False), (5, True)])
def test_loss_beyond_a_tenth_limits_once(lost: int, limited: bool) -> None:
    estimator = Estimator()
    _sent(estimator, 1_000_000, 20e6, 4, lost=lost)
    assert (estimator.limit(4) is not None) == limited


def test_loss_that_does_not_go_away_with_the_rate_is_taken_for_the_lines_own() -> None:
    estimator = Estimator()
    at = 0.0
    for _ in range(60):
        limit = estimator.limit(at) or 1_000_000
        _sent(estimator, min(limit, 2_500_000), 20e6, 1.0, begin=at, lost=4)
        at += 1.0
    assert estimator.loss_fraction == pytest.approx(0.2, abs=0.03)
    at_last = estimator.limit(at)
    assert at_last is None or at_last > 1_000_000


def test_packets_that_swap_places_and_feedback_of_nothing_are_borne() -> None:
    estimator = Estimator()
    estimator.take([], 0.0)
    estimator.take([Seen(1.0, 5.0, 100), Seen(0.9, 4.9, 100), Seen(1.1, None, 100)], 1.2)
    assert estimator.limit(1.2) is None
