"""Signing in by a municipality's own directory, against a real OpenID provider."""

from pathlib import Path
from typing import Any

import pyotp
import pytest

from security.people import LinkPurpose, Role
from tests.support.authenticator import Authenticator

PASSWORD = "なつかしい-みなとまち-2026"


@pytest.fixture
async def town(make_world: Any, openid: Any, tmp_path: Path) -> Any:
    """A world whose municipality has the provider as its directory."""
    return await with_directory(make_world, openid, tmp_path)


async def with_directory(make_world: Any, openid: Any, folder: Path, **changes: Any) -> Any:
    world = await make_world(oidc={"kasaoka": openid.settings(folder, **changes)})
    openid.setup([f"{world.service.base_url}/signed-in/kasaoka"])
    return world


async def begin(page: Any, slug: str | None = "kasaoka") -> str:
    status, body = await page.request("POST", "/api/v1/oidc/begin", body={"municipality": slug})
    assert status == 200, body
    return str(body["go"])


async def finish(page: Any, answer: Any) -> tuple[int, Any]:
    status, body = await page.request("POST", "/api/v1/oidc/finish", body=answer)
    return status, body


async def sign_in(world: Any, browser: Any, login: str) -> tuple[Any, int, Any]:
    """Return the page, the status and the answer of a whole sign-in."""
    browser.http.cookie_jar.clear()
    page = world.stranger()
    answer = await browser.sign_in(await begin(page), login)
    return page, *await finish(page, answer)


def code_of(body: Any) -> str:
    return str(body["error"]["code"])


async def test_staff_sign_in_by_the_directory_and_are_found_again(town: Any, browser: Any) -> None:
    page, status, body = await sign_in(town, browser, "hanako")
    assert (status, body) == (200, {"page": "/desk"})
    cookie = page.last_headers.getall("Set-Cookie")
    desk = next(one for one in cookie if one.startswith("__Host-desk="))
    assert "SameSite=Strict" in desk
    assert "HttpOnly" in desk
    _, me = await page.request("GET", "/api/v1/me")
    first = me["you"]["person"]
    assert (first["name"], first["role"]) == ("架空 花子", "verifier")
    again, _, _ = await sign_in(town, browser, "hanako")
    _, me = await again.request("GET", "/api/v1/me")
    assert me["you"]["person"]["id"] == first["id"]


async def test_a_directory_that_vouches_for_no_second_factor_begins_half_a_sign_in(
    town: Any, browser: Any
) -> None:
    town.enforce({"people.second_factor_roles": ["verifier"]})
    page, status, body = await sign_in(town, browser, "hanako")
    assert (status, body) == (200, {"page": "/sign-in?page=desk#half"})
    assert "__Host-desk" not in page.cookies
    page.page = "sign-in"
    _, said = await page.request("GET", "/api/v1/half")
    assert said["half"]["enrol"] is True
    page.csrf = said["csrf"]
    _, offer = await page.request("POST", "/api/v1/factors/totp", body={})
    first = {"code": pyotp.TOTP(offer["secret"]).now(), "page": "desk"}
    status, said = await page.request("POST", "/api/v1/factors/totp/confirm", body=first)
    assert (status, said["you"]["person"]["role"]) == (200, "verifier")


async def test_an_auditor_comes_to_the_officers_page(town: Any, browser: Any) -> None:
    _, status, body = await sign_in(town, browser, "auditor")
    assert (status, body) == (200, {"page": "/officer"})


async def test_the_try_lies_in_a_lax_cookie_for_ten_minutes_and_goes_with_its_answer(
    town: Any, browser: Any
) -> None:
    page = town.stranger()
    way = await begin(page)
    (cookie,) = page.last_headers.getall("Set-Cookie")
    assert cookie.startswith("__Host-oidc=")
    assert {"HttpOnly", "Secure", "SameSite=Lax", "Max-Age=600"} <= set(cookie.split("; "))
    assert page.cookies["__Host-oidc"].partition(".")[2] not in way
    await finish(page, await browser.sign_in(way, "hanako"))
    assert page.cookies["__Host-oidc"] == ""


async def test_the_way_asks_for_a_code_with_pkce_and_a_nonce(town: Any) -> None:
    way = await begin(town.stranger(), None)
    for part in ("response_type=code", "code_challenge_method=S256", "nonce=", "state="):
        assert part in way


