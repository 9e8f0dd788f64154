"""One-time links: good once, in time, for what they are for."""

from security.people import LinkPurpose, SessionKind
from tests.security.conftest import GOOD, House, claim, code_of


async def test_a_link_signs_in_once_at_the_desk(house: House) -> None:
    link = await house.sign_in.make_link(LinkPurpose.SIGN_IN, "m", person_id="verifier")
    exchanged = await house.sign_in.exchange_link(link)
    (begun,) = exchanged.sessions
    assert (exchanged.page, begun.session.kind) == ("desk", SessionKind.DESK)
    await house.sign_in.authenticate(begun.token, SessionKind.DESK)
    assert await code_of(house.sign_in.exchange_link(link)) == "link_used"


async def test_a_link_with_a_tablet_enrols_it_and_signs_its_clerk_in(house: House) -> None:
    link = await house.sign_in.make_link(LinkPurpose.SIGN_IN, "m", person_id="clerk", tablet_id="t")
    assert await code_of(house.sign_in.exchange_link(link)) == "key_required"
    exchanged = await house.sign_in.exchange_link(link, claim=claim(link))
    assert exchanged.page == "counter"
    tablet, clerk = exchanged.sessions
    principal = await house.sign_in.authenticate_counter(tablet.token, clerk.token)
    assert principal.person is not None


async def test_a_link_ends_after_ten_minutes(house: House) -> None:
    link = await house.sign_in.make_link(LinkPurpose.SIGN_IN, "m", person_id="verifier")
    house.clock.forward(minutes=10)
    assert await code_of(house.sign_in.exchange_link(link)) == "link_used"


async def test_a_link_opens_nothing_but_what_it_is_for(house: House) -> None:
    password = await house.sign_in.make_link(LinkPurpose.PASSWORD, "m", person_id="verifier")
    sign_in = await house.sign_in.make_link(LinkPurpose.SIGN_IN, "m", person_id="verifier")
    enrol = await house.sign_in.make_link(LinkPurpose.ENROL, "m", tablet_id="t")
    assert await code_of(house.sign_in.exchange_link(password)) == "link_used"
    assert await code_of(house.sign_in.exchange_link(enrol)) == "link_used"
    assert await code_of(house.sign_in.set_password(sign_in, GOOD)) == "link_used"
    assert await code_of(house.enrol(sign_in)) == "code_unknown"
    await house.sign_in.set_password(password, GOOD + "!")
