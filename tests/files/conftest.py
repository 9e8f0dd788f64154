"""Files over a real folder, a real gate that allows everything, and a store in memory."""

import hashlib
import random
import struct
import subprocess
import zlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from files.blobs import FolderBlobs
from files.entry import FileEntry, FileState
from files.store import StoredFile
from files.tus import Creation
from files.uploads import Uploads
from security.crypto.keys import DataKey
from security.errors import NotFound, Reason, Unavailable
from security.gate import Gate, Permit
from security.policy.decide import Decision, Rule, Term
from security.policy.facts import Actor, Facts

T0 = datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC)
MIB = 1024 * 1024


class NoAudit:
    async def write(self, decision: Decision, facts: Facts) -> None:
        return None


class MemoryFiles:
    """`FileStore` in memory. `failures` counts the changes that still fail, as on a full disk."""

    def __init__(self) -> None:
        self.files: dict[str, StoredFile] = {}
        self.failures = 0

    async def add(self, file: StoredFile) -> None:
        self.files[file.entry.id] = file

    async def get(self, municipality_id: str, file_id: str) -> StoredFile | None:
        file = self.files.get(file_id)
        return file if file and file.entry.municipality_id == municipality_id else None

    async def list_of_call(self, municipality_id: str, call_id: str) -> list[StoredFile]:
        wanted = (municipality_id, call_id)
        return [
            file
            for file in self.files.values()
            if (file.entry.municipality_id, file.entry.call_id) == wanted
        ]

    async def change(self, file: StoredFile, *, expected: FileState) -> bool:
        if self.failures:
            self.failures -= 1
            raise Unavailable("the disk is full", code="disk_full")
        if self.files[file.entry.id].entry.state is not expected:
            return False
        self.files[file.entry.id] = file
        return True

    async def mark_still(self, municipality_id: str, file_id: str) -> None:
        file = self.files[file_id]
        self.files[file_id] = replace(file, entry=replace(file.entry, still=True))

    async def take(self, entry: FileEntry, taker: str, at: datetime) -> bool:
        taken_by = self.files[entry.id].entry.taken_by
        self._took(entry, (*taken_by, taker))
        return taker not in taken_by

    async def give_back(self, entry: FileEntry, taker: str) -> None:
        taken_by = self.files[entry.id].entry.taken_by
        self._took(entry, tuple(x for x in taken_by if x != taker))

    def _took(self, entry: FileEntry, taken_by: tuple[str, ...]) -> None:
        file = self.files[entry.id]
        self.files[entry.id] = replace(file, entry=replace(file.entry, taken_by=taken_by))

    async def unfinished(self) -> list[StoredFile]:
        states = {FileState.ARRIVING, FileState.CHECKING}
        return [file for file in self.files.values() if file.entry.state in states]

    def put_back(self, file_id: str, state: FileState) -> None:
        """Bring a file to the state that a killed process would have left."""
        file = self.files[file_id]
        self.files[file_id] = replace(file, entry=replace(file.entry, state=state))


def _new_told() -> list[tuple[FileState, int]]:
    return []


