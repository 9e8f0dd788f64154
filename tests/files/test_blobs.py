"""Blobs in a folder: there in full or not at all."""

import asyncio
import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from files.blobs import FolderBlobs, in_thread
from security.errors import NotFound, Unavailable


@pytest.fixture
def blobs(tmp_path: Path) -> FolderBlobs:
    return FolderBlobs(tmp_path / "blobs", keep_free_bytes=0)


def _put(blobs: FolderBlobs, name: str, content: bytes) -> None:
    def write(file: BinaryIO) -> None:
        file.write(content)

    blobs.put(name, write)


def _get(blobs: FolderBlobs, name: str) -> bytes:
    with blobs.open(name) as file:
        return file.read()


def test_what_was_put_is_there_and_nobody_else_may_read_it(
    blobs: FolderBlobs, tmp_path: Path
) -> None:
    _put(blobs, "m/c/f/offered", b"one")
    assert _get(blobs, "m/c/f/offered") == b"one"
    assert list(blobs.names()) == ["m/c/f/offered"]
    path = tmp_path / "blobs/m/c/f/offered"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_second_blob_replaces_the_first(blobs: FolderBlobs) -> None:
    _put(blobs, "a/b", b"one")
    _put(blobs, "a/b", b"second")
    assert _get(blobs, "a/b") == b"second"
    assert blobs.sizes("a") == {"b": 6}


def test_a_writer_that_fails_leaves_what_was_there(blobs: FolderBlobs, tmp_path: Path) -> None:
    _put(blobs, "a/b", b"one")

    def fail(file: BinaryIO) -> None:
        file.write(b"half")
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        blobs.put("a/b", fail)
    with pytest.raises(RuntimeError):
        blobs.put("a/new", fail)
    assert _get(blobs, "a/b") == b"one"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["b"]


def test_what_is_not_there_is_not_found_and_deleted_quietly(blobs: FolderBlobs) -> None:
    with pytest.raises(NotFound):
        blobs.open("a/b")
    blobs.delete("a/b")
    blobs.delete_folder("a")
    assert blobs.sizes("a") == {}


def test_a_folder_goes_with_everything_in_it(blobs: FolderBlobs) -> None:
    for name in ("a/b/c", "a/b/d", "a/e/f"):
        _put(blobs, name, b"x")
    blobs.delete_folder("a/b")
    assert list(blobs.names()) == ["a/e/f"]


@pytest.mark.parametrize(
    "name", ["", "/a", "a//b", "../a", "a/..", "a/.new-1", "a\0", "a/b\n", "あ"]
)
def test_a_name_that_could_lead_elsewhere_is_refused(blobs: FolderBlobs, name: str) -> None:
    with pytest.raises(ValueError, match="name of a blob"):
        _put(blobs, name, b"x")


def test_what_a_killed_process_left_half_written_is_swept_away(
    blobs: FolderBlobs, tmp_path: Path
) -> None:
    _put(blobs, "a/b", b"one")
    left = tmp_path / "blobs/a/.new-0123"
    left.write_bytes(b"half")
    assert list(blobs.names()) == ["a/b"]
    assert blobs.sizes("a") == {"b": 3}
    blobs.sweep()
    assert not left.exists()
    assert _get(blobs, "a/b") == b"one"


def test_room_is_kept_for_the_rest_of_the_machine(tmp_path: Path) -> None:
    FolderBlobs(tmp_path / "blobs", keep_free_bytes=0).check_room(1)
    with pytest.raises(Unavailable) as caught:
        FolderBlobs(tmp_path / "blobs", keep_free_bytes=2**62).check_room(1)
    assert caught.value.code == "disk_full"


async def test_a_cancelled_write_has_ended_before_the_canceller_goes_on() -> None:
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        go_on.wait(10)
        ended.set()

    task = asyncio.create_task(in_thread(work))
    await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


def test_a_file_that_another_has_shredded_meanwhile_is_no_failure(
    blobs: FolderBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs.put("a/b/c", lambda file: file.write(b"x"))
    walk = os.walk

    def late(folder: Path) -> Iterator[tuple[str, list[str], list[str]]]:
        for found in list(walk(folder)):
            (Path(found[0]) / "c").unlink(missing_ok=True)
            yield found

    monkeypatch.setattr(os, "walk", late)
    blobs.shred_folder("a/b")
    assert list(blobs.names()) == []


def test_a_disk_that_fails_while_it_shreds_is_told_as_such(
    blobs: FolderBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs.put("a/b/c", lambda file: file.write(b"x"))

    def broken(_: int) -> None:
        raise OSError(errno.EIO, "worn")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(Unavailable):
        blobs.shred_folder("a/b")
