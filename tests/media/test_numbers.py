"""Numbers go on without a break, and one number never means two packets."""

from hypothesis import given, settings
from hypothesis import strategies as st

from media.numbers import Numbers


def _numbers() -> Numbers:
    return Numbers(90000, first_seq=100, first_time=5000)


def _send(numbers: Numbers, seq: int, time: int, now: float) -> int:
    out = numbers.seq_out(seq)
    if out >= 0:
        numbers.sent(out, numbers.time_out(time), now)
    return out


def test_first_source_begins_at_the_chosen_number() -> None:
    numbers = _numbers()
    numbers.attach(60000, 1, same_clock=False, now=0.0)
    assert [_send(numbers, 60000 + n, 1, 0.0) for n in range(3)] == [100, 101, 102]


def test_another_source_follows_without_a_gap_and_by_the_time_gone_by() -> None:
    numbers = _numbers()
    numbers.attach(10, 1000, same_clock=False, now=0.0)
    _send(numbers, 10, 1000, 0.0)
    _send(numbers, 11, 4000, 0.0)
    before = numbers.time_out(4000)
    numbers.attach(40000, 123456, same_clock=False, now=2.0)
    assert _send(numbers, 40000, 123456, 2.0) == 102
    assert numbers.time_out(123456) - before == 2 * 90000


def test_a_pause_of_the_same_source_keeps_its_clock() -> None:
    numbers = _numbers()
    numbers.attach(10, 1000, same_clock=False, now=0.0)
    _send(numbers, 10, 1000, 0.0)
    first = numbers.time_out(1000)
    numbers.attach(500, 901000, same_clock=True, now=7.0)
    assert _send(numbers, 500, 901000, 7.0) == 101
    assert numbers.time_out(901000) - first == 900000


def test_what_came_before_the_attachment_has_no_number() -> None:
    numbers = _numbers()
    numbers.attach(10, 1000, same_clock=False, now=0.0)
    assert numbers.seq_out(9) == -1
    _send(numbers, 10, 1000, 0.0)
    assert numbers.seq_in(100) == 10
    assert numbers.seq_in(99) == -1


def test_a_long_stream_wraps_around() -> None:
    numbers = _numbers()
    numbers.attach(0, 0, same_clock=False, now=0.0)
    for n in range(200_000):
        assert _send(numbers, n & 0xFFFF, n, 0.0) == (100 + n) & 0xFFFF


@settings(deadline=None, derandomize=True, max_examples=100)
@given(
    st.lists(st.tuples(st.integers(0, 65535), st.integers(1, 300), st.booleans()), max_size=8),
)
def test_sources_one_after_the_other_give_each_number_once(
    sources: list[tuple[int, int, bool]],
) -> None:
    numbers = _numbers()
    sent = []
    for start, count, same in sources:
        numbers.attach(start, 0, same_clock=same, now=0.0)
        sent += [_send(numbers, (start + n) & 0xFFFF, n * 3000, 0.0) for n in range(count)]
    assert sent == [(100 + n) & 0xFFFF for n in range(len(sent))]


def test_numbers_and_picture_ids_close_up_over_what_is_left_out() -> None:
    numbers = _numbers()
    numbers.attach(10, 0, same_clock=False, now=0.0)
    assert _send(numbers, 10, 0, 0.0) == 100
    numbers.leave_out(11, 1)
    numbers.leave_out(12, 0)
    assert _send(numbers, 13, 0, 0.0) == 101
    numbers.leave_out(14, 1)
    assert _send(numbers, 15, 0, 0.0) == 102
    assert numbers.stretch(15) == ((102 - 15) & 0xFFFF, 0x7FFE)
    assert [numbers.seq_in(n) for n in (100, 101, 102)] == [10, 13, 15]


def test_what_is_late_keeps_its_own_number_though_more_was_left_out_since() -> None:
    numbers = _numbers()
    numbers.attach(10, 0, same_clock=False, now=0.0)
    _send(numbers, 10, 0, 0.0)
    numbers.leave_out(12, 1)  # 11 is missing
    assert _send(numbers, 11, 0, 0.0) == 101
    assert _send(numbers, 13, 0, 0.0) == 102
    assert [numbers.seq_in(n) for n in (101, 102)] == [11, 13]


def test_picture_ids_follow_the_last_ones_sent() -> None:
    numbers = _numbers()
    numbers.attach_ids(500, 7)
    assert (numbers.id_shift, numbers.level_shift) == (0, 0)
    numbers.sent_ids(510, 9)
    numbers.attach_ids(3, 200)
    assert (3 + numbers.id_shift) & 0x7FFF == 511
    assert (200 + numbers.level_shift) & 0xFF == 10


@settings(deadline=None, derandomize=True, max_examples=300)
@given(
    st.integers(0, 65535),
    st.lists(st.sampled_from(("send", "send", "leave", "lose")), min_size=1, max_size=200),
    st.lists(st.integers(1, 30), max_size=20),
)
def test_whatever_is_left_out_or_late_each_number_is_given_once(
    start: int, steps: list[str], late: list[int]
) -> None:
    numbers = _numbers()
    numbers.attach(start, 0, same_clock=False, now=0.0)
    given_out = {_send(numbers, start, 0, 0.0): start}
    missing = []
    for n, step in enumerate(steps, start + 1):
        seq = n & 0xFFFF
        if step == "leave":
            numbers.leave_out(seq, 1)
        elif step == "lose":
            missing.append(seq)
        else:
            out = _send(numbers, seq, 0, 0.0)
            assert out not in given_out
            given_out[out] = seq
        if late and missing and n % late[0] == 0:
            seq = missing.pop(0)
            out = _send(numbers, seq, 0, 0.0)
            if out >= 0:
                assert given_out.setdefault(out, seq) == seq
                assert numbers.seq_in(out) == seq
