"""A crowd of connections that never prove themselves keeps nobody out and costs little."""

from hypothesis import given
from hypothesis import strategies as st

from media.crowd import (
    MAX_KNOWN,
    MAX_STRANGERS,
    MAX_STRANGERS_PER_ADDRESS,
    SILENT_SECONDS,
    STRANGER_FRAMES,
    STRANGER_SECONDS,
    Crowd,
    neighbourhood,
)
from media.ice import Address


def at(number: int, host: str = "192.0.2.1") -> Address:
    return (host, number, 0, 0, "tcp")


def test_one_place_has_its_share_and_its_oldest_stranger_goes_first() -> None:
    crowd = Crowd()
    for number in range(MAX_STRANGERS_PER_ADDRESS):
        assert crowd.enter(at(number), 0.0) is None
    assert crowd.enter(at(900, "192.0.2.9"), 0.0) is None
    assert crowd.enter(at(901), 0.0) == at(0)
    assert crowd.enter(at(902), 0.0) == at(1)
    assert len(crowd) == MAX_STRANGERS_PER_ADDRESS + 1


def test_strangers_from_everywhere_are_bounded_and_push_out_no_one_who_is_known() -> None:
    crowd = Crowd()
    crowd.enter(at(7, "198.51.100.7"), 0.0)
    assert crowd.prove(at(7, "198.51.100.7"), 0.0) is None
    gone = [crowd.enter(at(n, f"10.0.{n // 256}.{n % 256}"), 0.0) for n in range(3000)]
    assert len(crowd) == MAX_STRANGERS + 1
    assert at(7, "198.51.100.7") not in gone


def test_the_known_are_bounded_and_the_longest_silent_goes() -> None:
    crowd = Crowd()
    for number in range(MAX_KNOWN):
        crowd.enter(at(number), 0.0)
        assert crowd.prove(at(number), 0.0) is None
    crowd.hear(at(0), 1.0)
    crowd.enter(at(5000), 1.0)
    assert crowd.prove(at(5000), 1.0) == at(1)
    assert len(crowd) == MAX_KNOWN


def test_a_stranger_may_say_little_and_not_for_long() -> None:
    crowd = Crowd()
    crowd.enter(at(1), 0.0)
    assert all(crowd.hear(at(1), 0.1) for _ in range(STRANGER_FRAMES))
    assert not crowd.hear(at(1), 0.1)
    assert crowd.overdue(STRANGER_SECONDS) == []
    assert crowd.overdue(STRANGER_SECONDS + 0.1) == [at(1)]


def test_the_known_may_be_silent_for_thirty_seconds() -> None:
    crowd = Crowd()
    for number in (1, 2):
        crowd.enter(at(number), 0.0)
        crowd.prove(at(number), 0.0)
    assert all(crowd.hear(at(1), 20.0) for _ in range(1000))
    assert crowd.overdue(SILENT_SECONDS + 0.1) == [at(2)]
    crowd.leave(at(2))
    assert crowd.overdue(SILENT_SECONDS + 0.1) == []


def test_an_ipv6_network_is_one_place_and_a_mapped_address_is_its_ipv4_one() -> None:
    assert neighbourhood("2001:db8:0:1::5") == neighbourhood("2001:db8:0:1:ffff::9")
    assert neighbourhood("2001:db8:0:1::5") != neighbourhood("2001:db8:0:2::5")
    assert neighbourhood("::ffff:192.0.2.1") == neighbourhood("192.0.2.1")
    assert neighbourhood("fe80::1%eth0") == neighbourhood("fe80::2")


@given(st.lists(st.tuples(st.sampled_from("epl"), st.integers(0, 40), st.integers(1, 3))))
def test_whatever_they_do_the_counts_stay_true(steps: list[tuple[str, int, int]]) -> None:
    crowd, inside = Crowd(), set[Address | None]()
    for step, number, host in steps:
        address = at(number, f"192.0.2.{host}")
        if step == "e":
            gone = crowd.enter(address, 0.0)
            inside = (inside | {address}) - {gone}
        elif step == "p" and address in inside:
            crowd.prove(address, 0.0)
        elif step == "l":
            crowd.leave(address)
            inside.discard(address)
        assert len(crowd) == len(inside)
