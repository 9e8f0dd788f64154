"""The watch over the event loop itself works."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
BUSY = """
import time

def spin(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass

async def work(seconds):
    spin(seconds)
"""


def pretend_module(place: str) -> dict[str, Callable[..., Any]]:
    namespace: dict[str, Any] = {}
    exec(compile(BUSY, str(ROOT / place), "exec"), namespace)
    return namespace


@pytest.mark.parametrize("place", ["server/pretend.py", "media/pretend.py"])
async def test_a_busy_callback_of_ours_is_named(loop_stays_free: Any, place: str) -> None:
    asyncio.get_running_loop().call_soon(pretend_module(place)["spin"], 0.03)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(loop_stays_free.slow) == 1
    assert "spin" in loop_stays_free.slow[0]
    loop_stays_free.clear()


async def test_a_busy_task_of_ours_is_named(loop_stays_free: Any) -> None:
    await asyncio.create_task(pretend_module("files/pretend.py")["work"](0.03))
    assert [name for name in loop_stays_free.slow if "work" in name]
    loop_stays_free.clear()


async def test_a_test_may_be_busy_itself(loop_stays_free: Any) -> None:
    pretend_module("server/pretend.py")["spin"](0.03)
    await asyncio.sleep(0)
    assert loop_stays_free.slow == []


async def test_sleeping_does_not_count_as_busy(loop_stays_free: Any) -> None:
    import time

    asyncio.get_running_loop().call_soon(time.sleep, 0.03)
    await asyncio.sleep(0.05)
    assert loop_stays_free.slow == []
