"""What the policy says is due is deleted, provably, and nothing else."""

import errno
import json
import logging
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from security.audit.export import verify_lines
from security.audit.signatures import Verified
from security.deletions import Deletion, Kind, Proof
from security.errors import Corrupt, NotFound, Unavailable
from security.ids import new_id
from security.people import Person, Role
from server.api import housekeeping
from server.db.deletions import SqlDeletions
from server.policies import ZONE
from server.retention import Plan
from tests.security.audit_stranger import main as stranger

PDF = b"%PDF-1.4\n" + b"1 0 obj <<>> endobj\n" * 50 + b"trailer <<>>\n%%EOF\n"


async def closed_call(world: Any) -> tuple[Any, dict[str, Any], str]:
    """Return a desk, a call that is over with two lines of chat and a file, and the file's id."""
    counter, desk, call = await world.talking()
    await counter.do("chat.send", text="ひとつめ")
    await desk.do("chat.send", text="ふたつめ")
    file_id = await world.send_file(counter, call["id"], PDF)
    await desk.until_that(lambda m: m["type"] == "file" and m["file"]["state"] == "offered")
    await desk.do("call.close", outcome="aborted", reason="時間が足りません")
    await counter.until_state("closed")
    return desk, call, file_id


async def real_call(world: Any) -> tuple[Any, dict[str, Any], str]:
    """Return the same of a call that was no training: it outlasts the day."""
    found = await closed_call(world)
    world.sql("UPDATE call SET training = 0")
    return found


def at_noon(world: Any) -> None:
    """Set the clock ahead to the next noon in Japan."""
    noon = world.clock().astimezone(ZONE).replace(hour=12, minute=0, second=0, microsecond=0)
    ahead = (noon - world.clock()).total_seconds() % 86_400
    world.clock.advance(seconds=ahead)


async def run_at(world: Any, **ahead: float) -> int:
    """Run as at a later time; the clock of the calls stays."""
    parts, home = world.service.parts, world.town.municipality.id
    return int(await parts.retention.run(home, parts.clock() + timedelta(**ahead)))


async def run(world: Any) -> int:
    parts, home = world.service.parts, world.town.municipality.id
    return int(await parts.retention.run(home, parts.clock()))


async def proofs(world: Any) -> list[dict[str, Any]]:
    """Return what the proofs say, each verified with the municipality's key."""
    parts, home = world.service.parts, world.town.municipality.id
    key = await parts.signing.public_key(home)
    found = []
    for kept in await SqlDeletions(parts.database).every(home):
        kept.proof.check()
        assert kept.proof.key == key
        found.append(json.loads(kept.proof.statement))
    return found


async def noted(world: Any) -> list[tuple[str, str, dict[str, Any]]]:
    """Return what the audit log, which verifies, says of deletions."""
    parts, home = world.service.parts, world.town.municipality.id
    await parts.audit.verified(home)
    entries = await parts.audit.since(home, datetime(2000, 1, 1, tzinfo=UTC), limit=10_000)
    said = [json.loads(x.entry) for x in entries if x.tag.startswith("retention:")]
    return [(one["tag"], one["subject"], one["detail"]) for one in said]


def on_disk(world: Any) -> bytes:
    """Return all bytes of the data folder."""
    folder: Path = world.service.parts.settings.data.folder
    return b"".join(x.read_bytes() for x in sorted(folder.rglob("*")) if x.is_file())


def sealed_texts(world: Any) -> list[bytes]:
    """Return the chat as it lies in the table."""
    file = world.service.parts.settings.data.folder / "madoguchi.sqlite"
    database = sqlite3.connect(file)
    try:
        return [row[0] for row in database.execute("SELECT text_sealed FROM chat_message")]
    finally:
        database.close()


async def test_nothing_is_deleted_while_no_period_is_set(world: Any) -> None:
    _, call, _ = await real_call(world)
    world.clock.advance(days=10_000)
    assert await run(world) == 0
    _, kept = await (await world.desk()).request("GET", f"/api/v1/calls/{call['id']}")
    assert (len(kept["chat"]), len(kept["files"])) == (2, 1)


