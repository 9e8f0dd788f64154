"""Between what is known of a file and what is stored of it. Pure."""

from dataclasses import replace

from files.entry import FileEntry
from files.parts import Place
from files.store import StoredFile
from security.crypto.keys import DataKey


def place_of(entry: FileEntry) -> Place:
    """Return where the blobs of a file lie."""
    return Place(entry.municipality_id, entry.call_id, entry.id)


def sealed(entry: FileEntry, key: DataKey) -> StoredFile:
    """Return the entry as it is stored: its name sealed."""
    ids = ("file-name", entry.municipality_id, entry.call_id, entry.id)
    return StoredFile(replace(entry, name=""), key.seal(entry.name.encode(), *ids))


def opened_entry(file: StoredFile, key: DataKey) -> FileEntry:
    """Return the entry with its name. Raises `Corrupt`."""
    entry = file.entry
    ids = ("file-name", entry.municipality_id, entry.call_id, entry.id)
    return replace(entry, name=key.open(file.name_sealed, *ids).decode())
