"""`madoguchi municipality`: add, list, set."""

from dataclasses import asdict, replace
from pathlib import Path

import click

from security.ids import new_id
from security.people import Municipality
from server.cli.house import House, run
from server.cli.options import LINE, NAME, SLUG, config_option, json_option, print_rows

HOURS = "Opening hours that the counter shows while no desk is open, as 平日 9:00–17:00."
TELEPHONE = "Telephone number that the counter shows while no desk is open."


@click.group()
def municipality() -> None:
    """自治体: municipalities of this service."""


@municipality.command()
@click.argument("slug", type=SLUG)
@click.option("--name", type=NAME, required=True, help="Name, as 笠岡市.")
@click.option("--hours", type=LINE, default="", help=HOURS)
@click.option("--telephone", type=LINE, default="", help=TELEPHONE)
@config_option
def add(slug: str, name: str, hours: str, telephone: str, config: Path) -> None:
    """Add a municipality; SLUG is its short name for addresses and commands."""

    async def work(house: House) -> None:
        item = Municipality(new_id(), slug, name, hours, telephone)
        await house.people.add_municipality(item)
        await house.note(item.id, "municipality:add", item.id, {})
        click.echo(f"登録しました / added: {slug} {name}")

    run(config, work)


@municipality.command("list")
@json_option
@config_option
def list_(config: Path, *, as_json: bool) -> None:
    """List municipalities."""

    async def work(house: House) -> None:
        rows = [asdict(item) for item in await house.people.municipalities()]
        print_rows(rows, as_json=as_json)

    run(config, work)


@municipality.command("set")
@click.argument("slug", type=SLUG)
@click.option("--name", type=NAME, help="Name.")
@click.option("--hours", type=LINE, help=HOURS)
@click.option("--telephone", type=LINE, help=TELEPHONE)
@config_option
def set_(
    slug: str, name: str | None, hours: str | None, telephone: str | None, config: Path
) -> None:
    """Change a municipality's name, hours or telephone number."""
    given = {"name": name, "hours": hours, "telephone": telephone}
    changes = {key: value for key, value in given.items() if value is not None}
    if not changes:
        raise click.UsageError("nothing to change: give --name, --hours or --telephone")

    async def work(house: House) -> None:
        item = replace(await house.municipality(slug), **changes)
        await house.people.set_municipality(item)
        await house.note(item.id, "municipality:set", item.id, {"changed": sorted(changes)})
        click.echo(f"変更しました / changed: {slug}")

    run(config, work)
