"""Plug-ins by real entry points, in real processes: whatever they do, the server goes on."""

import asyncio
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from security.policy.sections.hooks import Hooks
from server.hooks.body import Bodies
from server.hooks.fact import Fact
from server.hooks.plugins import PluginSender
from server.hooks.sender import Sent

FACT = Fact("m", "call.closed", "c", datetime(2026, 11, 23, tzinfo=UTC), {"call": "c"})
CODE = """
import ctypes, json, os, subprocess, sys, time
from pathlib import Path

def keeps(event):
    said = {"id": event.id, "type": event.type, "call": event.data["call"],
            "municipality": event.municipality, "key": os.environ.get("MADOGUCHI_KEK")}
    Path(__file__).with_name("kept.json").write_text(json.dumps(said))

def raises(event):
    raise ValueError("個人の名前")

def loops(event):
    while True:
        pass

def sleeps_in_c(event):
    ctypes.CDLL(None).sleep(60)

def leaves_a_child(event):
    child = subprocess.Popen(["sleep", "600"])
    Path(__file__).with_name("child").write_text(str(child.pid))
    time.sleep(60)

def prints(event):
    os.write(1, b"ok" * 100000)
    os.write(2, b"x" * 100000)
    print("ok" * 100000)

def exits(event):
    os._exit(7)

def eats_memory(event):
    bytearray(8 << 30)
"""
NAMES = ("keeps", "raises", "loops", "sleeps_in_c", "leaves_a_child", "prints", "exits")


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install a package with plug-ins; return its folder."""
    folder = tmp_path / "installed"
    about = folder / "our_archive-1.0.dist-info"
    about.mkdir(parents=True)
    (folder / "our_archive.py").write_text(CODE)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: our-archive\nVersion: 1.0\n")
    lines = [f"{name} = our_archive:{name}" for name in (*NAMES, "eats_memory")]
    text = "[madoguchi.record_hooks]\n" + "\n".join([*lines, "gone = no_such:thing"])
    (about / "entry_points.txt").write_text(text)
    before = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{before}")
    return folder


async def nothing_more(_: Fact) -> dict[str, Any]:
    return {}


async def slug_of(_: str) -> str:
    return "kasaoka"


def sender(seconds: float = 60) -> PluginSender:
    return PluginSender(Bodies(lambda _: Hooks(), nothing_more), slug_of, seconds=seconds)


async def test_a_plugin_hears_a_fact_and_nothing_of_our_environment(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MADOGUCHI_KEK", "mgk1-secret")
    assert await sender().send("plugin:keeps", FACT) == Sent()
    said = json.loads((installed / "kept.json").read_text())
    assert said == {
        "id": FACT.id,
        "type": "call.closed",
        "call": "c",
        "municipality": "kasaoka",
        "key": None,
    }


async def test_what_goes_wrong_in_a_plugin_is_a_code_and_no_text_of_it(installed: Path) -> None:
    names = ("raises", "prints", "exits", "eats_memory", "gone", "unknown")
    found = await asyncio.gather(*(sender().send(f"plugin:{name}", FACT) for name in names))
    problems = dict(zip(names, (one.problem for one in found), strict=True))
    assert problems == {
        "raises": "raised ValueError",
        "prints": None,
        "exits": "ended 7",
        "eats_memory": "raised MemoryError",
        "gone": "raised ModuleNotFoundError",
        "unknown": "no_plugin",
    }


async def test_a_plugin_that_never_ends_is_killed_with_what_it_started_while_others_go_on(
    installed: Path,
) -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    ticking = asyncio.create_task(tick())
    names = ("loops", "sleeps_in_c", "leaves_a_child")
    found = await asyncio.gather(*(sender(1.5).send(f"plugin:{name}", FACT) for name in names))
    ticking.cancel()
    assert [one.problem for one in found] == ["killed"] * 3
    assert ticks > 20
    child = int((installed / "child").read_text())
    assert await gone(child)


async def gone(pid: int) -> bool:
    """Tell whether a process ends within seconds; one that nobody has reaped counts as ended."""
    for _ in range(200):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        await asyncio.sleep(0.02)
    return False


async def test_a_call_goes_on_while_a_plugin_loops_and_the_fact_waits(
    make_world: Any, closing_in: Any, installed: Path, until: Callable[..., Any]
) -> None:
    world = await make_world(hooks={"plugins": ["loops", "keeps"], "plugin_seconds": 3})
    call = await closing_in(world)()
    await closing_in(world)(training=True)
    world.service.parts.deliveries.wake()
    counter, desk, talk = await world.talking()
    await counter.do("chat.send", text="まだ話せます")
    await desk.until_that(lambda m: m["type"] == "chat")
    await world.service.parts.deliveries.look()
    assert json.loads((installed / "kept.json").read_text())["call"] == call.id
    home = world.town.municipality.id
    (waiting,) = await world.service.parts.outbox.troubled(home)
    assert (waiting.destination, waiting.state) == ("plugin:loops", "waiting")
    assert waiting.problem == "killed"
    assert talk["id"] != call.id
