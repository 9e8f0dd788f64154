"""`madoguchi keys`: change the key that wraps all others."""

import asyncio
import os
from pathlib import Path

import click

from media.control_folder import ControlFolder
from security.crypto.keys import ENVIRONMENT_NAME
from security.errors import Conflict
from server.cli.house import House, require_database, run
from server.cli.options import config_option
from server.db.engine import open_database
from server.db.key_rotation import Rotated
from server.db.key_rotation import rotate as rotate_key
from server.settings import Settings


@click.group()
def keys() -> None:
    """鍵: the key-encryption key."""


@keys.command()
@config_option
def rotate(config: Path) -> None:
    """Wrap all keys by a new key-encryption key. Stop the service first.

    What is sealed is not touched. Interrupted, run it again: until then nothing else starts.
    """
    settings = Settings.load(config)
    if os.environ.get(ENVIRONMENT_NAME):
        raise Conflict(f"the key comes from {ENVIRONMENT_NAME}; only a key in a file is changed")
    require_database(settings.data.folder)
    control = ControlFolder(settings.data.folder / "media")
    try:
        # A running service would go on wrapping by the old key.
        control.lock()
        done = asyncio.run(_rotate(settings))
    finally:
        control.close()
    run(config, _note)
    click.echo(f"{done.wrapped} 個の鍵を新しい鍵で包みました / keys wrapped by the new key")
    click.echo(
        f"新しい鍵（必ず別の場所にも保管） / new key (keep a copy elsewhere): "
        f"{settings.keys.kek_file}"
    )
    click.echo(
        f"前の鍵（以前のバックアップに必要） / old key (older backups need it): {done.retired}"
    )


async def _note(house: House) -> None:
    for home in await house.people.municipalities():
        await house.note(home.id, "key:rotate", home.id, {})


async def _rotate(settings: Settings) -> Rotated:
    database = open_database(settings.data.folder)
    try:
        await database.require_current()
        return await rotate_key(database, settings.keys.kek_file)
    finally:
        await database.engine.dispose()
