"""Changing the key-encryption key: everything opens as before, whatever interrupted it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from security.crypto.keys import DataKey, KeyEncryptionKey
from security.errors import Corrupt, Unavailable
from security.people import Municipality
from server.db import schema as t
from server.db.engine import Database, open_database
from server.db.key_rotation import next_file, rotate
from server.db.people import SqlPeople
from server.keys import KeyRing, load_kek

COUNT = 7


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A database with a few municipalities, and the key in a file."""
    database = open_database(tmp_path)
    await database.migrate()
    kek = KeyEncryptionKey.generate()
    kek.write_file(tmp_path / "kek")
    people = SqlPeople(database, KeyRing(kek))
    for name in map(str, range(COUNT)):
        await people.add_municipality(Municipality(name, name, name, "", ""))
    yield database
    await database.close()


async def house_keys(database: Database, file: Path) -> list[DataKey]:
    """Open every house key as a service does that starts now."""
    people = SqlPeople(database, KeyRing(load_kek(file, {})))
    return [await people.house_key(str(name)) for name in range(COUNT)]


async def test_everything_opens_by_the_new_key_and_nothing_by_the_old(
    database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "kek"
    old = KeyEncryptionKey.from_file(file)
    sealed = [key.seal(b"x", "id") for key in await house_keys(database, file)]
    done = await rotate(database, file)
    assert done.wrapped == COUNT
    assert KeyEncryptionKey.from_file(done.retired).key_id == old.key_id
    assert KeyEncryptionKey.from_file(file).key_id != old.key_id
    keys = await house_keys(database, file)
    opened = [key.open(blob, "id") for key, blob in zip(keys, sealed, strict=True)]
    assert opened == [b"x"] * COUNT
    with pytest.raises(Corrupt, match="another key-encryption key"):
        await house_keys(database, done.retired)
    assert (await rotate(database, file)).wrapped == COUNT
    await house_keys(database, file)


async def test_a_change_that_was_interrupted_goes_on_and_nothing_starts_meanwhile(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "kek"
    monkeypatch.setattr("server.db.key_rotation.BATCH", 2)
    batches = 0

    def interrupt(_connection: object) -> None:
        nonlocal batches
        batches += 1
        if batches == 3:
            raise KeyboardInterrupt

    engine = database.engine.sync_engine
    sa.event.listen(engine, "commit", interrupt)
    with pytest.raises(KeyboardInterrupt):
        await rotate(database, file)
    sa.event.remove(engine, "commit", interrupt)
    assert next_file(file).stat().st_mode & 0o777 == 0o600
    with pytest.raises(Unavailable, match="madoguchi keys rotate"):
        load_kek(file, {})
    assert (await rotate(database, file)).wrapped == COUNT - 4
    assert not next_file(file).exists()
    await house_keys(database, file)


async def test_a_new_key_torn_by_a_crash_is_said_so(database: Database, tmp_path: Path) -> None:
    next_file(tmp_path / "kek").touch(mode=0o600)
    with pytest.raises(Corrupt, match="remove it and run this again"):
        await rotate(database, tmp_path / "kek")


async def test_a_key_that_is_known_nowhere_stops_the_change_with_its_id(
    database: Database, tmp_path: Path
) -> None:
    stranger = KeyEncryptionKey.generate()
    _, wrapped = stranger.new_key("municipality:3")
    async with database.writing() as connection:
        change = sa.update(t.municipality).where(t.municipality.c.id == "3")
        await connection.execute(change.values(key_wrapped=wrapped))
    with pytest.raises(Corrupt, match=f"municipality:3 .* {stranger.key_id.hex()}"):
        await rotate(database, tmp_path / "kek")
    stranger.write_file(tmp_path / f"kek.{stranger.key_id.hex()}")
    assert (await rotate(database, tmp_path / "kek")).wrapped == COUNT
    await house_keys(database, tmp_path / "kek")