async def test_another_nonce_is_refused(town: Any, browser: Any, change_query: Any) -> None:
    page = town.stranger()
    way = change_query(await begin(page), nonce="of-another-try")
    status, body = await finish(page, await browser.sign_in(way, "hanako"))
    assert (status, code_of(body)) == (401, "oidc_refused")
    assert "__Host-desk" not in page.cookies


async def test_another_state_is_refused(town: Any, browser: Any) -> None:
    page = town.stranger()
    answer = await browser.sign_in(await begin(page), "hanako")
    status, body = await finish(page, answer | {"state": "x" * 43})
    assert (status, code_of(body)) == (401, "oidc_state")


async def test_somebody_elses_answer_signs_nobody_in(town: Any, browser: Any) -> None:
    """What a foreign page could make a browser open: an address with the foreigner's own code."""
    answer = await browser.sign_in(await begin(town.stranger()), "hanako")
    for victim in (town.stranger(), town.stranger()):
        status, body = await finish(victim, answer)
        assert (status, code_of(body)) == (401, "oidc_state")
        await begin(victim)
        status, body = await finish(victim, answer)
        assert (status, code_of(body)) == (401, "oidc_state")


async def test_a_code_serves_once(town: Any, browser: Any) -> None:
    page = town.stranger()
    answer = await browser.sign_in(await begin(page), "hanako")
    kept = dict(page.cookies)
    assert (await finish(page, answer))[0] == 200
    page.cookies = kept
    status, body = await finish(page, answer)
    assert (status, code_of(body)) == (401, "oidc_refused")
    assert "__Host-desk" not in page.cookies


async def test_a_code_is_worth_nothing_without_its_verifier(
    town: Any, browser: Any, change_query: Any
) -> None:
    page = town.stranger()
    way = change_query(await begin(page), code_challenge="x" * 43)
    status, body = await finish(page, await browser.sign_in(way, "hanako"))
    assert (status, code_of(body)) == (401, "oidc_refused")


async def test_a_key_that_was_changed_is_fetched_anew(town: Any, browser: Any, openid: Any) -> None:
    assert (await sign_in(town, browser, "hanako"))[1] == 200
    openid.setup([f"{town.service.base_url}/signed-in/kasaoka"], key="second")
    assert (await sign_in(town, browser, "hanako"))[1] == 200


@pytest.mark.parametrize(
    ("login", "code"),
    [
        ("nobody", "oidc_no_role"),
        ("groupless", "oidc_no_role"),
        ("double", "oidc_many_roles"),
    ],
)
async def test_groups_without_one_role_are_refused_and_make_no_account(
    town: Any, browser: Any, login: str, code: str
) -> None:
    people = town.service.parts.people
    before = len(await people.people(town.town.municipality.id))
    page, status, body = await sign_in(town, browser, login)
    assert (status, code_of(body)) == (403, code)
    assert "__Host-desk" not in page.cookies
    assert len(await people.people(town.town.municipality.id)) == before


async def test_the_role_follows_the_groups_at_each_sign_in(
    town: Any, browser: Any, openid: Any
) -> None:
    page, _, _ = await sign_in(town, browser, "hanako")
    back = [f"{town.service.base_url}/signed-in/kasaoka"]
    openid.setup(back, people={"hanako": {"groups": ["窓口-上席"]}})
    await sign_in(town, browser, "hanako")
    _, me = await page.request("GET", "/api/v1/me")
    assert me["you"]["person"]["role"] == "senior"
    openid.setup(back, people={"hanako": {"groups": []}})
    _, status, body = await sign_in(town, browser, "hanako")
    assert (status, code_of(body)) == (403, "oidc_no_role")


async def test_a_name_that_is_taken_opens_nobody_elses_account(town: Any, browser: Any) -> None:
    """`preferred_username` is a wish; issuer and subject alone say who it is."""
    page, status, _ = await sign_in(town, browser, "thief")
    assert status == 200
    _, me = await page.request("GET", "/api/v1/me")
    assert me["you"]["person"]["id"] != town.town.verifiers[0].id


