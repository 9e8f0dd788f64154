"""`madoguchi person`: add, list, disable, link, pin."""

from datetime import datetime
from pathlib import Path

import click

from security.errors import Conflict
from security.people import DESK_PAGE_ROLES, LINK_LIFETIME, LinkPurpose, Person, Role
from security.pin_rule import FIRST_LIFETIME
from server.cli.house import House, run
from server.cli.options import (
    LOGIN,
    NAME,
    config_option,
    json_option,
    municipality_option,
    print_rows,
)
from server.clock import utc_now
from server.policies import ZONE


@click.group()
def person() -> None:
    """利用者: clerks, municipal staff, administrators."""


@person.command()
@click.argument("login", type=LOGIN)
@click.option("--name", type=NAME, required=True, help="Name as colleagues know it.")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--office", "office_name", type=NAME, help="Post office of a clerk, by its name.")
@municipality_option
@config_option
def add(
    login: str, name: str, role: str, office_name: str | None, slug: str | None, config: Path
) -> None:
    """Add a person and print the one-time link that sets the password, or a clerk's first PIN."""
    if (role == Role.CLERK) != (office_name is not None):
        raise click.UsageError("a clerk, and nobody else, belongs to an office: --office")

    async def work(house: House) -> None:
        home = await house.municipality(slug)
        office = await house.office(home, office_name) if office_name else None
        hand = house.hand(home)
        _, entrance = await house.administration.add_person(
            hand, login=login, name=name, role=Role(role), office=office
        )
        click.echo(f"登録しました / added: {login}")
        if entrance.purpose is None:
            show_pin(entrance.secret)
        else:
            show_link(house, entrance.secret, entrance.purpose)

    run(config, work)


@person.command("list")
@municipality_option
@json_option
@config_option
def list_(slug: str | None, config: Path, *, as_json: bool) -> None:
    """List people."""

    async def work(house: House) -> None:
        home = await house.municipality(slug)
        offices = {item.id: item.name for item in await house.people.offices(home.id)}
        rows = [
            {
                "login": item.login,
                "name": item.name,
                "role": item.role.value,
                "office": offices.get(item.office_id or ""),
                "trained_on": item.trained_on and item.trained_on.isoformat(),
                "password": "set" if item.password_hash else "none",
                "pin": "set" if item.pin_hash else "none",
                "disabled_at": item.disabled_at and item.disabled_at.isoformat(),
            }
            for item in await house.people.people(home.id)
        ]
        print_rows(rows, as_json=as_json)

    run(config, work)


@person.command()
@click.argument("login", type=LOGIN)
@municipality_option
@config_option
def disable(login: str, slug: str | None, config: Path) -> None:
    """Disable a person; every sign-in of theirs ends at once."""

    async def work(house: House) -> None:
        home = await house.municipality(slug)
        item = await house.person(home, login)
        await house.administration.end_person(house.hand(home), item)
        click.echo(f"停止しました / disabled: {login}")

    run(config, work)


@person.command()
@click.argument("login", type=LOGIN)
@municipality_option
@config_option
def pin(login: str, slug: str | None, config: Path) -> None:
    """Give a clerk a first PIN; the one before is void and the clerk is signed out."""

    async def work(house: House) -> None:
        home = await house.municipality(slug)
        item = await house.person(home, login)
        await print_pin(house, item)

    run(config, work)


@person.command()
@click.argument("login", type=LOGIN)
@click.option(
    "--on",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    required=True,
    help="Day of the training, as 2026-11-23; not one to come.",
)
@municipality_option
@config_option
def train(login: str, day: datetime, slug: str | None, config: Path) -> None:
    """Write down the day of a person's last training (policy: people.training)."""
    on = day.date()
    if on > utc_now().astimezone(ZONE).date():
        raise click.UsageError(f"--on {on}: that day is yet to come")

    async def work(house: House) -> None:
        home = await house.municipality(slug)
        item = await house.person(home, login)
        await house.administration.set_training(house.hand(home), item, on)
        click.echo(f"研修日を記録しました / training noted: {login} {on}")

    run(config, work)


@person.command()
@click.argument("login", type=LOGIN)
@click.option(
    "--sign-in", "signs_in", is_flag=True, help="Sign in at the desk once instead of a password."
)
@municipality_option
@config_option
def link(login: str, slug: str | None, config: Path, *, signs_in: bool) -> None:
    """Print a new one-time link by which a person sets a password."""

    async def work(house: House) -> None:
        home = await house.municipality(slug)
        item = await house.person(home, login)
        if item.disabled_at is not None:
            raise Conflict(f"{login} is disabled")
        if item.role is Role.CLERK:
            raise Conflict("a clerk signs in on a tablet, with a PIN: madoguchi person pin")
        if signs_in and item.role not in DESK_PAGE_ROLES:
            raise Conflict(f"{login} ({item.role.value}) does not work at the desk")
        purpose = LinkPurpose.SIGN_IN if signs_in else LinkPurpose.PASSWORD
        await house.note(home.id, "person:link", item.id, {"purpose": purpose.value})
        await print_link(house, item, purpose)

    run(config, work)


async def print_pin(house: House, item: Person) -> None:
    """Give a clerk a first PIN and print it."""
    first = await house.clerks.first_pin(item)
    await house.note(item.municipality_id, "person:pin", item.id, {})
    show_pin(first)


def show_pin(first: str) -> None:
    """Print a clerk's first PIN."""
    hours = int(FIRST_LIFETIME.total_seconds() // 3600)
    click.echo(
        f"最初のPIN（{hours}時間以内に窓口の端末で自分のPINに変える） / "
        f"first PIN, to be changed at a tablet within {hours} hours:"
    )
    click.echo(f"  {first[:4]} {first[4:]}")


async def print_link(house: House, item: Person, purpose: LinkPurpose) -> None:
    """Make a one-time link for a person and print it."""
    token = await house.sign_in.make_link(purpose, item.municipality_id, person_id=item.id)
    show_link(house, token, purpose)


def show_link(house: House, token: str, purpose: LinkPurpose) -> None:
    """Print a one-time link."""
    minutes = int(LINK_LIFETIME[purpose].total_seconds() // 60)
    ja, en = (f"{minutes}分", f"{minutes} minutes")
    if minutes >= 120:
        ja, en = (f"{minutes // 60}時間", f"{minutes // 60} hours")
    path = "/password" if purpose is LinkPurpose.PASSWORD else "/link"
    click.echo(f"一回限りのリンク（{ja}間有効） / one-time link, valid for {en}:")
    click.echo(f"  {house.url(path, token)}")
