"""Where sealed bytes lie: whole blobs under a name, each there in full or not at all.

Everything here blocks on the disk; `in_thread` carries it to a worker thread.
"""

import asyncio
import contextlib
import errno
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, ParamSpec, Protocol, TypeVar

from security.errors import NotFound, Unavailable

T = TypeVar("T")
P = ParamSpec("P")

_PART_OF_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}")
_TEMPORARY = ".new-"
_SALTED_BYTES = 4096  # far more than what a sealed blob begins with (FORMAT.md section 2)
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Blobs(Protocol):
    """Keeps blobs under names of the form `a/b/c`. Blocking; safe from several threads."""

    def put(self, name: str, write: Callable[[BinaryIO], T], *, size_bytes: int = 0) -> T:
        """Keep what `write` writes under `name`, durably, and return what it returns.

        `size_bytes` is about how much that will be. Replaces what was there. When `write` raises
        or the disk is full, nothing has changed. Raises `Unavailable` (`disk_full`).
        """

    def open(self, name: str) -> BinaryIO:
        """Return the blob as a seekable file. Raises `NotFound`."""

    def delete(self, name: str) -> None:
        """Remove the blob; says nothing when there is none."""

    def sizes(self, folder: str) -> dict[str, int]:
        """Return the blobs right in `folder` by the last part of their names, with their bytes."""

    def names(self) -> Iterator[str]:
        """Give the name of every blob."""

    def delete_folder(self, folder: str) -> None:
        """Remove every blob under `folder`."""

    def check_room(self, size_bytes: int) -> None:
        """Raise `Unavailable` (`disk_full`) when so many more bytes would not fit."""

    def sweep(self) -> None:
        """Remove what a killed process has left unfinished; only while nothing is being put."""


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `function` in a worker thread and return what it returns.

    When cancelled, it waits for the thread's end before it gives way: whoever frees a lock or
    deletes a folder afterwards does not meet a write that is still under way.
    """
    job = asyncio.ensure_future(asyncio.to_thread(function, *args, **kwargs))
    try:
        return await asyncio.shield(job)
    except asyncio.CancelledError:
        while not job.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({job})
        if not job.cancelled():
            job.exception()
        raise


class FolderBlobs:
    """Blobs as files below one folder: written aside, flushed, renamed, the folder flushed.

    `keep_free_bytes` are left to the rest of the machine (the database, the audit log): a blob
    that would take of them is refused as if the disk were full.
    """

    def __init__(self, root: Path, *, keep_free_bytes: int = 64 * 1024 * 1024) -> None:
        self._root = root
        self._keep_free_bytes = keep_free_bytes

    def put(self, name: str, write: Callable[[BinaryIO], T], *, size_bytes: int = 0) -> T:
        """Keep what `write` writes under `name`."""
        path = self._path(name)
        self.check_room(size_bytes)
        with _disk_errors():
            self._make_folder(path.parent)
            temporary = path.with_name(_TEMPORARY + secrets.token_hex(8))
            try:
                result = _write_durably(temporary, write)
                temporary.replace(path)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
            _flush_folder(path.parent)
        return result

    def open(self, name: str) -> BinaryIO:
        """Return the blob as a seekable file."""
        try:
            return self._path(name).open("rb")
        except FileNotFoundError:
            raise NotFound("no such blob") from None

    def delete(self, name: str) -> None:
        """Remove the blob."""
        path = self._path(name)
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
            _flush_folder(path.parent)

    def sizes(self, folder: str) -> dict[str, int]:
        """Return the blobs right in `folder` with their bytes."""
        try:
            with os.scandir(self._path(folder)) as entries:
                return {
                    entry.name: entry.stat().st_size
                    for entry in entries
                    if entry.is_file() and not entry.name.startswith(_TEMPORARY)
                }
        except FileNotFoundError:
            return {}

    def names(self) -> Iterator[str]:
        """Give the name of every blob."""
        for path in self._files():
            if not path.name.startswith(_TEMPORARY):
                yield path.relative_to(self._root).as_posix()

    def delete_folder(self, folder: str) -> None:
        """Remove every blob under `folder`."""
        path = self._path(folder)
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(path)
            _flush_folder(path.parent)

    def shred_folder(self, folder: str) -> None:
        """Overwrite the beginning of every blob under `folder`, its salt included, then remove it.

        A temporary file of a write that was killed is shredded as well. Raises `Unavailable`.
        """
        with _disk_errors():
            for found, _, names in os.walk(self._path(folder)):
                for name in names:
                    # The command and the server may shred the same file at the same time.
                    with contextlib.suppress(FileNotFoundError):
                        _overwrite_beginning(Path(found) / name)
            self.delete_folder(folder)

    def check_room(self, size_bytes: int) -> None:
        """Raise `Unavailable` (`disk_full`) when so many more bytes would not fit."""
        with _disk_errors():
            self._make_folder(self._root)
            free = shutil.disk_usage(self._root).free
        if free - size_bytes < self._keep_free_bytes:
            raise Unavailable("the disk is full", code="disk_full")

    def sweep(self) -> None:
        """Remove temporary files of a process that was killed."""
        for path in self._files():
            if path.name.startswith(_TEMPORARY):
                path.unlink(missing_ok=True)

    def _files(self) -> Iterator[Path]:
        for folder, _, files in os.walk(self._root):
            for name in files:
                yield Path(folder) / name

    def _path(self, name: str) -> Path:
        parts = name.split("/")
        if not all(_PART_OF_NAME.fullmatch(part) for part in parts):
            raise ValueError("not the name of a blob")
        return self._root.joinpath(*parts)

    def _make_folder(self, folder: Path) -> None:
        if folder.is_dir():
            return
        if folder != folder.parent:
            self._make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        _flush_folder(folder.parent)


def _write_durably(path: Path, write: Callable[[BinaryIO], T]) -> T:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        result = write(file)
        file.flush()
        os.fsync(file.fileno())
    return result


def _overwrite_beginning(path: Path) -> None:
    size_bytes = min(_SALTED_BYTES, path.stat().st_size)
    with path.open("r+b") as file:
        file.write(secrets.token_bytes(size_bytes))
        file.flush()
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise Unavailable("the disk is full", code="disk_full") from error
        raise Unavailable("the disk does not take the file") from error
