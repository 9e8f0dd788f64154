"""The rules of quality: judging a line, calm, the least picture, sums over a call."""

from dataclasses import replace
from typing import Any

import pytest

from media.quality import (
    NOTHING,
    BelowMinimum,
    Calm,
    Cause,
    Level,
    Line,
    MinimumPicture,
    Place,
    Verdict,
    judge,
    worst,
)
from media.quality_lines import (
    Lines,
    Received,
    Report,
    Sent,
    lines_of,
    own_verdict,
    verdict_of,
)
from media.quality_sum import Summary, add
from media.settings import PartyStats

CLEAN = Line(
    rtt_ms=40, jitter_ms=5, loss=0.0, kbps=1600, fps=30, width=1280, height=720, frozen=0.0
)
FAIR, POOR, GOOD = Verdict(Level.FAIR, Cause.LOSS), Verdict(Level.POOR, Cause.LOSS), Level.GOOD


# --- judging one line


@pytest.mark.parametrize(
    ("changes", "level", "cause"),
    [
        ({}, Level.GOOD, None),
        ({"loss": 0.029}, Level.GOOD, None),
        ({"loss": 0.03}, Level.FAIR, Cause.LOSS),
        ({"loss": 0.10}, Level.POOR, Cause.LOSS),
        ({"rtt_ms": 299}, Level.GOOD, None),
        ({"rtt_ms": 300}, Level.FAIR, Cause.DELAY),
        ({"rtt_ms": 800}, Level.POOR, Cause.DELAY),
        ({"jitter_ms": 50}, Level.FAIR, Cause.JITTER),
        ({"jitter_ms": 120}, Level.POOR, Cause.JITTER),
        ({"frozen": 0.05}, Level.FAIR, Cause.FROZEN),
        ({"frozen": 0.25}, Level.POOR, Cause.FROZEN),
        ({"height": 480}, Level.GOOD, None),
        ({"height": 479}, Level.FAIR, Cause.COARSE),
        ({"width": 239, "height": 400}, Level.POOR, Cause.COARSE),
        ({"fps": 10}, Level.GOOD, None),
        ({"fps": 9.9}, Level.FAIR, Cause.SLOW),
        ({"fps": 3.9}, Level.POOR, Cause.SLOW),
        ({"fps": 3, "limited_by": "cpu"}, Level.POOR, Cause.BUSY),
        ({"fps": 3, "limited_by": "bandwidth"}, Level.POOR, Cause.SLOW),
        ({"loss": 0.04, "fps": 3}, Level.POOR, Cause.SLOW),
        ({"loss": 0.2, "fps": 3}, Level.POOR, Cause.LOSS),
    ],
)
def test_a_line_is_as_good_as_its_worst_measure(
    changes: dict[str, float], level: Level, cause: Cause | None
) -> None:
    found = judge(replace(CLEAN, **changes), Place.COUNTER)  # type: ignore[arg-type]
    assert (found.level, found.cause) == (level, cause)
    assert found.place is (Place.COUNTER if cause else None)


def test_a_line_of_which_nothing_is_measured_is_unknown() -> None:
    assert judge(Line(), Place.DESK) == NOTHING
    assert judge(Line(packets=0, lost=0), Place.DESK) == NOTHING


@pytest.mark.parametrize("name", ["rtt_ms", "jitter_ms", "loss", "frozen", "fps"])
def test_a_measure_that_nobody_knows_says_nothing(name: str) -> None:
    unknown: dict[str, Any] = {name: None}
    assert judge(replace(CLEAN, **unknown), Place.DESK).level is Level.GOOD


def test_the_first_of_equally_bad_lines_is_named() -> None:
    first, second = Verdict(Level.POOR, Cause.LOSS), Verdict(Level.POOR, Cause.DELAY)
    assert worst((NOTHING, first, second)) is first
    assert worst((NOTHING, NOTHING)) == NOTHING


# --- calm


def shown(calm: Calm, *looks: tuple[float, Verdict]) -> list[Level]:
    return [calm.step(verdict, now).level for now, verdict in looks]


def test_the_first_verdict_is_shown_at_once() -> None:
    assert shown(Calm(), (0, POOR)) == [Level.POOR]


