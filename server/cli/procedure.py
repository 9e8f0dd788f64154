"""`madoguchi procedure`: read and check templates of procedures, and put one's own in force."""

import json
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import click
from pydantic import BaseModel

from server.cli.house import House, run
from server.cli.options import config_option, json_option, municipality_option, print_rows
from server.clock import utc_now
from server.db.procedures import SqlProcedures
from server.policies import ZONE
from server.procedures.book import read_template
from server.procedures.card_files import shipped_text
from server.procedures.cards import Card
from server.procedures.catalog import shipped
from server.procedures.documents import CLASS_OF
from server.procedures.template import Template
from server.procedures.versions import TAKEN_UP_WITHIN
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


@procedure.command()
@click.argument("file", type=FILE)
@click.option("--note", required=True, help="Why it changes.")
@click.option("--from", "start", help="In force from then on, as 2027-04-01T00:00+09:00.")
@municipality_option
@config_option
def put(file: Path, note: str, start: str | None, slug: str | None, config: Path) -> None:
    """Put a municipality's own template in force, for calls placed from then on.

    At once is in 15 seconds: by then a running service has taken it up. On the page two
    administrators do this together.
    """
    text = file.read_bytes()
    try:
        template = read_template(text, file=str(file))
    except SettingsError as error:
        click.echo(error.message, err=True)
        raise click.exceptions.Exit(1) from None
    starts_at = _moment(start)
    if starts_at is not None and starts_at < utc_now():
        raise click.UsageError(f"--from {start}: a version starts now or later")

    async def work(house: House) -> None:
        home = await house.municipality(slug)
        review, hand = house.templates, house.hand(home)
        made = await review.draft(hand, text.decode(), note)
        soonest = utc_now() + TAKEN_UP_WITHIN
        done = await review.approve(hand, made.number, max(starts_at or soonest, soonest))
        when = _in_japan(done.starts_at)
        click.echo(f"適用します / in force from {when}: {template.id} 第{made.number}版")

    run(config, work)


@procedure.command()
@click.argument("number", type=int, required=False)
@municipality_option
@json_option
@config_option
def versions(number: int | None, slug: str | None, config: Path, *, as_json: bool) -> None:
    """List a municipality's own versions; with NUMBER print that one's TOML."""

    async def work(house: House) -> None:
        home = await house.municipality(slug)
        if number is not None:
            found = await house.templates.version(home.id, number)
            click.echo(found.text, nl=False)
            return
        rows = [
            {
                "number": one.number,
                "procedure": one.procedure,
                "starts_at": one.starts_at and one.starts_at.isoformat(),
                "withdrawn_at": one.withdrawn_at and one.withdrawn_at.isoformat(),
                "note": one.note,
            }
            for one in await SqlProcedures(house.database).versions(home.id)
        ]
        print_rows(rows, as_json=as_json)

    run(config, work)


def _in_japan(moment: datetime | None) -> str:
    return moment.astimezone(ZONE).isoformat(timespec="seconds") if moment else ""


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"{text} is no time, as 2027-04-01T00:00+09:00") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=ZONE)).astimezone(UTC)
