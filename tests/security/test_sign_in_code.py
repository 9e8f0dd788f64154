"""Enrolment codes: one tablet, once, in time."""

import asyncio

import pytest

from security.people import LinkPurpose, SessionKind
from security.sign_in_rules import NewSession
from tests.security.conftest import House, code_of


async def test_a_code_enrols_one_tablet_once_however_it_is_typed(house: House) -> None:
    code = await house.sign_in.make_link(LinkPurpose.ENROL, "m", tablet_id="t")
    assert len(code) == 9
    typed = f" {code.lower().replace('-', ' ')} "
    begun = await house.enrol(typed)
    assert begun.session.tablet_id == "t"
    assert await code_of(house.enrol(code)) == "code_unknown"


async def test_of_many_who_use_a_code_at_once_one_gets_the_tablet(house: House) -> None:
    code = await house.sign_in.make_link(LinkPurpose.ENROL, "m", tablet_id="t")
    results = await asyncio.gather(*(house.enrol(code) for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(result, NewSession) for result in results) == 1


async def test_a_code_ends_after_ten_minutes_and_by_the_next_code(house: House) -> None:
    old = await house.sign_in.make_link(LinkPurpose.ENROL, "m", tablet_id="t")
    new = await house.sign_in.make_link(LinkPurpose.ENROL, "m", tablet_id="t")
    assert await code_of(house.enrol(old)) == "code_unknown"
    house.clock.forward(minutes=10)
    assert await code_of(house.enrol(new)) == "code_unknown"


async def test_enrolling_again_ends_the_device_before(house: House) -> None:
    old, _ = await house.tablet()
    new, _ = await house.tablet()
    assert await code_of(house.sign_in.authenticate(old, SessionKind.TABLET)) == "not_enrolled"
    await house.sign_in.authenticate(new, SessionKind.TABLET)


@pytest.mark.parametrize("code", ["", "ABCD-EFGH", "----", "🙂", "\ud800", "x" * 100_000])
async def test_codes_that_were_never_given_enrol_nothing(house: House, code: str) -> None:
    assert await code_of(house.enrol(code)) == "code_unknown"