def test_one_bad_look_changes_nothing() -> None:
    good = Verdict(Level.GOOD)
    looks = [(0.0, good), (3.0, POOR), (6.0, good), (9.0, POOR), (12.0, good)]
    assert shown(Calm(), *looks) == [Level.GOOD] * 5


def test_two_bad_looks_are_shown_as_the_milder_of_them() -> None:
    looks = [(0.0, Verdict(Level.GOOD)), (3.0, POOR), (6.0, FAIR)]
    assert shown(Calm(), *looks) == [Level.GOOD, Level.GOOD, Level.FAIR]


def test_better_is_shown_only_after_ten_seconds_and_as_the_worse_of_what_was_seen() -> None:
    calm, good = Calm(), Verdict(Level.GOOD)
    looks = [(0.0, POOR), (3.0, good), (6.0, FAIR), (9.0, good), (12.0, good), (13.0, good)]
    assert shown(calm, *looks) == [Level.POOR] * 5 + [Level.FAIR]


def test_a_line_that_swings_is_never_called_good() -> None:
    calm = Calm()
    looks = [(3.0 * n, FAIR if n % 2 else Verdict(Level.GOOD)) for n in range(40)]
    calm.step(POOR, -3.0)
    assert Level.GOOD not in shown(calm, *looks)


def test_another_cause_of_the_same_level_waits_as_well() -> None:
    calm, slow = Calm(), Verdict(Level.FAIR, Cause.SLOW)
    calm.step(FAIR, 0)
    assert calm.step(slow, 3.0) == FAIR
    assert calm.step(slow, 13.0) == slow


# --- the least picture


MINIMUM = MinimumPicture(360, 5, 20)
ENOUGH = Line(fps=15, width=1280, height=720)
LITTLE = Line(fps=2, width=1280, height=720)


@pytest.mark.parametrize(
    ("width", "height", "fps", "met"),
    [
        (640, 360, 5, True),
        (360, 640, 5, True),  # upright
        (359, 640, 5, False),
        (640, 359, 5, False),
        (640, 360, 4.9, False),
        (None, 360, 5, None),
        (640, 360, None, None),
    ],
)
def test_a_picture_meets_the_minimum_by_sides_and_rate(
    width: int | None, height: int | None, fps: float | None, met: bool | None
) -> None:
    assert MINIMUM.met(Line(width=width, height=height, fps=fps)) is met


def test_breaking_off_is_offered_when_the_picture_was_too_little_for_long_enough() -> None:
    rule = BelowMinimum()
    assert [rule.step(MINIMUM, LITTLE, t) for t in (0, 10, 19.9, 20)] == [False] * 3 + [True]


def test_one_good_look_begins_the_time_anew() -> None:
    rule = BelowMinimum()
    rule.step(MINIMUM, LITTLE, 0)
    rule.step(MINIMUM, ENOUGH, 15)
    assert not rule.step(MINIMUM, LITTLE, 18)
    assert not rule.step(MINIMUM, LITTLE, 37)
    assert rule.step(MINIMUM, LITTLE, 38)


def test_the_offer_stands_until_the_picture_has_been_enough_for_a_while() -> None:
    rule = BelowMinimum()
    rule.step(MINIMUM, LITTLE, 0)
    assert rule.step(MINIMUM, LITTLE, 20)
    assert [rule.step(MINIMUM, ENOUGH, t) for t in (23, 26, 32.9, 33)] == [True] * 3 + [False]


def test_a_picture_that_is_withheld_is_not_too_little() -> None:
    rule = BelowMinimum()
    rule.step(MINIMUM, LITTLE, 0)
    assert not rule.step(MINIMUM, Line(), 25)
    assert not rule.step(MINIMUM, LITTLE, 30)


# --- lines out of statistics


