"""`madoguchi demo` as people start it."""

import asyncio
import json
import os
import re
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from click.testing import CliRunner

from server.demo.browser import Browser
from server.demo.client import SimulatedPage
from server.demo.command import demo
from server.demo.encoded import desk_clip

MADOGUCHI = [sys.executable, "-c", "import server.cli; server.cli.main()", "demo"]
ROOT = Path(__file__).resolve().parents[2]


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(folder)}


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*MADOGUCHI, *options],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(folder),
        timeout=60,
        check=False,
    )


@asynccontextmanager
async def running(folder: Path, *options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start the demo in a process of its own; whatever happens, it ends with the block."""
    process = await asyncio.create_subprocess_exec(
        *MADOGUCHI,
        *options,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env=environment(folder),
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def printed(process: asyncio.subprocess.Process, last: str) -> str:
    """Return what was printed up to the line that holds `last`."""
    if process.stdout is None:
        raise RuntimeError("its output is not read")
    text = ""
    async with asyncio.timeout(30):
        while last not in text:
            line = await process.stdout.readline()
            if not line:
                raise EOFError(text)
            text += line.decode()
    return text


def test_the_check_prints_one_json_object_alone_and_keeps_nothing(tmp_path: Path) -> None:
    done = run(tmp_path, "--check", "--json")
    report = json.loads(done.stdout)
    assert (report["errors"], done.returncode) == ([], 0), done.stderr
    counts = [value for name, value in report.items() if name.split("_")[0] in ("video", "audio")]
    assert len(counts) == 4
    assert min(counts) >= 30
    assert 0 <= report["first_frame_ms"] < 5_000
    assert report["outcome"] == "verified"
    assert done.stdout.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_the_check_keeps_its_data_where_it_is_told_to_and_runs_again_on_it(tmp_path: Path) -> None:
    for times in (1, 2):
        done = run(tmp_path, "--check", "--data", str(tmp_path / "kept"))
        assert done.returncode == 0, done.stderr + done.stdout
        assert sorted(path.name for path in tmp_path.iterdir()) == ["kept"]
        database = tmp_path / "kept" / "madoguchi.sqlite"
        assert not list(database.parent.glob("madoguchi.sqlite-*")), "the log was written back"
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
            rows = connection.execute("select state, outcome, training from call").fetchall()
        connection.close()
        assert rows == [("closed", "verified", 1)] * times


def test_a_check_that_fails_says_so_and_exits_with_one(tmp_path: Path) -> None:
    (tmp_path / "full").write_text("a file where a folder should be")
    done = run(tmp_path, "--check", "--json", "--data", str(tmp_path / "full" / "data"))
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert report["errors"]
    assert report["outcome"] is None


def test_json_without_a_check_is_refused() -> None:
    result = CliRunner().invoke(demo, ["--json"])
    assert result.exit_code == 2
    assert "--check" in result.output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminate"])
async def test_the_demo_says_where_it_is_and_leaves_nothing_behind(
    tmp_path: Path, number: signal.Signals
) -> None:
    options = ("--port", "0", "--no-resident", "--no-lan")
    async with running(tmp_path, *options) as process:
        text = await printed(process, "Ctrl+C ends it")
        (folder,) = tmp_path.iterdir()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        process.send_signal(number)
        assert await asyncio.wait_for(process.wait(), 15) == 0
    assert "No data is kept" in text
    assert "データは残りません" in text
    assert re.search(r"counter page +http://localhost:\d+/counter", text)
    assert len(re.findall(r"http://localhost:\d+/link#[\w-]{43}\b", text)) == 2
    assert list(tmp_path.iterdir()) == []


async def test_a_desk_that_uses_its_link_sees_the_simulated_resident_call(tmp_path: Path) -> None:
    async with (
        running(tmp_path, "--port", "0", "--no-lan") as process,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
    ):
        text = await printed(process, "Ctrl+C ends it")
        base_url, token = re.findall(r"desk +(http://localhost:\d+)/link#([\w-]+)", text)[0]
        browser = Browser(http, base_url, "desk")
        await browser.use_link(token)
        desk = SimulatedPage(browser, desk_clip())
        await desk.connect()
        await desk.ask("desk.state", state="open")
        await desk.until(lambda m: bool(m.queue and m.queue["offered"]), 15)
        call = await desk.accept()
        assert call["training"] is True
        await desk.close()
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), 15) == 0
