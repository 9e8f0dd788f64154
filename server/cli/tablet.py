"""`madoguchi tablet`: add, list, enrol-code, revoke."""

import io
from pathlib import Path

import click
import segno

from security.ids import new_id
from security.people import LINK_LIFETIME, LinkPurpose, Tablet
from security.tablet_key import key_name
from server.cli.house import House, run
from server.cli.options import (
    NAME,
    config_option,
    json_option,
    municipality_option,
    print_rows,
)


@click.group()
def tablet() -> None:
    """端末: tablets at the counters of post offices."""


@tablet.command()
@click.argument("name", type=NAME)
@click.option("--office", "office_name", type=NAME, required=True, help="Post office, by its name.")
@municipality_option
@config_option
def add(name: str, office_name: str, slug: str | None, config: Path) -> None:
    """Add a tablet (NAME as １番窓口) and print its enrolment code with a QR code."""

    async def work(house: House) -> None:
        home = await house.municipality(slug)
        office = await house.office(home, office_name)
        item = Tablet(new_id(), home.id, office.id, name, None, None)
        await house.people.add_tablet(item)
        await house.note(home.id, "tablet:add", item.id, {"office": office.id})
        click.echo(f"登録しました / added: {name} ({item.id})")
        await _print_code(house, item)

    run(config, work)


@tablet.command("list")
@municipality_option
@json_option
@config_option
def list_(slug: str | None, config: Path, *, as_json: bool) -> None:
    """List tablets."""

    async def work(house: House) -> None:
        home = await house.municipality(slug)
        offices = {item.id: item.name for item in await house.people.offices(home.id)}
        rows = [
            {
                "id": item.id,
                "office": offices.get(item.office_id),
                "name": item.name,
                "enrolled_at": item.enrolled_at and item.enrolled_at.isoformat(),
                "revoked_at": item.revoked_at and item.revoked_at.isoformat(),
                "key": item.public_key and key_name(item.public_key),
            }
            for item in await house.people.tablets(home.id)
        ]
        print_rows(rows, as_json=as_json)

    run(config, work)


@tablet.command("enrol-code")
@click.argument("name", type=NAME)
@municipality_option
@config_option
def enrol_code(name: str, slug: str | None, config: Path) -> None:
    """Print a new enrolment code for a tablet (NAME or id); earlier codes no longer count."""

    async def work(house: House) -> None:
        home = await house.municipality(slug)
        item = await house.tablet(home, name)
        await house.note(home.id, "tablet:enrol-code", item.id, {})
        await _print_code(house, item)

    run(config, work)


@tablet.command()
@click.argument("name", type=NAME)
@municipality_option
@config_option
def revoke(name: str, slug: str | None, config: Path) -> None:
    """Revoke a tablet (NAME or id): its sign-in and its call end within a second."""

    async def work(house: House) -> None:
        home = await house.municipality(slug)
        item = await house.tablet(home, name)
        await house.sign_in.revoke_tablet(home.id, item.id)
        click.echo(f"失効しました / revoked: {item.name} ({item.id})")

    run(config, work)


async def _print_code(house: House, item: Tablet) -> None:
    code = await house.sign_in.make_link(LinkPurpose.ENROL, item.municipality_id, tablet_id=item.id)
    minutes = int(LINK_LIFETIME[LinkPurpose.ENROL].total_seconds() // 60)
    url = house.url("/enrol", code)
    click.echo(
        f"登録コード（{minutes}分間有効・一回限り） / enrolment code, once, {minutes} minutes:"
    )
    click.echo(f"  {code}   {url}")
    picture = io.StringIO()
    segno.make(url).terminal(picture, compact=True)
    click.echo(picture.getvalue())
