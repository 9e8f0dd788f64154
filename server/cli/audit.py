"""`madoguchi audit`: verify the log with no key and no server."""

import asyncio
from pathlib import Path

import click

from security.errors import Corrupt
from server.cli.house import require_database
from server.cli.options import json_option, print_rows
from server.db.audit import SqlAudit
from server.db.engine import open_database


@click.group()
def audit() -> None:
    """監査ログ: the log of every decision."""


@audit.command()
@click.option(
    "--data",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="Data folder, with madoguchi.sqlite and audit.heads.",
)
@json_option
def verify(folder: Path, *, as_json: bool) -> None:
    """Walk every chain (security/audit/FORMAT.md); exit 1 naming the first broken position."""
    rows = asyncio.run(_verify(folder))
    print_rows(rows, as_json=as_json)
    if any(row["error"] for row in rows):
        raise Corrupt("the audit log does not verify")


async def _verify(folder: Path) -> list[dict[str, str | int | None]]:
    require_database(folder)
    database = open_database(folder)
    log = SqlAudit(database, folder)
    rows: list[dict[str, str | int | None]] = []
    try:
        for chain in await log.chains():
            try:
                head = await log.verify(chain)
            except Corrupt as error:
                rows.append(
                    {"municipality": chain, "entries": None, "head": None, "error": str(error)}
                )
            else:
                rows.append(
                    {
                        "municipality": chain,
                        "entries": head.count,
                        "head": head.link.hex(),
                        "error": None,
                    }
                )
    finally:
        await database.engine.dispose()
    return rows
