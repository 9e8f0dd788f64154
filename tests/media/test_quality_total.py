"""What is said of a whole call, of its worst direction."""

import pytest

from media.quality import Cause, Place
from media.quality_sum import Summary
from media.quality_total import Total, total_of

GOOD = Summary(seconds=100, good_seconds=100, packets=1000)
LOSSY = Summary(
    seconds=100, good_seconds=60, fair_seconds=10, poor_seconds=30, packets=900, lost=100
)
COARSE = Summary(
    seconds=3, fair_seconds=2, poor_seconds=1, packets=9, width_least=320, height_least=240
)
PASSED = Summary(seconds=100, good_seconds=97, fair_seconds=3, packets=1000)


@pytest.mark.parametrize(
    ("way", "kept", "total"),
    [
        (("desk", "sends"), GOOD, Total(100, 0, 0)),
        (("desk", "sends"), LOSSY, Total(60, 10, 30, Cause.LOSS, Place.DESK)),
        (("counter", "receives"), LOSSY, Total(60, 10, 30, Cause.LOSS, Place.COUNTER)),
        (("counter", "sends"), COARSE, Total(0, 67, 33, Cause.COARSE, Place.COUNTER)),
        (("desk", "sends"), COARSE, Total(100, 0, 0)),  # the picture to the counter
        (("desk", "receives"), PASSED, Total(97, 3, 0)),  # too short to show in the figures
        (("desk", "receives"), Summary(), Total(100, 0, 0)),
    ],
)
def test_the_worst_direction_speaks_for_the_call(
    way: tuple[str, str], kept: Summary, total: Total
) -> None:
    summaries = {("counter", "sends"): GOOD, ("counter", "receives"): GOOD} | {way: kept}
    assert total_of(summaries) == total


def test_of_a_call_that_was_not_measured_nothing_is_said() -> None:
    assert total_of({}) is None
    assert total_of({("desk", "sends"): Summary()}) is None
