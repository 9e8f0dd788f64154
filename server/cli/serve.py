"""`madoguchi serve`: run the service until told to stop."""

import asyncio
import contextlib
import logging
import signal
import sys
from pathlib import Path

import click

from security.errors import Unavailable
from server.cli.house import require_database
from server.cli.options import config_option
from server.settings import Settings
from server.settings_notes import notes

log = logging.getLogger(__name__)


@click.command()
@config_option
def serve(config: Path) -> None:
    """Run the service. SIGTERM leaves calls to the next start; Ctrl+C ends all."""
    settings = Settings.load(config)
    require_database(settings.data.folder)
    for file in (settings.server.tls_certificate, settings.server.tls_key):
        if file is not None:
            _require_readable(file)
    logging.basicConfig(
        level=logging.INFO,
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    for _, note in notes(settings):
        log.warning("%s", note)
    asyncio.run(_until_told(settings))


async def _until_told(settings: Settings) -> None:
    from server.app import serve as run_service  # the whole house: only this command needs it

    interrupted = asyncio.Event()
    task = asyncio.ensure_future(run_service(settings, media_ends_with_us=interrupted.is_set))

    def interrupt() -> None:
        interrupted.set()
        task.cancel()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, task.cancel)
    loop.add_signal_handler(signal.SIGINT, interrupt)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _require_readable(file: Path) -> None:
    try:
        with file.open("rb"):
            pass
    except OSError as error:
        raise Unavailable(f"{file} cannot be read: {error.strerror}") from error
