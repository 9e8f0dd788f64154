"""The record of a call over the real service: made with the close, searched, exported, added to."""

import asyncio
import io
import json
import sqlite3
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from prometheus_client import generate_latest

from security.errors import Conflict, Corrupt, NotFound
from security.ids import new_id
from security.people import Person, Role
from server import record_keeper
from server.api.housekeeping import make_owed_records
from server.db import schema as t
from server.metrics import collected
from server.policies import ZONE
from server.records.bundle import sha256_hex
from server.records.compose import Known
from server.records.compose import compose as composed
from server.records.record import Record, read_record
from server.records.verify import STEPS, Done, Failed, Verifier
from tests.support.tampered_bundles import tampered

PDF = b"%PDF-1.4\n" + b"1 0 obj <<>> endobj\n" * 50 + b"trailer <<>>\n%%EOF\n"
# One white pixel.
PICTURE = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsTj2FAAAAABJRU5ErkJggg=="
)
Json = dict[str, Any]
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


async def _closed(world: Any, *, chat: str = "よろしくお願いします。", file: bool = True) -> Json:
    """Return a call that was talked in, and closed with 差戻し."""
    counter, desk, call = await world.talking()
    await counter.do("chat.send", id="a1", text=chat)
    if file:
        await world.send_file(counter, call["id"], PDF)
        await desk.until_that(lambda m: m["type"] == "file" and m["file"]["state"] == "offered")
    await desk.do("call.close", outcome="returned", reason="写しが読めません")
    found: Json = await counter.until_state("closed")
    return found


async def _record(world: Any, call: Json) -> tuple[str, Record]:
    parts, home = world.service.parts, world.town.municipality.id
    record_id = await parts.records.store.id_of_call(home, call["id"])
    assert record_id is not None
    return record_id, read_record((await parts.records.store.get(home, record_id)).record.content)


async def _verified(world: Any, record_id: str) -> list[Done]:
    parts, home = world.service.parts, world.town.municipality.id
    _, content = await parts.bundles.make(home, record_id, parts.clock())
    verifier = Verifier(io.BytesIO(content), await parts.records.keys.public_key(home))
    return list(verifier.run())


async def test_a_closed_call_has_a_record_whose_bundle_verifies(world: Any) -> None:
    call = await _closed(world)
    record_id, record = await _record(world, call)
    town = world.town
    assert (record.number, record.outcome.value, record.reason) == (
        call["number"], "returned", "写しが読めません",
    )  # fmt: skip
    assert record.people.verifier.name == town.verifiers[0].name
    assert record.people.clerk.name == town.clerk.name
    assert (record.training, record.chat.messages) == (True, 1)
    assert [(one.kind, one.state) for one in record.evidence] == [("file", "offered")]
    assert record.left > 0
    assert len(await _verified(world, record_id)) == len(STEPS)


async def test_tampered_copies_of_a_real_bundle_are_refused_each_for_its_reason(world: Any) -> None:
    record_id, _ = await _record(world, await _closed(world))
    parts, home = world.service.parts, world.town.municipality.id
    key = await parts.records.keys.signing_key(home)
    _, whole = await parts.bundles.make(home, record_id, parts.clock())
    copies = tampered(whole, key)
    assert len({one.name for one in tampered(whole)}) >= 12
    assert {one.step for one in copies} == set(range(1, len(STEPS) + 1))
    for one in copies:
        with pytest.raises(Failed) as failed:
            list(Verifier(io.BytesIO(one.content), key.public_key().public_bytes_raw()).run())
        assert (failed.value.number, one.why in failed.value.why) == (one.step, True), one.name


async def test_a_call_that_nobody_answered_has_no_record(world: Any) -> None:
    counter = await world.counter()
    await counter.connect()
    call = (await counter.do("call.place", **PLACE))["call"]
    await counter.do("call.withdraw")
    home = world.town.municipality.id
    assert await world.service.parts.records.store.id_of_call(home, call["id"]) is None
    assert await world.service.parts.records.find_owed() == 0


PLACE: Json = {
    "procedure": "new-issue",
    "consent": {"video": True, "text_version": "1", "language": "ja"},
}


