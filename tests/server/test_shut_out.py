"""A change that would keep the officers out themselves: it says so first, or is refused."""

from typing import Any

import pytest

from security.officers import Appointment
from security.people import Person, Role

INSIDE, OUTSIDE = "10.1.2.3", "203.0.113.5"
PROXIES = ["127.0.0.0/8", "::1/128"]
BEHIND = {"network.trusted_proxies": PROXIES}
VPN = {"values": {"network.vpn": "required", "network.vpn_networks": ["10.0.0.0/8"]}}
WHY = {"network.trusted_proxies": {"reason": "庁内の中継サーバ", "until": "2099-03-31"}}


async def officer(world: Any, login: str, address: str) -> Any:
    """Return the page of an appointed officer who comes from an address."""
    parts, home = world.service.parts, world.town.municipality.id
    person = Person(login, home, login, login, Role.OFFICER, None, None, None)
    await parts.people.add_person(person)
    made = Appointment(home, person.id, None, parts.clock(), None, parts.clock())
    await parts.policy_store.put_appointment(made)
    page = await world.signed_in(person)
    page.forwarded = address
    return page


async def drawn_up(page: Any, body: Any) -> Any:
    """Return status and answer of a draft."""
    return await page.request("POST", "/api/v1/policy/versions", body={**body, "looser": WHY})


@pytest.fixture
async def town(world: Any) -> Any:
    """A town behind a proxy, which its policy trusts."""
    world.enforce(BEHIND)
    parts, home = world.service.parts, world.town.municipality.id
    first = parts.policies.version_in_force(home)
    author = world.town.administrator.id
    await parts.policy_store.add(
        home, base=0, text=first.text, note="", author_id=author, now=parts.clock()
    )
    return world


async def test_who_would_keep_out_oneself_is_told_first_and_has_to_say_so(town: Any) -> None:
    page = await officer(town, "first", OUTSIDE)
    status, said = await drawn_up(page, VPN)
    assert (status, said["error"]["code"]) == (409, "shuts_out")
    assert [one["code"] for one in said["error"]["reasons"]] == ["outside_vpn"]
    status, made = await drawn_up(page, {**VPN, "even_if_shut_out": True})
    assert status == 201
    assert made["shut_out"] == {
        "officers": [{"id": "first", "name": "first", "codes": ["outside_vpn"]}],
        "everybody": True,
    }


async def test_nobody_approves_what_would_keep_out_every_officer(town: Any) -> None:
    first, second = await officer(town, "first", OUTSIDE), await officer(town, "second", OUTSIDE)
    _, made = await drawn_up(first, {**VPN, "even_if_shut_out": True})
    path = f"/api/v1/policy/versions/{made['number']}/approve"
    for body in ({}, {"even_if_shut_out": True}):
        status, said = await second.request("POST", path, body=body)
        assert (status, said["error"]["code"]) == (409, "shuts_out_all")
    assert town.service.parts.policies.of(town.town.municipality.id).number == 1
    second.forwarded = INSIDE
    status, said = await second.request("POST", path, body={})
    assert (status, said["error"]["code"]) == (409, "shuts_out")  # its author is still outside
    status, done = await second.request("POST", path, body={"even_if_shut_out": True})
    assert (status, done["state"]) == (200, "in_force")
    status, said = await first.request("GET", "/api/v1/policy")
    assert (status, said["error"]["code"]) == (403, "outside_vpn")
    assert (await second.request("GET", "/api/v1/policy"))[0] == 200


async def test_the_last_sign_in_counts_for_an_officer_whom_this_process_has_not_seen(
    town: Any,
) -> None:
    first = await officer(town, "first", INSIDE)
    await officer(town, "second", INSIDE)  # signed in from 127.0.0.1, and has asked nothing since
    status, made = await drawn_up(first, VPN)
    assert status == 201
    assert made["shut_out"] == {
        "officers": [{"id": "second", "name": "second", "codes": ["outside_vpn"]}],
        "everybody": False,
    }


async def test_who_has_no_appointment_or_is_disabled_does_not_count(town: Any) -> None:
    first, second = await officer(town, "first", INSIDE), await officer(town, "second", OUTSIDE)
    await second.request("GET", "/api/v1/policy")
    parts, home = town.service.parts, town.town.municipality.id
    await parts.people.disable_person(home, "second", parts.clock())
    _, made = await drawn_up(first, VPN)
    assert made["shut_out"] == {"officers": [], "everybody": False}


@pytest.mark.parametrize(
    "path",
    ["policy", "policy/text", "policy/roles", "policy/versions", "officers", "audit/chain"],
)
async def test_an_officers_cookie_carried_outside_reads_nothing(town: Any, path: str) -> None:
    page = await officer(town, "first", INSIDE)
    town.enforce({**BEHIND, **VPN["values"]}, 2)
    assert (await page.request("GET", f"/api/v1/{path}"))[0] == 200
    page.forwarded = OUTSIDE
    status, said = await page.request("GET", f"/api/v1/{path}")
    assert (status, said["error"]["code"]) == (403, "outside_vpn")