async def test_chat_and_files_go_on_their_day_with_a_signed_proof_each(world: Any) -> None:
    world.enforce({"retention.chat_days": 10, "retention.files_days": 20})
    _, call, file_id = await real_call(world)
    texts = sealed_texts(world)
    folder = world.service.parts.settings.data.folder / "blobs"
    (blob,) = [x for x in folder.rglob("*") if x.is_file()]
    before = blob.read_bytes()
    with blob.open("rb") as still_open:  # as whoever finds the sectors on the disk
        world.clock.advance(days=9)
        assert await run(world) == 0
        world.clock.advance(days=1, hours=1)
        assert await run(world) == 1
        path = f"/api/v1/calls/{call['id']}"
        _, kept = await (await world.desk()).request("GET", path)
        assert (kept["chat"], len(kept["files"])) == ([], 1)
        world.clock.advance(days=10)
        assert await run(world) == 1
        assert not blob.exists()
        left = still_open.read()
        assert left[:64] != before[:64]  # the salt, without which no key opens the rest
    _, kept = await (await world.desk()).request("GET", path)
    assert (kept["chat"], kept["files"]) == ([], [])
    assert not any(text in on_disk(world) for text in texts)
    said = [(x["kind"], x["call"], x["ids"], x["because"]) for x in await proofs(world)]
    assert said == [
        ("chat", call["id"], ["1", "2"], "retention.chat_days"),
        ("files", call["id"], [file_id], "retention.files_days"),
    ]
    tags = [(tag, subject, x["count"], x["policy"]) for tag, subject, x in await noted(world)]
    assert tags == [
        ("retention:chat:delete", call["id"], 2, 1),
        ("retention:files:delete", call["id"], 1, 1),
    ]
    assert await run(world) == 0


async def test_stills_and_the_record_go_on_their_days_and_with_the_last_piece_the_key(
    world: Any,
) -> None:
    world.enforce({"retention.stills_days": 10, "retention.records_days": 20})
    _, call, file_id = await real_call(world)
    home, parts = world.town.municipality.id, world.service.parts
    still = "UPDATE file SET still = 1"
    world.sql(still)
    world.clock.advance(days=10, hours=1)
    assert await run(world) == 1
    record = await parts.records.store.id_of_call(home, call["id"])
    world.clock.advance(days=10)
    assert await run(world) == 1
    assert await parts.records.store.id_of_call(home, call["id"]) is None
    assert await parts.records.find_owed() == 0  # it is not made anew
    steps = "SELECT COUNT(*) FROM call_steps"
    assert world.sql(steps) == [(0,)]
    key = f"SELECT key_wrapped IS NULL FROM call WHERE id = '{call['id']}'"
    assert world.sql(key) == [(0,)]  # the chat is kept still
    world.enforce({"retention.chat_days": 20}, 2)
    assert await run(world) == 1
    assert world.sql(key) == [(1,)]
    assert await run(world) == 0
    said = [(x["kind"], x["call"], x["ids"], x["because"]) for x in await proofs(world)]
    assert said == [
        ("stills", call["id"], [file_id], "retention.stills_days"),
        ("record", call["id"], [record], "retention.records_days"),
        ("chat", call["id"], ["1", "2"], "retention.chat_days"),
    ]
    auditor = Person(new_id(), home, "auditor", "auditor", Role.AUDITOR, None, None, None)
    await parts.people.add_person(auditor)
    page = await world.signed_in(auditor)
    world.sql("UPDATE deletion SET signature = zeroblob(64) WHERE kind = 'stills'")
    status, shown = await page.request("GET", "/api/v1/deletions")
    assert (status, shown["more"]) == (200, False)
    rows = [(x["kind"], x["because"], x["verified"]) for x in shown["deletions"]]
    assert rows == [
        ("chat", "retention.chat_days", True),
        ("record", "retention.records_days", True),
        (None, None, False),
    ]
    # What one run deletes bears one time: the next page goes on within it.
    world.sql("UPDATE deletion SET at = (SELECT MAX(at) FROM deletion)")
    _, shown = await page.request("GET", "/api/v1/deletions")
    ids = [x["id"] for x in shown["deletions"]]
    for number, one in enumerate(ids, 1):
        _, shown = await page.request("GET", f"/api/v1/deletions?before={one}")
        assert [x["id"] for x in shown["deletions"]] == ids[number:]
    _, shown = await page.request("GET", "/api/v1/deletions?before=nosuch")
    assert shown["deletions"] == []
    told = {(tag, subject) for tag, subject, _ in await noted(world)}
    assert ("retention:record:delete", call["id"]) in told
    status, _ = await (await world.desk()).request("GET", f"/api/v1/calls/{call['id']}")
    assert status == 404


