"""One process of the operating system, held by a descriptor: no number is ever mistaken.

It may be a child or not, and it outlives us unless told otherwise; that is why asyncio's own
children, which are killed with their loop, are not used.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from typing import Self


class OsProcess:
    """A process that was started or found. To be closed; that does not end it."""

    def __init__(self, pid: int) -> None:
        """Hold the process `pid`. Raises `ProcessLookupError` when there is none."""
        self.pid = pid
        self._descriptor = os.pidfd_open(pid)
        self._ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(self._descriptor, self._on_end)
        self._open = True

    @classmethod
    def start(
        cls, command: Sequence[str], environment: Mapping[str, str], stdin: int, stdout: int
    ) -> Self:
        """Start `command` in a session of its own; standard error stays ours."""
        actions = [(os.POSIX_SPAWN_DUP2, stdin, 0), (os.POSIX_SPAWN_DUP2, stdout, 1)]
        pid = os.posix_spawn(
            command[0], list(command), dict(environment), file_actions=actions, setsid=True
        )
        return cls(pid)

    def send(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens when the process has ended."""
        if self._open:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, number)

    async def until_ended(self) -> None:
        """Wait until the process has ended."""
        await self._ended.wait()

    async def kill(self) -> None:
        """End the process at once and wait until it has ended."""
        self.send(signal.SIGKILL)
        await self.until_ended()

    def close(self) -> None:
        """Let go of the process."""
        if self._open:
            self._open = False
            asyncio.get_running_loop().remove_reader(self._descriptor)
            os.close(self._descriptor)

    def _on_end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._descriptor)
        with contextlib.suppress(ChildProcessError):  # not our child
            os.waitid(os.P_PIDFD, self._descriptor, os.WEXITED | os.WNOHANG)
        self._ended.set()
