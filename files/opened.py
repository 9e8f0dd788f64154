"""A file that is offered, open for reading by range."""

from collections.abc import AsyncIterator
from types import TracebackType
from typing import BinaryIO, Self

from files.blobs import Blobs, in_thread
from files.entry import FileEntry
from files.parts import Place
from security.crypto.keys import DataKey

PIECE_BYTES = 1024 * 1024


class OpenedFile:
    """The offered bytes of `entry`; use it in `async with`, one reader at a time."""

    def __init__(self, entry: FileEntry, file: BinaryIO, key: DataKey, place: Place) -> None:
        self.entry = entry
        self._file = file
        self._reader = key.reader(file, *place.ids("file"))
        self.length = self._reader.length
        self.is_first = False  # whether its reader had not had it before

    @classmethod
    async def open(cls, entry: FileEntry, blobs: Blobs, key: DataKey, place: Place) -> "OpenedFile":
        """Return the file, proven to be whole. Raises `NotFound` or `Corrupt`."""

        def opened() -> OpenedFile:
            file = blobs.open(place.offered)
            try:
                return cls(entry, file, key, place)
            except BaseException:
                file.close()
                raise

        return await in_thread(opened)

    async def read(self, start: int, end: int) -> bytes:
        """Return the bytes from `start` up to but not with `end`. Raises `Corrupt`."""
        return await in_thread(self._reader.read_range, start, end)

    async def pieces(self, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Give the bytes of a range in pieces of at most 1 MiB. Raises `Corrupt`."""
        stop = self.length if end is None else min(end, self.length)
        for at in range(start, stop, PIECE_BYTES):
            yield await self.read(at, min(at + PIECE_BYTES, stop))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await in_thread(self._file.close)
