"""What is known of the files of checks: in memory, since none outlives its check."""

from dataclasses import replace
from datetime import datetime

from files.entry import FileEntry, FileState
from files.store import StoredFile


class MemoryFiles:
    """Implements `FileStore` of files/store.py; a service that stops forgets everything."""

    def __init__(self) -> None:
        self._files: dict[str, StoredFile] = {}

    async def add(self, file: StoredFile) -> None:
        """Keep a new file."""
        self._files[file.entry.id] = file

    async def get(self, municipality_id: str, file_id: str) -> StoredFile | None:
        """Return the file, or None when this municipality has no such file."""
        found = self._files.get(file_id)
        return found if found and found.entry.municipality_id == municipality_id else None

    async def list_of_call(self, municipality_id: str, call_id: str) -> list[StoredFile]:
        """Return the files of one check."""
        of = (municipality_id, call_id)
        every = self._files.values()
        return [x for x in every if (x.entry.municipality_id, x.entry.call_id) == of]

    async def change(self, file: StoredFile, *, expected: FileState) -> bool:
        """Take the new state, if the one before is still `expected`."""
        known = self._files.get(file.entry.id)
        if known is None or known.entry.state is not expected:
            return False
        self._files[file.entry.id] = file
        return True

    async def mark_still(self, municipality_id: str, file_id: str) -> None:
        """Do nothing: a check has no steps."""

    async def take(self, entry: FileEntry, taker: str, at: datetime) -> bool:
        """Note who has the bytes."""
        known = self._files.get(entry.id)
        if known is None or taker in known.entry.taken_by:
            return False
        taken = replace(known.entry, taken_by=(*known.entry.taken_by, taker))
        self._files[entry.id] = replace(known, entry=taken)
        return True

    async def give_back(self, entry: FileEntry, taker: str) -> None:
        """Forget that again."""
        known = self._files.get(entry.id)
        if known is not None:
            left = tuple(x for x in known.entry.taken_by if x != taker)
            self._files[entry.id] = replace(known, entry=replace(known.entry, taken_by=left))

    async def unfinished(self) -> list[StoredFile]:
        """Return what is on its way."""
        under_way = (FileState.ARRIVING, FileState.CHECKING)
        return [x for x in self._files.values() if x.entry.state in under_way]

    def forget(self, call_id: str) -> list[FileEntry]:
        """Forget the files of one check and return them."""
        gone = [x.entry for x in self._files.values() if x.entry.call_id == call_id]
        for entry in gone:
            del self._files[entry.id]
        return gone
