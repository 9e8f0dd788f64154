"""Frames are left out before sound is; a pause is told, kept for a while, and tried again."""

from media.path import Flow
from media.thinning import (
    FIRST_REST_SECONDS,
    LONGEST_REST_SECONDS,
    Strain,
    Thinning,
    repairs_per_second,
)

WELL = Strain(None, 0.0, 1_500_000, 50_000)


def _judge(thinning: Thinning, strain: Strain, begin: float, seconds: float) -> list[int]:
    return [thinning.judge(strain, begin + n / 10) for n in range(int(seconds * 10))]


def test_a_good_line_is_sent_everything() -> None:
    thinning = Thinning()
    assert set(_judge(thinning, WELL, 0, 20)) == {Flow.ALL}
    assert not thinning.paused


def test_a_sender_that_follows_the_limit_keeps_every_frame() -> None:
    thinning = Thinning()
    flows = _judge(thinning, Strain(500_000, 0.05, 480_000, 50_000), 0, 20)
    assert set(flows) == {Flow.ALL}


def test_a_sender_that_does_not_follow_loses_frames_that_no_other_needs() -> None:
    thinning = Thinning()
    flows = _judge(thinning, Strain(500_000, 0.05, 1_500_000, 50_000), 0, 2)
    assert flows[0] == Flow.ALL
    assert flows[-1] == Flow.BASE
    assert _judge(thinning, Strain(500_000, 0.05, 450_000, 50_000), 2, 3)[-1] == Flow.ALL


def test_between_too_much_and_enough_nothing_changes() -> None:
    thinning = Thinning()
    _judge(thinning, Strain(500_000, 0.0, 1_500_000, 50_000), 0, 2)
    assert set(_judge(thinning, Strain(550_000, 0.0, 700_000, 50_000), 2, 10)) == {Flow.BASE}
    other = Thinning()
    assert set(_judge(other, Strain(550_000, 0.0, 700_000, 50_000), 0, 10)) == {Flow.ALL}


def test_a_full_queue_is_emptied_by_sound_alone_and_not_told_as_a_pause() -> None:
    thinning = Thinning()
    assert thinning.judge(Strain(200_000, 1.0, 150_000, 50_000), 0.0) == Flow.NONE
    assert thinning.judge(Strain(200_000, 0.5, 150_000, 50_000), 1.0) == Flow.NONE
    assert thinning.judge(Strain(200_000, 0.05, 150_000, 50_000), 1.5) == Flow.BASE
    assert not thinning.paused
    # The keyframe that follows fills the queue again: that is no reason to begin anew.
    assert thinning.judge(Strain(200_000, 0.9, 150_000, 50_000), 2.0) == Flow.BASE
    assert thinning.judge(Strain(200_000, 0.9, 150_000, 50_000), 4.0) == Flow.NONE


def test_emptying_ends_even_if_nobody_reports() -> None:
    thinning = Thinning()
    flows = _judge(thinning, Strain(300_000, 1.0, 150_000, 50_000), 0, 3)
    assert flows[0] == Flow.NONE
    assert flows[-1] == Flow.BASE


def test_a_line_that_carries_no_picture_is_paused_and_tried_ever_more_rarely() -> None:
    thinning = Thinning()
    hopeless = Strain(70_000, 0.0, 50_000, 50_000)
    told, before = [], False
    for tenth in range(3000):
        thinning.judge(hopeless, tenth / 10)
        if thinning.paused != before:
            before = thinning.paused
            told.append(tenth / 10)
    pauses = [b - a for a, b in zip(told[::2], told[1::2], strict=False)]
    assert told[0] < 4
    assert [round(x) for x in pauses[:3]] == [8, 16, 32]
    assert max(pauses) <= LONGEST_REST_SECONDS + 0.2
    assert thinning.flow in (Flow.NONE, Flow.BASE)


def test_a_line_that_has_been_well_for_a_while_rests_briefly_again() -> None:
    thinning = Thinning()
    hopeless = Strain(70_000, 0.0, 50_000, 50_000)
    _judge(thinning, hopeless, 0, 30)
    _judge(thinning, WELL, 30, 60)
    assert not thinning.paused
    _judge(thinning, hopeless, 90, 4)
    assert thinning.paused
    _judge(thinning, WELL, 94, FIRST_REST_SECONDS + 1)
    assert not thinning.paused


def test_repairs_get_a_share_of_a_narrow_line() -> None:
    assert repairs_per_second(None, 1.0) == 400
    assert repairs_per_second(1_000_000, 0.3) * 1200 * 8 < 200_000
    assert repairs_per_second(1_000_000, 0.0) * 1200 * 8 > 500_000
    assert repairs_per_second(10_000, 0.3) == 5
