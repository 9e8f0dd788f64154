"""Tells facts to plug-ins, each in a process of its own that is killed at its limit."""

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
from collections.abc import Awaitable, Callable

from server.hooks.body import Bodies
from server.hooks.fact import Fact, compact
from server.hooks.sender import TOLD, Sent

DESTINATION = "plugin:"
# Nothing else of our environment: the key of the house may stand there.
PASSED = ("PATH", "LANG", "LC_ALL", "TZ", "PYTHONPATH", "VIRTUAL_ENV", "TMPDIR")
_CODE = re.compile(r"[A-Za-z_][A-Za-z0-9_ ]{0,79}")
SlugOf = Callable[[str], Awaitable[str]]


class PluginSender:
    """`seconds` is how long one may take; two of each plug-in run at once."""

    patient = False
    at_once = 2

    def __init__(self, bodies: Bodies, slug_of: SlugOf, *, seconds: float) -> None:
        self._bodies = bodies
        self._slug_of = slug_of
        self._seconds = seconds

    async def send(self, destination: str, fact: Fact) -> Sent:
        """Run the plug-in once and return how it ended."""
        told = json.loads(await self._bodies.of(fact))
        slug = await self._slug_of(fact.municipality_id)
        event = compact({**told, "id": fact.id, "municipality": slug})
        said = await self._run(destination.removeprefix(DESTINATION), event)
        return TOLD if said == "ok" else Sent(said)

    async def _run(self, name: str, event: bytes) -> str:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "server.hooks.plugin_main", name),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={key: os.environ[key] for key in PASSED if key in os.environ},
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(self._seconds):
                said = await _talk(process, event)
                ended = await process.wait()
        except TimeoutError:
            return "killed"
        finally:
            await _kill(process)
        if ended != 0:
            return f"ended {abs(ended)}"
        return said if _CODE.fullmatch(said) else "broken_answer"


async def _talk(process: asyncio.subprocess.Process, event: bytes) -> str:
    if process.stdin is None or process.stdout is None:
        return "internal"
    with contextlib.suppress(ConnectionError):
        process.stdin.write(event)
        await process.stdin.drain()
    process.stdin.close()
    return (await process.stdout.read(200)).decode("ascii", "replace")


async def _kill(process: asyncio.subprocess.Process) -> None:
    """End the process and whatever it has started in its session."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
