"""`madoguchi audit`: verify the log with no key and no server."""

import asyncio
import re
from pathlib import Path
from typing import Any

import click

from security.errors import Corrupt
from server.audit_signing import AuditSigning
from server.cli.house import House, require_database, run
from server.cli.options import config_option, json_option, print_rows
from server.db.audit import SqlAudit, Verified
from server.db.engine import open_database

Row = dict[str, str | int | None]
_COLUMNS = ("municipality", "entries", "head", "signed", "key", "error")


class PublicKey(click.ParamType[bytes]):
    """64 hexadecimal digits."""

    name = "key"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> bytes:
        """Return the 32 bytes, or refuse in one sentence."""
        if re.fullmatch(r"[0-9a-fA-F]{64}", str(value)) is None:
            self.fail(f"{value!r} is not a public key of 64 hexadecimal digits", param, ctx)
        return bytes.fromhex(value)


KEY = PublicKey()


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
@click.option(
    "--key",
    "keys",
    multiple=True,
    type=KEY,
    help="Public key that heads must be signed with (see `audit key`); one per municipality.",
)
@json_option
def verify(folder: Path, keys: tuple[bytes, ...], *, as_json: bool) -> None:
    """Walk every chain (security/audit/FORMAT.md); exit 1 naming the first broken position.

    Without --key, heads may be signed by any key, as long as it is always the same.
    """
    rows = asyncio.run(_verify(folder, frozenset(keys) or None))
    print_rows(rows, as_json=as_json)
    if any(row["error"] for row in rows):
        raise Corrupt("the audit log does not verify")


@audit.command()
@config_option
@json_option
def key(config: Path, *, as_json: bool) -> None:
    """Print the public key of each municipality's audit log, to be kept elsewhere."""

    async def work(house: House) -> None:
        signing = AuditSigning(house.people, house.audit)
        rows = [
            {"municipality": home.slug, "key": (await signing.public_key(home.id)).hex()}
            for home in await house.people.municipalities()
        ]
        print_rows(rows, as_json=as_json)

    run(config, work)


async def _verify(folder: Path, keys: frozenset[bytes] | None) -> list[Row]:
    require_database(folder)
    database = open_database(folder)
    log = SqlAudit(database, folder)
    rows: list[Row] = []
    try:
        await database.require_current()
        for chain in await log.chains():
            try:
                rows.append(_whole(chain, await log.verified(chain, keys)))
            except Corrupt as error:
                rows.append({**dict.fromkeys(_COLUMNS), "municipality": chain, "error": str(error)})
    finally:
        await database.engine.dispose()
    return rows


def _whole(chain: str, found: Verified) -> Row:
    head, signer = found.head, found.key.hex() if found.key else None
    said = (chain, head.count, head.link.hex(), found.signed, signer, None)
    return dict(zip(_COLUMNS, said, strict=True))
