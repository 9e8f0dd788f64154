"""`madoguchi media`: one media process by hand or under systemd; the server takes it up."""

import asyncio
import contextlib
import logging
import signal
import sys
from pathlib import Path

import click

from media.process import LOG_FORMAT, ProcessConfig, run
from server.cli.options import config_option
from server.settings import Settings


@click.command()
@config_option
@click.option("--index", type=click.IntRange(min=0), required=True, help="Which: from 0.")
def media(config: Path, index: int) -> None:
    """Run media process INDEX. It ends when no server comes and nobody is connected.

    To be started before `serve`, which starts those that it does not find.
    """
    found = process_config(Settings.load(config), index)
    logging.basicConfig(
        level=found.log_level, stream=sys.stderr, format=LOG_FORMAT.format(index=index)
    )
    asyncio.run(_until_told(found))


def process_config(settings: Settings, index: int) -> ProcessConfig:
    """Return what that process is told. Raises `click.UsageError` for one that is not set."""
    if index >= settings.media.processes:
        told = f"[media] processes is {settings.media.processes}: --index from 0 to one less"
        raise click.UsageError(told)
    return ProcessConfig(
        settings=settings.media.node(index),
        folder=(settings.data.folder / "media").absolute(),
        index=index,
        resume_seconds=settings.calls.resume_seconds,
    )


async def _until_told(config: ProcessConfig) -> None:
    task = asyncio.ensure_future(run(config, by_hand=True))
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task
