"""What another system reads by its token: its scopes, from its networks, while it counts."""

import csv
import json
import sqlite3
from io import BytesIO
from typing import Any

import pytest

from server.calls.call import Outcome
from server.records.verify import STEPS, Verifier

Json = dict[str, Any]
HERE = ["127.0.0.0/8", "::1/128"]


async def token_of(world: Any, *scopes: str, **terms: Any) -> tuple[str, str, Any]:
    """Return a token as the administrator is shown it, its id, and the administrator's page."""
    page = await world.signed_in(world.town.administrator)
    body = {"name": "統計", "scopes": list(scopes), "networks": HERE, **terms}
    status, said = await page.request("POST", "/api/v1/tokens", body=body)
    assert status == 201, said
    return said["token"], said["item"]["id"], page


async def get(world: Any, path: str, token: str | None = None, **query: str) -> tuple[int, Any]:
    """Return status and answer of what another system asks."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = world.service.base_url.replace("localhost", "127.0.0.1") + f"/api/v1/rest/{path}"
    async with world.http.get(url, headers=headers, params=query) as response:
        raw = await response.read()
        json_said = response.content_type == "application/json"
        return response.status, json.loads(raw) if json_said else raw


async def noted(world: Any) -> list[tuple[str, bytes]]:
    """Return tags and entries of the audit log."""
    log, home = world.service.parts.audit, world.town.municipality.id
    start = world.service.parts.clock().replace(year=2020)
    return [(one.tag, one.entry) for one in await log.since(home, start, limit=9_999)]


async def test_records_are_read_page_by_page_with_ids_alone(world: Any, closing: Any) -> None:
    token, _, _ = await token_of(world, "records")
    calls = [await closing() for _ in range(5)]
    await closing(training=True)
    found, after = [], None
    for _ in range(3):
        more: dict[str, str] = {"after": after} if after else {}
        status, said = await get(world, "records", token, limit="2", **more)
        assert status == 200, said
        found += said["records"]
        after = said["next"]
    assert [one["call"] for one in found] == [one.id for one in calls]
    assert after is None
    assert all(one["record"] for one in found)
    assert world.town.clerk.name not in json.dumps(found, ensure_ascii=False)
    status, one = await get(world, f"records/{calls[0].id}", token)
    assert (status, one) == (200, found[0])


async def test_a_bundle_goes_into_networks_that_officers_have_named_and_verifies(
    world: Any, closing: Any
) -> None:
    # The administrator who makes the token reads no evidence by it.
    token, token_id, page = await token_of(world, "records", "bundles")
    call = await closing(Outcome.REFUSED)
    path = f"records/{call.id}/bundle"
    for number, elsewhere in enumerate(([], ["10.0.0.0/8", "::1/128"]), 1):
        world.enforce({"hooks.bundle_networks": elsewhere}, number)
        status, said = await get(world, path, token)
        assert (status, said["error"]["code"]) == (403, "bundle_network")
    world.enforce({"hooks.bundle_networks": ["127.0.0.0/8"]}, 3)
    _, shown = await page.request("GET", "/api/v1/tokens")
    assert shown["bundle_networks"] == ["127.0.0.0/8"]
    status, data = await get(world, path, token)
    assert status == 200
    tags = {tag: json.loads(entry) for tag, entry in await noted(world)}
    assert tags["record:bundle:taken"]["detail"] == {"token": token_id}
    assert tags["gate:rest:bundle"]["facts"]["actor"]["token"] == token_id
    key = await world.service.parts.records.keys.public_key(world.town.municipality.id)
    assert len(list(Verifier(BytesIO(data), key).run())) == len(STEPS)


async def test_a_token_opens_its_scopes_from_its_networks_at_home_while_it_counts(
    world: Any, closing: Any
) -> None:
    call = await closing()
    token, token_id, page = await token_of(world, "counts")
    paths = ("records", f"records/{call.id}", f"records/{call.id}/bundle")
    for path in paths:
        status, said = await get(world, path, token)
        assert (status, said["error"]["code"]) == (403, "denied")
    assert (await get(world, "counts", token))[0] == 200
    elsewhere, _, _ = await token_of(world, "counts", "records", networks=["10.0.0.0/8"])
    status, said = await get(world, "counts", elsewhere)
    assert (status, said["error"]["code"]) == (403, "token_network")
    away = await world.town_of("ibara")
    other = await world.signed_in(away.administrator, away)
    status, made = await other.request(
        "POST", "/api/v1/tokens", body={"name": "a", "scopes": ["records"], "networks": HERE}
    )
    assert status == 201
    assert (await get(world, f"records/{call.id}", made["token"]))[0] == 404
    assert (await get(world, "records", made["token"]))[1]["records"] == []
    assert (await other.request("POST", f"/api/v1/tokens/{token_id}/revoke"))[0] == 404
    status, _ = await page.request("POST", f"/api/v1/tokens/{token_id}/revoke")
    assert status == 204
    for _ in range(5):
        status, said = await get(world, "counts", token)
        assert (status, said["error"]["code"]) == (401, "bad_token")
    told = [json.loads(x)["detail"] for tag, x in await noted(world) if tag.endswith(":refused")]
    assert told == [{"count": 1, "why": "revoked"}]  # the others are counted, not written each
    assert world.service.parts.bad_tokens.total == 5
    world.clock.advance(hours=1)
    await get(world, "counts", token)
    told = [json.loads(x)["detail"] for tag, x in await noted(world) if tag.endswith(":refused")]
    assert told[1:] == [{"count": 5, "why": "revoked"}]
    short, _, _ = await token_of(world, "counts", days=1)
    world.clock.advance(hours=25)
    assert (await get(world, "counts", short))[0] == 401


async def test_a_token_is_shown_once_and_its_hash_alone_is_kept(world: Any) -> None:
    token, _, page = await token_of(world, "records")
    _, said = await page.request("GET", "/api/v1/tokens")
    assert token not in json.dumps(said)
    file = world.service.parts.settings.data.folder / "madoguchi.sqlite"
    database = sqlite3.connect(file)
    try:
        rows = list(database.execute("SELECT * FROM api_token"))
    finally:
        database.close()
    assert token not in repr(rows)
    assert token[4:] not in repr(rows)


ODD_TERMS: tuple[Json, ...] = (
    {"scopes": ["everything"]},
    {"networks": ["10.0.0.1/8"]},
    {"networks": ["here"]},
)


async def test_terms_that_cannot_be_are_refused(world: Any) -> None:
    page = await world.signed_in(world.town.administrator)
    for terms in ODD_TERMS:
        body = {"name": "a", "scopes": ["records"], "networks": HERE, **terms}
        status, said = await page.request("POST", "/api/v1/tokens", body=body)
        assert (status, said["error"]["code"]) == (400, "bad_key_terms"), terms


async def test_no_cookie_and_no_made_up_token_opens_anything(world: Any) -> None:
    page = await world.signed_in(world.town.administrator)
    status, _ = await page.request("GET", "/api/v1/rest/counts")
    assert status == 401
    for given in (None, "mdt_", "mdt_" + "a" * 43, "x" * 5000, "mdt_あ"):
        headers = {} if given is None else {"Authorization": f"Bearer {given}"}
        url = world.service.base_url + "/api/v1/rest/counts"
        async with world.http.get(url, headers=headers) as response:
            assert response.status == 401


async def test_odd_queries_are_told_what_is_wrong(world: Any) -> None:
    token, _, _ = await token_of(world, "records", "counts")
    for query in (
        {"limit": "0"},
        {"limit": "９"},
        {"after": "x"},
        {"after": "é"},
        {"from": "yesterday"},
        {"from": "2026-11-23T00:00:00"},
        {"from": "20261123T000000Z"},
        {"from": "2026-11-31T00:00:00Z"},
        {"to": ""},
    ):
        status, _ = await get(world, "records", token, **query)
        assert status == 400, query
    for query in (
        {"from": "0001-01-01T00:00:00+14:00", "to": "9999-12-31t23:59:59.1234567-14:00"},
        {"from": "2016-12-31T23:59:60Z", "after": "0." + "a" * 22},
        {"from": "2026-01-01T00:00:00Z", "to": "2025-01-01T00:00:00Z"},
    ):
        status, said = await get(world, "records", token, **query)
        assert (status, said) == (200, {"records": [], "next": None}), query
    for month in ("2026-13", "26-11", "2026-1", "２０２６-11", ""):
        assert (await get(world, "counts", token, month=month))[0] == 400


async def counts(world: Any, **query: str) -> Any:
    """Return the counts as a page opened now shows them."""
    page = await world.signed_in(world.town.administrator)
    path = "/api/v1/counts?" + "&".join(f"{k}={v}" for k, v in {**query, "page": "officer"}.items())
    status, said = await page.request("GET", path)
    assert status == 200, said
    return said


async def test_a_closed_month_never_changes_and_corrections_are_added(
    world: Any, closing: Any
) -> None:
    world.clock.advance(days=40)
    month = (await counts(world))["month"]
    for outcome in (Outcome.VERIFIED, Outcome.VERIFIED, Outcome.RETURNED):
        await closing(outcome)
    await closing(training=True)
    late = await closing.place()
    said = await counts(world)
    assert {(one["outcome"], one["count"]) for one in said["rows"]} == {
        ("verified", 2),
        ("returned", 1),
    }
    assert said["closed_at"] is None
    world.clock.advance(days=32)
    await closing.close(late)  # in the month after: it is counted there
    before = await counts(world, month=month)
    assert before["closed_at"] is not None
    page = await world.signed_in(world.town.administrator)
    body = {
        "month": month,
        "office": world.town.office.id,
        "procedure": "new-issue",
        "outcome": "returned",
        "difference": -1,
        "reason": "二重に受け付けていた",
    }
    assert (await page.request("POST", "/api/v1/counts/corrections", body=body))[0] == 201
    status, refused = await page.request("POST", "/api/v1/counts/corrections", body=body)
    assert (status, refused["error"]["code"]) == (409, "count_negative")
    open_month = {**body, "month": before["months"][0], "difference": 1}
    status, refused = await page.request("POST", "/api/v1/counts/corrections", body=open_month)
    assert (status, refused["error"]["code"]) == (409, "month_open")
    after = await counts(world, month=month)
    assert (after["sha256"], after["closed_at"]) == (before["sha256"], before["closed_at"])
    rows = {one["outcome"]: (one["count"], one["corrected"], one["total"]) for one in after["rows"]}
    assert rows == {"verified": (2, 0, 2), "returned": (1, -1, 0)}
    assert [one["reason"] for one in after["corrections"]] == [body["reason"]]
    await not_by_the_database(world, month, body["reason"])


async def not_by_the_database(world: Any, month: str, reason: str) -> None:
    """Claim that the table refuses changes, that a forced one is found, and what the log has."""
    database, parts = world.service.parts.database, world.service.parts
    with pytest.raises(Exception, match="append-only"):
        async with database.writing() as connection:
            await connection.exec_driver_sql("UPDATE count_month SET statement = x'00'")
    entries = await parts.audit.since(
        world.town.municipality.id, parts.clock().replace(year=2020), limit=9999
    )
    noted = [json.loads(one.entry) for one in entries if one.tag == "count:month:close"]
    stored = await parts.counted.snapshots(world.town.municipality.id)
    assert stored[month].sha256.hex() in [one["detail"]["sha256"] for one in noted]
    async with database.writing() as connection:
        await connection.exec_driver_sql("DROP TRIGGER count_month_no_update")
        await connection.exec_driver_sql("UPDATE count_month SET statement = x'7b7d'")
    page = await world.signed_in(world.town.administrator)
    status, said = await page.request("GET", f"/api/v1/counts?month={month}&page=officer")
    assert (status, said["error"]["code"]) == (500, "corrupt")
    file = parts.settings.data.folder / "madoguchi.sqlite"
    assert reason.encode() not in file.read_bytes()


async def test_the_counts_open_in_a_spreadsheet_and_run_nothing(world: Any, closing: Any) -> None:
    office = world.town.office
    async with world.service.parts.database.writing() as connection:
        await connection.exec_driver_sql(
            "UPDATE office SET name = '=HYPERLINK(1)' WHERE id = ?", (office.id,)
        )
    await closing()
    page = await world.signed_in(world.town.administrator)
    status, raw = await page.request("GET", "/api/v1/counts/export")
    assert status == 200
    assert raw.startswith(b"\xef\xbb\xbf")
    (line,) = list(csv.DictReader(raw.decode("utf-8-sig").splitlines()))
    assert line["郵便局 office"] == "'=HYPERLINK(1)"
    assert (line["判定 outcome"], line["合計 total"]) == ("確認済み", "1")
    assert line["状態 state"] == "集計中 open"
    bad = "/api/v1/counts/export?from=2026-11&to=2020-01&page=officer"
    assert (await page.request("GET", bad))[0] == 400
