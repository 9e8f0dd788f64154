"""From bytes that have arrived to a file that is offered: inspected, looked at, rebuilt, sealed."""

from collections.abc import Awaitable, Callable, Collection, Iterator
from dataclasses import replace

from files.blobs import Blobs, in_thread
from files.check import check
from files.entry import FileEntry, FileState
from files.names import name_for
from files.parts import Parts, Place
from security.crypto.keys import DataKey
from security.errors import Unavailable

Pieces = Callable[[], Iterator[bytes]]
Inspect = Callable[[FileEntry, Pieces], Awaitable[str | None]]
"""Says what is known of the bytes as they were sent (`FileEntry.scanned`). The iterator blocks.

Raises what the file is to be refused with.
"""

IsTraining = Callable[[str, str], Awaitable[bool]]
"""Tells of (municipality id, call id) whether the call is 研修モード."""


async def no_training(municipality_id: str, call_id: str) -> bool:
    """Take every call for a real one."""
    return False


async def inspect_nothing(entry: FileEntry, pieces: Pieces) -> str | None:
    """Let every file pass unscanned."""
    return None


async def offered(
    entry: FileEntry,
    blobs: Blobs,
    place: Place,
    key: DataKey,
    *,
    allowed: Collection[str],
    inspect: Inspect,
    is_training: IsTraining = no_training,
) -> FileEntry:
    """Return the entry as it is offered, its blob sealed; nothing is told to the store yet.

    A picture of a training call gets its watermark here, before anything of it is kept.
    What inspects goes first: bytes that are found malicious are never decoded. Raises as `check`
    and `inspect` do, and `Unavailable` when bytes are missing.
    """
    parts = Parts(blobs, place)
    if await in_thread(parts.received) != entry.size_bytes:
        raise Unavailable("the bytes of the file are no longer there")
    scanned = await inspect(entry, lambda: parts.read(key))
    training = await is_training(entry.municipality_id, entry.call_id)
    sent = entry.sha256_sent
    found = await in_thread(
        check, blobs, place, key, sha256_sent=sent, allowed=allowed, training=training
    )
    return replace(
        entry,
        name=name_for(entry.name, found.media_type),
        state=FileState.OFFERED,
        media_type=found.media_type,
        offered_bytes=found.offered_bytes,
        sha256_offered=found.sha256_offered,
        scanned=scanned,
    )
