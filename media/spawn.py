"""Starts media processes, and keeps one ready that has read all its code already.

An interpreter takes a second to begin on a quiet machine and several on a busy one: too long for a
call whose process was killed. A process waits for its configuration on standard input; one that is
kept ready simply has not been given it. It ends by itself when we do.
"""

import asyncio
import contextlib
import json
import logging
import os
import sys

from media.os_process import OsProcess
from media.process import ProcessConfig
from security.crypto.keys import ENVIRONMENT_NAME
from security.errors import Unavailable

START_SECONDS = 20.0
READY_AFTER_SECONDS = 1.0
COMMAND = ("-P", "-m", "media.process")
_log = logging.getLogger(__name__)


class Spawned:
    """A process that waits for its configuration. `start` or `drop` is to be called once."""

    def __init__(self) -> None:
        environment = {k: v for k, v in os.environ.items() if k != ENVIRONMENT_NAME}
        config_out, self._config_in = os.pipe()
        self._answer_out, answer_in = os.pipe()
        command = (sys.executable, *COMMAND)
        try:
            self.process = OsProcess.start(command, environment, config_out, answer_in)
        finally:
            os.close(config_out)
            os.close(answer_in)

    async def start(self, config: ProcessConfig) -> OsProcess:
        """Let it serve, and return it once it does. Raises `Unavailable` with its reason."""
        with contextlib.suppress(BrokenPipeError):
            # Far less than a pipe holds (64 KiB): this never waits.
            os.write(self._config_in, config.model_dump_json().encode())
        os.close(self._config_in)
        answer: dict[str, object] = {"error": "the media process does not start"}
        try:
            async with asyncio.timeout(START_SECONDS):
                answer = await _line(self._answer_out)
        except TimeoutError:
            _log.error("media process %d took more than %g s", config.index, START_SECONDS)
        finally:
            if "ready" not in answer:
                await self.process.kill()
                self.process.close()
        if "ready" not in answer:
            raise Unavailable(str(answer.get("error", "the media process ended at once")))
        return self.process

    async def drop(self) -> None:
        """End it unused."""
        os.close(self._config_in)
        os.close(self._answer_out)
        await self.process.kill()
        self.process.close()


class Spawner:
    """Starts processes for the whole fleet. `run` keeps one ready while it runs."""

    def __init__(self) -> None:
        self._ready: Spawned | None = None
        self._taken = asyncio.Event()

    async def start(self, config: ProcessConfig) -> OsProcess:
        """Start a media process and return it, to be closed, once it serves.

        Raises `Unavailable`.
        """
        ready, self._ready = self._ready, None
        self._taken.set()
        return await (ready or Spawned()).start(config)

    async def run(self) -> None:
        """Keep a process ready until cancelled."""
        try:
            while True:
                await asyncio.sleep(READY_AFTER_SECONDS)  # those that serve begin first
                self._taken.clear()
                self._ready = Spawned()
                await self._taken.wait()
        finally:
            if self._ready is not None:
                ready, self._ready = self._ready, None
                await ready.drop()


async def _line(descriptor: int) -> dict[str, object]:
    """Return the JSON that a pipe carries in its first line, {} when it ends without one."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    pipe = os.fdopen(descriptor, "rb", buffering=0)
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    try:
        line = await reader.readline()
    finally:
        transport.close()
    return dict(json.loads(line)) if line else {}
