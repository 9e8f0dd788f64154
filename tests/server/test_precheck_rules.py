"""Each row of a 開始前点検 at its borders."""

from typing import Any

import pytest

from server.precheck import rules
from server.precheck.rules import Carried, Grade, Row, Wanted

WANTED = Wanted(480, 5)
CARRIED = Carried(received=1000, forwarded=1000, lost=0, width=1280, height=720, rtt_ms=10)


@pytest.mark.parametrize(
    ("size", "fps", "code"),
    [
        ((1280, 720), 20.0, "ok"),
        ((720, 1280), 30.0, "ok"),  # held upright
        ((1280, 720), 19.9, "sluggish"),
        ((1280, 719), 30.0, "coarse"),
        ((640, 480), 30.0, "coarse"),
        ((640, 479), 30.0, "small"),
        ((1280, 720), 4.9, "slow"),
        ((1280, 720), None, "slow"),
        (None, None, "none"),
    ],
)
def test_a_camera_is_judged_by_its_shorter_side_and_its_rate(
    size: tuple[int, int] | None, fps: float | None, code: str
) -> None:
    assert rules.camera(size, fps, WANTED).code == code


@pytest.mark.parametrize(
    ("level", "code"),
    [(None, "none"), (0.0, "silent"), (0.019, "silent"), (0.02, "quiet"), (0.25, "ok"), (1, "ok")],
)
def test_a_microphone_is_judged_by_the_loudest_that_it_heard(
    level: float | None, code: str
) -> None:
    assert rules.microphone(level).code == code


@pytest.mark.parametrize(
    ("mean", "white", "code"),
    [
        (None, None, "none"),
        (0.199, 0.0, "dark"),
        (0.2, 0.08, "ok"),
        (0.2, 0.081, "glare"),
        (1.0, 1.0, "glare"),
    ],
)
def test_light_is_judged_by_its_mean_and_by_what_is_all_white(
    mean: float | None, white: float | None, code: str
) -> None:
    found = rules.light(mean, white)
    assert (found.code, rules.passed(found.grade)) == (code, True)


def test_a_tone_that_was_not_heard_fails_and_one_that_nobody_spoke_of_is_looked_at() -> None:
    grades = [rules.speaker(heard).grade for heard in (True, None, False)]
    assert grades == [Grade.GOOD, Grade.FAIR, Grade.BAD]


def path(protocol: str | None, relayed: bool = False, wanted: bool = False, **seen: Any) -> str:
    carried = Carried(**{"received": 9, "forwarded": 9, **seen})
    return rules.path(protocol, relayed=relayed, relay_wanted=wanted, carried=carried).code


def test_a_path_counts_only_when_the_engine_saw_both_ends_of_it() -> None:
    assert path("udp") == "ok"
    assert path("tcp") == "tcp"
    assert path("udp", relayed=True) == "relay"
    assert path("udp", relayed=True, wanted=True) == "ok"
    assert path("udp", refused="outside_vpn") == "outside_vpn"
    assert path(None) == path("udp", received=0) == path("udp", forwarded=0) == "none"


@pytest.mark.parametrize(
    ("rtt", "loss", "lost", "code"),
    [
        (150, 0.0, 0, "ok"),
        (151, 0.0, 0, "some_delay"),
        (401, 0.0, 0, "delay"),
        (None, 0.0, 0, "ok"),
        (20, 0.011, 0, "some_loss"),
        (20, 0.051, 0, "loss"),
        (20, None, 60, "loss"),  # on the way up alone
        (500, 0.06, 0, "loss"),
    ],
)
def test_a_line_is_judged_by_the_worse_of_its_directions(
    rtt: int | None, loss: float | None, lost: int, code: str
) -> None:
    carried = Carried(received=1000, forwarded=1000, lost=lost, rtt_ms=10)
    assert rules.line(rtt, loss, carried).code == code


def test_a_line_of_which_nobody_knows_the_round_trip_is_not_good() -> None:
    assert rules.line(None, 0.0, Carried(received=5, forwarded=5)).code == "delay"


@pytest.mark.parametrize(
    ("ms", "code"),
    [(0, "ok"), (-2_000, "ok"), (2_001, "off"), (-30_000, "off"), (30_001, "off"), (None, "none")],
)
def test_a_clock_is_judged_before_and_behind(ms: int | None, code: str) -> None:
    assert rules.clock(ms).code == code


def test_a_clock_far_off_is_bad_and_one_a_little_off_is_fair() -> None:
    assert rules.clock(-30_000).grade is Grade.FAIR
    assert rules.clock(-30_001).grade is Grade.BAD


def test_a_file_that_came_back_changed_is_no_file() -> None:
    fine = {"came_back": True, "same": True}
    assert rules.file(100, None, **fine).code == "ok"
    assert rules.file(10_001, None, **fine).code == "some_delay"
    assert rules.file(100, None, came_back=True, same=False).code == "changed"
    assert rules.file(100, None, came_back=False, same=True).code == "none"
    assert rules.file(None, "disk_full", **fine).figures["reason"] == "disk_full"


def test_the_outcome_is_the_worst_row_and_nothing_is_no_check() -> None:
    good, fair, bad = (Row("a", grade) for grade in Grade)
    assert rules.outcome([good, good]) is Grade.GOOD
    assert rules.outcome([good, fair]) is Grade.FAIR
    assert rules.outcome([fair, bad, good]) is Grade.BAD
    assert rules.outcome([]) is Grade.BAD
    assert [rules.passed(grade) for grade in Grade] == [True, True, False]
