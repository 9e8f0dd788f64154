"""What stands between a browser and another site: headers, cookies, Origin, CSRF."""

from typing import Any

import pytest

from server.api.pages import PAGES


@pytest.mark.parametrize("path", sorted(PAGES))
async def test_every_page_carries_the_security_headers(world: Any, path: str) -> None:
    page = world.stranger()
    status, _ = await page.request("GET", path)
    assert status == 200
    csp = page.last_headers["Content-Security-Policy"]
    for part in ("default-src 'self'", "base-uri 'none'", "form-action 'self'"):
        assert part in csp
    assert "frame-ancestors 'none'" in csp
    assert "unsafe" not in csp
    assert page.last_headers["X-Content-Type-Options"] == "nosniff"
    assert page.last_headers["Referrer-Policy"] == "no-referrer"
    assert "camera=(self)" in page.last_headers["Permissions-Policy"]


async def test_cookies_are_host_only_and_out_of_reach_of_scripts(world: Any) -> None:
    desk = await world.desk()
    page = world.stranger()
    token = await world.service.parts.sign_in.make_link(
        "sign_in", world.town.municipality.id, person_id=world.town.verifiers[0].id
    )
    await page.request("POST", "/api/v1/links", body={"token": token})
    cookie = page.last_headers["Set-Cookie"]
    assert cookie.startswith("__Host-desk=")
    for attribute in ("HttpOnly", "Secure", "SameSite=Strict", "Path=/"):
        assert attribute in cookie
    assert "Domain" not in cookie
    assert desk.cookies["__Host-desk"] not in str(desk.last_headers)


@pytest.mark.parametrize("origin", ["", "null", "https://evil.example", "http://localhost:1"])
async def test_another_sites_requests_are_refused(world: Any, origin: str) -> None:
    desk = await world.desk()
    status, body = await desk.request("POST", "/api/v1/sign-out", headers={"Origin": origin})
    assert (status, body["error"]["code"]) == (403, "origin")
    assert (await desk.request("GET", "/api/v1/me"))[0] == 200


async def test_another_sites_socket_is_refused(world: Any) -> None:
    desk = await world.desk()
    url = f"{desk.base_url}/api/v1/ws?page=desk"
    headers = desk.headers | {"Origin": "https://evil.example"}
    async with desk.http.get(url, headers=headers) as response:
        assert response.status == 403
        assert (await response.json())["error"]["code"] == "origin"


async def test_a_request_without_its_csrf_token_is_refused(world: Any) -> None:
    desk, other = await world.desk(0), await world.desk(1)
    for token in ("", "x", other.csrf):
        desk.csrf = token
        status, body = await desk.request("POST", "/api/v1/sign-out")
        assert (status, body["error"]["code"]) == (403, "csrf")


async def test_errors_have_one_shape(world: Any) -> None:
    page = world.stranger()
    for method, path, status in (
        ("GET", "/nothing", 404),
        ("GET", "/api/v1/me", 401),
        ("PUT", "/healthz", 405),
        ("POST", "/api/v1/links", 400),
    ):
        got, body = await page.request(method, path)
        if method == "PUT":
            assert got in (403, 405)
        else:
            assert got == status, (path, body)
        assert set(body["error"]) >= {"code", "message", "reasons", "request_id"}


async def test_a_body_over_its_limit_is_refused(world: Any) -> None:
    page = world.stranger()
    status, body = await page.request("POST", "/api/v1/links", body={"token": "x" * 70_000})
    assert (status, body["error"]["code"]) == (413, "too_large")
    assert body["error"]["limit"] == 65536


async def test_the_openapi_document_names_every_route(world: Any) -> None:
    page = world.stranger()
    _, document = await page.request("GET", "/api/openapi.json")
    from server.app import create_app

    named = {(m.upper(), p) for p, ms in document["paths"].items() for m in ms}
    app = create_app(world.service.parts)
    for route in app.router.routes():
        path = route.resource.canonical if route.resource else ""
        if not path.startswith("/api/v1") or path == "/api/v1/ws" or route.method == "HEAD":
            continue
        assert (route.method, path) in named
