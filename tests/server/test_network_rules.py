"""From where one may sign in and hold a socket: what the policy says, what is believed of it."""

import json
from typing import Any

import pytest

from security.people import LinkPurpose
from server.api.housekeeping import watch_policies
from server.api.reach import Reach, counted_source

PASSWORD = "なつかしい-みなとまち-2026"
VPN = {"network.vpn": "required", "network.vpn_networks": ["10.0.0.0/8"]}
BEHIND_PROXY = VPN | {"network.trusted_proxies": ["127.0.0.0/8", "::1/128"]}


async def test_a_proxy_that_one_municipality_trusts_is_nobody_to_another(world: Any) -> None:
    kasaoka, ibara = world.town, await world.town_of("ibara")
    world.enforce(VPN)
    world.town = ibara
    world.enforce(BEHIND_PROXY | {"network.trusted_proxies": ["127.0.0.0/8", "192.0.2.1/32"]})
    claims = {"X-Forwarded-For": "10.1.2.3", "X-Forwarded-Proto": "https"}
    said = {}
    for world.town in (kasaoka, ibara):
        attempt = await begin(world, "link")
        status, answer, _ = await attempt(**claims)
        said[world.town.municipality.slug] = (
            status,
            answer["error"]["code"] if status != 200 else "",
        )
    assert said == {"kasaoka": (403, "outside_vpn"), "ibara": (200, "")}
    book, forged = world.service.parts.policies, Reach("192.0.2.1", "198.51.100.7", None, False)
    counted = [
        counted_source(forged, book.trusted_proxies(home))
        for home in (kasaoka.municipality.id, ibara.municipality.id, None)
    ]
    assert counted == ["192.0.2.1", "198.51.100.7", "198.51.100.7"]


async def refusals(world: Any, action: str) -> list[Any]:
    """Return the refused entries of an action in the audit log."""
    parts, home = world.service.parts, world.town.municipality.id
    past = parts.clock().replace(year=2020)
    found = await parts.audit.since(home, past, limit=1000)
    tag = f"gate:{action.replace('.', ':')}"
    entries = [json.loads(one.entry) for one in found if one.tag == tag]
    return [one for one in entries if not one["allowed"]]


async def link_of(world: Any, purpose: LinkPurpose, *, tablet: bool = False) -> str:
    """Return a one-time token of the first verifier, or of the tablet with its clerk."""
    town = world.town
    person = town.clerk if tablet else town.verifiers[0]
    return str(
        await world.service.parts.sign_in.make_link(
            purpose,
            town.municipality.id,
            person_id=None if purpose is LinkPurpose.ENROL else person.id,
            tablet_id=town.tablet.id if tablet else None,
        )
    )


async def begin(world: Any, way: str) -> Any:
    """Return what tries one way of signing in: a function from headers to status and body."""
    if way == "password":
        token = await link_of(world, LinkPurpose.PASSWORD)
        await world.stranger().request(
            "POST", "/api/v1/password", body={"token": token, "password": PASSWORD}
        )
        login = world.town.verifiers[0].login
        path, page, body = "sign-in", "desk", {"login": login, "password": PASSWORD}
    elif way == "code":
        code = await link_of(world, LinkPurpose.ENROL, tablet=True)
        path, page, body = "enrol", "counter", {"code": code}
    else:
        counter = way == "tablet link"
        token = await link_of(world, LinkPurpose.SIGN_IN, tablet=counter)
        path, page, body = "links", "counter" if counter else "desk", {"token": token}
    client = world.stranger(page)
    if client.key is not None:
        body |= client.key.claim(body.get("code") or body.get("token"))

    async def attempt(**headers: str) -> Any:
        status, said = await client.request("POST", f"/api/v1/{path}", body=body, headers=headers)
        return status, said, client

    return attempt


@pytest.mark.parametrize("way", ["password", "link", "tablet link", "code"])
async def test_whoever_is_outside_the_vpn_gets_no_cookie_and_stands_in_the_log(
    world: Any, way: str
) -> None:
    attempt = await begin(world, way)
    world.enforce(VPN)
    status, said, client = await attempt(**{"X-Forwarded-For": "10.1.2.3"})  # nobody vouches
    assert (status, said["error"]["code"]) == (403, "outside_vpn")
    assert "Set-Cookie" not in client.last_headers
    (refused,) = await refusals(world, "session.begin")
    assert refused["reasons"] == ["outside_vpn"]
    world.enforce(BEHIND_PROXY, number=2)
    through = {"X-Forwarded-For": "10.1.2.3", "X-Forwarded-Proto": "https"}
    status, said, client = await attempt(**through)
    assert status == 200, said
    assert "Set-Cookie" in client.last_headers


