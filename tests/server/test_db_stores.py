"""The stores: what goes in comes out, sealed on disk, and nothing crosses municipalities."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from chat.store import SealedMessage
from files.entry import FileEntry, FileState
from files.store import StoredFile
from security.crypto.keys import KeyEncryptionKey
from security.errors import Conflict, Corrupt, NotFound
from security.people import Municipality, Office, OfficeKind, Person, Role, Tablet
from server.calls.call import Call, Device, Outcome, Party, PartyName, State
from server.db import schema as t
from server.db.calls import SqlCalls
from server.db.chat import SqlChat
from server.db.engine import FILE_NAME, Database, open_database
from server.db.files import SqlFiles
from server.db.people import SqlPeople
from server.keys import KeyRing

NOW = datetime(2026, 11, 23, 1, 2, 3, 456789, tzinfo=UTC)
NAME = "架空 花子"


@dataclass
class Stores:
    """Every store over one database with municipalities m and n."""

    database: Database
    keys: KeyRing
    people: SqlPeople
    calls: SqlCalls
    chat: SqlChat
    files: SqlFiles


@pytest.fixture
async def stores(tmp_path: Path) -> AsyncIterator[Stores]:
    """The stores, with what a call needs."""
    database = open_database(tmp_path)
    await database.migrate()
    keys = KeyRing(KeyEncryptionKey.generate())
    people = SqlPeople(database, keys)
    for m in ("m", "n"):
        await people.add_municipality(Municipality(m, m, m.upper(), "9-17", "0"))
        await people.add_office(Office(f"{m}-o", m, "中央郵便局", OfficeKind.DIRECT))
        await people.add_tablet(Tablet(f"{m}-t", m, f"{m}-o", "１番窓口", None, None))
        clerk = Person(f"{m}-c", m, "clerk", NAME, Role.CLERK, f"{m}-o", None, None)
        await people.add_person(clerk)
        await people.add_person(Person(f"{m}-d", m, "desk", NAME, Role.VERIFIER, None, None, None))
    calls = SqlCalls(database, keys)
    yield Stores(database, keys, people, calls, SqlChat(database), SqlFiles(database))
    await database.close()


def call_of(municipality: str = "m", number: int = 1, at: datetime = NOW) -> Call:
    """Return a fresh call."""
    return Call(
        id=f"{municipality}-call-{number}",
        number=f"R-261123-{number:04}",
        municipality_id=municipality,
        office_id=f"{municipality}-o",
        tablet_id=f"{municipality}-t",
        clerk_id=f"{municipality}-c",
        procedure="new-issue",
        training=True,
        consent="1",
        placed_at=at,
    )


async def insert(stores: Stores, call: Call) -> Call:
    """Store a call with a fresh key."""
    wrapped = stores.keys.fresh_call(call.id)
    return await stores.calls.insert_numbered(
        call.municipality_id, "R-261123", lambda _: (call, wrapped)
    )


# Calls


async def test_a_call_comes_back_as_it_was(stores: Stores) -> None:
    call = await insert(stores, call_of())
    changed = replace(
        call,
        state=State.INTERRUPTED,
        desk_id="m-d",
        ringing_since=NOW,
        answered_at=NOW + timedelta(seconds=9),
        interrupted_from=State.TALKING,
        lost_since={PartyName.DESK: NOW},
        veiled=True,
        outcome=Outcome.RETURNED,
        reason="住所が読めないため",
        offered=("m-d", "x"),
        counter=Party(present=True, camera=Device.LOST, microphone=Device.OFF),
        version=2,
    )
    await stores.calls.save(changed)
    assert await stores.calls.get("m", call.id) == changed
    assert await stores.calls.load_open() == [changed]


async def test_of_two_who_change_a_call_at_once_one_is_refused(stores: Stores) -> None:
    call = await insert(stores, call_of())
    first = replace(call, veiled=True, version=2)
    second = replace(call, state=State.RINGING, version=2)
    results = await asyncio.gather(
        stores.calls.save(first), stores.calls.save(second), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "NoneType"]


async def test_a_version_that_skips_one_is_refused(stores: Stores) -> None:
    call = await insert(stores, call_of())
    with pytest.raises(Conflict):
        await stores.calls.save(replace(call, version=3))
    assert await stores.calls.get("m", call.id) == call


async def test_numbers_are_allotted_without_gaps(stores: Stores) -> None:
    given = []

    async def one(municipality: str, prefix: str, key: int) -> None:
        def make(number: int) -> tuple[Call, bytes]:
            given.append((municipality, prefix, number))
            call = call_of(municipality, number=key)
            return call, stores.keys.fresh_call(call.id)

        await stores.calls.insert_numbered(municipality, prefix, make)

    await asyncio.gather(*(one("m", "R-261123", key) for key in range(20)))
    assert sorted(number for _, _, number in given) == list(range(1, 21))
    await one("n", "R-261123", 20)
    await one("m", "R-261124", 21)
    assert given[20:] == [("n", "R-261123", 1), ("m", "R-261124", 1)]


async def test_what_a_desk_answered_is_listed_oldest_first(stores: Stores) -> None:
    for number in (3, 1, 2):
        call = call_of(number=number, at=NOW + timedelta(minutes=number))
        await insert(stores, call)
        answered = replace(
            call, desk_id="m-d", answered_at=call.placed_at + timedelta(seconds=number), version=2
        )
        await stores.calls.save(answered if number != 3 else replace(answered, answered_at=None))
    found = await stores.calls.of_desk("m", "m-d", NOW)
    assert [call.number for call in found] == ["R-261123-0001", "R-261123-0002"]
    assert await stores.calls.of_desk("m", "m-d", NOW + timedelta(seconds=90)) == found[1:]


async def test_a_closed_call_is_not_open(stores: Stores) -> None:
    call = await insert(stores, call_of())
    await stores.calls.save(replace(call, state=State.CLOSED, closed_at=NOW, version=2))
    assert await stores.calls.load_open() == []


async def test_a_call_of_another_municipality_does_not_exist(stores: Stores) -> None:
    call = await insert(stores, call_of())
    assert await stores.calls.get("n", call.id) is None
    assert await stores.calls.key("n", call.id) is None
    with pytest.raises(NotFound):
        await stores.calls.data_key("n", call.id)
    with pytest.raises(Conflict):
        await stores.calls.save(replace(call, municipality_id="n", version=2))


async def test_a_detail_moved_to_another_call_does_not_open(stores: Stores) -> None:
    one = await insert(stores, call_of(number=1))
    two = await insert(stores, call_of(number=2))
    async with stores.database.writing() as connection:
        sealed = sa.select(t.call.c.detail_sealed).where(t.call.c.id == two.id).scalar_subquery()
        moving = sa.update(t.call).where(t.call.c.id == one.id).values(detail_sealed=sealed)
        await connection.execute(moving)
    with pytest.raises(Corrupt):
        await stores.calls.get("m", one.id)


async def test_the_key_survives_a_restart(stores: Stores, tmp_path: Path) -> None:
    kek = KeyEncryptionKey.generate()
    call = call_of()
    before = SqlCalls(stores.database, KeyRing(kek))
    wrapped = KeyRing(kek).fresh_call(call.id)
    await before.insert_numbered("m", "R-261123", lambda _: (call, wrapped))
    after = SqlCalls(stores.database, KeyRing(kek))
    assert await after.get("m", call.id) == call
    with pytest.raises(Corrupt, match="another key-encryption key"):
        await stores.calls.get("m", call.id)


async def damage(stores: Stores, call: Call, column: str, value: object) -> None:
    """Overwrite a column as a disk or a hand would."""
    async with stores.database.writing() as connection:
        changing = sa.text(f"UPDATE call SET {column} = :value WHERE id = :id")
        await connection.execute(changing, {"value": value, "id": call.id})


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("detail_sealed", b"nothing that opens"),
        ("key_wrapped", b"no key"),
        ("key_wrapped", None),
        ("state", "dancing"),
        ("answered_at", "noon"),
        ("answered_at", 2**62),
    ],
)
async def test_one_call_that_cannot_be_read_does_not_hold_up_the_others(
    stores: Stores, caplog: pytest.LogCaptureFixture, column: str, value: object
) -> None:
    calls = [await insert(stores, call_of(number=n)) for n in (1, 2, 3)]
    await damage(stores, calls[1], column, value)
    found = await stores.calls.read_open()
    assert found.calls == await stores.calls.load_open() == [calls[0], calls[2]]
    assert found.left_out == [calls[1].id]
    assert calls[1].id in caplog.text
    assert await stores.calls.open_ids() == {call.id for call in calls}


async def test_another_key_encryption_key_is_refused_as_a_whole(stores: Stores) -> None:
    await stores.people.require_key()
    other = SqlPeople(stores.database, KeyRing(KeyEncryptionKey.generate()))
    with pytest.raises(Corrupt, match="another key-encryption key"):
        await other.require_key()


async def test_one_house_key_that_does_not_open_leaves_the_other_municipality_at_work(
    stores: Stores,
) -> None:
    async with stores.database.writing() as connection:
        changing = sa.update(t.municipality).where(t.municipality.c.id == "m")
        await connection.execute(changing.values(key_wrapped=b"no key"))
    await stores.people.require_key()


async def test_a_call_that_could_not_be_written_leaves_no_gap_in_the_numbers(
    stores: Stores,
) -> None:
    def make(number: int) -> tuple[Call, bytes]:
        call = call_of(number=number)
        return call, stores.keys.fresh_call(call.id)

    def fail(number: int) -> tuple[Call, bytes]:
        return call_of(number=number), b"no key"

    first = await stores.calls.insert_numbered("m", "R-261123", make)
    with pytest.raises(Corrupt):
        await stores.calls.insert_numbered("m", "R-261123", fail)
    second = await stores.calls.insert_numbered("m", "R-261123", make)
    assert [first.number, second.number] == ["R-261123-0001", "R-261123-0002"]
    assert await stores.calls.load_open() == [first, second]


# People


async def test_nothing_personal_stands_in_the_file(stores: Stores, tmp_path: Path) -> None:
    call = await insert(stores, call_of())
    await stores.calls.save(replace(call, reason="住所が読めないため", version=2))
    await stores.database.checkpoint()
    content = (tmp_path / FILE_NAME).read_bytes()
    assert "中央郵便局".encode() in content
    assert NAME.encode() not in content
    assert "住所".encode() not in content
    assert (await stores.people.people("m"))[0].name == NAME


async def test_people_offices_and_tablets_are_scoped(stores: Stores) -> None:
    people = stores.people
    assert await people.person("n", "m-c") is None
    assert await people.office("n", "m-o") is None
    assert await people.tablet("n", "m-t") is None
    assert not await people.disable_person("n", "m-c", NOW)
    assert not await people.revoke_tablet("n", "m-t", NOW)
    found = await people.person_by_login("n", "clerk")
    assert found is not None
    assert found.id == "n-c"


async def test_a_name_moved_to_another_person_does_not_open(stores: Stores) -> None:
    async with stores.database.writing() as connection:
        sealed = sa.select(t.person.c.name_sealed).where(t.person.c.id == "m-d").scalar_subquery()
        moving = sa.update(t.person).where(t.person.c.id == "m-c").values(name_sealed=sealed)
        await connection.execute(moving)
    with pytest.raises(Corrupt):
        await stores.people.person("m", "m-c")


async def test_what_is_there_already_is_refused(stores: Stores) -> None:
    with pytest.raises(Conflict, match="municipality"):
        await stores.people.add_municipality(Municipality("x", "m", "M", "", ""))
    with pytest.raises(Conflict, match="office"):
        await stores.people.add_office(Office("x", "m", "中央郵便局", OfficeKind.DIRECT))
    again = Person("x", "m", "clerk", NAME, Role.CLERK, "m-o", None, None)
    with pytest.raises(Conflict, match="person"):
        await stores.people.add_person(again)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("北郵便局", OfficeKind.SIMPLE),
        ("北簡易郵便局", OfficeKind.DIRECT),
        ("北簡易郵便局", OfficeKind.SIMPLE),
    ],
)
async def test_a_simple_post_office_cannot_be_registered(
    stores: Stores, name: str, kind: OfficeKind
) -> None:
    with pytest.raises(Conflict, match=r"Q&A 11") as caught:
        await stores.people.add_office(Office("x", "m", name, kind))
    assert caught.value.code == "office_not_direct"
    assert len(await stores.people.offices("m")) == 1


async def test_the_database_itself_refuses_a_simple_post_office(stores: Stores) -> None:
    row = {"id": "x", "municipality_id": "m", "name": "北", "kind": "simple"}
    with pytest.raises(sa.exc.IntegrityError):
        async with stores.database.writing() as connection:
            await connection.execute(sa.insert(t.office).values(row))


# Chat


def line(client_id: str, text: bytes = b"sealed") -> SealedMessage:
    """Return a line of the first call's chat."""
    return SealedMessage("m", "m-call-1", "counter", "m-c", client_id, text, NOW)