@pytest.mark.parametrize("role", [Role.OFFICER, Role.ADMINISTRATOR])
async def test_officers_and_administrators_never_come_by_the_directory(
    town: Any, browser: Any, role: Role
) -> None:
    page, _, _ = await sign_in(town, browser, "hanako")
    _, me = await page.request("GET", "/api/v1/me")
    parts, home = town.service.parts, town.town.municipality.id
    await parts.oidc._links.set_role(home, me["you"]["person"]["id"], role)
    _, status, body = await sign_in(town, browser, "hanako")
    assert (status, code_of(body)) == (403, "oidc_not_for_role")
    person = await parts.people.person(home, me["you"]["person"]["id"])
    assert person.role is role


async def test_a_disabled_account_stays_shut(town: Any, browser: Any) -> None:
    page, _, _ = await sign_in(town, browser, "taro")
    _, me = await page.request("GET", "/api/v1/me")
    parts, home = town.service.parts, town.town.municipality.id
    await parts.people.disable_person(home, me["you"]["person"]["id"], parts.clock())
    _, status, body = await sign_in(town, browser, "taro")
    assert (status, code_of(body)) == (403, "oidc_disabled")


async def test_signing_out_leads_out_of_the_directory_too(town: Any, browser: Any) -> None:
    page, _, _ = await sign_in(town, browser, "hanako")
    _, me = await page.request("GET", "/api/v1/me")
    page.csrf = me["csrf"]
    status, body = await page.request("POST", "/api/v1/sign-out")
    assert status == 200
    assert "/session/end?client_id=madoguchi" in body["go"]
    async with browser.http.get(body["go"]) as response:
        assert response.status == 200, await response.text()
    assert (await page.request("GET", "/api/v1/me"))[0] == 401


async def test_who_signed_in_and_who_was_refused_stands_in_the_log_by_id_alone(
    town: Any, browser: Any
) -> None:
    await sign_in(town, browser, "hanako")
    await sign_in(town, browser, "nobody")
    parts, home = town.service.parts, town.town.municipality.id
    since = parts.clock().replace(hour=0, minute=0)
    entries = await parts.audit.since(home, since, limit=50)
    tags = [one.tag for one in entries]
    assert "sign-in:oidc:account" in tags
    assert "sign-in:desk:begin" in tags
    refused = next(one for one in entries if one.tag == "sign-in:oidc:refused")
    assert b"oidc_no_role" in refused.entry
    text = b"".join(one.entry for one in entries).decode()
    assert not [word for word in ("hanako", "花子", "役割 無し") if word in text]


async def test_the_sign_in_page_is_told_of_the_directory(town: Any) -> None:
    await town.town_of("okayama")
    _, body = await town.stranger().request("GET", "/api/v1/municipalities")
    told = {one["slug"]: one["directory"] for one in body["municipalities"]}
    assert told == {"kasaoka": {"name": None}, "okayama": None}


async def test_a_municipality_without_a_directory_has_none_to_sign_in_by(town: Any) -> None:
    await town.town_of("okayama")
    for slug in ("okayama", "nowhere"):
        status, body = await town.stranger().request(
            "POST", "/api/v1/oidc/begin", body={"municipality": slug}
        )
        assert (status, code_of(body)) == (404, "not_found")


async def test_another_municipalitys_directory_opens_nothing_here(
    make_world: Any, openid: Any, other_openid: Any, browser: Any, tmp_path: Path
) -> None:
    world = await make_world(
        oidc={
            "kasaoka": openid.settings(tmp_path),
            "okayama": other_openid.settings(tmp_path),
        }
    )
    await world.town_of("okayama")
    base = world.service.base_url
    openid.setup([f"{base}/signed-in/kasaoka"])
    other_openid.setup([f"{base}/signed-in/okayama"])
    page = world.stranger()
    ours = await begin(page, "kasaoka")
    cookies = dict(page.cookies)
    theirs = await browser.sign_in(await begin(page, "okayama"), "hanako")
    page.cookies = cookies
    own = await browser.sign_in(ours, "hanako")
    assert (await finish(page, theirs))[1]["error"]["code"] == "oidc_state"
    swapped = [
        (own | {"code": theirs["code"], "iss": theirs["iss"]}, "oidc_refused"),
        (own | {"code": theirs["code"]}, "oidc_refused"),
        (own | {"municipality": "okayama"}, "oidc_state"),
        (own | {"iss": None}, "oidc_refused"),
    ]
    for answer, code in swapped:
        status, body = await finish(page, answer)
        assert (status, code_of(body)) == (401, code)
    assert (await finish(page, own))[0] == 200


