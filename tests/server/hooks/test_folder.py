"""Hand-over across separated networks: whole files and lines, and nothing lost on a full disk."""

import asyncio
import csv
import hashlib
import os
import subprocess
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from server.calls.call import Outcome
from server.csv_text import cell, table
from server.hooks.folder import COLUMNS, write_whole
from server.records.verify import STEPS, Verifier


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 512 KiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)]
    if subprocess.run(mounting, capture_output=True, check=False).returncode:
        pytest.fail("this test needs root to mount a small tmpfs")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def lines_of(folder: Path) -> list[dict[str, str]]:
    """Return the lines of every day, as a spreadsheet reads them."""
    found: list[dict[str, str]] = []
    for file in sorted((folder / "kasaoka").glob("*.csv")):
        raw = file.read_bytes()
        assert raw.startswith(b"\xef\xbb\xbf")
        found += csv.DictReader(raw.decode("utf-8-sig").splitlines())
    return found


async def look(world: Any) -> None:
    await world.service.parts.deliveries.look()


async def test_each_closed_call_leaves_a_file_and_a_line_that_fit(
    make_world: Any, closing_in: Any, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    world = await make_world(hooks={"outbox_dir": out})
    first = await closing_in(world)(Outcome.RETURNED)
    second = await closing_in(world)()
    await closing_in(world)(training=True)
    await look(world)
    lines = lines_of(out)
    assert [line["number"] for line in lines] == [first.number, second.number]
    for line in lines:
        data = (out / "kasaoka" / line["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == line["sha256"]
        assert zipfile.ZipFile(BytesIO(data)).testzip() is None
    key = await world.service.parts.records.keys.public_key(world.town.municipality.id)
    content = BytesIO((out / "kasaoka" / lines[0]["file"]).read_bytes())
    assert len(list(Verifier(content, key).run())) == len(STEPS)
    assert not list(out.rglob(".*.part"))
    # A folder that somebody has emptied begins anew; what was told is not told again.
    for file in (out / "kasaoka").glob("*.csv"):
        file.unlink()
    third = await closing_in(world)()
    await look(world)
    assert [line["number"] for line in lines_of(out)] == [third.number]


async def test_what_was_written_before_a_kill_is_written_once(
    make_world: Any, closing_in: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    world = await make_world(hooks={"outbox_dir": out})
    box = world.service.parts.outbox

    async def dies(_: Any) -> None:
        raise RuntimeError("killed before it was noted")

    with monkeypatch.context() as patch:
        patch.setattr(box, "settle", dies)
        call = await closing_in(world)()
        await look(world)
    assert len(lines_of(out)) == 1
    await look(world)
    assert [line["number"] for line in lines_of(out)] == [call.number]
    assert await box.figures() == {"folder": {"done": 1}}


async def test_a_full_disk_keeps_everything_queued_and_says_so_until_there_is_room(
    make_world: Any, closing_in: Any, small_disk: Path
) -> None:
    world = await make_world(hooks={"outbox_dir": small_disk})
    ballast = small_disk / "ballast"
    filling = ["dd", "if=/dev/zero", f"of={ballast}", "bs=4k"]
    filled = await asyncio.to_thread(subprocess.run, filling, capture_output=True, check=False)
    assert b"No space" in filled.stderr
    calls = [await closing_in(world)() for _ in range(3)]
    for _ in range(15):
        await look(world)
        world.clock.advance(hours=1)
    home = world.town.municipality.id
    troubled = await world.service.parts.outbox.troubled(home)
    assert {(one.state, one.problem) for one in troubled} == {("waiting", "disk_full")}
    _, metrics = await world.stranger().request("GET", "/metrics")
    assert b'madoguchi_deliveries{kind="folder",state="waiting"} 3.0' in metrics
    assert lines_of(small_disk) == []
    ballast.unlink()
    world.clock.advance(hours=1)
    await look(world)
    await look(world)
    assert {line["number"] for line in lines_of(small_disk)} == {one.number for one in calls}
    assert await world.service.parts.outbox.troubled(home) == []


def test_a_file_that_could_not_be_replaced_stays_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.csv"
    write_whole(file, b"before")

    def broken(_: int) -> None:
        raise OSError(5, "the disk is worn")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="worn"):
        write_whole(file, b"after, and longer")
    assert (file.read_bytes(), list(tmp_path.iterdir())) == (b"before", [file])


@pytest.mark.parametrize("text", ["=1+1", "+81", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert cell(text) == "'" + text
    assert (cell(-5), cell(None), cell({"a": 1})) == ("-5", "", '{"a": 1}')
    assert table([COLUMNS]).endswith("\r\n")
