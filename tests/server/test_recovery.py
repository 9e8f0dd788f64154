"""A lost second factor: the person asks, two administrators act, the link opens once."""

from datetime import timedelta
from typing import Any

import pytest

from security.errors import Conflict, Denied
from security.passwords import Passwords
from security.people import Person, Role
from security.recovery import CONFIRM_WITHIN, Recovery, confirm, start
from tests.security.conftest import START
from tests.server.test_second_factor import (
    ASKED,
    CHEAP,
    PASSWORD,
    asked,
    code_of,
    entries,
    half_in,
    person_of,
    refused,
    with_totp,
)


async def administrators(world: Any) -> tuple[Any, Any]:
    """Return the officer's pages of two administrators who have signed in by links."""
    pages = []
    for login in ("admin-a", "admin-b"):
        person = await person_of(world, Role.ADMINISTRATOR, login)
        page = await world.signed_in(person)
        page.page = "officer"
        pages.append(page)
    return pages[0], pages[1]


async def of_person(page: Any, person: Person) -> Any:
    """Return how a person stands in the administrators' list."""
    people = (await asked(page, "GET", "recoveries"))["people"]
    return next(one for one in people if one["id"] == person.id)


async def test_a_lost_factor_is_replaced_by_the_link_of_two_administrators(world: Any) -> None:
    first, second = await administrators(world)
    person = await person_of(world)
    old = await with_totp(world, person)
    elsewhere, half = await half_in(world, person)
    await asked(elsewhere, "POST", "sign-in/code", {"page": "desk", "code": code_of(old)})
    elsewhere.page = "desk"
    world.enforce({**ASKED, "people.second_factor_roles": ["verifier"]}, number=2)
    lost, half = await half_in(world, person)
    assert half["asked"] is False
    await asked(lost, "POST", "recovery")
    assert (await asked(lost, "GET", "half"))["half"]["asked"] is True
    listed = await of_person(first, person)
    assert (listed["state"], listed["factors"], listed["mine"]) == ("asked", ["totp"], False)
    path = f"recoveries/{person.id}"
    assert await refused(second, "POST", f"{path}/confirm") == "wrong_state"
    assert (await asked(first, "POST", f"{path}/start"))["mine"] is True
    assert await refused(first, "POST", f"{path}/confirm") == "second_administrator"
    token = (await asked(second, "POST", f"{path}/confirm"))["link"].split("/factor#")[1]
    wrong = {"token": token, "password": "not the password"}
    stranger = world.stranger()
    assert await refused(stranger, "POST", "recovery/link", wrong) == "bad_credentials"
    said = await asked(stranger, "POST", "recovery/link", {"token": token, "password": PASSWORD})
    assert (said["half"]["recovering"], said["half"]["enrol"]) == (True, True)
    again = {"token": token, "password": PASSWORD}
    assert await refused(world.stranger(), "POST", "recovery/link", again) == "link_used"
    stranger.page = "sign-in"
    secret = (await asked(stranger, "POST", "factors/totp", {}))["secret"]
    body = {"code": code_of(secret), "page": "desk"}
    await asked(stranger, "POST", "factors/totp/confirm", body)
    assert await refused(elsewhere, "GET", "factors") == "signed_out"
    with_old, _ = await half_in(world, person)
    body = {"page": "desk", "code": code_of(old, 1)}
    assert await refused(with_old, "POST", "sign-in/code", body) == "bad_code"
    assert (await of_person(first, person))["state"] == "none"
    prefix = "factor:recovery:"
    tags = [one["tag"] for one in await entries(world) if one["tag"].startswith(prefix)]
    assert tags == [prefix + step for step in ("ask", "start", "confirm", "done")]


async def test_a_first_factor_is_set_up_by_link_where_the_policy_says_so(world: Any) -> None:
    first, second = await administrators(world)
    world.enforce({"people.second_factor_roles": ["verifier"], "people.first_factor": "by_link"})
    person = await person_of(world)
    body = {"login": person.login, "password": PASSWORD}
    assert await refused(world.stranger(), "POST", "sign-in", body) == "factor_by_link"
    path, page = f"recoveries/{person.id}", world.stranger("sign-in")
    await asked(first, "POST", f"{path}/start")
    token = (await asked(second, "POST", f"{path}/confirm"))["link"].split("#")[1]
    await asked(page, "POST", "recovery/link", {"token": token, "password": PASSWORD})
    secret = (await asked(page, "POST", "factors/totp", {}))["secret"]
    body = {"code": code_of(secret), "page": "desk"}
    assert (await asked(page, "POST", "factors/totp/confirm", body))["you"]["page"] == "desk"


async def test_nobody_recovers_an_own_factor(world: Any) -> None:
    first, second = await administrators(world)
    me = next(p for p in (await asked(first, "GET", "recoveries"))["people"] if p["mine"])
    path = f"recoveries/{me['id']}"
    assert await refused(first, "POST", f"{path}/start") == "second_administrator"
    await asked(second, "POST", f"{path}/start")
    assert await refused(first, "POST", f"{path}/confirm") == "second_administrator"
    assert await refused(second, "POST", f"{path}/confirm") == "second_administrator"