def stats(**changes: float | None) -> PartyStats:
    base = PartyStats(
        up=True,
        packets_received=0,
        bytes_received=0,
        packets_forwarded=0,
        bytes_forwarded=0,
        lost=0,
        rtt_seconds=None,
        loss_fraction=None,
        jitter_seconds=None,
        remb_bps=None,
        cap_bps=None,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def test_lines_are_what_happened_between_two_looks() -> None:
    before = stats(packets_received=1000, bytes_received=10**6, lost=7, repaired=3, resent=1)
    now = stats(
        packets_received=1600,
        bytes_received=10**6 + 600_000,
        packets_forwarded=500,
        bytes_forwarded=450_000,
        lost=57,
        repaired=13,
        resent=5,
        rtt_seconds=0.05,
        jitter_seconds=0.004,
        loss_fraction=0.2,
    )
    report = Report(3.0, 900, Received(loss=0.01, frozen_ms=1500), Sent(15, 1280, 720, "cpu"))
    lines = lines_of(before, now, report, 3.0)
    sends, receives = lines.sends, lines.receives
    assert (sends.kbps, sends.repaired, sends.lost, sends.packets) == (1600, 10, 50, 600)
    assert sends.loss == pytest.approx(50 / 650)
    assert (sends.rtt_ms, sends.jitter_ms, sends.limited_by) == (50, 4, "cpu")
    assert (sends.fps, sends.width, sends.height) == (15, 1280, 720)
    assert (receives.kbps, receives.repaired, receives.frozen) == (1200, 4, 0.5)
    assert receives.loss == 0.01


def test_frames_and_size_that_the_engine_saw_go_before_what_a_page_says() -> None:
    before = stats(packets_received=100, frames=30)
    now = stats(packets_received=200, frames=75, width=640, height=360)
    sends = lines_of(before, now, Report(3.0, sent=Sent(60, 1920, 1080)), 3.0).sends
    assert (sends.fps, sends.width, sends.height) == (15.0, 640, 360)


BETTER = {"packets_received": 300, "packets_forwarded": 300, "rtt_seconds": 0.05}


@pytest.mark.parametrize("place", list(Place))
@pytest.mark.parametrize(
    ("changes", "report", "level"),
    [
        (BETTER, Report(3.0, sent=Sent(fps=30)), Level.GOOD),
        (BETTER | {"lost": 40}, Report(3.0), Level.POOR),  # from it, counted by the engine
        (BETTER | {"lost": 15}, Report(3.0), Level.FAIR),
        (BETTER | {"packets_received": 0}, Report(3.0, sent=Sent(fps=30)), Level.POOR),
        (BETTER | {"packets_received": 0}, Report(3.0, sent=Sent()), Level.GOOD),  # all is off
        (BETTER | {"loss_fraction": 0.2}, Report(3.0), Level.POOR),  # to it, by its receiver report
        (BETTER, Report(3.0, received=Received(loss=0.2)), Level.POOR),  # … and by its page
        (BETTER | {"loss_fraction": 1.0}, None, Level.POOR),
    ],
)
def test_loss_in_one_direction_alone_spoils_the_call(
    place: Place, changes: dict[str, float], report: Report | None, level: Level
) -> None:
    clean = lines_of(stats(), stats(**BETTER), None, 3.0)
    lossy = lines_of(stats(), stats(**changes), report, 3.0)
    found = verdict_of(*((lossy, clean) if place is Place.COUNTER else (clean, lossy)))
    assert found.level is level
    assert found == Verdict(level) or (found.cause, found.place) == (Cause.LOSS, place)


@pytest.mark.parametrize(("before", "now"), [(True, False), (False, True)])
def test_a_line_that_is_down_or_has_just_come_up_is_not_said_to_lose(
    before: bool, now: bool
) -> None:
    mute = replace(stats(packets_forwarded=300), up=now)
    lines = lines_of(replace(stats(), up=before), mute, Report(3.0, sent=Sent(fps=30)), 3.0)
    assert lines.sends.loss is None


def test_without_a_page_the_engine_alone_speaks() -> None:
    now = stats(packets_forwarded=100, bytes_forwarded=10_000, loss_fraction=0.2, rtt_seconds=0.4)
    receives = lines_of(stats(), now, None, 3.0).receives
    assert (receives.loss, receives.rtt_ms, receives.fps, receives.width) == (0.2, 400, None, None)


def test_nothing_is_said_of_a_line_that_carried_nothing() -> None:
    now = stats(
        packets_received=5000, lost=40, loss_fraction=0.5, rtt_seconds=0.1, width=9, height=9
    )
    lines = lines_of(None, now, None, 3.0)
    assert (lines.sends.rtt_ms, lines.receives.rtt_ms, lines.sends.width) == (None, None, None)
    assert (lines.sends.loss, lines.sends.kbps, lines.receives.loss) == (None, None, None)


def test_counters_that_begin_anew_give_no_negative_figures() -> None:
    before = stats(packets_received=5000, bytes_received=10**7, lost=90, repaired=9, resent=9)
    lines = lines_of(before, stats(packets_received=3, lost=1), None, 3.0)
    assert lines.sends.packets == 0
    assert (lines.sends.repaired, lines.receives.repaired, lines.sends.lost) == (0, 0, 0)


def test_what_the_desk_sees_badly_is_blamed_on_the_counter_that_sends_it_so() -> None:
    coarse = replace(CLEAN, width=320, height=180)
    counter = Lines(sends=replace(coarse, limited_by="cpu"), receives=CLEAN)
    found = verdict_of(counter, Lines(sends=CLEAN, receives=coarse))
    assert (found.level, found.cause, found.place) == (Level.POOR, Cause.BUSY, Place.COUNTER)


def test_what_the_desk_alone_sees_badly_is_its_own_line() -> None:
    counter = Lines(sends=CLEAN, receives=CLEAN)
    found = verdict_of(counter, Lines(sends=CLEAN, receives=replace(CLEAN, loss=0.2)))
    assert (found.cause, found.place) == (Cause.LOSS, Place.DESK)


def test_how_small_the_officer_looks_at_the_counter_worries_nobody() -> None:
    coarse = replace(CLEAN, width=160, height=90, fps=1, frozen=0.9)
    found = verdict_of(Lines(CLEAN, coarse), Lines(coarse, CLEAN))
    assert found.level is Level.GOOD
    assert own_verdict(Lines(coarse, coarse), Place.COUNTER).level is Level.GOOD


def test_a_party_is_told_of_its_own_lines_alone() -> None:
    bad = replace(CLEAN, rtt_ms=900)
    assert own_verdict(Lines(CLEAN, bad), Place.COUNTER).cause is Cause.DELAY
    assert own_verdict(Lines(CLEAN, CLEAN), Place.COUNTER).level is Level.GOOD


# --- the summary


def test_a_summary_adds_counts_and_weighs_means_by_time() -> None:
    look = replace(CLEAN, packets=990, lost=10, repaired=5, freezes=1, frozen=0.1)
    kept = add(Summary(), look, Level.GOOD, 3)
    kept = add(kept, replace(look, rtt_ms=100, kbps=400, fps=10), Level.POOR, 9)
    assert (kept.seconds, kept.good_seconds, kept.fair_seconds, kept.poor_seconds) == (12, 3, 0, 9)
    assert (kept.packets, kept.lost, kept.repaired, kept.freezes) == (1980, 20, 10, 2)
    assert (kept.rtt_ms, kept.rtt_ms_worst, kept.kbps, kept.fps_tenths) == (85, 100, 700, 150)
    assert kept.frozen_ms == 300 + 900
    assert kept.loss == 0.01


def test_a_summary_keeps_the_smallest_and_the_largest_picture() -> None:
    kept = Summary()
    for width, height in ((1280, 720), (320, 180), (1920, 1080), (0, 0)):
        kept = add(kept, replace(CLEAN, width=width, height=height), Level.GOOD, 3)
    assert (kept.width_least, kept.height_least) == (320, 180)
    assert (kept.width_most, kept.height_most) == (1920, 1080)


def test_a_summary_of_nothing_knows_no_loss() -> None:
    kept = add(Summary(), Line(), Level.UNKNOWN, 3)
    assert (kept.loss, kept.seconds, kept.rtt_known) == (None, 3, 0)


def test_a_picture_that_is_paused_is_told_at_once_and_so_is_its_end() -> None:
    paused = judge(Line(loss=0.2, paused=True), Place.DESK)
    assert paused == Verdict(Level.POOR, Cause.PAUSED, Place.DESK)
    calm = Calm()
    assert calm.step(Verdict(Level.GOOD), 0.0).level is Level.GOOD
    assert calm.step(paused, 3.0) == paused
    assert calm.step(Verdict(Level.GOOD), 6.0).level is Level.GOOD
