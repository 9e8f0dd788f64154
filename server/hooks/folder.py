"""Writes each closed record into a folder that somebody carries to a separate network.

    OUTBOX/kasaoka/2026-11-23/K-261123-0001-<id>.zip     the signed record, whole or not there
    OUTBOX/kasaoka/2026-11-23.csv                        a line for each, whole or not there

A file appears under its name only when all of it is on the disk. The line comes after the record
that it names. What finds no room waits in the outbox of the database.
"""

import asyncio
import csv
import errno
import hashlib
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from security.errors import NotFound
from server.csv_text import BOM, encoded, table
from server.hooks.fact import Fact
from server.hooks.plugins import SlugOf
from server.hooks.sender import TOLD, Sent

DESTINATION = "folder"
TYPES = frozenset({"record.closed", "record.added"})
MODE, FOLDER_MODE = 0o640, 0o750
ZONE = ZoneInfo("Asia/Tokyo")
FIELDS = ("number", "call", "office", "procedure", "outcome")
TIMES = ("placed_at", "answered_at", "closed_at")
COLUMNS = ("id", "type", *FIELDS, *TIMES, "file", "sha256")
_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, slots=True)
class Bundle:
    """A record's bytes, how its file's name ends, and what its line says."""

    suffix: str
    data: bytes
    line: Mapping[str, Any]


BundleOf = Callable[[Fact], Awaitable[Bundle]]


class FolderSender:
    """One at a time, for ever: an inner folder has no reason to refuse for good."""

    patient = True
    at_once = 1

    def __init__(self, folder: Path, bundle_of: BundleOf, slug_of: SlugOf) -> None:
        self._folder = folder
        self._bundle_of = bundle_of
        self._slug_of = slug_of

    async def send(self, destination: str, fact: Fact) -> Sent:
        """Write the record and its line; writing them again changes nothing."""
        try:
            bundle = await self._bundle_of(fact)
        except NotFound:
            return Sent("deleted", gone=True)
        home = self._folder / await self._slug_of(fact.municipality_id)
        try:
            await asyncio.to_thread(_write_both, home, fact, bundle)
        except OSError as error:
            return Sent("disk_full" if error.errno in _FULL else "folder")
        return TOLD


def _write_both(home: Path, fact: Fact, bundle: Bundle) -> None:
    day = f"{fact.at.astimezone(ZONE):%Y-%m-%d}"
    number = str(bundle.line.get("number", fact.type))
    name = f"{day}/{number}-{fact.subject}{bundle.suffix}"
    (home / day).mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    write_whole(home / name, bundle.data)
    said = [bundle.line.get(key) for key in (*FIELDS, *TIMES)]
    line = [fact.id, fact.type, *said, name, hashlib.sha256(bundle.data).hexdigest()]
    _add_line(home / f"{day}.csv", line)


def _add_line(file: Path, line: list[Any]) -> None:
    """Write the day's file again with one line more, unless it has that line."""
    before = file.read_text("utf-8").removeprefix(BOM) if file.exists() else table([COLUMNS])
    if any(row[:1] == line[:1] for row in csv.reader(before.splitlines())):
        return
    write_whole(file, encoded(before + table([line])))


def write_whole(file: Path, data: bytes) -> None:
    """Put `data` under a name at once and durably: it is there whole, or as it was before."""
    beside = file.with_name(f".{file.name}.part")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, MODE)
        with os.fdopen(descriptor, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(file)
        _sync(file.parent)
    finally:
        beside.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
