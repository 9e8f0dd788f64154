"""`madoguchi procedure`: read and check templates of procedures. No server is needed."""

import json
from importlib import resources
from pathlib import Path

import click
from pydantic import BaseModel

from server.procedures.card_files import shipped_text
from server.procedures.cards import Card
from server.procedures.catalog import shipped
from server.procedures.documents import CLASS_OF
from server.procedures.template import Template
from server.settings_file import SettingsError, read_settings

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def procedure() -> None:
    """事務: what is done for whom, in which steps, as data."""


@procedure.command()
@click.argument("files", type=FILE, nargs=-1, required=True)
def check(files: tuple[Path, ...]) -> None:
    """Check templates; every error at once, exit 1 when there is one."""
    _check(Template, files)


def _check(model: type[BaseModel], files: tuple[Path, ...]) -> None:
    wrong = False
    for file in files:
        try:
            read_settings(model, file)
        except SettingsError as error:
            wrong = True
            for problem in error.problems:
                what = f"found {problem.found}, allowed {problem.allowed}"
                click.echo(f"{file}:{problem.line}: {problem.key}: {what}")
    if wrong:
        raise click.exceptions.Exit(1)


@procedure.command()
@click.argument("name", required=False)
def show(name: str | None) -> None:
    """Print the shipped template NAME as TOML; without NAME list them."""
    if name is None:
        for one in shipped().procedures:
            click.echo(f"{one.id:20} {one.status:10} {one.name.ja} / {one.name.en}")
        return
    if shipped().get(name) is None:
        raise click.BadParameter(f"there is no procedure {name!r}; run it without a name")
    file = resources.files("server.procedures").joinpath("catalog", f"{name}.toml")
    click.echo(file.read_text("utf-8"), nl=False)


@procedure.command()
def schema() -> None:
    """Print the JSON Schema of a template."""
    click.echo(json.dumps(Template.model_json_schema(), ensure_ascii=False, indent=2))


@procedure.command()
@click.argument("kind", type=click.Choice(sorted(CLASS_OF)), metavar="KIND")
def card(kind: str) -> None:
    """Print the card (見本) of a document KIND as TOML, to be completed or changed.

    Put it as cards/MUNICIPALITY/KIND.toml into the data folder; the desk shows it at once.
    """
    click.echo(shipped_text(kind), nl=False)


@procedure.command("check-card")
@click.argument("files", type=FILE, nargs=-1, required=True)
def check_card(files: tuple[Path, ...]) -> None:
    """Check cards of documents; every error at once, exit 1 when there is one."""
    _check(Card, files)