@dataclass
class Tray:
    """One call's files, and permits at hand. `told` is what a page would have been told."""

    folder: Path
    store: MemoryFiles
    blobs: FolderBlobs
    keys: dict[str, DataKey]
    uploads: Uploads
    told: list[tuple[FileState, int]] = field(default_factory=_new_told)

    @classmethod
    def over(
        cls, folder: Path, store: MemoryFiles, *, keep_free_bytes: int = 0, **limits: Any
    ) -> "Tray":
        blobs = FolderBlobs(folder, keep_free_bytes=keep_free_bytes)
        keys = {"call-1": DataKey(bytes(32)), "call-2": DataKey(bytes(range(32)))}

        async def key_of_call(municipality_id: str, call_id: str) -> DataKey:
            if call_id not in keys:
                raise NotFound("the key was destroyed")
            return keys[call_id]

        tray = cls(folder, store, blobs, keys, Uploads(store, blobs, key_of_call, **limits))
        tray.uploads.listen(tray._hear)
        return tray

    async def restarted(self) -> "Tray":
        """Return what a new process makes of the same folder and database."""
        tray = Tray.over(self.folder, self.store)
        await tray.uploads.recover()
        return tray

    async def _hear(self, entry: FileEntry, received_bytes: int) -> None:
        self.told.append((entry.state, received_bytes))

    async def permit(self, action: str, subject: str = "call-1", municipality: str = "m") -> Permit:
        always = Term(lambda facts: True, Reason("never", "never"))
        gate = Gate({action: Rule(action, (always,))}, NoAudit())
        actor = Actor(page="desk", municipality_id=municipality)
        return await gate.ask(action, Facts(T0, actor, subject, municipality))

    async def create(
        self, content: bytes, name: str = "申請書.pdf", *, sha256: str | None = None
    ) -> FileEntry:
        creation = Creation(name, len(content), sha256 or hashlib.sha256(content).hexdigest())
        permit = await self.permit("file.send")
        return await self.uploads.create(permit, "call-1", "counter", "p", creation, now=T0)

    async def append(
        self,
        entry: FileEntry,
        offset: int,
        body: bytes | AsyncIterator[bytes],
        sha256: bytes | None = None,
    ) -> int:
        pieces = in_pieces(body) if isinstance(body, bytes) else body
        return await self.uploads.append(
            await self.permit("file.send"),
            "call-1",
            entry.id,
            "counter",
            offset,
            pieces,
            sha256=sha256,
        )

    async def complete(self, entry: FileEntry) -> FileEntry:
        permit = await self.permit("file.send")
        return await self.uploads.complete(permit, "call-1", entry.id, "counter")

    async def offset(self, entry: FileEntry) -> int:
        permit = await self.permit("file.send")
        return (await self.uploads.offset(permit, "call-1", entry.id, "counter"))[1]

    async def send(self, content: bytes, name: str = "申請書.pdf") -> FileEntry:
        return await self.send_on(await self.create(content, name), content)

    async def send_on(self, entry: FileEntry, content: bytes) -> FileEntry:
        await self.append(entry, 0, content)
        return await self.complete(entry)

    async def content(self, entry: FileEntry) -> bytes:
        permit = await self.permit("file.read", entry.id)
        async with await self.uploads.open(permit, "call-1", entry.id, "desk", now=T0) as opened:
            return b"".join([piece async for piece in opened.pieces()])

    def on_disk(self) -> list[str]:
        """Return the names of everything below the folder, without ids."""
        return sorted(path.name for path in self.folder.rglob("*") if path.is_file())


async def in_pieces(content: bytes, size: int = 100_000) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


@pytest.fixture
def tray(tmp_path: Path) -> Tray:
    return Tray.over(tmp_path / "blobs", MemoryFiles())


@pytest.fixture
def small_tray(tmp_path: Path) -> Tray:
    return Tray.over(tmp_path / "blobs", MemoryFiles(), max_bytes=1_000, max_per_call=2)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if subprocess.run(mounting, capture_output=True, check=False).returncode:
        pytest.fail("this test needs root to mount a small tmpfs")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def pdf(size: int = 1_000) -> bytes:
    """Return `size` bytes of something that begins and ends as a PDF."""
    head, tail = b"%PDF-1.7\n", b"\nstartxref\n0\n%%EOF\n"
    return head + random.Random(size).randbytes(size - len(head) - len(tail)) + tail


def pixels(width: int = 60, height: int = 40, channels: int = 3) -> npt.NDArray[Any]:
    """Return a picture that is red in its left half and blue in its right."""
    picture = np.zeros((height, width, channels), np.uint8)
    picture[:, : width // 2, 2] = 255
    picture[:, width // 2 :, 0] = 255
    return picture


def encoded(suffix: str, picture: npt.NDArray[Any]) -> bytes:
    return cv2.imencode(suffix, picture)[1].tobytes()


def decoded(content: bytes) -> npt.NDArray[Any]:
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    return picture


def exif(orientation: int = 1) -> bytes:
    """Return EXIF (TIFF) with an orientation, a camera's name and a GPS position."""
    entries = [
        (0x010F, 2, 8, 0),  # Make, put right below
        (0x0112, 3, 1, orientation << 16),
        (0x8825, 4, 1, 0),  # the GPS directory, put right below
    ]
    ifd_bytes = 2 + 12 * len(entries) + 4
    make_at = 8 + ifd_bytes
    gps_at = make_at + 8
    values = [make_at, orientation << 16, gps_at]
    ifd = struct.pack(">H", len(entries)) + b"".join(
        struct.pack(">HHII", tag, kind, count, value)
        for (tag, kind, count, _), value in zip(entries, values, strict=True)
    )
    gps = struct.pack(">HHHI4sI", 1, 1, 2, 2, b"N\0\0\0", 0)
    return b"MM\x00\x2a\x00\x00\x00\x08" + ifd + bytes(4) + b"CAMERA!\0" + gps


def with_exif(jpeg: bytes, orientation: int = 1) -> bytes:
    segment = b"Exif\0\0" + exif(orientation)
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + jpeg[2:]


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def with_chunk(png: bytes, kind: bytes, body: bytes) -> bytes:
    """Return `png` with a further chunk right after its header."""
    return png[:33] + png_chunk(kind, body) + png[33:]


def bomb_png(width: int, height: int, bits: int = 8) -> bytes:
    """Return a few bytes of PNG that claim a picture of `width` × `height`."""
    header = struct.pack(">IIBBBBB", width, height, bits, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(bytes(100_000)))
        + png_chunk(b"IEND", b"")
    )
