"""Signing in: who may do so on which page, and what is noted of it."""

from dataclasses import replace

import pytest

from security.people import LinkPurpose, SessionKind
from tests.security.conftest import GOOD, LOGINS, START, House, code_of


@pytest.mark.parametrize("login", ["verifier", "senior", "administrator"])
async def test_staff_sign_in_at_the_desk(house: House, login: str) -> None:
    begun = await house.at_desk(login)
    principal = await house.sign_in.authenticate(begun.token, SessionKind.DESK)
    assert principal.person is not None
    assert principal.person.login == login
    assert principal.municipality.id == "m"
    assert (principal.tablet, principal.office) == (None, None)


@pytest.mark.parametrize("login", ["clerk", "officer", "auditor"])
async def test_others_do_not_sign_in_at_the_desk(house: House, login: str) -> None:
    assert await code_of(house.at_desk(login)) == "bad_credentials"


async def test_a_clerk_signs_in_on_a_tablet_of_the_own_office(house: House) -> None:
    token, tablet = await house.tablet()
    begun = await house.clerk(tablet)
    assert begun.session.kind is SessionKind.CLERK
    principal = await house.sign_in.authenticate_counter(token, begun.token)
    assert principal.person is not None
    assert principal.tablet is not None
    assert principal.office is not None
    assert (principal.person.id, principal.tablet.id, principal.office.id) == ("clerk", "t", "o")


@pytest.mark.parametrize("login", sorted(set(LOGINS) - {"clerk"}))
async def test_nobody_else_signs_in_on_a_tablet(house: House, login: str) -> None:
    _, tablet = await house.tablet()
    assert await code_of(house.clerk(tablet, login)) == "bad_credentials"


async def test_no_clerk_signs_in_without_a_live_tablet(house: House) -> None:
    attempt = house.sign_in.sign_in("m", "clerk", GOOD, page="counter", tablet=None)
    assert await code_of(attempt) == "not_enrolled"
    _, tablet = await house.tablet()
    for dead in (replace(tablet, enrolled_at=None), replace(tablet, revoked_at=START)):
        assert await code_of(house.clerk(dead)) == "not_enrolled"


async def test_the_next_clerk_on_a_tablet_replaces_the_one_before(house: House) -> None:
    token, tablet = await house.tablet()
    first = await house.clerk(tablet)
    second = await house.clerk(tablet)
    assert (await house.sign_in.authenticate_counter(token, first.token)).person is None
    assert (await house.sign_in.authenticate_counter(token, second.token)).person is not None


async def test_a_clerks_cookie_on_another_tablet_says_nothing(house: House) -> None:
    _, tablet = await house.tablet()
    other_token, _ = await house.tablet("other-t")
    begun = await house.clerk(tablet)
    principal = await house.sign_in.authenticate_counter(other_token, begun.token)
    assert principal.person is None
    assert principal.session.tablet_id == "other-t"


async def test_the_municipality_may_be_left_out_only_when_it_is_clear(house: House) -> None:
    attempt = house.sign_in.sign_in(None, "verifier", GOOD, page="desk")
    assert await code_of(attempt) == "bad_credentials"
    attempt = house.sign_in.sign_in("n", "verifier", GOOD, page="desk")
    assert await code_of(attempt) == "bad_credentials"
    begun = await house.sign_in.sign_in("n", "verifier", "n" * 20, page="desk")
    assert begun.session.municipality_id == "n"


async def test_what_happened_is_noted(house: House) -> None:
    _, tablet = await house.tablet()
    await house.clerk(tablet)
    await house.at_desk()
    link = await house.sign_in.make_link(LinkPurpose.PASSWORD, "m", person_id="verifier")
    await house.sign_in.set_password(link, "another good password")
    await house.sign_in.revoke_tablet("m", "t")
    assert house.notes.tags == [
        "sign-in:tablet:enrol",
        "sign-in:clerk:begin",
        "sign-in:desk:begin",
        "sign-in:person:password",
        "sign-in:tablet:revoke",
    ]
