"""Proof that is genuine and somebody else's: cookies of another municipality, a proxy's header."""

from typing import Any

from security.ids import new_id
from security.people import Person, Role


async def test_a_clerks_cookie_of_another_municipality_signs_nobody_in_on_our_tablet(
    world: Any,
) -> None:
    ours, theirs = await world.counter(), await world.counter(await world.town_of("ibara"))
    ours.cookies["__Host-clerk"] = theirs.cookies["__Host-clerk"]
    status, said = await ours.request("GET", "/api/v1/me")
    assert (status, said["you"]["clerk"]) == (200, None)
    theirs.cookies["__Host-tablet"] = ours.cookies["__Host-tablet"]
    status, said = await theirs.request("GET", "/api/v1/me")
    assert (status, said["error"]["code"]) == (403, "csrf"), "our cookie without our tablet's key"


async def test_a_desks_cookie_of_another_municipality_sees_its_own_queue_alone(world: Any) -> None:
    await world.talking()
    stranger = await world.desk(0, await world.town_of("ibara"))
    welcome = await stranger.connect()
    assert welcome["you"]["municipality"]["id"] != world.town.municipality.id
    assert welcome["state"]["queue"]["waiting"] == []


async def test_an_address_that_an_untrusted_peer_says_it_forwards_for_counts_for_nothing(
    world: Any,
) -> None:
    vpn = {"network.vpn": "required", "network.vpn_networks": ["10.0.0.0/8"]}
    parts, home = world.service.parts, world.town.municipality.id
    person = Person(new_id(), home, "far", "far", Role.VERIFIER, None, None, None)
    await parts.people.add_person(person)
    page = await world.signed_in(person)
    world.enforce(vpn)
    page.forwarded = "10.1.2.3"
    await page.open_socket()
    told = await page.until("error")
    assert told["error"]["code"] == "outside_vpn"
