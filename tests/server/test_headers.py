"""What stands between a browser and another site: headers, cookies, Origin, CSRF."""

from pathlib import Path
from typing import Any

import pytest

from server.api.pages import PAGES
from server.demo.authority import issue


@pytest.mark.parametrize("path", sorted(PAGES))
async def test_every_page_carries_the_security_headers(world: Any, path: str) -> None:
    page = world.stranger()
    status, _ = await page.request("GET", path.format(municipality="kasaoka"))
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
    stranger, desk = world.stranger(), await world.desk()
    for page, method, path, status in (
        (stranger, "GET", "/nothing", 404),
        (stranger, "GET", "/api/v1/me", 401),
        (desk, "PUT", "/healthz", 405),
        (stranger, "POST", "/api/v1/links", 400),
    ):
        got, body = await page.request(method, path)
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


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "https://localhost:99999999"])
async def test_an_origin_that_is_no_origin_is_refused_like_any_other(
    world: Any, origin: str
) -> None:
    desk = await world.desk()
    status, body = await desk.request("POST", "/api/v1/sign-out", headers={"Origin": origin})
    assert (status, body["error"]["code"]) == (403, "origin")


async def test_metrics_are_for_this_machine_alone(world: Any) -> None:
    page = world.stranger()
    status, body = await page.request("GET", "/metrics")
    assert status == 200
    assert b'madoguchi_calls{state="talking"} 0.0' in body
    forwarded = {"X-Forwarded-For": "203.0.113.5"}
    assert (await page.request("GET", "/metrics", headers=forwarded))[0] == 404


async def test_hsts_comes_with_a_configured_certificate_only(
    make_world: Any, tmp_path: Path
) -> None:
    plain = await make_world()
    page = plain.stranger()
    await page.request("GET", "/healthz")
    assert "Strict-Transport-Security" not in page.last_headers
    issued = issue(("127.0.0.1",), now=plain.service.parts.clock())
    certificate, key = tmp_path / "leaf.pem", tmp_path / "leaf.key"
    certificate.write_bytes(issued.chain)
    key.write_bytes(issued.key)
    files = {"tls_certificate": str(certificate), "tls_key": str(key)}
    secured = await make_world.restart(plain, server={"host": "127.0.0.1", "port": 0, **files})
    page.base_url = secured.service.base_url
    await page.request("GET", "/healthz")
    assert "max-age" in page.last_headers["Strict-Transport-Security"]