async def test_while_the_directory_is_away_one_is_told_and_passwords_still_open(
    make_world: Any, start_openid: Any, browser: Any, tmp_path: Path
) -> None:
    openid = start_openid()
    world = await with_directory(make_world, openid, tmp_path)
    page = world.stranger()
    answer = await browser.sign_in(await begin(page), "hanako")
    openid.stop()
    status, body = await finish(page, answer)
    assert (status, code_of(body)) == (503, "oidc_unreachable")
    again = await make_world.restart(world, oidc={"kasaoka": openid.settings(tmp_path)})
    page = again.stranger()
    status, body = await page.request("POST", "/api/v1/oidc/begin", body={"municipality": None})
    assert (status, code_of(body)) == (503, "oidc_unreachable")
    assert (await by_password(again, again.town.verifiers[0]))[0] == 200


async def by_password(world: Any, person: Any) -> tuple[int, Any]:
    token = await world.service.parts.sign_in.make_link(
        LinkPurpose.PASSWORD, world.town.municipality.id, person_id=person.id
    )
    page = world.stranger()
    body = {"token": token, "password": PASSWORD}
    assert (await page.request("POST", "/api/v1/password", body=body))[0] == 204
    body = {"municipality": "kasaoka", "login": person.login, "password": PASSWORD}
    status, answer = await page.request("POST", "/api/v1/sign-in", body=body)
    return status, answer


async def test_a_local_passkey_or_password_opens_nothing_without_the_directory(
    town: Any, browser: Any
) -> None:
    town.enforce({"people.second_factor_roles": ["verifier"]})
    page, _, _ = await sign_in(town, browser, "hanako")
    page.page, key = "sign-in", Authenticator(page.base_url)
    _, said = await page.request("GET", "/api/v1/half")
    page.csrf = said["csrf"]
    _, offer = await page.request("POST", "/api/v1/factors/passkeys/options", body={})
    made = {"name": "鍵", "credential": key.make(offer["options"]), "page": "desk"}
    status, said = await page.request("POST", "/api/v1/factors/passkeys", body=made)
    assert status == 200, said
    parts, home = town.service.parts, town.town.municipality.id
    person = await parts.people.person(home, said["you"]["person"]["id"])
    status, body = await by_passkey(town.stranger(), key)
    assert (status, code_of(body)) == (403, "oidc_only")
    status, body = await by_password(town, person)
    assert (status, code_of(body)) == (403, "oidc_only")
    again, _, _ = await sign_in(town, browser, "hanako")
    assert "__Host-desk" not in again.cookies
    status, said = await by_passkey(again, key)
    assert (status, said["you"]["person"]["id"]) == (200, person.id)


async def by_passkey(page: Any, key: Authenticator) -> tuple[int, Any]:
    _, said = await page.request("POST", "/api/v1/sign-in/passkey/options")
    body = {"credential": key.use(said["options"])}
    status, answer = await page.request("POST", "/api/v1/sign-in/passkey", body=body)
    return status, answer


async def test_passwords_can_be_switched_off_for_the_roles_that_a_directory_gives(
    make_world: Any, openid: Any, tmp_path: Path
) -> None:
    world = await with_directory(make_world, openid, tmp_path, local_sign_in=False)
    status, body = await by_password(world, world.town.verifiers[0])
    assert (status, code_of(body)) == (403, "oidc_only")
    assert (await by_password(world, world.town.administrator))[0] == 200


async def test_a_directory_that_vouches_for_no_second_factor_is_half_a_sign_in(
    town: Any, browser: Any
) -> None:
    town.enforce({"people.second_factor_roles": ["verifier"]})
    page, status, body = await sign_in(town, browser, "hanako")
    assert (status, body["page"]) == (200, "/sign-in?page=desk#half")
    assert "__Host-desk" not in page.cookies
    assert (await page.request("GET", "/api/v1/me"))[0] == 401
