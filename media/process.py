"""A media process: one node and its control socket (CONTROL.md). `python -m media.process`.

Reads its configuration as JSON from standard input, says on standard output once that it is ready
or why not, and touches neither again. Its log goes to standard error, which it shares with the
server that started it.
"""

import asyncio
import contextlib
import gc
import json
import logging
import os
import signal
import sys
from pathlib import Path

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from media.control_api import version_of
from media.control_folder import ControlFolder
from media.control_server import ControlServer
from media.event_log import EventLog
from media.heap import keep_heaps_few
from media.node import MediaNode
from media.settings import MediaSettings
from security.errors import MadoguchiError

LOG_FORMAT = "%(asctime)s %(levelname)s media-{index} %(name)s: %(message)s"
_log = logging.getLogger(__name__)


class ProcessConfig(BaseModel):
    """What a media process is told. `resume_seconds` is how long it forwards without a server."""

    model_config = ConfigDict(frozen=True)

    settings: MediaSettings
    folder: Path
    index: int
    resume_seconds: float
    log_level: int = logging.INFO


def main() -> None:
    """Run until told to end, or until nobody needs this process any more."""
    keep_heaps_few()
    told = sys.stdin.buffer.read()
    if not told:
        return  # kept ready for a server that has ended
    config = ProcessConfig.model_validate_json(told)
    logging.basicConfig(
        level=config.log_level, stream=sys.stderr, format=LOG_FORMAT.format(index=config.index)
    )
    logging.raiseExceptions = False  # who reads the log may end before us
    try:
        asyncio.run(run(config))
    except MadoguchiError as error:
        _say({"error": error.message})
        sys.exit(1)


async def run(config: ProcessConfig, *, by_hand: bool = False) -> None:
    """Serve until it is time to end; `by_hand`: nobody waits for word, and the terminal is kept.

    Raises `Unavailable` when port or folder cannot be had.
    """
    events = EventLog()
    node = MediaNode(config.settings, events, alone=True)
    folder = ControlFolder(config.folder)
    version = version_of(config.settings)
    control = ControlServer(node, events, version, resume_seconds=config.resume_seconds)
    runner = web.AppRunner(control.app(), access_log=None, shutdown_timeout=0.5)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, control.end)
    try:
        await node.start()
        await runner.setup()
        await _listen(runner, folder.socket(config.index))
        if by_hand:
            _log.info("media process %d serves on port %d", config.index, node.port)
        else:
            _say({"ready": True})
            _let_go()
        gc.freeze()  # modules live for ever: looking through them again stops the loop for 40 ms
        await control.until_done()
    finally:
        await node.stop()
        await control.close()
        await runner.cleanup()
        folder.close()


async def _listen(runner: web.AppRunner, path: str) -> None:
    before = os.umask(0o177)
    try:
        await web.UnixSite(runner, path).start()
    finally:
        os.umask(before)


def _say(answer: dict[str, object]) -> None:
    with contextlib.suppress(OSError):  # the server may have gone meanwhile
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _let_go() -> None:
    """Put nothing in the place of standard input and output: nobody is there."""
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)


if __name__ == "__main__":
    main()
