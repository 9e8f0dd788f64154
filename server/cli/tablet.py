"""`madoguchi tablet`: add, list, enrol-code, mode, revoke."""

import io
from pathlib import Path

import click
import segno

from security.people import LINK_LIFETIME, LinkPurpose
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
        item, code = await house.administration.add_tablet(house.hand(home), office, name)
        click.echo(f"登録しました / added: {name} ({item.id})")
        _print_code(house, code)

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
                "mode": "real" if item.real else "training",
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
        code = await house.administration.enrol_code(house.hand(home), item)
        _print_code(house, code)

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


@tablet.command()
@click.argument("name", type=NAME)
@click.argument("which", type=click.Choice(["real", "training"]))
@municipality_option
@config_option
def mode(name: str, which: str, slug: str | None, config: Path) -> None:
    """Switch a tablet (NAME or id) to real calls (本番) or to 研修モード, for its next call."""

    async def work(house: House) -> None:
        home = await house.municipality(slug)
        item = await house.tablet(home, name)
        await house.administration.switch_tablet(house.hand(home), item, real=which == "real")
        words = "本番 / real calls" if which == "real" else "研修モード / training"
        click.echo(f"切り替えました / switched: {item.name} ({item.id}) {words}")

    run(config, work)


def _print_code(house: House, code: str) -> None:
    minutes = int(LINK_LIFETIME[LinkPurpose.ENROL].total_seconds() // 60)
    url = house.url("/enrol", code)
    click.echo(
        f"登録コード（{minutes}分間有効・一回限り） / enrolment code, once, {minutes} minutes:"
    )
    click.echo(f"  {code}   {url}")
    picture = io.StringIO()
    segno.make(url).terminal(picture, compact=True)
    click.echo(picture.getvalue())
