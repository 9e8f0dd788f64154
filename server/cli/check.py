"""`madoguchi check`: look at everything the service would use, and say it in words."""

import asyncio
import json
from pathlib import Path
from typing import Any

import click

from security.values import plain_address
from server.api.reach import Reach
from server.check.all import findings
from server.check.finding import Finding, State, line, report
from server.cli.options import config_option, json_option


class Address(click.ParamType[str]):
    """An IP address."""

    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the address in its plain form, or refuse in one sentence."""
        found = plain_address(str(value))
        if found is None:
            self.fail(f"{value!r} is not an IP address", param, ctx)
        return str(found)


ADDRESS = Address()


@click.command()
@click.option(
    "--from",
    "address",
    type=ADDRESS,
    help="Tell where a request from this address comes from, as the policies trust proxies.",
)
@click.option("--forwarded", default="", help="X-Forwarded-For of that request.")
@json_option
@config_option
def check(config: Path, address: str | None, forwarded: str, *, as_json: bool) -> None:
    """Check settings, certificate, folder, keys, database, clock and what is leant on.

    Changes nothing, and may run beside the service. Exit code 1 on a fault; warnings do not count.
    """
    example = Reach(address, forwarded, None, https_before=False) if address else None
    found = asyncio.run(_all(config, example, aloud=not as_json))
    said = report(found)
    if as_json:
        click.echo(json.dumps(said, ensure_ascii=False, indent=2))
    if not said["ok"]:
        raise click.exceptions.Exit(1)


async def _all(config: Path, example: Reach | None, *, aloud: bool) -> list[Finding]:
    found: list[Finding] = []
    async for one in findings(config, example):
        found.append(one)
        if aloud:
            click.echo(line(one))
    if aloud:
        faults = sum(one.state is State.FAULT for one in found)
        warnings = sum(one.state is State.WARNING for one in found)
        click.echo(f"× {faults}  △ {warnings}")
    return found
