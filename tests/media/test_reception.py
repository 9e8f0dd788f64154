"""What arrived is counted; the cache keeps the last."""

import pytest

from media.cache import PacketCache, slots_for
from media.reception import Reception


def test_lost_packets_are_counted_around_the_wrap() -> None:
    reception = Reception(90000)
    for n in range(65500, 65600):
        if n % 10:
            reception.note(n & 0xFFFF, n * 3000, n / 30)
    assert reception.lost == 9  # the first packet of all is not missed
    assert (reception.expected, reception.received) == (99, 90)
    assert reception.highest == 65599


def test_late_packets_are_not_lost_and_count_once() -> None:
    reception = Reception(90000)
    assert [reception.note(n, 0, 0.0) for n in (10, 12, 11, 12, 11, 10)] == [
        Reception.NEW,
        Reception.NEW,
        Reception.LATE,
        *(Reception.REPEATED,) * 3,
    ]
    assert reception.lost == 0


def test_a_packet_held_back_is_late_as_long_as_srtp_would_take_it() -> None:
    reception = Reception(90000)
    for n in range(65000, 65000 + 1025):
        if n not in (65001, 65002):
            reception.note(n & 0xFFFF, 0, 0.0)
    assert reception.note(65001, 0, 0.0) == Reception.LATE
    assert reception.note(65001, 0, 0.0) == Reception.REPEATED
    reception.note(1025 + 65000 & 0xFFFF, 0, 0.0)
    assert reception.note(65001, 0, 0.0) == Reception.STRAY


def test_a_jump_is_believed_on_the_second_packet_in_a_row() -> None:
    reception = Reception(90000)
    told = [reception.note(n, 0, 0.0) for n in (12, 20000, 13, 20001, 64000, 64001)]
    new, stray, jump = Reception.NEW, Reception.STRAY, Reception.JUMP
    assert told == [new, stray, new, stray, stray, jump]
    assert reception.highest == 13


def test_even_arrival_has_no_jitter_and_uneven_has() -> None:
    even, uneven = Reception(90000), Reception(90000)
    for n in range(100):
        even.note(n, n * 3000, n / 30)
        uneven.note(n, n * 3000, n / 30 + (n % 2) * 0.01)
    assert even.jitter < 1
    assert 700 < uneven.jitter <= 900


def test_cache_returns_the_packet_of_a_number_and_no_other() -> None:
    cache = PacketCache(8)
    target = memoryview(bytearray(2048))
    for seq in range(20):
        cache.store(seq, memoryview(bytes((seq,)) * 100), 100)
    assert cache.fetch(19, target) == 100
    assert bytes(target[:100]) == b"\x13" * 100
    assert cache.fetch(11, target) == 0
    assert 12 in cache
    cache.clear()
    assert cache.fetch(19, target) == 0
    assert 19 not in cache


def test_the_first_copy_of_a_number_stays_in_the_cache_and_so_does_a_newer_packet() -> None:
    cache = PacketCache(8)
    target = memoryview(bytearray(2048))
    cache.store(65535, memoryview(b"first"), 5)
    cache.store(65535, memoryview(b"other"), 5)
    cache.store(65535 - 8, memoryview(b"older"), 5)
    assert bytes(target[: cache.fetch(65535, target)]) == b"first"
    cache.store(7, memoryview(b"newer"), 5)
    assert bytes(target[: cache.fetch(7, target)]) == b"newer"


def test_a_packet_too_long_for_its_slot_is_not_kept() -> None:
    cache = PacketCache(8)
    cache.store(1, memoryview(bytes(1600)), 1600)
    assert 1 not in cache


@pytest.mark.parametrize("slots", [0, 3, 1024])
def test_cache_stays_below_what_srtp_still_protects(slots: int) -> None:
    with pytest.raises(ValueError, match="power of two"):
        PacketCache(slots)


def test_a_cache_that_changes_its_size_keeps_the_newest_packets() -> None:
    cache = PacketCache(16)
    target = memoryview(bytearray(2048))
    for seq in range(65530, 65530 + 20):
        cache.store(seq & 0xFFFF, memoryview(bytes((seq & 0xFF,)) * 9), 9)
    smaller, larger = cache.resized(4), cache.resized(64)
    assert [x for x in range(16) if x in smaller] == [10, 11, 12, 13]
    assert [x for x in range(16) if x in larger] == list(range(14))
    assert bytes(target[: larger.fetch(65535, target)]) == b"\xff" * 9


def test_room_follows_the_number_of_packets_within_its_bounds() -> None:
    assert [slots_for(n, 16, 64) for n in (0, 16, 17, 60, 5000)] == [16, 16, 32, 64, 64]
