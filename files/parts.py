"""The bytes of a file while it arrives: sealed parts, each a blob of its own.

A part is there in full or not at all, and is never written twice under one salt, so a process that
is killed in the middle loses nothing that was acknowledged and repeats no key and nonce
(security/crypto/FORMAT.md section 3). What has arrived is what lies in consecutive parts from 0 on.
Blocking: call it in a worker thread.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from files.blobs import Blobs
from security.crypto.keys import DataKey
from security.crypto.stream import plain_length
from security.errors import Corrupt

PART_BYTES = 1024 * 1024
_PART_NAME = re.compile(r"(0|[1-9][0-9]{0,14})\.part")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the blobs of one file lie, and the ids they are sealed to."""

    municipality_id: str
    call_id: str
    file_id: str

    @property
    def folder(self) -> str:
        """Return the folder of all blobs of the file."""
        return f"{self.municipality_id}/{self.call_id}/{self.file_id}"

    @property
    def offered(self) -> str:
        """Return the name of the blob that is offered."""
        return f"{self.folder}/offered"

    def ids(self, kind: str) -> tuple[str, ...]:
        """Return the ids of FORMAT.md section 2 for "file" or "file-part"."""
        return (kind, self.municipality_id, self.call_id, self.file_id)


class Parts:
    """The arriving bytes of one file."""

    def __init__(self, blobs: Blobs, place: Place) -> None:
        self._blobs = blobs
        self._place = place

    def lengths(self) -> dict[int, int]:
        """Return the lengths in bytes of the consecutive parts by where they begin, in order.

        What lies beyond a gap has never been acknowledged and does not count.
        """
        found = {}
        for name, sealed_bytes in self._blobs.sizes(self._place.folder).items():
            match = _PART_NAME.fullmatch(name)
            if match is not None:
                found[int(match[1])] = plain_length(sealed_bytes)
        lengths: dict[int, int] = {}
        offset = 0
        while found.get(offset):
            lengths[offset] = found[offset]
            offset += found[offset]
        return lengths

    def received(self) -> int:
        """Return how many bytes have arrived and are durable."""
        return sum(self.lengths().values())

    def write(self, key: DataKey, offset: int, data: bytes) -> None:
        """Keep `data` as the part at `offset`. Raises `Unavailable` (`disk_full`)."""
        sealed = key.seal(data, *self._ids(offset))

        def fill(file: BinaryIO) -> None:
            file.write(sealed)

        self._blobs.put(self._name(offset), fill, size_bytes=len(sealed))

    def read(self, key: DataKey) -> Iterator[bytes]:
        """Give what has arrived, part by part. Raises `Corrupt` when a part does not verify."""
        for offset, length in self.lengths().items():
            with self._blobs.open(self._name(offset)) as file:
                sealed = file.read()
            data = key.reader(io.BytesIO(sealed), *self._ids(offset)).read_range(0, length)
            if len(data) != length:
                raise Corrupt("a part of a file has changed its length")
            yield data

    def cut(self, offset: int) -> None:
        """Remove every part from `offset` on, the last one first, so that no gap is ever left."""
        for start in sorted(self._starts(), reverse=True):
            if start >= offset:
                self._blobs.delete(self._name(start))

    def delete(self) -> None:
        """Remove every part."""
        self.cut(0)

    def _starts(self) -> Iterator[int]:
        for name in self._blobs.sizes(self._place.folder):
            match = _PART_NAME.fullmatch(name)
            if match is not None:
                yield int(match[1])

    def _name(self, offset: int) -> str:
        return f"{self._place.folder}/{offset}.part"

    def _ids(self, offset: int) -> tuple[str, ...]:
        return (*self._place.ids("file-part"), str(offset))


def is_part(name: str) -> bool:
    """Tell whether the blob called `name` is a part of an arriving file."""
    return _PART_NAME.fullmatch(name.rpartition("/")[2]) is not None
