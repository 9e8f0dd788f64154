"""Keyframes are asked for neither too often nor too early; a rate is limited for a reason."""

import pytest

from media.feedback import Keyframes, RateCap
from media.reported import Reported
from media.rtcp import Block


def test_many_wishes_make_one_request_per_500_ms() -> None:
    keyframes = Keyframes()
    asked = [n / 50 for n in range(1, 100) if keyframes.due(n / 50, n / 50)]
    assert asked == [0.02, 0.52, 1.02, 1.52]


def test_a_silent_source_is_asked_when_it_speaks_again() -> None:
    keyframes = Keyframes()
    assert not keyframes.due(0.0, 9.0)
    assert not keyframes.due(1.0, 5.0)
    assert keyframes.due(6.0, 6.0)


def test_another_source_is_asked_at_once() -> None:
    keyframes = Keyframes()
    assert keyframes.due(1.0, 1.0)
    keyframes.restart()
    assert keyframes.due(1.1, 1.1)


def test_a_watchers_estimate_alone_is_no_reason_to_limit() -> None:
    cap = RateCap()
    for bps in (300_000, 400_000, 390_000, 1_000_000):
        cap.estimate(bps, forwarded_bps=1_700_000, now=0.0)
    assert cap.current(0.0) is None


def test_a_falling_estimate_limits_and_the_limit_grows_away_by_time() -> None:
    cap = RateCap()
    cap.estimate(2_000_000, forwarded_bps=1_700_000, now=0.0)
    cap.estimate(1_000_000, forwarded_bps=1_700_000, now=0.0)
    assert cap.current(0.0) == 1_000_000
    for tenth in range(1, 11):
        cap.estimate(1_000_000, forwarded_bps=900_000, now=tenth / 10)
    assert cap.current(1.0) == pytest.approx(1_100_000, rel=1e-3)
    assert cap.current(20.0) is None


def test_an_estimate_that_falls_while_next_to_nothing_is_sent_says_nothing() -> None:
    cap = RateCap()
    cap.estimate(2_000_000, forwarded_bps=0, now=0.0)
    cap.estimate(1_000_000, forwarded_bps=0, now=0.0)
    cap.loss(1.0, forwarded_bps=0, now=0.0)
    assert cap.current(0.0) is None


def test_loss_beyond_a_tenth_limits_to_less_than_was_sent() -> None:
    cap = RateCap()
    cap.loss(0.09, forwarded_bps=1_000_000, now=0.0)
    assert cap.current(0.0) is None
    cap.loss(0.2, forwarded_bps=1_000_000, now=0.0)
    assert cap.current(0.0) == 850_000
    cap.loss(0.2, forwarded_bps=60_000, now=0.0)
    assert cap.current(0.0) == 150_000


def test_loss_is_measured_over_fifty_packets_not_over_one_report() -> None:
    reported = Reported()
    for highest, lost in ((100, 0), (110, 5), (140, 5), (160, 6)):
        reported.block(Block(1, 128, lost, highest, 0, 0, 0), 0.0)
    assert reported.loss_fraction == 0.1


@pytest.mark.parametrize(
    ("highest", "bps", "told"),
    [
        ((100, 200, 200, 200, 200), 1_000_000, 1.0),  # reports come, packets do not
        ((100, 200, 300, 400, 500), 1_000_000, 0.0),
        ((100, 200, 200, 200, 201), 1_000_000, 1.0),  # a straggler is not enough to forget it
        ((100, 200, 200, 200, 300), 1_000_000, 0.0),
        ((100, 200, 200, 200, 200), 0, 0.0),  # nothing is sent, so nothing can be lost
    ],
)
def test_a_stream_of_which_nothing_arrives_any_more_is_lost(
    highest: tuple[int, ...], bps: int, told: float
) -> None:
    reported = Reported()
    for now, number in enumerate(highest):
        reported.forwarded_bps = bps
        reported.block(Block(1, 0, 0, number, 0, 0, 0), float(now))
    assert reported.loss_fraction == told
    assert reported.cap.current(5.0) is None


def test_loss_of_which_nothing_was_said_for_a_while_is_not_told_any_more() -> None:
    reported = Reported()
    for now, lost in ((0.0, 0), (1.0, 20)):
        reported.block(Block(1, 0, lost, int(100 * now), 0, 0, 0), now)
    reported.measure(0, 5.9)
    assert reported.loss_fraction == 0.2
    reported.measure(0, 6.1)
    assert reported.loss_fraction is None


def test_round_trip_is_told_from_the_report_that_came_back() -> None:
    reported = Reported()
    ntp = 0x0123456789ABCDEF
    reported.report_sent(ntp, 10.0)
    reported.block(Block(1, 64, 3, 100, 0, 0x456789AB, int(0.5 * 65536)), 10.7)
    assert reported.rtt_seconds is not None
    assert abs(reported.rtt_seconds - 0.2) < 0.001
    reported.block(Block(1, 0, 3, 100, 0, 0x11111111, 0), 11.0)
    assert abs(reported.rtt_seconds - 0.2) < 0.001


def test_the_forwarded_rate_is_measured_between_reports() -> None:
    reported = Reported()
    reported.measure(0, 1.0)
    reported.measure(100_000, 1.5)
    assert reported.forwarded_bps == 1_600_000
