"""Limits on signing in: by network address and by how many wait, before anything is written."""

import asyncio
import threading
from datetime import timedelta
from typing import Literal

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from security.errors import Denied, TooMuch
from security.passwords import AT_ONCE, MAX_WAITING, Passwords
from security.people import LinkPurpose
from security.tries import MAX_TRIES, SourceTries, source_of
from server.db import schema as t
from tests.security.conftest import FAST, GOOD, START, House, code_of

ADDRESS = "203.0.113.7"


async def counted_names(house: House) -> int:
    """Return how many sign-in names have been written down."""
    async with house.database.reading() as connection:
        query = sa.select(sa.func.count()).select_from(t.sign_in_try)
        return int((await connection.execute(query)).scalar_one())


async def test_an_address_that_tries_name_after_name_is_stopped_before_any_write(
    house: House,
) -> None:
    async def attempt(number: int, source: str) -> str:
        return await code_of(
            house.sign_in.sign_in("m", f"x{number}", "wrong" * 4, page="desk", source=source)
        )

    codes = [await attempt(number, ADDRESS) for number in range(MAX_TRIES + 2)]
    assert codes == ["bad_credentials"] * MAX_TRIES + ["too_many_tries"] * 2
    assert await counted_names(house) == MAX_TRIES
    assert await attempt(99, "203.0.113.8") == "bad_credentials"
    house.clock.forward(seconds=60)
    assert await attempt(100, ADDRESS) == "bad_credentials"


async def test_links_codes_and_passwords_are_tries_as_well(house: House) -> None:
    for _ in range(MAX_TRIES // 3):
        assert await code_of(house.enrol("ABCD-EFGH", source=ADDRESS)) == "code_unknown"
        assert await code_of(house.sign_in.exchange_link("x", source=ADDRESS)) == "link_used"
        assert await code_of(house.sign_in.set_password("x", GOOD, source=ADDRESS)) == "link_used"
    for attempt in (
        house.enrol("ABCD-EFGH", source=ADDRESS),
        house.sign_in.exchange_link("x", source=ADDRESS),
        house.sign_in.set_password("x", GOOD, source=ADDRESS),
        house.sign_in.sign_in("m", "verifier", GOOD, page="desk", source=ADDRESS),
    ):
        with pytest.raises(TooMuch) as caught:
            await attempt
        assert (caught.value.code, caught.value.status) == ("too_many_tries", 429)


async def test_a_town_hall_behind_one_address_may_sign_in_all_at_once(house: House) -> None:
    for _ in range(MAX_TRIES + 5):
        link = await house.sign_in.make_link(LinkPurpose.SIGN_IN, "m", person_id="verifier")
        await house.sign_in.exchange_link(link, source=ADDRESS)
    await house.sign_in.sign_in("m", "verifier", GOOD, page="desk", source=ADDRESS)


def test_the_table_of_addresses_does_not_grow_without_end() -> None:
    tries = SourceTries(limit=1, sources=2)
    for address in ("a", "b", "c"):
        tries.count(address, START)
    tries.count("a", START)  # forgotten meanwhile
    with pytest.raises(TooMuch):
        tries.count("c", START)


def test_tries_begin_anew_when_the_time_is_over() -> None:
    tries = SourceTries(limit=2, within=timedelta(seconds=60))
    tries.count("a", START)
    tries.count("a", START + timedelta(seconds=59))
    with pytest.raises(TooMuch):
        tries.count("a", START + timedelta(seconds=59))
    tries.count("a", START + timedelta(seconds=60))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("203.0.113.7", "203.0.113.8", False),
        ("::ffff:203.0.113.7", "203.0.113.7", True),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("", "unix:", False),
    ],
)
def test_an_ipv6_network_is_one_source(one: str, other: str, same: bool) -> None:
    assert (source_of(one) == source_of(other)) is same


class Slow(PasswordHasher):
    """Verifies nothing until `go` is set."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.go = threading.Event()

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
        self.go.wait()
        return super().verify(hash, password)


async def test_whoever_finds_the_queue_full_is_refused_at_once() -> None:
    hasher = Slow()
    passwords, stored = Passwords(hasher), FAST.hash(GOOD)
    room = AT_ONCE + MAX_WAITING
    waiting = [asyncio.create_task(passwords.verify(stored, GOOD)) for _ in range(room)]
    try:
        await asyncio.sleep(0)
        with pytest.raises(TooMuch) as caught:
            await passwords.verify(stored, GOOD)
        assert (caught.value.code, caught.value.status) == ("too_many_tries", 429)
        with pytest.raises(TooMuch):
            await passwords.hash(GOOD)
    finally:
        hasher.go.set()
    assert await asyncio.gather(*waiting) == [None] * room
    assert await passwords.verify(stored, GOOD) is None


async def test_a_waiter_that_gives_up_leaves_its_place_free() -> None:
    hasher = Slow()
    passwords, stored = Passwords(hasher), FAST.hash(GOOD)
    room = AT_ONCE + MAX_WAITING
    waiting = [asyncio.create_task(passwords.verify(stored, GOOD)) for _ in range(room)]
    try:
        await asyncio.sleep(0)
        waiting[-1].cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting[-1]
        waiting[-1] = asyncio.create_task(passwords.verify(stored, GOOD))
        await asyncio.sleep(0)
    finally:
        hasher.go.set()
    assert await asyncio.gather(*waiting) == [None] * room


async def test_a_full_queue_costs_no_name_a_try(house: House) -> None:
    class Full(Passwords):
        def require_room(self) -> None:
            raise TooMuch("full", limit=0, unit="", code="too_many_tries", http_status=429)

    house.sign_in._passwords = Full(FAST)
    for _ in range(20):
        assert await code_of(house.at_desk()) == "too_many_tries"
    assert await counted_names(house) == 0
    house.sign_in._passwords = Passwords(FAST)
    await house.at_desk()


async def test_a_wrong_password_under_the_limit_is_told_as_ever(house: House) -> None:
    with pytest.raises(Denied):
        await house.sign_in.sign_in("m", "verifier", "wrong" * 4, page="desk", source=ADDRESS)
