"""Another municipality's ids answer as if they did not exist, on every route."""

import re
from typing import Any

import pytest

from server.api.access import ROUTES, Access, ByToken, Open
from server.api.keys import PARTS
from server.app import create_app

IDS = {"call", "file", "tablet"}
# Walked with ids of the own town by the people of another one in test_walk.py, and, of the
# officer's page and of recoveries, in test_policy_versions.py and test_recovery.py.
IN_WALK = {"clerk", "delivery", "guest", "hook", "municipality", "number", "office", "opening"}
IN_WALK |= {"person", "record", "token", "worker"}
# Answers that are given before anything is looked for.
BY_ROLE = {(403, "denied"), (401, "signed_out")}
TUS = {"Tus-Resumable": "1.0.0"}


async def test_every_route_answers_404_to_another_municipality(world: Any) -> None:
    _, desk, call = await world.talking()
    file_id = await upload(desk, call["id"])
    home = {"call": call["id"], "file": file_id, "tablet": world.town.tablet.id}
    unknown = dict.fromkeys(IDS, "x" * 22)
    ibara = await world.town_of("ibara")
    strangers = [
        await world.desk(0, ibara),
        await world.signed_in(ibara.administrator, ibara),
        await world.counter(ibara),
    ]
    for method, path in routes_with_ids(world):
        for stranger in strangers:
            theirs, none = [
                await told(stranger, method, path.format(**ids)) for ids in (home, unknown)
            ]
            assert theirs == none, (method, path, stranger.page)
            assert theirs[0] == 404 or theirs in BY_ROLE, (method, path, stranger.page, theirs)


async def told(page: Any, method: str, path: str) -> tuple[int, str]:
    """Return status and code of the answer."""
    status, body = await page.request(method, path, headers=headers_for(method))
    return status, body["error"]["code"] if isinstance(body, dict) else ""


async def test_an_unknown_id_and_another_municipalitys_answer_alike(world: Any) -> None:
    _, _, call = await world.talking()
    stranger = await world.desk(0, await world.town_of("ibara"))
    answers = [
        await stranger.request("GET", f"/api/v1/calls/{call_id}")
        for call_id in (call["id"], "x" * 22)
    ]
    for status, body in answers:
        assert status == 404
        body["error"].pop("request_id")
    assert {a[1]["error"]["code"] for a in answers} == {"not_found"}


async def test_another_municipalitys_call_cannot_be_accepted_or_passed(world: Any) -> None:
    counter = await world.counter()
    await counter.connect()
    place = {
        "procedure": "new-issue",
        "consent": {"video": True, "text_version": "1", "language": "ja"},
    }
    call = (await counter.do("call.place", **place))["call"]
    stranger = await world.desk(0, await world.town_of("ibara"))
    welcome = await stranger.connect()
    assert welcome["state"]["queue"]["waiting"] == []
    for kind in ("call.accept", "call.pass"):
        for call_id in (call["id"], "x" * 22):
            with pytest.raises(Exception, match="call_taken"):
                await stranger.do(kind, call=call_id)


async def test_a_colleague_who_is_no_party_reads_neither_call_nor_file(world: Any) -> None:
    _, desk, call = await world.talking()
    file_id = await upload(desk, call["id"])
    colleague = await world.desk(1)
    for path in (
        f"/api/v1/calls/{call['id']}",
        f"/api/v1/calls/{call['id']}/files/{file_id}/content",
    ):
        status, body = await colleague.request("GET", path)
        assert (status, body["error"]["code"]) == (403, "not_your_call")


async def test_nobody_gets_anything_without_signing_in(world: Any) -> None:
    stranger = world.stranger("desk")
    ids = {**dict.fromkeys(IDS | IN_WALK, "x" * 22), "number": "1"}
    for method, path in every_route(world):
        if isinstance(access_of(method, path), Open):
            continue
        status, body = await stranger.request(
            method, path.format(**ids), headers=headers_for(method)
        )
        assert status in (401, 403), (method, path, status, body)


def headers_for(method: str) -> dict[str, str]:
    """Return headers with which a request of tus gets past its form."""
    if method == "PATCH":
        kind = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
        return TUS | kind
    if method == "POST":
        meta = "filename YQ==,sha256 " + "MDAw" * 21 + "MA=="
        return TUS | {"Upload-Length": "5", "Upload-Metadata": meta}
    return TUS if method in ("HEAD", "DELETE") else {}


def every_route(world: Any) -> list[tuple[str, str]]:
    """Return method and path of each route of the application."""
    app = create_app(world.service.parts)
    assert app[PARTS] is world.service.parts
    found = []
    for route in app.router.routes():
        path = route.resource.canonical if route.resource else ""
        if route.method != "*" and not path.startswith("/static"):
            found.append((route.method, path))
    return sorted(set(found))


def access_of(method: str, path: str) -> Access:
    """Return what stands before a route; HEAD is answered where GET is."""
    return ROUTES.get((method, path)) or ROUTES["GET", path]


def routes_with_ids(world: Any) -> list[tuple[str, str]]:
    """Return the routes that name somebody's thing; OPTIONS says the same to everybody."""
    found = []
    for method, path in every_route(world):
        named = set(re.findall(r"{(\w+)}", path))
        assert named <= IDS | IN_WALK, f"{path} is new: enter whose id it takes"
        if isinstance(access_of(method, path), ByToken):
            continue  # of other systems: tests/server/hooks/test_rest.py
        if named and named <= IDS and method != "OPTIONS":
            found.append((method, path))
    return found


async def upload(page: Any, call_id: str) -> str:
    """Begin an upload and return its id."""
    import base64
    import hashlib

    data = b"%PDF-1.4\n%%EOF\n"
    digest = base64.b64encode(hashlib.sha256(data).hexdigest().encode()).decode()
    status, body = await page.request(
        "POST",
        f"/api/v1/calls/{call_id}/files",
        headers=TUS
        | {
            "Upload-Length": str(len(data)),
            "Upload-Metadata": f"filename YS5wZGY=,sha256 {digest}",
        },
    )
    assert status == 201, body
    return str(page.last_headers["Location"].split("?")[0].rsplit("/", 1)[1])
