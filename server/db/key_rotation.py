"""Changes the key-encryption key: wraps every data key anew and touches nothing that is sealed.

The new key lies beside the old one as `FILE.next` until every data key is wrapped by it; only then
does it take the old one's place, which stays as `FILE.<key id>` for older backups. Each wrapped key
says by which key it was wrapped, so that whatever interrupts this, running it again goes on.
The service must be stopped: it knows one key only.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from security.crypto.keys import KeyEncryptionKey
from security.errors import Conflict, Corrupt
from security.secret_file import write_secret
from server.db import schema as t
from server.db.engine import Database

BATCH = 500
_RETIRED = re.compile(r"\.[0-9a-f]{16}")
_TABLES = (("municipality", t.municipality), ("call", t.call))


def next_file(file: Path) -> Path:
    """Return where the new key lies while the change goes on."""
    return file.with_name(file.name + ".next")


def retired_file(file: Path, key: KeyEncryptionKey) -> Path:
    """Return where a key lies that is no longer used."""
    return file.with_name(f"{file.name}.{key.key_id.hex()}")


@dataclass(frozen=True, slots=True)
class Rotated:
    """What was done: how many data keys were wrapped anew, and the old key's file."""

    wrapped: int
    retired: Path


async def rotate(database: Database, file: Path) -> Rotated:
    """Change the key in `file`; goes on where an earlier try was interrupted.

    Raises `Unavailable`, `Corrupt` (a data key is wrapped by a key that lies nowhere here).
    """
    old = KeyEncryptionKey.from_file(file)
    fresh = next_file(file)
    if not fresh.exists():
        KeyEncryptionKey.generate().write_file(fresh)
    # Before anything is wrapped by it: a power cut must not lose the new key's name.
    _make_durable(file.parent)
    try:
        new = KeyEncryptionKey.from_file(fresh)
    except Corrupt:
        raise Corrupt(
            f"{fresh} holds no key, so nothing was wrapped by it; remove it and run this again"
        ) from None
    if new.key_id == old.key_id:
        raise Conflict(f"{fresh} holds the same key as {file}; remove it and run this again")
    known = {key.key_id: key for key in (old, *_retired(file))}
    wrapped = 0
    for kind, table in _TABLES:
        while count := await _wrap_some(database, kind, table, known, new):
            wrapped += count
    retired = retired_file(file, old)
    if not retired.exists():
        write_secret(retired, old.to_text())
        _make_durable(file.parent)
    fresh.replace(file)
    _make_durable(file.parent)
    return Rotated(wrapped, retired)


async def _wrap_some(
    database: Database,
    kind: str,
    table: sa.Table,
    known: dict[bytes, KeyEncryptionKey],
    new: KeyEncryptionKey,
) -> int:
    """Wrap at most a batch of keys anew, in one transaction; return how many."""
    wrapped, done = table.c.key_wrapped, new.wrapped_by_us()
    query = sa.select(table.c.id, wrapped).where(
        wrapped.is_not(None), sa.func.substr(wrapped, 1, len(done)) != done
    )
    async with database.writing() as connection:
        rows = (await connection.execute(query.limit(BATCH))).all()
        for row in rows:
            owner = f"{kind}:{row.id}"
            by = KeyEncryptionKey.key_id_of(row.key_wrapped)
            if by not in known:
                raise Corrupt(f"the key of {owner} was wrapped by key {by.hex()}, not found here")
            again = new.wrap_again(owner, row.key_wrapped, known[by])
            change = sa.update(table).where(table.c.id == row.id)
            await connection.execute(change.values(key_wrapped=again))
    return len(rows)


def _retired(file: Path) -> Iterable[KeyEncryptionKey]:
    for path in sorted(file.parent.glob(f"{file.name}.*")):
        if _RETIRED.fullmatch(path.name.removeprefix(file.name)):
            yield KeyEncryptionKey.from_file(path)


def _make_durable(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
