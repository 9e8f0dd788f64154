"""`madoguchi keys rotate` over a real call's data, killed in the middle: everything opens."""

import asyncio
import base64
import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from security.crypto.keys import KeyEncryptionKey
from server.db.key_rotation import next_file

PROGRAM = (sys.executable, "-c", "from server.cli import main; main()", "keys", "rotate")
MANY = 1200
PDF = b"%PDF-1.4\n" + b"x" * 200_000 + b"\n%%EOF\n"
TUS = {"Tus-Resumable": "1.0.0"}


async def send_file(page: Any, call_id: str) -> str:
    """Send a whole file; return its id."""
    digest = base64.b64encode(hashlib.sha256(PDF).hexdigest().encode()).decode()
    meta = f"filename YS5wZGY=,sha256 {digest}"
    begin = TUS | {"Upload-Length": str(len(PDF)), "Upload-Metadata": meta}
    status, said = await page.request("POST", f"/api/v1/calls/{call_id}/files", headers=begin)
    assert status == 201, said
    file_id = page.last_headers["Location"].split("?")[0].rsplit("/", 1)[1]
    kind = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
    path = f"/api/v1/calls/{call_id}/files/{file_id}"
    status, said = await page.request("PATCH", path, headers=TUS | kind, data=PDF)
    assert status == 204, said
    return str(file_id)


def add_calls(folder: Path) -> None:
    """Add so many closed calls that wrapping their keys anew takes a while."""
    kek = KeyEncryptionKey.from_file(folder / "kek")
    with sqlite3.connect(folder / "data" / "madoguchi.sqlite") as database:
        names = [row[1] for row in database.execute("pragma table_info(call)")]
        row = database.execute("select * from call").fetchone()
        first = dict(zip(names, row, strict=True)) | {"state": "closed"}
        rows = []
        for number in range(MANY):
            own: dict[str, Any] = {"id": f"many-{number}", "number": f"R-{number}"}
            own["key_wrapped"] = kek.new_key(f"call:{own['id']}")[1]
            rows.append(tuple((first | own).values()))
        marks = ", ".join("?" * len(names))
        database.executemany(f"insert into call values ({marks})", rows)


def wrapped_by(folder: Path, key: KeyEncryptionKey) -> int:
    """Return how many keys of calls are wrapped by `key`."""
    mark = key.wrapped_by_us()
    with sqlite3.connect(folder / "data" / "madoguchi.sqlite", timeout=10) as database:
        query = "select count(*) from call where substr(key_wrapped, 1, ?) = ?"
        return int(database.execute(query, (len(mark), mark)).fetchone()[0])


def begin_and_kill(folder: Path, config: Path) -> int:
    """Kill the command as soon as it has wrapped some keys; return how many."""
    running = subprocess.Popen([*PROGRAM, "--config", str(config)], stdout=subprocess.DEVNULL)
    file = next_file(folder / "kek")
    while running.poll() is None:
        if file.exists() and file.stat().st_size:
            count = wrapped_by(folder, KeyEncryptionKey.from_file(file))
            if count:
                os.kill(running.pid, signal.SIGKILL)
                break
    assert running.wait() == -signal.SIGKILL
    return wrapped_by(folder, KeyEncryptionKey.from_file(file))


async def test_a_rotation_killed_in_the_middle_is_finished_and_chat_and_files_open(
    make_world: Any, tmp_path: Path
) -> None:
    world = await make_world()
    counter, desk, call = await world.talking()
    await counter.do("chat.send", text="申請書を送ります")
    file_id = await send_file(desk, call["id"])
    blobs = {p: p.read_bytes() for p in (tmp_path / "data" / "blobs").rglob("*") if p.is_file()}
    await make_world._running.pop().__aexit__(None, None, None)
    add_calls(tmp_path)
    config = tmp_path / "madoguchi.toml"
    config.write_text(f'[data]\nfolder = "{tmp_path}/data"\n[keys]\nkek_file = "{tmp_path}/kek"\n')

    done = await asyncio.to_thread(begin_and_kill, tmp_path, config)
    assert 0 < done <= MANY, "killed in the middle"
    with pytest.raises(Exception, match="madoguchi keys rotate"):
        await make_world._start({})
    told = await asyncio.to_thread(
        subprocess.run,
        [*PROGRAM, "--config", str(config)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"{MANY + 1 - done} 個の鍵" in told.stdout

    service = await make_world._start({})
    desk.base_url = service.base_url
    status, shown = await desk.request("GET", f"/api/v1/calls/{call['id']}")
    assert status == 200, shown
    assert [message["text"] for message in shown["chat"]] == ["申請書を送ります"]
    path = f"/api/v1/calls/{call['id']}/files/{file_id}/content"
    assert (await desk.request("GET", path))[1] == PDF
    same = {p: p.read_bytes() for p in (tmp_path / "data" / "blobs").rglob("*") if p.is_file()}
    assert same == blobs, "what is sealed was not touched"
