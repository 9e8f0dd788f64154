"""Signing in over HTTP, links, codes, passwords."""

from typing import Any

import pytest

from security.people import LinkPurpose

PASSWORD = "なつかしい-みなとまち-2026"


async def person_with_password(world: Any, index: int = 0) -> str:
    parts, town = world.service.parts, world.town
    person = town.verifiers[index]
    token = await parts.sign_in.make_link(
        LinkPurpose.PASSWORD, town.municipality.id, person_id=person.id
    )
    status, body = await world.stranger().request(
        "POST", "/api/v1/password", body={"token": token, "password": PASSWORD}
    )
    assert status == 204, body
    return str(person.login)


async def sign_in(page: Any, login: str, password: str, slug: str | None = "kasaoka") -> Any:
    body = {"municipality": slug, "login": login, "password": password}
    return await page.request("POST", "/api/v1/sign-in", body=body)


async def test_staff_sign_in_with_a_password_set_by_a_link(world: Any) -> None:
    login = await person_with_password(world)
    page = world.stranger()
    status, body = await sign_in(page, login, PASSWORD)
    assert status == 200
    assert body["you"]["person"]["role"] == "verifier"
    page.csrf = body["csrf"]
    assert (await page.request("GET", "/api/v1/me"))[0] == 200


@pytest.mark.parametrize(
    ("login", "password", "slug"),
    [
        ("verifier-1", "wrong", "kasaoka"),
        ("nobody", PASSWORD, "kasaoka"),
        ("verifier-1", PASSWORD, "nowhere"),
        ("clerk", PASSWORD, "kasaoka"),
    ],
)
async def test_every_failure_answers_alike(
    world: Any, login: str, password: str, slug: str
) -> None:
    await person_with_password(world)
    page = world.stranger()
    status, body = await sign_in(page, login, password, slug)
    body["error"].pop("request_id")
    assert status == 401
    assert body["error"] == {
        "code": "bad_credentials",
        "message": "unknown name or wrong password",
        "reasons": [],
    }
    assert "Set-Cookie" not in page.last_headers


async def test_the_eleventh_try_waits_and_says_how_many(world: Any) -> None:
    login = await person_with_password(world)
    page = world.stranger()
    for _ in range(10):
        assert (await sign_in(page, login, "wrong"))[0] == 401
    status, body = await sign_in(page, login, PASSWORD)
    assert (status, body["error"]["code"]) == (429, "too_many_tries")
    assert body["error"]["limit"] == 10


async def test_a_weak_password_is_refused_with_every_reason_and_the_link_still_works(
    world: Any,
) -> None:
    parts, town = world.service.parts, world.town
    token = await parts.sign_in.make_link(
        LinkPurpose.PASSWORD, town.municipality.id, person_id=town.verifiers[0].id
    )
    page = world.stranger()
    for weak in ("short", "password1234"):
        status, body = await page.request(
            "POST", "/api/v1/password", body={"token": token, "password": weak}
        )
        assert (status, body["error"]["code"]) == (400, "weak_password")
        assert body["error"]["reasons"]
    body = {"token": token, "password": PASSWORD}
    assert (await page.request("POST", "/api/v1/password", body=body))[0] == 204
    status, again = await page.request("POST", "/api/v1/password", body=body)
    assert (status, again["error"]["code"]) == (401, "link_used")


async def test_a_link_works_once(world: Any) -> None:
    token = await world.service.parts.sign_in.make_link(
        LinkPurpose.SIGN_IN, world.town.municipality.id, person_id=world.town.verifiers[0].id
    )
    page = world.stranger()
    assert (await page.request("POST", "/api/v1/links", body={"token": token}))[0] == 200
    status, body = await page.request("POST", "/api/v1/links", body={"token": token})
    assert (status, body["error"]["code"]) == (401, "link_used")


async def test_a_tablet_is_enrolled_by_a_code_once(world: Any) -> None:
    code = await world.service.parts.sign_in.make_link(
        LinkPurpose.ENROL, world.town.municipality.id, tablet_id=world.town.tablet.id
    )
    tablet, typed = world.stranger("counter"), code.lower()
    body = {"code": typed, **tablet.key.claim(typed)}
    status, body = await tablet.request("POST", "/api/v1/enrol", body=body)
    assert status == 200, body
    assert body["you"]["tablet"]["name"] == "１番窓口"
    assert body["you"]["clerk"] is None
    thief = world.stranger("counter")
    body = {"code": code, **thief.key.claim(code)}
    status, body = await thief.request("POST", "/api/v1/enrol", body=body)
    assert (status, body["error"]["code"]) == (401, "code_unknown")


async def test_a_clerk_signs_in_by_no_password_and_out_again(world: Any) -> None:
    parts, town = world.service.parts, world.town
    token = await parts.sign_in.make_link(
        LinkPurpose.PASSWORD, town.municipality.id, person_id=town.clerk.id
    )
    await world.stranger().request(
        "POST", "/api/v1/password", body={"token": token, "password": PASSWORD}
    )
    counter = await world.counter()
    await counter.request("POST", "/api/v1/sign-out")
    assert (await counter.request("GET", "/api/v1/me"))[1]["you"]["clerk"] is None
    status, body = await sign_in(counter, "clerk", PASSWORD)
    assert (status, body["error"]["code"]) == (400, "protocol")


async def test_the_only_municipality_need_not_be_named(world: Any) -> None:
    login = await person_with_password(world)
    assert (await sign_in(world.stranger(), login, PASSWORD, None))[0] == 200
    await world.town_of("ibara")
    assert (await sign_in(world.stranger(), login, PASSWORD, None))[0] == 401