async def test_a_withdrawn_recovery_voids_its_link(world: Any) -> None:
    first, second = await administrators(world)
    person = await person_of(world)
    await with_totp(world, person)
    world.enforce({}, number=2)
    path = f"recoveries/{person.id}"
    await asked(first, "POST", f"{path}/start")
    assert await refused(second, "POST", f"{path}/start") == "conflict"
    token = (await asked(second, "POST", f"{path}/confirm"))["link"].split("#")[1]
    await asked(first, "POST", f"{path}/withdraw")
    body = {"token": token, "password": PASSWORD}
    assert await refused(world.stranger(), "POST", "recovery/link", body) == "link_used"


async def test_a_link_of_another_kind_recovers_nothing(world: Any) -> None:
    person = await person_of(world)
    sign_in = world.service.parts.sign_in
    token = await sign_in.make_link("sign_in", person.municipality_id, person_id=person.id)
    body = {"token": token, "password": PASSWORD}
    assert await refused(world.stranger(), "POST", "recovery/link", body) == "link_used"


async def test_only_administrators_recover_and_only_at_home(world: Any) -> None:
    first, _ = await administrators(world)
    person = await person_of(world)
    verifier = await world.desk()
    ibara = await world.town_of("ibara")
    stranger = await world.signed_in(ibara.administrator, ibara)
    stranger.page = "officer"
    for step in ("start", "confirm", "withdraw"):
        path = f"recoveries/{person.id}/{step}"
        assert await refused(verifier, "POST", path) == "denied"
        assert await refused(stranger, "POST", path) == "not_found"
        assert await refused(first, "POST", f"recoveries/{'x' * 22}/{step}") == "not_found"
    assert await refused(verifier, "GET", "recoveries") == "denied"


def test_a_recovery_that_nobody_confirms_within_a_day_is_started_anew() -> None:
    begun = start(Recovery("m", "p"), administrator="a", now=START)
    with pytest.raises(Conflict):
        start(begun, administrator="b", now=START + CONFIRM_WITHIN - timedelta(seconds=1))
    late = START + CONFIRM_WITHIN
    assert begun.state(late) == "none"
    with pytest.raises(Conflict):
        confirm(begun, administrator="b", now=late)
    assert start(begun, administrator="b", now=late).started_by == "b"


@pytest.mark.parametrize(
    ("starts", "confirms"), [("p", "a"), ("a", "a"), ("a", "p")], ids=["own", "same", "own-second"]
)
def test_starter_confirmer_and_person_are_three(starts: str, confirms: str) -> None:
    def both() -> None:
        begun = start(Recovery("m", "p"), administrator=starts, now=START)
        confirm(begun, administrator=confirms, now=START)

    with pytest.raises(Denied, match="another administrator"):
        both()


async def test_who_has_opened_the_link_of_a_withdrawn_recovery_sets_no_factor_up(
    world: Any,
) -> None:
    first, second = await administrators(world)
    person = await person_of(world)
    await with_totp(world, person)
    world.enforce({**ASKED, "people.second_factor_roles": ["verifier"]}, number=2)
    path = f"recoveries/{person.id}"
    await asked(first, "POST", f"{path}/start")
    token = (await asked(second, "POST", f"{path}/confirm"))["link"].split("/factor#")[1]
    opened = world.stranger()
    await asked(opened, "POST", "recovery/link", {"token": token, "password": PASSWORD})
    opened.page = "sign-in"
    secret = (await asked(opened, "POST", "factors/totp", {}))["secret"]
    await asked(second, "POST", f"{path}/withdraw")
    body = {"code": code_of(secret), "page": "desk"}
    assert await refused(opened, "POST", "factors/totp/confirm", body) == "signed_out"
    assert (await of_person(first, person))["factors"] == ["totp"]


async def test_an_administrator_alone_does_not_come_in_as_an_auditor_made_for_it(
    world: Any,
) -> None:
    world.service.parts.sign_in._passwords = Passwords(CHEAP)
    first, _ = await administrators(world)
    policy = {"people.second_factor_roles": ["auditor"], "people.first_factor": "by_link"}
    world.enforce(policy)
    status, made = await first.request(
        "POST", "/api/v1/people", body={"login": "myself", "name": "架空", "role": "auditor"}
    )
    assert status == 201
    auditor, page = made["person"]["id"], world.stranger("officer")
    token = made["link"].split("#")[1]
    await asked(page, "POST", "password", {"token": token, "password": PASSWORD})
    known = {"login": "myself", "password": PASSWORD}
    assert await refused(page, "POST", "sign-in", known) == "factor_by_link"
    assert (await first.request("POST", f"/api/v1/recoveries/{auditor}/start"))[0] == 200
    assert await refused(first, "POST", f"recoveries/{auditor}/confirm") == "second_administrator"
    # Where the policy does not ask for that, officers and auditors find who made the account.
    world.enforce({}, number=2)
    await asked(page, "POST", "sign-in", known)
    log = await entries(world)
    (added,) = [x for x in log if x["tag"] == "administration:person:add"]
    (begun,) = [x for x in log if x["tag"] == "gate:session:begin" and x["allowed"]][-1:]
    assert (added["subject"], added["detail"]["role"]) == (auditor, "auditor")
    assert added["detail"]["by"] != auditor
    assert begun["facts"]["actor"]["person"] == auditor
