"""Files and the database on one small disk: files give way, the conversation goes on."""

import hashlib
import random
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chat.store import SealedMessage
from files.blobs import FolderBlobs
from files.entry import FileEntry, FileState
from files.tus import Creation
from files.uploads import Uploads
from security.crypto.keys import KeyEncryptionKey
from security.errors import Reason, Unavailable
from security.gate import Gate, Permit
from security.people import Municipality, Office, OfficeKind, Person, Role, Tablet
from security.policy.decide import Decision, Rule, Term
from security.policy.facts import Actor, Facts
from server.calls.call import Call, State
from server.db.calls import SqlCalls
from server.db.chat import SqlChat
from server.db.engine import Database, open_database
from server.db.files import SqlFiles
from server.db.people import SqlPeople
from server.keys import KeyRing

NOW = datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC)
MIB = 1024 * 1024
DISK_BYTES = 16 * MIB
KEPT_BYTES = 6 * MIB
FILE_BYTES = 2 * MIB


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 16 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    if subprocess.run(mounting, capture_output=True, check=False).returncode:
        pytest.fail("this test needs root to mount a small tmpfs")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


class NoAudit:
    async def write(self, decision: Decision, facts: Facts) -> None:
        return None


@dataclass
class House:
    """A call, its chat and its files on the small disk."""

    disk: Path
    database: Database
    chat: SqlChat
    files: SqlFiles
    uploads: Uploads

    async def permit(self) -> Permit:
        always = Term(lambda facts: True, Reason("never", "never"))
        gate = Gate({"file.send": Rule("file.send", (always,))}, NoAudit())
        actor = Actor(page="desk", municipality_id="m")
        return await gate.ask("file.send", Facts(NOW, actor, "call", "m"))

    async def create(self, content: bytes) -> FileEntry:
        creation = Creation("申請書.pdf", len(content), hashlib.sha256(content).hexdigest())
        permit = await self.permit()
        return await self.uploads.create(permit, "call", "desk", "d", creation, now=NOW)

    async def send(self, entry: FileEntry, content: bytes) -> FileEntry:
        permit = await self.permit()
        await self.uploads.append(permit, "call", entry.id, "desk", 0, _body(content))
        return await self.uploads.complete(permit, "call", entry.id, "desk")

    async def say(self, number: int) -> None:
        """Write lines of the greatest length into the chat."""
        for line in range(100):
            text = SealedMessage("m", "call", "desk", "d", f"{number}-{line}", bytes(6_100), NOW)
            await self.chat.append(text)


@pytest.fixture
async def house(disk: Path) -> AsyncIterator[House]:
    """Database and blobs side by side, as `data.folder` has them."""
    database = open_database(disk)
    await database.migrate()
    keys = KeyRing(KeyEncryptionKey.generate())
    people = SqlPeople(database, keys)
    await people.add_municipality(Municipality("m", "m", "M", "", ""))
    await people.add_office(Office("o", "m", "中央郵便局", OfficeKind.DIRECT))
    await people.add_tablet(Tablet("t", "m", "o", "1", None, None))
    await people.add_person(Person("c", "m", "c", "C", Role.CLERK, "o", None, None))
    await people.add_person(Person("d", "m", "d", "D", Role.VERIFIER, None, None, None))
    calls = SqlCalls(database, keys)
    call = Call("call", "R-261123-0001", "m", "o", "t", "c", "new-issue", True, "1", NOW)
    wrapped = keys.fresh_call("call")
    await calls.insert_numbered("m", "R-261123", lambda _: (call, wrapped))
    files = SqlFiles(database)
    blobs = FolderBlobs(disk / "blobs", keep_free_bytes=KEPT_BYTES)
    uploads = Uploads(files, blobs, calls.data_key)
    yield House(disk, database, SqlChat(database), files, uploads)
    await database.close()


def _pdf(size: int) -> bytes:
    head, tail = b"%PDF-1.7\n", b"\nstartxref\n0\n%%EOF\n"
    return head + random.Random(size).randbytes(size - len(head) - len(tail)) + tail


async def _body(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 65_536):
        yield content[start : start + 65_536]


@pytest.mark.fault
async def test_a_full_disk_refuses_files_and_the_conversation_goes_on(house: House) -> None:
    content = _pdf(FILE_BYTES)
    first, second = await house.create(content), await house.create(content)
    with pytest.raises(Unavailable) as refused:
        await house.create(content)
    assert refused.value.code == "disk_full"
    assert (await house.send(first, content)).state is FileState.OFFERED
    (house.disk / "something else").write_bytes(bytes(6 * MIB))
    with pytest.raises(Unavailable) as refused:
        await house.send(second, content)
    assert refused.value.code == "disk_full"
    stored = await house.files.get("m", second.id)
    assert stored is not None
    assert (stored.entry.state, stored.entry.reason) == (FileState.REFUSED, "disk_full")
    for number in range(2):
        await house.say(number)
    assert await house.chat.last_number("m", "call") == 200


@pytest.mark.fault
async def test_what_a_kill_left_of_a_closed_call_is_gone_after_the_next_start(
    make_world: Any, tmp_path: Path
) -> None:
    world = await make_world()
    counter, _, call = await world.talking()
    content = _pdf(5_000)
    creation = Creation("申請書.pdf", len(content), hashlib.sha256(content).hexdigest())
    parts = world.service.parts
    home = world.town.municipality.id
    stored = await parts.calls.get(home, call["id"])
    speaker = Actor(page="counter", municipality_id=home)
    always = Term(lambda facts: True, Reason("never", "never"))
    gate = Gate({"file.send": Rule("file.send", (always,))}, NoAudit())
    permit = await gate.ask("file.send", Facts(NOW, speaker, stored.id, home))
    entry = await parts.uploads.create(permit, stored.id, "counter", "c", creation, now=NOW)
    await parts.uploads.append(permit, stored.id, entry.id, "counter", 0, _body(content[:1_000]))
    closed = replace(stored, state=State.CLOSED, closed_at=NOW, version=stored.version + 1)
    await parts.calls.save(closed)  # killed here
    await counter.leave()
    world = await make_world.restart(world)
    left = await SqlFiles(world.service.parts.database).get(home, entry.id)
    assert left is not None
    assert left.entry.state is FileState.WITHDRAWN
    assert list((tmp_path / "data" / "blobs").rglob("*.part")) == []
