"""What the files of a call need of a database; no file name passes here unsealed. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from files.entry import FileEntry, FileState


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as it is stored: `entry.name` is always "" here, the name stands in `name_sealed`."""

    entry: FileEntry
    name_sealed: bytes


class FileStore(Protocol):
    """Keeps what is known of every file; each query but `unfinished` is scoped by municipality."""

    async def add(self, file: StoredFile) -> None:
        """Store a new file; it is durable when this returns."""

    async def get(self, municipality_id: str, file_id: str) -> StoredFile | None:
        """Return the file, or None when this municipality has no such file."""

    async def list_of_call(self, municipality_id: str, call_id: str) -> list[StoredFile]:
        """Return the call's files in every state, oldest first (by `at`, then id)."""

    async def change(self, file: StoredFile, *, expected: FileState) -> bool:
        """Write the new state, if the stored one is still `expected`; tell whether it was.

        Writes state, media_type, offered_bytes, sha256_offered, reason, scanned and name_sealed of
        the file with this municipality and id in one transaction, durable when this returns; the
        other fields are left alone. Writes nothing and returns False otherwise.
        """

    async def mark_still(self, municipality_id: str, file_id: str) -> None:
        """Write that a file is a still; that is never taken back."""

    async def take(self, entry: FileEntry, taker: str, at: datetime) -> bool:
        """Write when `taker` first had the bytes; False when that stands there already."""

    async def give_back(self, entry: FileEntry, taker: str) -> None:
        """Take that back: the bytes did not arrive."""

    async def unfinished(self) -> list[StoredFile]:
        """Return the files of every municipality that are arriving or being checked."""