async def test_lines_are_numbered_without_gaps_however_many_come_at_once(stores: Stores) -> None:
    await insert(stores, call_of())
    done = await asyncio.gather(*(stores.chat.append(line(f"c{i}")) for i in range(15)))
    assert sorted(message.number for message, _ in done) == list(range(1, 16))
    assert [m.number for m in await stores.chat.list_after("m", "m-call-1", 10)] == [*range(11, 16)]
    assert await stores.chat.last_number("m", "m-call-1") == 15


async def test_a_line_sent_again_is_the_same_line(stores: Stores) -> None:
    await insert(stores, call_of())
    results = await asyncio.gather(*(stores.chat.append(line("c", b"%d" % i)) for i in range(4)))
    assert len({message for message, _ in results}) == 1
    assert sum(new for _, new in results) == 1
    assert await stores.chat.last_number("m", "m-call-1") == 1


async def test_chat_of_another_municipality_is_empty(stores: Stores) -> None:
    await insert(stores, call_of())
    await stores.chat.append(line("c"))
    assert await stores.chat.list_after("n", "m-call-1", 0) == []
    assert await stores.chat.last_number("n", "m-call-1") == 0
    assert await stores.chat.get_read("n", "m-call-1") == {}


async def test_reading_never_goes_back(stores: Stores) -> None:
    await insert(stores, call_of())
    reads = [await stores.chat.set_read("m", "m-call-1", "desk", n) for n in (2, 5, 3)]
    assert reads == [2, 5, 5]
    assert await stores.chat.get_read("m", "m-call-1") == {"desk": 5}


