"""The log forged by somebody who owns the files: our verifier and a stranger's name the place."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.exc import IntegrityError

from security.audit.chain import Head, next_link
from security.audit.export import verify_lines
from security.audit.signatures import Verified
from security.audit.signed import SignedHeadsFile, sign
from security.crypto.keys import KeyEncryptionKey
from security.errors import Corrupt
from security.people import Municipality
from server.audit_signing import AuditSigning
from server.db.audit import SqlAudit
from server.db.engine import FILE_NAME, Database, open_database
from server.db.people import SqlPeople
from server.keys import KeyRing

NOW = datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC)
STRANGER = Path(__file__).parents[1] / "security" / "audit_stranger.py"
TRIGGERS = [f"audit_entry_no_{what}" for what in ("update", "delete", "gap")]
TRIGGERS += [f"audit_head_no_{what}" for what in ("update", "delete")]


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """An empty database."""
    database = open_database(tmp_path)
    await database.migrate()
    yield database
    await database.close()


@pytest.fixture
async def people(database: Database) -> SqlPeople:
    """One municipality."""
    people = SqlPeople(database, KeyRing(KeyEncryptionKey.generate()))
    await people.add_municipality(Municipality("m", "m", "M", "", ""))
    return people


@pytest.fixture
async def log(database: Database, tmp_path: Path) -> SqlAudit:
    """The log of `database`."""
    return SqlAudit(database, tmp_path)


@pytest.fixture
async def signing(people: SqlPeople, log: SqlAudit) -> AuditSigning:
    """Six entries; signed at 2 and at 4."""
    signing = AuditSigning(people, log)
    for number in range(1, 7):
        await log.note("m", "command:person:add", f"p-{number}", {"role": "clerk"}, now=NOW)
        if number in (2, 4):
            await signing.sign("m", NOW)
    return signing


def change(folder: Path, *statements: str) -> None:
    """Change the database as somebody would who owns it: the triggers go first."""
    connection = sqlite3.connect(folder / FILE_NAME)
    for trigger in TRIGGERS:
        connection.execute(f"DROP TRIGGER {trigger}")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def forge_file(folder: Path, **changed: str) -> None:
    """Change the last line of the file of signed heads."""
    path = folder / "audit.signed"
    *kept, last = path.read_text("utf-8").splitlines()
    path.write_text("\n".join([*kept, json.dumps(json.loads(last) | changed)]) + "\n", "utf-8")


def rebuild(folder: Path) -> None:
    """Change entry 3 and make every later link, and the head, follow from it."""
    connection = sqlite3.connect(folder / FILE_NAME)
    rows = connection.execute("SELECT position, entry FROM audit_entry ORDER BY 1").fetchall()
    link = bytes(32)
    for position, entry in rows:
        forged = entry.replace(b"p-3", b"p-9")
        link = next_link(link, forged)
        connection.execute(
            "UPDATE audit_entry SET entry = ?, link = ? WHERE position = ?",
            (forged, link, position),
        )
    connection.commit()
    connection.close()
    head = {"municipality": "m", "count": len(rows), "link": link.hex()}
    (folder / "audit.heads").write_text(json.dumps(head) + "\n", "utf-8")


def stranger(folder: Path, *keys: str) -> tuple[int, str]:
    """Run the stand-alone verifier; isolated, so that it can import nothing of ours."""
    ran = subprocess.run(  # our own file
        [sys.executable, "-I", STRANGER, folder, *keys], capture_output=True, text=True, check=False
    )
    assert ran.stderr == ""
    return ran.returncode, ran.stdout.strip()


async def test_a_whole_log_verifies_with_the_key_that_was_noted_down(
    log: SqlAudit, signing: AuditSigning, tmp_path: Path
) -> None:
    key = await signing.public_key("m")
    found = await log.verified("m", {key})
    assert (found.head.count, found.signed, found.key) == (6, 4, key)
    assert stranger(tmp_path, key.hex()) == (0, "m 6 whole")


SWAP = [
    "UPDATE audit_entry SET position = 99 WHERE position = 3",
    "UPDATE audit_entry SET position = 3 WHERE position = 4",
    "UPDATE audit_entry SET position = 4 WHERE position = 99",
]


@pytest.mark.parametrize(
    ("statements", "position", "step"),
    [
        (["UPDATE audit_entry SET entry = replace(entry, 'p-3', 'p-9') WHERE position = 3"], 3, 2),
        (["UPDATE audit_entry SET at = at + 1 WHERE position = 3"], 3, 3),
        (["UPDATE audit_entry SET tag = 'a:b:c' WHERE position = 3"], 3, 3),
        (["DELETE FROM audit_entry WHERE position > 3"], 4, 7),
        (["DELETE FROM audit_entry"], 1, 7),
        (["DELETE FROM audit_entry WHERE position = 3"], 3, 1),
        (SWAP, 3, 3),
        (["UPDATE audit_head SET signature = zeroblob(64) WHERE count = 4"], 4, 6),
        (["UPDATE audit_head SET at = at + 1 WHERE count = 2"], 2, 6),
        (["UPDATE audit_head SET count = 3 WHERE count = 2"], 3, 6),
    ],
)
async def test_a_change_by_hand_is_found_and_its_place_named(
    log: SqlAudit,
    signing: AuditSigning,
    tmp_path: Path,
    statements: list[str],
    position: int,
    step: int,
) -> None:
    change(tmp_path, *statements)
    with pytest.raises(Corrupt, match=f"position {position}:"):
        await log.verified("m")
    assert stranger(tmp_path)[0] == 1
    assert f"position {position}: step {step}" in stranger(tmp_path)[1]


async def test_last_rows_removed_with_their_head_are_found_by_the_signed_heads(
    log: SqlAudit, signing: AuditSigning, tmp_path: Path
) -> None:
    change(
        tmp_path,
        "DELETE FROM audit_entry WHERE position > 2",
        "DELETE FROM audit_head WHERE count > 2",
    )
    two = await log.signed.newest("m")
    assert two is not None
    head = {"municipality": "m", "count": 2, "link": two.head.link.hex()}
    (tmp_path / "audit.heads").write_text(json.dumps(head) + "\n", "utf-8")
    with pytest.raises(Corrupt, match="position 3: cut off: 4 entries were signed"):
        await log.verified("m")
    assert stranger(tmp_path) == (1, "m 2 position 3: step 7")


async def test_a_chain_made_anew_does_not_meet_what_was_signed(
    log: SqlAudit, signing: AuditSigning, tmp_path: Path
) -> None:
    change(tmp_path)
    rebuild(tmp_path)
    with pytest.raises(Corrupt, match="position 4: the link is not the one that was signed"):
        await log.verified("m")
    assert stranger(tmp_path) == (1, "m 6 position 4: step 6")
    with pytest.raises(Corrupt, match="position 4:"):
        await signing.sign("m", NOW)


async def test_a_chain_signed_anew_by_another_key_is_found_by_the_key_noted_down(
    log: SqlAudit, signing: AuditSigning, tmp_path: Path
) -> None:
    key = await signing.public_key("m")
    change(tmp_path, "DELETE FROM audit_head")
    rebuild(tmp_path)
    (tmp_path / "audit.signed").unlink()
    for wanted, found in ((None, "whole"), ({key}, "step 8")):
        assert stranger(tmp_path, *(k.hex() for k in wanted or ()))[1].endswith(found)
    with pytest.raises(Corrupt, match="no head is signed"):
        await log.verified("m", {key})
    await log.signed.add(sign(Ed25519PrivateKey.generate(), "m", await log.verify("m"), at=NOW))
    assert stranger(tmp_path) == (0, "m 6 whole")
    assert stranger(tmp_path, key.hex()) == (1, "m 6 position 6: step 6")
    with pytest.raises(Corrupt, match="position 6: a head is signed with an unknown key"):
        await log.verified("m", {key})
    with pytest.raises(Corrupt, match="a key that is not ours"):
        await signing.sign("m", NOW)


@pytest.mark.parametrize("field", ["signature", "key", "link", "at"])
async def test_a_changed_line_of_the_file_of_signed_heads_is_found(
    log: SqlAudit, signing: AuditSigning, tmp_path: Path, field: str
) -> None:
    (*_, last) = (tmp_path / "audit.signed").read_text("utf-8").splitlines()
    old = json.loads(last)[field]
    forge_file(tmp_path, **{field: ("1" if old[0] != "1" else "2") + old[1:]})
    with pytest.raises(Corrupt, match="position 4:"):
        await log.verified("m")
    assert stranger(tmp_path) == (1, "m 6 position 4: step 6")


async def exported(log: SqlAudit) -> list[str]:
    """Return the lines of an export."""
    return "".join([lines async for lines in log.export("m")]).splitlines(keepends=True)


async def test_an_export_verifies_by_itself(log: SqlAudit, signing: AuditSigning) -> None:
    ((home, found),) = verify_lines(await exported(log), {await signing.public_key("m")})
    assert home == "m"
    assert isinstance(found, Verified)
    assert (found.head, found.signed) == (await log.verify("m"), 4)


@pytest.mark.parametrize(
    ("change", "position"),
    [
        (lambda lines: [*lines[:3], lines[3].replace("p-3", "p-9"), *lines[4:]], 3),
        (lambda lines: [*lines[:3], lines[4], lines[3], *lines[5:]], 3),
        (lambda lines: lines[:5], 5),
        (lambda lines: [*lines[:6], lines[6][:40]], 6),
        (lambda lines: [*lines[:2], "[]\n", *lines[2:]], 2),
        (lambda lines: [lines[0].replace('"signature":"', '"signature":"00')[:-9], *lines[1:]], 0),
    ],
    ids=["edited", "swapped", "tail removed", "torn", "no entry", "first line torn"],
)
async def test_a_changed_export_is_found_and_its_place_named(
    log: SqlAudit,
    signing: AuditSigning,
    change: Callable[[list[str]], list[str]],
    position: int,
) -> None:
    lines = change(await exported(log))
    if position == 0:
        with pytest.raises(Corrupt, match="line 1: an export begins"):
            list(verify_lines(lines, None))
        return
    ((_, found),) = verify_lines(lines, None)
    assert isinstance(found, Corrupt)
    assert found.message.startswith(f"position {position}:")


async def test_a_head_is_signed_once_and_as_often_as_is_due(
    log: SqlAudit, signing: AuditSigning, database: Database
) -> None:
    quarter = timedelta(minutes=15)
    await signing.sign("m", NOW)
    assert await signing.sign("m", NOW) is None
    await log.note("m", "a:b:c", "s", {}, now=NOW)
    for minutes, count in ((14, 6), (15, 7), (0, 7)):
        await signing.sign_if_due("m", quarter, NOW + timedelta(minutes=minutes))
        assert (await log.verified("m")).signed == count
    await log.note("m", "a:b:c", "s", {}, now=NOW)
    await signing.sign_if_due("m", quarter, NOW - timedelta(days=1))
    newest = await log.signed.newest("m")
    assert newest is not None
    assert newest.head.count == 8
    with pytest.raises(IntegrityError):
        await log.signed.add(newest)


async def test_a_line_cut_in_two_by_a_crash_is_written_over(
    log: SqlAudit, signing: AuditSigning, tmp_path: Path
) -> None:
    path = tmp_path / "audit.signed"
    path.write_bytes(path.read_bytes() + b'{"municipality": "m", "cou')
    assert (await log.verified("m")).signed == 4
    await signing.sign("m", NOW)
    assert [one.head.count for one in SignedHeadsFile(path).read()] == [2, 4, 6]
    assert path.stat().st_mode & 0o777 == 0o600
    assert stranger(tmp_path) == (0, "m 6 whole")


async def test_a_log_without_entries_has_nothing_to_sign(log: SqlAudit, people: SqlPeople) -> None:
    assert await AuditSigning(people, log).sign("m", NOW) is None
    assert (await log.verified("m")).head == Head()