async def test_a_chat_that_the_policy_does_not_keep_is_gone_with_its_call(world: Any) -> None:
    world.enforce({"chat.keep": "drop"})
    counter, desk, call = await world.talking()
    assert (await counter.do("chat.send", text="残しません"))["number"] == 1
    texts = sealed_texts(world)
    await housekeeping.drop_chats(world.service.parts)
    assert sealed_texts(world) == texts  # the call goes on
    await desk.do("call.close", outcome="aborted", reason="時間が足りません")
    await counter.until_state("closed")
    world.clock.advance(seconds=1)
    await housekeeping.drop_chats(world.service.parts)
    assert not any(text in on_disk(world) for text in texts)
    (proof,) = await proofs(world)
    assert (proof["kind"], proof["count"], proof["because"]) == ("chat", 1, "chat.keep")
    _, kept = await desk.request("GET", f"/api/v1/calls/{call['id']}")
    assert (kept["chat"], kept["call"]["state"]) == ([], "closed")


async def test_another_municipality_keeps_what_is_its_own(world: Any) -> None:
    world.enforce({"retention.chat_days": 1})
    _, call, _ = await real_call(world)
    other = await world.town_of("ibara")
    world.clock.advance(days=5)
    parts = world.service.parts
    assert await parts.retention.run(other.municipality.id, parts.clock()) == 0
    assert len(sealed_texts(world)) == 2
    assert call


