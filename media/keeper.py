"""Sees to it that one media process runs: finds it or starts it, watches it, starts it again."""

import asyncio
import contextlib
import logging
import time
from typing import Protocol

from media.control_api import Event, version_of
from media.control_folder import ControlFolder
from media.process import ProcessConfig
from media.remote import RemoteNode, WrongVersion
from media.spawn import Spawner
from security.errors import Unavailable

PAUSES_SECONDS = (0.0, 0.25, 0.5, 1.0, 2.0, 5.0)
STEADY_SECONDS = 30.0
_log = logging.getLogger(__name__)


class Watcher(Protocol):
    """Who is told of a process's life, on the event loop."""

    def node_up(self, keeper: "Keeper", node: RemoteNode) -> None:
        """A process is there and can be spoken to."""

    def node_event(self, keeper: "Keeper", event: Event) -> None:
        """The process has told something."""

    def node_down(self, keeper: "Keeper") -> None:
        """The process is gone, and all that it held."""


class Keeper:
    """Keeps the process of one index. `node` is None while there is none."""

    def __init__(
        self, config: ProcessConfig, folder: ControlFolder, spawner: Spawner, watcher: Watcher
    ) -> None:
        self.index = config.index
        self.node: RemoteNode | None = None
        self._config = config
        self._folder = folder
        self._spawner = spawner
        self._watcher = watcher
        self._deaths = 0

    async def run(self) -> None:
        """Keep the process until cancelled; that leaves it running."""
        while True:
            begun = time.monotonic()
            try:
                await self.open()
                await self._watch()
            except Unavailable as error:
                _log.error("media process %d: %s", self.index, error.message)
            except Exception:
                _log.exception("media process %d could not be kept", self.index)
            if time.monotonic() - begun > STEADY_SECONDS:
                self._deaths = 0
            pause = PAUSES_SECONDS[min(self._deaths, len(PAUSES_SECONDS) - 1)]
            self._deaths += 1
            await asyncio.sleep(pause)

    async def open(self) -> None:
        """Find the process or start it; nothing happens when it is there.

        Raises `Unavailable` with the reason why it does not start.
        """
        if self.node is not None:
            return
        node = await self._found() or await self._started()
        if node.noun is not None:
            _log.info("media process %d serves on port %d", self.index, node.noun.port)
        self.node = node
        self._watcher.node_up(self, node)

    async def close(self, *, end: bool) -> None:
        """Let go of the process, or end it."""
        node, self.node = self.node, None
        if node is not None:
            if end:
                await node.end()
            await node.close()

    async def _watch(self) -> None:
        node = self.node
        if node is None:
            return
        try:
            async with contextlib.aclosing(node.events()) as events:
                async for event in events:
                    self._watcher.node_event(self, event)
        except ValueError:
            _log.exception("media process %d cannot be understood: it is killed", self.index)
            node.kill()
        _log.warning("media process %d is gone", self.index)
        self.node = None
        self._watcher.node_down(self)
        await node.remove()

    async def _found(self) -> RemoteNode | None:
        node = await RemoteNode.connect(self._folder.socket(self.index))
        if node is None:
            return None
        try:
            await node.greet(version_of(self._config.settings), self._config.settings.port)
        except WrongVersion:
            _log.warning("media process %d is of another version: it is ended", self.index)
            await node.end()
        except Unavailable:
            _log.error("media process %d says nothing: it is killed", self.index)
        else:
            return node
        await node.remove()
        return None

    async def _started(self) -> RemoteNode:
        process = await self._spawner.start(self._config)
        try:
            node = await self._found()
            if node is None:  # it may have died already: nobody else waits for it
                await process.kill()
                raise Unavailable("the media process cannot be reached")
        finally:
            process.close()
        return node