async def test_a_record_that_could_not_be_written_leaves_the_call_open(world: Any) -> None:
    counter, desk, call = await world.talking()
    parts = world.service.parts
    world.sql(
        "CREATE TRIGGER no_record BEFORE INSERT ON record BEGIN SELECT RAISE(ABORT, 'x'); END"
    )
    with pytest.raises(Exception, match=r".+"):
        await desk.do("call.close", outcome="aborted", reason="x")
    assert world.sql(f"SELECT state FROM call WHERE id = '{call['id']}'") == [("talking",)]
    world.sql("DROP TRIGGER no_record")
    await desk.do("call.close", outcome="aborted", reason="x")
    await counter.until_state("closed")
    assert await parts.records.store.id_of_call(world.town.municipality.id, call["id"])


async def test_a_record_that_is_owed_is_made_at_the_next_start(world: Any) -> None:
    call = await _closed(world, file=False)
    before = (await _record(world, call))[1]
    world.sql("DROP TRIGGER record_no_delete")
    world.sql("DELETE FROM record")
    assert await world.service.parts.records.find_owed() == 1
    record_id, record = await _record(world, call)
    assert record.times == before.times
    assert record.people == before.people
    assert len(await _verified(world, record_id)) == len(STEPS)
    assert await world.service.parts.records.find_owed() == 0


