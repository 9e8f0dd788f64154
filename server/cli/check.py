"""`madoguchi check`: say what is wrong in the settings file, and what it leaves out."""

from pathlib import Path

import click

from server.cli.options import config_option
from server.settings import Settings
from server.settings_notes import notes


@click.command()
@config_option
def check(config: Path) -> None:
    """Check the settings file; nothing is started."""
    settings = Settings.load(config)
    click.echo(f"設定に誤りはありません / nothing is wrong: {config}")
    for japanese, english in notes(settings):
        click.echo(f"- {japanese} / {english}")