async def test_half_a_sign_in_begins_from_where_a_whole_one_may(world: Any) -> None:
    attempt = await begin(world, "password")
    world.enforce({**VPN, "people.second_factor_roles": ["verifier"]})
    status, said, client = await attempt()
    assert (status, said["error"]["code"]) == (403, "outside_vpn")
    world.enforce({**BEHIND_PROXY, "people.second_factor_roles": ["verifier"]}, number=2)
    status, said, client = await attempt(**{"X-Forwarded-For": "10.1.2.3"})
    assert (status, said["error"]["code"]) == (403, "tls_too_old")
    through = {"X-Forwarded-For": "10.1.2.3", "X-Forwarded-Proto": "https"}
    status, said, client = await attempt(**through)
    assert (status, said["half"]["enrol"]) == (200, True)
    assert set(client.cookies) == {"__Host-half"}


async def test_a_wrong_password_from_outside_tells_nothing_of_the_network(world: Any) -> None:
    world.enforce(VPN)
    body = {"login": "verifier-1", "password": "wrong"}
    status, said = await world.stranger().request("POST", "/api/v1/sign-in", body=body)
    assert (status, said["error"]["code"]) == (401, "bad_credentials")


async def test_a_socket_from_outside_is_closed_with_the_reason(world: Any) -> None:
    desk = await world.desk()
    world.enforce(VPN)
    await desk.open_socket()
    assert await desk.until_closed() == 1008
    assert [m["error"]["code"] for m in desk.inbox] == ["outside_vpn"]
    assert (await refusals(world, "socket.open"))[0]["reasons"] == ["outside_vpn"]
    assert not world.service.parts.hub.seats.present(("desk", world.town.verifiers[0].id))


async def test_a_page_that_comes_back_from_another_address_is_asked_again(world: Any) -> None:
    world.enforce({"network.sources": [{"networks": ["127.0.0.0/8", "::1/128"]}]})
    desk = await world.desk()
    await desk.connect()
    await desk.leave()
    moved = {
        "network.sources": [{"networks": ["127.0.0.0/8", "::1/128"]}],
        "network.trusted_proxies": ["127.0.0.0/8", "::1/128"],
    }
    world.enforce(moved, number=2)
    await desk.connect()
    await desk.leave()
    desk.forwarded = "203.0.113.5"
    await desk.open_socket()
    assert await desk.until_closed() == 1008
    assert [m["error"]["code"] for m in desk.inbox] == ["outside_network"]


async def test_a_policy_that_takes_force_ends_the_calls_it_does_not_allow(world: Any) -> None:
    counter, desk, call = await world.talking()
    world.enforce(VPN)
    for page in (counter, desk):
        closed = await page.until_state("closed")
        assert (closed["outcome"], closed["reason"]) == ("aborted", "outside_vpn")
    assert world.service.parts.registry.every_open_call() == []
    refused = await refusals(world, "media.join")
    assert {one["subject"] for one in refused} == {call["id"]}


async def test_a_policy_that_takes_force_leaves_the_calls_it_allows_alone(world: Any) -> None:
    counter, desk, _ = await world.talking()
    world.enforce({"network.sources": [{"networks": ["127.0.0.0/8", "::1/128"]}]})
    await watch_policies(world.service.parts)
    await counter.do("chat.send", text="続けます")
    await desk.until("chat")
    assert await refusals(world, "media.join") == []


async def test_an_open_page_is_asked_under_the_policy_of_now(world: Any) -> None:
    desk = await world.desk()
    await desk.connect()
    await desk.do("desk.state", state="open")
    world.enforce(VPN)
    with pytest.raises(Exception, match="outside_vpn"):
        await desk.do("offer", connection=1, sdp="v=0")


async def test_a_cookie_carried_outside_the_vpn_reads_nothing_of_a_call(world: Any) -> None:
    _, desk, call = await world.talking()
    file_id = await world.send_file(desk, call["id"], b"%PDF-1.4 x")
    world.enforce(VPN)
    base = f"/api/v1/calls/{call['id']}"
    for path in (base, f"{base}/files/{file_id}/content"):
        status, said = await desk.request("GET", path)
        assert (status, said["error"]["code"]) == (403, "outside_vpn"), path