# Files


def file(number: int = 1) -> StoredFile:
    """Return a file that is arriving."""
    at = NOW + timedelta(seconds=number)
    entry = FileEntry(
        f"f{number}", "m", "m-call-1", "desk", "m-d", "", 5_000_000_000, "00" * 32, at
    )
    return StoredFile(entry, b"sealed name")


async def test_a_file_comes_back_as_it_was(stores: Stores) -> None:
    await insert(stores, call_of())
    for number in (2, 1):
        await stores.files.add(file(number))
    assert await stores.files.get("m", "f1") == file(1)
    assert await stores.files.list_of_call("m", "m-call-1") == [file(1), file(2)]
    assert await stores.files.get("n", "f1") is None
    assert await stores.files.list_of_call("n", "m-call-1") == []


async def test_a_file_changes_only_from_the_expected_state(stores: Stores) -> None:
    await insert(stores, call_of())
    await stores.files.add(file())
    offered = replace(
        file().entry,
        state=FileState.OFFERED,
        media_type="application/pdf",
        offered_bytes=7,
        sha256_offered="11" * 32,
    )
    change = StoredFile(offered, b"other name")
    assert not await stores.files.change(change, expected=FileState.CHECKING)
    assert await stores.files.unfinished() == [file()]
    assert await stores.files.change(change, expected=FileState.ARRIVING)
    assert await stores.files.get("m", "f1") == change
    assert await stores.files.unfinished() == []
    elsewhere = StoredFile(replace(offered, municipality_id="n"), b"")
    assert not await stores.files.change(elsewhere, expected=FileState.OFFERED)


# Times


@given(st.integers(0, 2**53))
def test_times_come_back_to_the_microsecond(microseconds: int) -> None:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    kind, dialect = t.UtcTime(), sqlite.dialect()
    assert kind.process_bind_param(at, dialect) == microseconds
    assert kind.process_result_value(microseconds, dialect) == at


def test_a_naive_time_is_never_stored() -> None:
    with pytest.raises(ValueError, match="naive"):
        t.UtcTime().process_bind_param(NOW.replace(tzinfo=None), sqlite.dialect())