async def test_a_record_that_cannot_be_made_stops_no_other_and_is_made_later(
    world: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken = set[str]()

    def compose(known: Known) -> Record:
        if known.call.id in broken:
            raise RuntimeError("例示 さくら")
        return composed(known)

    monkeypatch.setattr(record_keeper, "compose", compose)
    parts, home = world.service.parts, world.town.municipality.id
    counter, desk, first = await world.talking()
    broken.add(first["id"])
    await desk.do("call.close", outcome="returned", reason="x")
    closed = await counter.until_state("closed")
    second = (await counter.do("call.place", **PLACE))["call"]
    await desk.do("call.accept", call=second["id"])
    await desk.do("call.close", outcome="returned", reason="x")
    await counter.until_that(lambda m: (m.get("call") or {}).get("id") == second["id"])
    assert parts.records.owed == {(home, first["id"])}
    world.sql("DROP TRIGGER record_no_delete")
    world.sql("DELETE FROM record")
    world.clock.advance(minutes=5)
    world.enforce({"people.senior_approval": "always"})
    assert await parts.records.find_owed() == 1
    assert (await _record(world, second))[1].policy.version == 0
    assert generate_latest(collected(parts)).count(b"madoguchi_records_owed 1.0") == 1
    assert "例示" not in caplog.text
    broken.clear()
    await make_owed_records(parts)
    record_id, record = await _record(world, first)
    assert (record.policy.version, record.times.closed[:19]) == (0, closed["closed_at"][:19])
    assert len(await _verified(world, record_id)) == len(STEPS)
    assert parts.records.owed == set()


async def test_a_closed_record_never_changes(world: Any) -> None:
    call = await _closed(world, file=False)
    await _record(world, call)
    for statement in ("UPDATE record SET signature = x'00'", "DELETE FROM record"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            world.sql(statement)


async def test_a_correction_is_a_linked_addition_with_its_own_signature(world: Any) -> None:
    parts, home = world.service.parts, world.town.municipality.id
    record_id, record = await _record(world, await _closed(world, file=False))
    by: Person = world.town.verifiers[1]
    now = parts.clock()
    for number in (0, 1):
        kept = await parts.records.add(home, record_id, f"訂正{number}", by, now, after=number)
    assert len(kept.additions) == 2
    assert read_record(kept.record.content) == record
    assert (await _verified(world, record_id))[7].note == "2 additions"
    with pytest.raises(Conflict):
        await parts.records.add(home, record_id, "また", by, now, after=1)


async def test_another_municipality_has_no_such_record(world: Any) -> None:
    record_id, _ = await _record(world, await _closed(world, file=False))
    other = await world.town_of("ibara")
    with pytest.raises(NotFound):
        await world.service.parts.records.store.get(other.municipality.id, record_id)


async def test_a_changed_log_is_found_by_the_bundle(world: Any) -> None:
    record_id, record = await _record(world, await _closed(world, file=False))
    assert await _verified(world, record_id)
    first = record.audit.first.position
    world.sql("DROP TRIGGER audit_entry_no_update")
    world.sql(f"UPDATE audit_entry SET entry = x'7b7d' WHERE position = {first + 1}")
    with pytest.raises(Corrupt, match="step 15"):
        await _verified(world, record_id)


async def test_what_was_deleted_after_its_time_is_told_by_its_proof(world: Any) -> None:
    record_id, _ = await _record(world, await _closed(world))
    parts, home = world.service.parts, world.town.municipality.id
    world.enforce({"retention.chat_days": 1, "retention.files_days": 1})
    # Of 研修モード everything would go at the day's end: this one counts as a real one.
    world.sql("UPDATE call SET training = 0")
    await parts.retention.run(home, parts.clock() + timedelta(days=2))
    notes = {one.name: one.note for one in await _verified(world, record_id)}
    assert notes["chat"] == "deleted, with proof"
    assert notes["evidence"] == "0 there, 1 deleted, with proof"


async def test_a_record_of_training_goes_with_its_call(world: Any) -> None:
    record_id, _ = await _record(world, await _closed(world))
    parts, home = world.service.parts, world.town.municipality.id
    await parts.records.add(
        home, record_id, "訂正", world.town.verifiers[0], parts.clock(), after=0
    )
    await parts.retention.run(home, parts.clock() + timedelta(days=2))
    with pytest.raises(NotFound):
        await parts.records.store.get(home, record_id)
    async with parts.database.reading() as connection:
        count = sa.select(sa.func.count()).select_from(t.record_addition)
        assert (await connection.execute(count)).scalar_one() == 0
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        await asyncio.to_thread(_changed_file, parts.settings.data.folder)


def _changed_file(folder: Path) -> None:
    """Put an empty record there and try to delete it: the guard stands again."""
    database = sqlite3.connect(folder / "madoguchi.sqlite")
    try:
        database.execute("INSERT INTO record VALUES ('r', 'm', 'c', x'', x'')")
        database.execute("DELETE FROM record")
    finally:
        database.close()


async def test_the_outbox_tells_of_a_record_without_a_name(world: Any) -> None:
    call = await _closed(world, file=False)
    record_id, record = await _record(world, call)
    rows = world.sql("SELECT data FROM outbox WHERE type = 'record.closed'")
    said = json.loads(rows[0][0])
    assert (said["record"], said["number"]) == (record_id, record.number)
    assert record.people.verifier.name not in rows[0][0].decode()


async def test_the_outbox_tells_of_a_correction_in_the_same_transaction(world: Any) -> None:
    parts, home = world.service.parts, world.town.municipality.id
    call = await _closed(world, file=False)
    record_id, record = await _record(world, call)
    by: Person = world.town.verifiers[1]
    await parts.records.add(home, record_id, "生年月日の訂正", by, parts.clock(), after=0)
    ((subject, data, training),) = world.sql(
        "SELECT subject, data, training FROM outbox WHERE type = 'record.added'"
    )
    content = (await parts.records.store.get(home, record_id)).additions[0].content
    assert (subject, bool(training)) == (call["id"], True)
    assert json.loads(data) == {
        "record": record_id, "call": call["id"], "number": record.number, "addition": 1,
        "sha256": sha256_hex(content), "training": True,
    }  # fmt: skip
    with pytest.raises(Conflict):
        await parts.records.add(home, record_id, "また", by, parts.clock(), after=0)
    assert world.sql("SELECT count(*) FROM outbox WHERE type = 'record.added'") == [(1,)]


async def test_a_record_is_found_read_verified_and_corrected_over_http(world: Any) -> None:
    call = await _closed(world, file=False)
    record_id, record = await _record(world, call)
    desk = await world.desk(1)
    town, path = world.town, f"/api/v1/records/{record_id}"
    day = world.clock().astimezone(ZONE).date()
    hits = {
        f"number={record.number}": 1, "number=R-000000-0000": 0, f"day={day}": 1,
        "day=2001-01-01": 0, f"office={town.office.id}": 1, f"person={town.clerk.id}": 1,
        f"person={town.administrator.id}": 0,
    }  # fmt: skip
    for query, count in hits.items():
        status, said = await desk.request("GET", f"/api/v1/records?page=desk&{query}")
        assert (status, len(said["records"])) == (200, count), query
    assert (await desk.request("GET", "/api/v1/records?page=desk&day=x"))[0] == 400
    _, shown = await desk.request("GET", path)
    assert shown["record"]["number"] == record.number
    _, checked = await desk.request("POST", f"{path}/verify", body={})
    assert (len(checked["steps"]), checked["failed"]) == (len(STEPS), None)
    body = {"after": 0, "text": "生年月日の読み違いを訂正"}
    status, added = await desk.request("POST", f"{path}/additions", body=body)
    assert (status, added["additions"][0]["text"]) == (200, body["text"])
    assert (await desk.request("POST", f"{path}/additions", body=body))[0] == 409
    # A verifier takes nothing out of the house; that, too, stands in the log.
    assert (await desk.request("GET", f"{path}/bundle"))[0] == 403
    assert await world.refusals("gate:record:export") == [(record_id, ["denied"])]
    log = await world.service.parts.audit.since(town.municipality.id, EPOCH, limit=10_000)
    looked = [json.loads(x.entry) for x in log if x.tag == "gate:record:read"]
    by = {one["facts"]["actor"]["person"] for one in looked if one["subject"] == record_id}
    assert by == {town.verifiers[1].id}


async def _auditor(world: Any) -> Any:
    """Return the page of a new auditor."""
    home = world.town.municipality.id
    auditor = Person(new_id(), home, "auditor", "監査", Role.AUDITOR, None, None, None)
    await world.service.parts.people.add_person(auditor)
    return await world.signed_in(auditor)


async def test_a_bundle_is_asked_about_like_the_stills_and_files_that_it_holds(world: Any) -> None:
    counter, desk, call = await world.talking()
    await world.do_steps(counter, desk, call["id"])
    await desk.do("call.close", outcome="returned", reason="写しが読めません")
    record_id, record = await _record(world, await counter.until_state("closed"))
    assert "still" in {one.kind for one in record.evidence}
    page, path = await _auditor(world), f"/api/v1/records/{record_id}/bundle"
    seen = {"stills.viewers": ["senior", "auditor"]}
    once = {**seen, "files.one_time_download": "on"}
    answers = []
    for number, policy in enumerate(({}, {"stills.viewers": ["senior"]}, once, once, seen), 1):
        world.enforce(policy, number)
        status, said = await page.request("GET", path)
        answers.append((status, said["error"]["code"] if status != 200 else ""))
    refused = (403, "not_a_viewer")
    assert answers == [refused, refused, (200, ""), (403, "already_taken"), (200, "")]


async def test_a_still_that_was_bound_to_no_step_keeps_a_bundle_from_who_may_not_view_stills(
    world: Any,
) -> None:
    counter, desk, call = await world.talking()
    await world.do_steps(counter, desk, call["id"], upto="face")
    name = (await desk.do("step.still", step="face", need=2))["name"]
    await world.send_file(counter, call["id"], PICTURE, name=name)
    await desk.until_that(lambda m: m["type"] == "file" and m["file"]["state"] == "offered")
    await desk.do("call.close", outcome="aborted", reason="時間が足りません")
    record_id, record = await _record(world, await counter.until_state("closed"))
    assert "still" not in {one.kind for one in record.evidence}
    page, path = await _auditor(world), f"/api/v1/records/{record_id}/bundle"
    status, said = await page.request("GET", path)
    assert (status, said["error"]["code"]) == (403, "not_a_viewer")
    world.enforce({"stills.viewers": ["senior", "auditor"]})
    assert (await page.request("GET", path))[0] == 200


async def test_nothing_is_read_for_whom_bundles_are_not_open(world: Any) -> None:
    record_id, _ = await _record(world, await _closed(world, file=False))
    world.sql("DROP TRIGGER record_no_update")
    world.sql("UPDATE record SET record_sealed = x'00'")
    desk, path = await world.desk(1), f"/api/v1/records/{record_id}/bundle"
    status, said = await desk.request("GET", path)
    assert (status, said["error"]["code"]) == (403, "denied")
    assert await world.refusals("gate:record:export") == [(record_id, ["denied"])]


async def test_an_auditor_exports_a_bundle_and_corrects_nothing(world: Any) -> None:
    record_id, record = await _record(world, await _closed(world, file=False))
    page, path = await _auditor(world), f"/api/v1/records/{record_id}"
    status, content = await page.request("GET", f"{path}/bundle")
    assert status == 200
    assert page.last_headers["Content-Disposition"] == f'attachment; filename="{record.number}.zip"'
    assert len(list(Verifier(io.BytesIO(content), None).run())) == len(STEPS)
    body = {"after": 0, "text": "a"}
    assert (await page.request("POST", f"{path}/additions", body=body))[0] == 403
    administrator = await world.signed_in(world.town.administrator)
    assert (await administrator.request("GET", path))[0] == 403
