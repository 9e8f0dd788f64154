"""`madoguchi office`: add, set, list; which procedures are open there since when."""

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from security.people import OfficeKind
from server.cli.house import House, run
from server.cli.options import (
    LINE,
    NAME,
    config_option,
    json_option,
    municipality_option,
    print_rows,
)
from server.db.procedures import SqlProcedures
from server.procedures.catalog import shipped
from server.procedures.opening import Opening, availability
from server.procedures.template import Template


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
        await house.administration.add_office(house.hand(home), name, OfficeKind(kind))
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
            {
                "id": item.id,
                "name": item.name,
                "kind": item.kind.value,
                "designated_on": item.designated_on and item.designated_on.isoformat(),
                "resolved_on": item.resolved_on and item.resolved_on.isoformat(),
                "resolution_ref": item.resolution_ref or None,
                "contract_ref": item.contract_ref or None,
            }
            for item in await house.people.offices(home.id)
        ]
        print_rows(rows, as_json=as_json)

    run(config, work)


DAY = click.DateTime(["%Y-%m-%d"])


@office.command("set")
@click.argument("name", type=NAME)
@click.option("--designated-on", type=DAY, help="Day from which it is designated (指定, Q&A 3).")
@click.option("--resolved-on", type=DAY, help="Day of the assembly's resolution (議決, Q&A 3).")
@click.option("--resolution", type=LINE, help="Number of the resolution.")
@click.option("--contract", type=LINE, help="The contract with the municipality.")
@municipality_option
@config_option
def set_(
    name: str, designated_on: datetime | None, resolved_on: datetime | None,
    resolution: str | None, contract: str | None, slug: str | None, config: Path,
) -> None:  # fmt: skip
    """Enter what real calls of an office (NAME or id) wait for; what is left out stays."""
    given: dict[str, Any] = {
        "designated_on": designated_on and designated_on.date(),
        "resolved_on": resolved_on and resolved_on.date(),
        "resolution_ref": resolution,
        "contract_ref": contract,
    }
    known = {key: value for key, value in given.items() if value is not None}
    if not known:
        raise click.UsageError("nothing to enter; see --help")

    async def work(house: House) -> None:
        home = await house.municipality(slug)
        before = await house.office(home, name)
        after = replace(before, **known)
        await house.administration.enter_office(house.hand(home), before, after)
        click.echo(f"登録しました / entered: {before.name}")

    run(config, work)


@office.command("open")
@click.argument("name", type=NAME)
@click.argument("procedure", type=NAME)
@click.option("--from", "day", type=DAY, required=True, help="First day, as 2027-04-01.")
@click.option("--basis", type=LINE, required=True, help="The document that it rests on.")
@click.option("--close", "closes", is_flag=True, help="It closes from that day on.")
@municipality_option
@config_option
def open_(
    name: str, procedure: str, day: datetime, basis: str, slug: str | None, config: Path, *,
    closes: bool,
) -> None:  # fmt: skip
    """Enter that PROCEDURE opens at an office (NAME or id) from a day on, or closes (--close)."""

    async def work(house: House) -> None:
        home = await house.municipality(slug)
        item = await house.office(home, name)
        await house.administration.open_procedure(
            house.hand(home), item, procedure, opens=not closes, from_on=day.date(), basis=basis
        )
        words = "終了 / closes" if closes else "開始 / opens"
        click.echo(f"登録しました / entered: {procedure} {item.name} {day.date()} {words}")

    run(config, work)


@office.command("procedures")
@click.argument("name", type=NAME)
@municipality_option
@json_option
@config_option
def procedures(name: str, slug: str | None, config: Path, *, as_json: bool) -> None:
    """List the procedures of an office (NAME or id) with what holds today and its document."""

    async def work(house: House) -> None:
        home = await house.municipality(slug)
        item = await house.office(home, name)
        entries = await SqlProcedures(house.database).openings(home.id, item.id)
        today = house.administration.today()
        rows = [_row(one, entries, today) for one in shipped().procedures]
        print_rows(rows, as_json=as_json)

    run(config, work)


def _row(procedure: Template, entries: list[Opening], today: date) -> dict[str, Any]:
    mine = [one for one in entries if one.procedure == procedure.id]
    found = availability(mine, today, shipped_open=procedure.status == "open")
    return {
        "id": procedure.id,
        "status": "open" if found.open else "preparing",
        "since": found.since and found.since.isoformat(),
        "basis": found.basis or None,
        "opens_on": found.opens_on and found.opens_on.isoformat(),
        "name": procedure.name.ja,
    }
