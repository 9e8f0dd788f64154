"""Checks are answered to who knows the password, and to nobody else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.bucket import Bucket
from media.ice import (
    MAX_ADDRESSES,
    Address,
    Addresses,
    Credentials,
    addressed_ufrag,
    answer_check,
    new_credentials,
)
from media.libs import stun

LOCAL = Credentials("ourufrag", "our-password-of-24-chars")
V4: Address = ("192.0.2.9", 40000)
V6: Address = ("2001:db8::9", 40000, 0, 0)


def _check(
    username: str = "ourufrag:them",
    password: str = LOCAL.password,
    *,
    nominates: bool = False,
) -> bytes:
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    message.attributes["USERNAME"] = username
    message.attributes["PRIORITY"] = 1
    message.attributes["ICE-CONTROLLING"] = 1
    if nominates:
        message.attributes["USE-CANDIDATE"] = None
    message.add_message_integrity(password.encode())
    return bytes(message)


@pytest.mark.parametrize("source", [V4, V6, ("::ffff:192.0.2.9", 40000, 0, 0)])
def test_a_genuine_check_is_answered_with_the_senders_own_address(source: Address) -> None:
    data = _check()
    found = answer_check(data, LOCAL, source)
    assert found is not None
    reply = stun.parse_message(found.reply)
    assert reply.message_class is stun.Class.RESPONSE
    assert reply.check_message_integrity(LOCAL.password.encode())
    shown = "2001:db8::9" if source == V6 else "192.0.2.9"
    assert reply.attributes["XOR-MAPPED-ADDRESS"] == (shown, 40000)
    assert len(found.reply) <= len(data)


def test_a_nomination_is_seen() -> None:
    plain, nominating = _check(), _check(nominates=True)
    found = answer_check(plain, LOCAL, V4), answer_check(nominating, LOCAL, V4)
    assert [x.nominates for x in found if x] == [False, True]


def test_who_does_not_know_the_password_gets_no_answer() -> None:
    assert answer_check(_check(password="guessed"), LOCAL, V4) is None
    assert answer_check(_check(username="another:them"), LOCAL, V4) is None
    assert answer_check(_check(username="ourufrag"), LOCAL, V4) is None


def test_an_answer_is_never_longer_than_its_question() -> None:
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    message.attributes["USERNAME"] = "o:x"
    message.add_message_integrity(b"pw")
    short = bytes(message)
    assert len(short) < 76
    assert answer_check(short, Credentials("o", "pw"), V6) is None


def test_the_ufrag_is_found_without_parsing() -> None:
    assert addressed_ufrag(_check()) == "ourufrag"
    assert addressed_ufrag(_check(username="nocolon")) is None
    assert addressed_ufrag(_check()[:-4]) is None
    assert addressed_ufrag(b"\x00\x01\x00\x00" + bytes(16)) is None


@settings(deadline=None, derandomize=True, max_examples=300)
@given(st.binary(max_size=200), st.integers(0, 120), st.binary(min_size=1, max_size=4))
def test_any_bytes_are_a_check_or_nothing(noise: bytes, place: int, patch: bytes) -> None:
    genuine = _check()
    mutated = genuine[:place] + patch + genuine[place + len(patch) :]
    for data in (noise, genuine[:4] + noise, genuine[:20] + noise, mutated):
        addressed_ufrag(data)
        found = answer_check(data, LOCAL, V4)
        assert found is None or len(found.reply) <= len(data)


def test_new_credentials_are_long_and_never_the_same() -> None:
    made = [new_credentials() for _ in range(50)]
    assert len({x.ufrag for x in made}) == len({x.password for x in made}) == 50
    assert min(len(x.password) for x in made) >= 22


def test_the_first_checked_address_is_used_without_a_nomination() -> None:
    addresses = Addresses()
    addresses.passed(V4, nominates=False, now=1.0)
    addresses.passed(V6, nominates=False, now=2.0)
    assert addresses.current == V4


def test_media_or_a_nomination_moves_the_address_but_only_to_a_checked_one() -> None:
    addresses = Addresses()
    addresses.passed(V4, nominates=False, now=1.0)
    addresses.heard(V6, 1.0)
    assert addresses.current == V4
    addresses.passed(V6, nominates=True, now=2.0)
    assert addresses.current == V6
    addresses.passed(V4, nominates=False, now=2.1)
    addresses.heard(V4, 2.2)
    assert addresses.current == V4


def test_a_nomination_moves_the_address_only_when_the_one_in_use_is_quiet() -> None:
    addresses = Addresses()
    addresses.passed(V4, nominates=True, now=0.0)
    addresses.heard(V4, 10.0)
    addresses.passed(V6, nominates=True, now=10.9)
    assert addresses.current == V4
    addresses.passed(V6, nominates=True, now=11.0)
    assert addresses.current == V6
    addresses.heard(V4, 11.1)
    assert addresses.current == V4


def test_addresses_are_bounded_and_the_one_in_use_stays() -> None:
    addresses = Addresses()
    addresses.passed(V4, nominates=True, now=0.0)
    forgotten = [
        addresses.passed(("192.0.2.1", port), nominates=False, now=1.0) for port in range(20)
    ]
    assert len(list(addresses)) == MAX_ADDRESSES
    assert V4 in addresses
    assert forgotten.count(None) == MAX_ADDRESSES - 1


def test_an_address_that_media_came_from_is_forgotten_last_and_the_newest_of_them_never() -> None:
    proven: list[Address] = [("192.0.2.2", port) for port in range(3)]
    addresses = Addresses()
    for address in proven:
        addresses.passed(address, nominates=True, now=0.0)
        addresses.heard(address, 0.0)
    for port in range(20):
        addresses.passed(("192.0.2.1", port), nominates=True, now=1.0)
    assert all(address in addresses for address in proven)
    for port in range(20):
        addresses.passed(("192.0.2.3", port), nominates=False, now=2.0)
        addresses.heard(("192.0.2.3", port), 2.0)
    addresses.heard(("192.0.2.3", 15), 2.0)
    for port in range(20):
        addresses.passed(("192.0.2.1", port), nominates=False, now=2.5)
        assert ("192.0.2.3", 15) in addresses


def test_consent_ends_30_seconds_after_the_last_check() -> None:
    addresses = Addresses()
    assert not addresses.consented(0.0)
    addresses.passed(V4, nominates=False, now=10.0)
    assert addresses.consented(40.0)
    assert not addresses.consented(40.1)


def test_a_bucket_gives_a_burst_and_then_a_rate() -> None:
    bucket = Bucket(3, 10)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert bucket.take(0.15)
    assert not bucket.take(0.15)
    assert not bucket.take(0.1)
