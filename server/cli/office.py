"""`madoguchi office`: add, list."""

from pathlib import Path

import click

from security.ids import new_id
from security.people import Office, OfficeKind
from server.cli.house import House, run
from server.cli.options import (
    NAME,
    config_option,
    json_option,
    municipality_option,
    print_rows,
)


@click.group()
def office() -> None:
    """郵便局: directly managed post offices (直営郵便局)."""


@office.command()
@click.argument("name", type=NAME)
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in OfficeKind]),
    default=OfficeKind.DIRECT.value,
    show_default=True,
    help="direct = 直営郵便局; simple = 簡易郵便局, which is refused (Q&A 11).",
)
@municipality_option
@config_option
def add(name: str, kind: str, slug: str | None, config: Path) -> None:
    """Add a post office. A 簡易郵便局 is refused: it cannot be delegated to (Q&A 11)."""

    async def work(house: House) -> None:
        home = await house.municipality(slug)
        item = Office(new_id(), home.id, name, OfficeKind(kind))
        await house.people.add_office(item)
        await house.note(home.id, "office:add", item.id, {})
        click.echo(f"登録しました / added: {name}")

    run(config, work)


@office.command("list")
@municipality_option
@json_option
@config_option
def list_(slug: str | None, config: Path, *, as_json: bool) -> None:
    """List post offices."""

    async def work(house: House) -> None:
        home = await house.municipality(slug)
        rows = [
            {"id": item.id, "name": item.name, "kind": item.kind.value}
            for item in await house.people.offices(home.id)
        ]
        print_rows(rows, as_json=as_json)

    run(config, work)
