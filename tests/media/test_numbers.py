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
