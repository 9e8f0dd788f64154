"""`madoguchi audit`: verify the log with no key and no server."""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TextIO

import click

from security.audit.export import verify_lines
from security.audit.signatures import Verified
from security.errors import Corrupt, Unavailable
from server.audit_signing import AuditSigning
from server.cli.house import House, require_database, run
from server.cli.options import config_option, json_option, print_rows
from server.db.audit import SqlAudit
from server.db.engine import open_database

Row = dict[str, str | int | None]
_COLUMNS = ("municipality", "entries", "head", "signed", "key", "set_back", "error")


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
    help="Data folder, with madoguchi.sqlite and audit.heads.",
)
@click.option(
    "--from",
    "exported",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File made by `audit export`, in place of --data.",
)
@click.option(
    "--key",
    "keys",
    multiple=True,
    type=KEY,
    help="Public key that heads must be signed with (see `audit key`); one per municipality.",
)
@json_option
def verify(
    folder: Path | None, exported: Path | None, keys: tuple[bytes, ...], *, as_json: bool
) -> None:
    """Walk every chain (security/audit/FORMAT.md); exit 1 naming the first broken position.

    `set_back` is the first position at which the clock had been set back: look at why.

    Without --key, heads may be signed by any key, as long as it is always the same.
    """
    if (folder is None) == (exported is None):
        raise click.UsageError("say either --data DIR or --from EXPORT")
    wanted = frozenset(keys) or None
    if folder is not None:
        rows = asyncio.run(_verify(folder, wanted))
    elif exported is not None:
        rows = _verify_export(exported, wanted)
    print_rows(rows, as_json=as_json)
    if any(row["error"] for row in rows):
        raise Corrupt("the audit log does not verify")


@audit.command()
@click.option(
    "--data",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="Data folder, with madoguchi.sqlite and audit.heads.",
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export(folder: Path, file: Path) -> None:
    """Write every chain to the new FILE, as lines of JSON that verify without anything else."""
    require_database(folder)
    try:
        with open(file, "x", encoding="utf-8", newline="\n", opener=_for_us_alone) as out:
            asyncio.run(_export(folder, out))
    except OSError as error:
        raise Unavailable(f"{file} cannot be made: {error.strerror}") from error


def _for_us_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


async def _export(folder: Path, out: TextIO) -> None:
    async with _log(folder) as log:
        for chain in await log.chains():
            async for lines in log.export(chain):
                out.write(lines)


def _verify_export(file: Path, keys: frozenset[bytes] | None) -> list[Row]:
    try:
        with file.open(encoding="utf-8", newline="\n") as lines:
            return [_row(chain, found) for chain, found in verify_lines(lines, keys)]
    except UnicodeDecodeError:
        raise Corrupt(f"{file} is not UTF-8 text") from None


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


@asynccontextmanager
async def _log(folder: Path) -> AsyncIterator[SqlAudit]:
    require_database(folder)
    database = open_database(folder)
    try:
        await database.require_current()
        yield SqlAudit(database, folder)
    finally:
        await database.engine.dispose()


async def _verify(folder: Path, keys: frozenset[bytes] | None) -> list[Row]:
    rows: list[Row] = []
    async with _log(folder) as log:
        for chain in await log.chains():
            try:
                rows.append(_row(chain, await log.verified(chain, keys)))
            except Corrupt as error:
                rows.append(_row(chain, error))
    return rows


def _row(chain: str, found: Verified | Corrupt) -> Row:
    if isinstance(found, Corrupt):
        return {**dict.fromkeys(_COLUMNS), "municipality": chain, "error": found.message}
    head, signer = found.head, found.key.hex() if found.key else None
    said = (chain, head.count, head.link.hex(), found.signed, signer, found.set_back, None)
    return dict(zip(_COLUMNS, said, strict=True))