async def test_a_run_that_is_killed_is_finished_by_the_next(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.enforce({"retention.files_days": 1})
    _, call, file_id = await real_call(world)
    world.clock.advance(days=2)
    parts, home = world.service.parts, world.town.municipality.id

    async def away(*_: Any, **__: Any) -> None:
        raise Unavailable("the database did not answer")

    with monkeypatch.context() as patch:  # the bytes are gone, the row stands
        patch.setattr(SqlDeletions, "delete", away)
        with pytest.raises(Unavailable):
            await run(world)
    assert await proofs(world) == []
    with monkeypatch.context() as patch:  # row and proof are settled, the log knows nothing
        patch.setattr(parts.audit, "note", away)
        with pytest.raises(Unavailable):
            await run(world)
    assert [x["ids"] for x in await proofs(world)] == [[file_id]]
    assert await noted(world) == []
    assert await run(world) == 0
    assert [(tag, subject) for tag, subject, _ in await noted(world)] == [
        ("retention:files:delete", call["id"])
    ]
    with pytest.raises(NotFound):
        parts.uploads._blobs.open(f"{home}/{call['id']}/{file_id}/offered")


async def test_the_log_lets_go_what_is_due_and_the_rest_still_verifies(world: Any) -> None:
    parts, home = world.service.parts, world.town.municipality.id
    for number in range(4):
        await parts.audit.note(home, "a:b:c", str(number), {}, now=parts.clock())
    await parts.signing.sign(home, parts.clock())
    world.clock.advance(days=5)
    await parts.audit.note(home, "a:b:c", "young", {}, now=parts.clock())
    await parts.signing.sign(home, parts.clock())
    world.enforce({"retention.audit_days": 10})
    assert await run(world) == 0
    world.clock.advance(days=6)
    assert await run(world) == 1
    key = await parts.signing.public_key(home)
    found = await parts.audit.verified(home, [key])
    first = await parts.audit.first_position(home)
    assert (first, found.head.count) == (5, 7)  # young, what tells of the trim, and of its proof
    assert [tag for tag, _, _ in await noted(world)] == [
        "retention:audit:trim",
        "retention:audit:delete",
    ]
    (proof,) = await proofs(world)
    assert (proof["ids"], proof["count"]) == (["1-4"], 4)
    await parts.signing.sign(home, parts.clock())
    lines = [line async for some in parts.audit.export(home) for line in some.splitlines()]
    ((_, exported),) = verify_lines(lines, [key])
    assert isinstance(exported, Verified)
    await parts.database.checkpoint()
    assert stranger(parts.settings.data.folder, {key.hex()}) == 0
    with pytest.raises(Exception, match="append-only"):
        async with parts.database.writing() as connection:
            await connection.exec_driver_sql("DELETE FROM audit_entry")
    world.clock.advance(days=30)
    await parts.audit.note(home, "a:b:c", "younger", {}, now=parts.clock())
    assert await run(world) == 1  # once more, from a log that was trimmed before
    await parts.signing.sign(home, parts.clock())
    await parts.audit.verified(home, [key])


async def test_entries_taken_from_the_beginning_are_missed_unless_the_log_tells_of_it(
    world: Any,
) -> None:
    parts, home = world.service.parts, world.town.municipality.id
    for number in range(4):
        await parts.audit.note(home, "a:b:c", str(number), {}, now=parts.clock())
    head = await parts.signing.sign(home, parts.clock())
    await parts.audit.note(home, "a:b:c", "last", {}, now=parts.clock())
    await parts.audit.trim(home, head)  # as a forger would: nothing is noted
    with pytest.raises(Corrupt, match="position 1"):
        await parts.audit.verified(home)
    lines = [line async for some in parts.audit.export(home) for line in some.splitlines()]
    ((_, exported),) = verify_lines(lines, None)
    assert isinstance(exported, Corrupt)
    await parts.database.checkpoint()
    assert stranger(parts.settings.data.folder, set()) == 1


def test_a_proof_that_was_changed_does_not_verify() -> None:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    deletion = Deletion("d", "m", Kind.CHAT, "c", ("1",), 1, at, "chat.keep", 1)
    changed = Proof(deletion.statement(), bytes(32), bytes(64))
    with pytest.raises(Corrupt):
        changed.check()


async def test_a_file_that_cannot_be_shredded_keeps_no_other_from_going(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.enforce({"retention.chat_days": 1, "retention.files_days": 1})
    _, call, _ = await real_call(world)
    parts = world.service.parts
    blobs = type(parts.uploads._blobs)

    def broken(*_: Any) -> None:
        raise OSError(errno.EIO, "the disk is worn")

    world.clock.advance(days=2)
    await parts.audit.note(
        world.town.municipality.id, "a:b:c", "x", {}, now=parts.clock() - timedelta(days=1, hours=1)
    )
    with monkeypatch.context() as patch:
        patch.setattr(blobs, "shred_folder", broken)
        # The files come first, as in a run that meets an older one.
        planned = await parts.retention.plan(world.town.municipality.id, parts.clock())
        turned = Plan(tuple(reversed(planned.deletions)), None)

        async def plan(*_: Any) -> Plan:
            return turned

        patch.setattr(type(parts.retention), "plan", plan)
        await housekeeping.delete_what_is_due(parts)
    assert [x["kind"] for x in await proofs(world)] == ["chat"]
    _, metrics = await world.stranger().request("GET", "/metrics")
    assert b"madoguchi_retention_failed_total 1.0" in metrics
    await housekeeping.delete_what_is_due(parts)
    assert sorted(x["kind"] for x in await proofs(world)) == ["chat", "files"]
    assert call


async def test_a_trim_that_cannot_keep_its_proof_has_not_happened(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts, home = world.service.parts, world.town.municipality.id
    await parts.audit.note(home, "a:b:c", "old", {}, now=parts.clock())
    await parts.signing.sign(home, parts.clock())
    world.enforce({"retention.audit_days": 10})
    world.clock.advance(days=11)

    async def killed(*_: Any) -> None:
        raise Unavailable("the database did not answer")

    with monkeypatch.context() as patch:
        patch.setattr("server.db.deletions._keep", killed)
        with pytest.raises(Unavailable):
            await run(world)
    assert await parts.audit.first_position(home) == 1
    assert await run(world) == 1
    assert [x["kind"] for x in await proofs(world)] == ["audit"]
    await parts.audit.verified(home)


async def test_a_clock_set_far_forward_deletes_nothing_by_itself(
    world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    world.enforce({"retention.chat_days": 10})
    await real_call(world)
    parts, home = world.service.parts, world.town.municipality.id
    world.clock.advance(days=365)
    await parts.audit.note(home, "a:b:c", "by the wrong clock", {}, now=parts.clock())
    with caplog.at_level(logging.WARNING):
        await housekeeping.delete_what_is_due(parts)
    assert await proofs(world) == []
    assert "far ahead of the audit log" in caplog.text
    assert await run(world) == 1  # whoever runs the command has looked at the clock


async def test_what_is_due_goes_by_itself_while_the_log_goes_on(world: Any) -> None:
    world.enforce({"retention.chat_days": 10})
    await real_call(world)
    parts, home = world.service.parts, world.town.municipality.id
    world.clock.advance(days=6)
    await parts.audit.note(home, "a:b:c", "a working day", {}, now=parts.clock())
    world.clock.advance(days=6)
    await housekeeping.delete_what_is_due(parts)
    assert [x["kind"] for x in await proofs(world)] == ["chat"]


def rows(world: Any, table: str) -> int:
    return int(world.sql(f"SELECT count(*) FROM {table}")[0][0])  # a name of ours


async def test_a_training_call_is_gone_whole_when_its_day_ends_in_japan(world: Any) -> None:
    at_noon(world)
    _, call, file_id = await closed_call(world)
    texts = sealed_texts(world)
    world.clock.advance(hours=11, minutes=59)
    assert await run(world) == 0
    world.clock.advance(minutes=2)
    assert await run(world) == 1
    for table in (
        "call",
        "record",
        "record_addition",
        "call_steps",
        "chat_message",
        "chat_read",
        "file",
        "file_taken",
        "call_quality",
    ):
        assert rows(world, table) == 0, table
    assert not any(text in on_disk(world) for text in texts)
    folder = world.service.parts.settings.data.folder / "blobs"
    assert [x for x in folder.rglob("*") if x.is_file()] == []
    (said,) = await proofs(world)
    assert (said["kind"], said["call"], said["because"]) == (
        "training", call["id"], "retention.training"
    )  # fmt: skip
    assert (said["ids"], said["count"]) == ([call["id"], file_id], 2)
    assert [tag for tag, _, _ in await noted(world)] == ["retention:training:delete"]
    assert await run(world) == 0


async def test_a_training_call_over_midnight_is_not_torn(world: Any) -> None:
    at_noon(world)
    counter, desk, _ = await world.talking()
    await counter.do("chat.send", text="まだ話しています")
    assert await run_at(world, hours=12, minutes=1) == 0
    assert (await desk.do("chat.send", text="はい"))["number"] == 2
    await desk.do("call.close", outcome="aborted", reason="研修の終わり")
    await counter.until_state("closed")
    assert await run(world) == 0


async def test_a_real_call_outlasts_the_day(world: Any) -> None:
    await real_call(world)
    world.clock.advance(days=3)
    assert await run(world) == 0
    assert rows(world, "call") == 1
