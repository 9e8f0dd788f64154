"""The rules by which a node takes a further call, and what it leaves out when it cannot keep up."""

from dataclasses import replace

import pytest

from media.capacity import CALM_SECONDS, DEFAULT_CALLS, PACKETS_PER_CALL, Admission, Load, Sampler
from media.overload import Shed, Staleness, WallClock

EASY = Load(calls=10, packets_per_second=4180, busy=0.3, late=0.0, stale=0)


def strained(*loads: Load) -> Admission:
    admission = Admission(24)
    for second, load in enumerate(loads):
        admission.step(load, float(second))
    return admission


@pytest.mark.parametrize(("calls", "accepts"), [(0, True), (23, True), (24, False), (90, False)])
def test_a_node_takes_as_many_calls_as_it_is_said_to_carry(calls: int, accepts: bool) -> None:
    assert strained(EASY).accepts(calls) is accepts


@pytest.mark.parametrize(
    ("load", "accepts"),
    [
        (EASY, True),
        (replace(EASY, busy=0.76), True),
        (replace(EASY, busy=0.80), False),  # one more of ten would need 8 % more
        (replace(EASY, calls=3, busy=0.70), False),
        (replace(EASY, late=0.09), True),
        (replace(EASY, late=0.12), False),
        (replace(EASY, stale=1), False),
        (replace(EASY, packets_per_second=24 * PACKETS_PER_CALL), False),
        (replace(EASY, packets_per_second=24 * PACKETS_PER_CALL - 1), True),
    ],
)
def test_a_node_that_measures_strain_takes_no_call_more(load: Load, accepts: bool) -> None:
    assert strained(*[load] * 20).accepts(load.calls) is accepts


def test_one_busy_second_alone_refuses_nobody() -> None:
    assert strained(EASY, EASY, replace(EASY, busy=1.0, late=0.2), EASY).accepts(10)


def test_a_node_that_carries_next_to_nothing_takes_calls_whatever_it_measures() -> None:
    hot = replace(EASY, calls=0, packets_per_second=0.0, busy=1.0, late=1.0)
    assert strained(*[hot] * 20).accepts(0)
    assert strained(*[replace(hot, calls=2, packets_per_second=1000)] * 20).accepts(2)
    assert not strained(*[replace(hot, calls=3, packets_per_second=1250)] * 20).accepts(3)


def test_a_node_set_to_no_calls_takes_none() -> None:
    assert not Admission(0).accepts(0)
    assert Admission(0).load(0) == 1.0


def test_after_strain_a_node_takes_calls_again_only_when_it_has_been_calm() -> None:
    admission = strained(*[replace(EASY, stale=5)] * 3)
    for second in range(int(CALM_SECONDS)):
        admission.step(EASY, 10.0 + second)
        assert not admission.accepts(10)
    admission.step(EASY, 10.0 + CALM_SECONDS)
    assert admission.accepts(10)


def test_strain_in_between_begins_the_calm_anew() -> None:
    admission = strained(replace(EASY, stale=5))
    admission.step(EASY, 10.0)
    admission.step(replace(EASY, stale=1), 15.0)
    admission.step(EASY, 16.0)
    admission.step(EASY, 21.0)
    assert not admission.accepts(10)


def test_the_load_is_the_largest_of_number_packets_and_time() -> None:
    assert strained(EASY).load(12) == 0.5
    assert strained(replace(EASY, packets_per_second=0.75 * 24 * 418)).load(1) == pytest.approx(
        0.75
    )
    assert strained(*[replace(EASY, busy=0.9)] * 30).load(1) == pytest.approx(0.9, abs=0.01)
    assert strained(EASY).load(100) == 1.0


def test_the_native_path_is_trusted_with_more() -> None:
    assert DEFAULT_CALLS["native"] > DEFAULT_CALLS["python"]


def test_a_second_of_ticks_is_one_load() -> None:
    sampler = Sampler()
    assert sampler.tick(0.0, 0.0)
    assert sampler.take(0.0, cpu=5.0, packets=100, stale=1, calls=7) is None
    over = [sampler.tick(n * 0.02, 0.03 if n % 5 == 0 else 0.001) for n in range(1, 51)]
    assert over == [False] * 49 + [True]
    load = sampler.take(1.0, cpu=5.25, packets=4100, stale=6, calls=7)
    assert load == Load(7, 4000.0, 0.25, 0.2, 5)


def test_totals_that_begin_anew_give_no_negative_load() -> None:
    sampler = Sampler()
    sampler.take(0.0, cpu=9.0, packets=900, stale=9, calls=0)
    assert sampler.take(2.0, cpu=1.0, packets=0, stale=0, calls=0) == Load(0, 0.0, 0.0, 0.0, 0)


# --- what is left out


@pytest.mark.parametrize(
    ("ages", "shed"),
    [
        ((0.0, 0.099), Shed.NOTHING),
        ((0.1,), Shed.PICTURES),
        ((0.1, 0.03), Shed.PICTURES),
        ((0.1, 0.029), Shed.NOTHING),
        ((0.4,), Shed.MEDIA),
        ((0.4, 0.2), Shed.MEDIA),
        ((0.4, 0.199), Shed.PICTURES),
        ((0.4, 0.05), Shed.PICTURES),
        ((0.4, 0.01), Shed.NOTHING),
        ((-5.0,), Shed.NOTHING),  # the system's clock was set
    ],
)
def test_pictures_are_left_out_before_sound_and_taken_again_once_fresh(
    ages: tuple[float, ...], shed: Shed
) -> None:
    staleness = Staleness()
    assert [staleness.step(age) for age in ages][-1] is shed


def test_a_wall_clock_that_is_put_is_not_believed_for_a_second() -> None:
    clock = WallClock()
    ticks = [n * 0.02 for n in range(200)]
    drifts = [clock.is_doubtful(1e9 + at * 1.0005, at) for at in ticks]
    assert not any(drifts)
    for wall in (1e9 + 30, 1e9 - 3600, 1e9 - 3600.5):
        began = ticks[-1] + 0.02
        ticks = [began + n * 0.02 for n in range(100)]
        doubts = [clock.is_doubtful(wall + at, at) for at in ticks]
        assert doubts[0]
        assert sum(doubts) in (50, 51)
        assert not any(doubts[51:])


def test_clocks_that_could_not_be_read_at_once_say_nothing() -> None:
    clock = WallClock()
    assert not clock.is_doubtful(1e9, 0.0)
    assert not clock.is_doubtful(1e9, 0.05, took=0.05)
    assert not clock.is_doubtful(1e9 + 0.1, 0.1)
