"""`madoguchi hook`: list, test, retry. The running server sends; it looks every second."""

from pathlib import Path

import click

from security.errors import NotFound
from server.cli.house import House, run
from server.cli.options import config_option, json_option, municipality_option, print_rows
from server.clock import utc_now
from server.db import outbox
from server.db.outbox import SqlOutbox
from server.db.webhooks import SqlWebhooks
from server.hooks.fact import Fact
from server.hooks.worker import TEST


@click.group()
def hook() -> None:
    """連携: what other systems are told, and what could not be told."""


@hook.command("list")
@click.option("--troubled", is_flag=True, help="List what was tried in vain, instead.")
@municipality_option
@json_option
@config_option
def list_(slug: str | None, config: Path, *, troubled: bool, as_json: bool) -> None:
    """List webhooks with what waits for each, or what could not be told so far."""

    async def work(house: House) -> None:
        home = await house.municipality(slug)
        rows = await (_troubled if troubled else _destinations)(house, home.id)
        print_rows(rows, as_json=as_json)

    run(config, work)


async def _destinations(house: House, home: str) -> list[dict[str, object]]:
    figures = await SqlOutbox(house.database).figures(home)
    hooks = await SqlWebhooks(house.database, house.people).every(home)
    named = {one.destination: (one.id, one.name, one.url) for one in hooks}
    others = {key: (None, key, None) for key in figures if not key.startswith("webhook:")}
    return [
        {
            "id": hook_id,
            "name": name,
            "url": url,
            "waiting": figures.get(key, {}).get("waiting", 0),
            "dead": figures.get(key, {}).get("dead", 0),
        }
        for key, (hook_id, name, url) in (named | others).items()
    ]


async def _troubled(house: House, home: str) -> list[dict[str, object]]:
    return [
        {
            "id": f"{one.position}@{one.destination}",
            "type": one.fact.type,
            "number": one.fact.data.get("number"),
            "state": one.state,
            "tries": one.tries,
            "problem": one.problem,
            "next_at": one.next_at.isoformat() if one.state == "waiting" else None,
            "held": one.held,
        }
        for one in await SqlOutbox(house.database).troubled(home)
    ]


@hook.command()
@click.argument("hook_id", metavar="ID")
@municipality_option
@config_option
def test(hook_id: str, slug: str | None, config: Path) -> None:
    """Send a test message to a webhook (its ID); `hook list --troubled` shows what came of it."""

    async def work(house: House) -> None:
        home = await house.municipality(slug)
        found = await SqlWebhooks(house.database, house.people).get(home.id, hook_id)
        if found is None or found.ended_at is not None:
            raise NotFound(f"there is no webhook {hook_id} in {home.slug}")
        fact = Fact(home.id, TEST, hook_id, utc_now(), {"webhook": hook_id})
        await house.note(home.id, "hook:test", hook_id, {})
        async with house.database.writing() as connection:
            await outbox.add(connection, fact)
        click.echo(f"送信待ちに入れました / queued: {fact.id}")

    run(config, work)


@hook.command()
@click.argument("delivery_ids", metavar="ID...", nargs=-1)
@click.option("--dead", is_flag=True, help="Every dead letter.")
@municipality_option
@config_option
def retry(delivery_ids: tuple[str, ...], slug: str | None, config: Path, *, dead: bool) -> None:
    """Try deliveries again at once, for another day (IDs of `hook list --troubled`)."""
    if bool(delivery_ids) == dead:
        raise click.UsageError("give IDs, or --dead")

    async def work(house: House) -> None:
        home = await house.municipality(slug)
        box = SqlOutbox(house.database)
        wanted = [_place(one) for one in delivery_ids]
        if dead:
            found = await box.troubled(home.id)
            wanted = [(one.position, one.destination) for one in found if one.state == "dead"]
        for position, destination in wanted:
            await box.retry(home.id, position, destination, utc_now())
            subject = destination.removeprefix("webhook:")
            await house.note(home.id, "delivery:retry", subject, {"position": position})
        click.echo(f"再送します / to be tried again: {len(wanted)}")

    run(config, work)


def _place(text: str) -> tuple[int, str]:
    position, _, destination = text.partition("@")
    if not (position.isascii() and position.isdigit() and len(position) < 16):
        raise NotFound(f"there is no delivery {text}")
    return int(position), destination
