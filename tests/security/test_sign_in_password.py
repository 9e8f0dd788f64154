"""Passwords: wrong ones count and lock, new ones end what the old ones began."""

import asyncio
from typing import Literal

import pytest
from argon2 import PasswordHasher

from security.errors import Denied, ProtocolError
from security.passwords import Passwords
from security.people import LinkPurpose, SessionKind
from security.sign_in import SignIn
from tests.security.conftest import GOOD, START, House, code_of


async def test_every_wrong_sign_in_gets_the_same_answer(house: House) -> None:
    async def answer(municipality: str, login: str) -> tuple[str, str, int]:
        with pytest.raises(Denied) as caught:
            await house.sign_in.sign_in(municipality, login, "wrong" * 4, page="desk")
        return caught.value.code, caught.value.message, caught.value.status

    await house.people.disable_person("m", "senior", START)
    cases = [("m", "verifier"), ("m", "nobody"), ("x", "verifier"), ("m", "senior"), ("m", "clerk")]
    assert len({await answer(*case) for case in cases}) == 1


async def test_unknown_names_cost_a_hash_as_known_ones_do(house: House) -> None:
    class Counting(PasswordHasher):
        verified = 0

        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
            self.verified += 1
            return super().verify(hash, password)

    counting = Counting(time_cost=1, memory_cost=8, parallelism=1)
    sign_in = SignIn(house.people, house.sessions, clock=house.clock, passwords=Passwords(counting))
    for number, (home, login) in enumerate([("m", "verifier"), ("m", "nobody"), ("x", "y")]):
        await code_of(sign_in.sign_in(home, login, "wrong" * 4, page="desk"))
        assert counting.verified == number + 1


@pytest.mark.parametrize("login", ["verifier", "nobody"])
async def test_ten_failures_lock_a_name_for_a_quarter_of_an_hour(house: House, login: str) -> None:
    for _ in range(10):
        assert await code_of(house.at_desk(login, "wrong" * 4)) == "bad_credentials"
    assert await code_of(house.at_desk(login)) == "too_many_tries"
    house.clock.forward(minutes=14, seconds=59)
    assert await code_of(house.at_desk(login)) == "too_many_tries"
    house.clock.forward(seconds=1)
    if login == "verifier":
        await house.at_desk(login)
    else:
        assert await code_of(house.at_desk(login)) == "bad_credentials"
    assert "sign-in:name:last-try" in house.notes.tags


async def test_a_success_forgets_the_failures(house: House) -> None:
    for _ in range(3):
        for _ in range(9):
            await code_of(house.at_desk(password="wrong" * 4))
        await house.at_desk()


async def test_tries_at_once_are_all_counted(house: House) -> None:
    codes = await asyncio.gather(*(code_of(house.at_desk(password="wrong" * 4)) for _ in range(14)))
    assert codes.count("bad_credentials") == 10
    assert codes.count("too_many_tries") == 4


async def test_one_locked_name_locks_no_other(house: House) -> None:
    for _ in range(11):
        await code_of(house.at_desk(password="wrong" * 4))
    await house.at_desk("senior")
    await house.sign_in.sign_in("n", "verifier", "n" * 20, page="desk")


async def test_typed_forms_of_a_name_are_one_name(house: House) -> None:
    await house.at_desk("  Verifier ")
    for login in ("verifier", "VERIFIER", " verifier"):
        for _ in range(4):
            await code_of(house.at_desk(login, "wrong" * 4))
    assert await code_of(house.at_desk()) == "too_many_tries"


@pytest.mark.parametrize("text", ["\ud800" * 12, "x" * 100_000, "\0" * 20, ""])
async def test_strange_passwords_are_wrong_passwords(house: House, text: str) -> None:
    assert await code_of(house.at_desk(password=text)) == "bad_credentials"
    assert await code_of(house.at_desk(login=text)) == "bad_credentials"


async def test_a_hash_of_older_strength_is_replaced(house: House) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=16, parallelism=1).hash(GOOD)
    await house.people.set_password("m", "verifier", weak, end_sessions_at=None)
    await house.at_desk()
    person = await house.people.person("m", "verifier")
    assert person is not None
    assert person.password_hash is not None
    assert "m=8," in person.password_hash
    await house.at_desk()


async def test_a_new_password_ends_the_sessions_under_the_old_one(house: House) -> None:
    begun = await house.at_desk()
    link = await house.sign_in.make_link(LinkPurpose.PASSWORD, "m", person_id="verifier")
    await house.sign_in.set_password(link, "another good password")
    assert await code_of(house.sign_in.authenticate(begun.token, SessionKind.DESK)) == "signed_out"
    assert await code_of(house.at_desk()) == "bad_credentials"
    await house.at_desk(password="another good password")
    assert await code_of(house.sign_in.set_password(link, GOOD)) == "link_used"


async def test_a_new_password_opens_a_locked_name(house: House) -> None:
    for _ in range(11):
        await code_of(house.at_desk(password="wrong" * 4))
    link = await house.sign_in.make_link(LinkPurpose.PASSWORD, "m", person_id="verifier")
    await house.sign_in.set_password(link, "another good password")
    await house.at_desk(password="another good password")


async def test_a_weak_password_leaves_the_link_usable(house: House) -> None:
    link = await house.sign_in.make_link(LinkPurpose.PASSWORD, "m", person_id="verifier")
    with pytest.raises(ProtocolError) as caught:
        await house.sign_in.set_password(link, "short")
    assert caught.value.code == "weak_password"
    await house.sign_in.set_password(link, "ｃｏｒｒｅｃｔ horse battery")
    await house.at_desk(password="correct horse battery")
