"""Whoever signs in by the directory manages and recovers factors without a password here."""

from typing import Any

import pyotp

from security.people import Role
from tests.server.oidc.test_oidc_sign_in import code_of, finish, sign_in, town
from tests.server.test_recovery import administrators

__all__ = ["town"]
ASKED = {"people.second_factor_roles": ["verifier"]}


async def anew(world: Any, browser: Any, login: str) -> Any:
    """Return the page of a sign-in in which the directory has asked who it is."""
    page = world.stranger()
    body = {"municipality": "kasaoka", "anew": True}
    _, said = await page.request("POST", "/api/v1/oidc/begin", body=body)
    assert "prompt=login" in said["go"]
    status, said = await finish(page, await browser.sign_in(said["go"], login))
    assert status == 200, said
    page.page = "sign-in" if "#half" in said["page"] else "desk"
    _, me = await page.request("GET", "/api/v1/half" if page.page == "sign-in" else "/api/v1/me")
    page.csrf = me["csrf"]
    return page


async def call(page: Any, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    status, said = await page.request(method, f"/api/v1/{path}", body=body)
    return status, said


async def enrolled(page: Any) -> pyotp.TOTP:
    """Set up an authenticator app in half a sign-in or a whole one."""
    status, offer = await call(page, "POST", "factors/totp", {})
    assert status == 200, offer
    app = pyotp.TOTP(offer["secret"])
    body = {"code": app.now(), "page": "desk"}
    status, said = await call(page, "POST", "factors/totp/confirm", body)
    assert status == 200, said
    return app


async def test_the_directory_asks_anew_before_a_factor_is_added_or_taken_away(
    town: Any, browser: Any
) -> None:
    page, _, _ = await sign_in(town, browser, "hanako")
    _, me = await call(page, "GET", "me")
    page.csrf = me["csrf"]
    status, said = await call(page, "POST", "factors/totp", {"password": "something"})
    assert (status, code_of(said)) == (403, "directory_again")
    again = await anew(town, browser, "hanako")
    _, shown = await call(again, "GET", "factors")
    assert (shown["directory"], shown["fresh"]) == ("kasaoka", True)
    await enrolled(again)
    _, shown = await call(again, "GET", "factors")
    town.clock.advance(minutes=11)
    body = {"factor": shown["totp"]["id"], "password": None}
    status, said = await call(again, "POST", "factors/remove", body)
    assert (status, code_of(said)) == (403, "directory_again")


async def test_it_counts_on_when_half_a_sign_in_becomes_whole(town: Any, browser: Any) -> None:
    town.enforce(ASKED)
    first = await anew(town, browser, "hanako")
    app = await enrolled(first)
    half = await anew(town, browser, "hanako")
    assert half.page == "sign-in"
    town.clock.advance(seconds=60)
    code = app.at(town.clock())
    status, said = await call(half, "POST", "sign-in/code", {"code": code, "page": "desk"})
    assert status == 200, said
    half.page, half.csrf = "desk", said["csrf"]
    assert (await call(half, "POST", "factors/totp", {}))[0] == 200


async def test_a_lost_factor_is_recovered_by_link_and_directory_together(
    town: Any, browser: Any
) -> None:
    admins = await administrators(town)
    town.enforce(ASKED)
    lost = await anew(town, browser, "hanako")
    await enrolled(lost)
    parts, home = town.service.parts, town.town.municipality.id
    (person,) = [p for p in await parts.people.people(home) if p.login == "hanako"]
    assert person.role is Role.VERIFIER
    asking = await anew(town, browser, "hanako")
    assert (await call(asking, "POST", "recovery"))[0] == 204
    assert (await call(admins[0], "POST", f"recoveries/{person.id}/start"))[0] == 200
    _, made = await call(admins[1], "POST", f"recoveries/{person.id}/confirm")
    token = made["link"].split("#")[1]
    stranger = town.stranger("sign-in")
    for page, body in (
        (stranger, {"token": token, "password": None}),
        (stranger, {"token": token, "password": "no password is known here"}),
    ):
        status, said = await call(page, "POST", "recovery/link", body)
        assert status in (401, 403), said
    browser.http.cookie_jar.clear()
    another = await anew(town, browser, "taro")
    status, said = await call(another, "POST", "recovery/link", {"token": token})
    assert (status, code_of(said)) == (403, "directory_again")
    browser.http.cookie_jar.clear()
    proven = await anew(town, browser, "hanako")
    status, said = await call(proven, "POST", "recovery/link", {"token": token})
    assert (status, said["half"]["recovering"]) == (200, True)
    proven.csrf = said["csrf"]
    await enrolled(proven)
    past = parts.clock().replace(year=2020)
    tags = [one.tag for one in await parts.audit.since(home, past, limit=1000)]
    assert "factor:recovery:done" in tags
    assert tags.count("sign-in:oidc:anew") == 4
