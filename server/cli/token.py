"""`madoguchi token`: list, new, revoke."""

from pathlib import Path

import click

from security.api_tokens import LONGEST
from security.roles import SCOPES
from server.cli.house import House, run
from server.cli.options import (
    NAME,
    config_option,
    json_option,
    municipality_option,
    print_rows,
)
from server.clock import utc_now
from server.db.api_tokens import SqlApiTokens
from server.system_tokens import make_token, revoke_token


@click.group()
def token() -> None:
    """連携用の鍵: tokens by which other systems read records and counts."""


@token.command("list")
@municipality_option
@json_option
@config_option
def list_(slug: str | None, config: Path, *, as_json: bool) -> None:
    """List tokens, the newest first; what they are known by is kept nowhere."""

    async def work(house: House) -> None:
        home, now = await house.municipality(slug), utc_now()
        rows = [
            {
                "id": one.id,
                "name": one.name,
                "scopes": " ".join(one.scopes),
                "networks": " ".join(one.networks),
                "expires_at": one.expires_at.isoformat(),
                "revoked_at": one.revoked_at and one.revoked_at.isoformat(),
                "used_at": one.used_at and one.used_at.isoformat(),
                "counts": one.counts(now),
            }
            for one in await SqlApiTokens(house.database).every(home.id)
        ]
        print_rows(rows, as_json=as_json)

    run(config, work)


@token.command()
@click.argument("name", type=NAME)
@click.option(
    "--scope", "scopes", type=click.Choice(list(SCOPES)), multiple=True, required=True,
    help="What it opens; may be given several times.",
)  # fmt: skip
@click.option(
    "--network", "networks", type=NAME, multiple=True, required=True,
    help="From where it counts, as 10.1.2.0/24; may be given several times.",
)  # fmt: skip
@click.option(
    "--days", type=click.IntRange(1, LONGEST.days), default=365, show_default=True,
    help="For how long it counts.",
)  # fmt: skip
@municipality_option
@config_option
def new(
    name: str,
    scopes: tuple[str, ...],
    networks: tuple[str, ...],
    days: int,
    slug: str | None,
    config: Path,
) -> None:
    """Make a token (NAME as 統計) and print it, this once."""

    async def work(house: House) -> None:
        home, now = await house.municipality(slug), utc_now()
        store, hand = SqlApiTokens(house.database), house.hand(home)
        terms = (name, tuple(dict.fromkeys(scopes)), networks, days)
        item, secret = await make_token(store, hand, *terms, now=now)
        click.echo(f"作りました / made: {name} ({item.id})")
        click.echo("鍵（表示は今回だけ） / the token, shown this once:")
        click.echo(f"  {secret}")
        if "bundles" in item.scopes:
            await _say_bundles(house, home.id)

    run(config, work)


async def _say_bundles(house: House, municipality_id: str) -> None:
    """Say into which networks the policy lets bundles be fetched."""
    book = await house.policies()
    named = ", ".join(book.of(municipality_id).policy.hooks.bundle_networks)
    click.echo(
        "記録の控えを取り出せるのは、方針の hooks.bundle_networks にあるネットワークからだけです / "
        "bundles are given into the networks of hooks.bundle_networks of the policy alone: "
        f"{named or 'なし / none'}"
    )


@token.command()
@click.argument("token_id", metavar="ID")
@municipality_option
@config_option
def revoke(token_id: str, slug: str | None, config: Path) -> None:
    """Revoke a token (its ID): the next request with it is refused."""

    async def work(house: House) -> None:
        home = await house.municipality(slug)
        store, hand = SqlApiTokens(house.database), house.hand(home)
        await revoke_token(store, hand, token_id, now=utc_now())
        click.echo(f"止めました / revoked: {token_id}")

    run(config, work)
