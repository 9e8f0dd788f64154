"""`madoguchi retention`: what is due to be deleted, doing it, and the proofs of what was."""

from pathlib import Path

import click

from files.blobs import FolderBlobs
from files.shred import BlobShredder
from security.errors import Corrupt
from server.audit_signing import AuditSigning
from server.cli.house import House, run
from server.cli.options import config_option, json_option, municipality_option, print_rows
from server.clock import utc_now
from server.db.audit_export import SqlExported
from server.db.deletions import SqlDeletions
from server.retention import Retention, readable

Row = dict[str, str | int | None]


@click.group()
def retention() -> None:
    """保存期間: deletes what the policy says is due, and proves it."""


async def _retention(house: House) -> Retention:
    book = await house.policies()
    blobs = FolderBlobs(house.settings.data.folder / "blobs")
    signing = AuditSigning(house.people, house.audit)
    store = SqlDeletions(house.database)
    exported = SqlExported(house.database)
    return Retention(store, BlobShredder(blobs), signing, house.audit, book, exported)


@retention.command("run")
@click.option("--dry-run", is_flag=True, help="Only show what would go.")
@municipality_option
@json_option
@config_option
def run_(slug: str | None, config: Path, *, dry_run: bool, as_json: bool) -> None:
    """Delete what is due now (the server does this by itself every hour)."""

    async def work(house: House) -> None:
        home = await house.municipality(slug)
        keeper, now = await _retention(house), utc_now()
        plan = await keeper.plan(home.id, now)
        rows: list[Row] = [
            {
                "kind": one.due.kind.value,
                "call": one.due.call_id,
                "count": len(one.due.ids),
                "because": one.because,
            }
            for one in plan.deletions
        ]
        if plan.audit is not None:
            first = await house.audit.first_position(home.id)
            count = plan.audit.head.count - first + 1
            rows.append(
                {
                    "kind": "audit",
                    "call": None,
                    "count": count,
                    "because": "retention.audit_days",
                }
            )
        print_rows(rows, as_json=as_json)
        if not dry_run:
            await keeper.run(home.id, now)

    run(config, work)


@retention.command()
@municipality_option
@json_option
@config_option
def proofs(slug: str | None, config: Path, *, as_json: bool) -> None:
    """削除証明: list the proofs of deletion, each verified; exit 1 when one is not ours."""

    async def work(house: House) -> None:
        home = await house.municipality(slug)
        key = await AuditSigning(house.people, house.audit).public_key(home.id)
        rows: list[Row] = []
        for kept in await SqlDeletions(house.database).every(home.id):
            if kept.proof.key != key:
                raise Corrupt(f"proof {kept.id} is signed with a key that is not ours")
            said = readable(kept.proof)
            names = ("id", "at", "kind", "call", "count", "because", "policy")
            rows.append({name: _plain(said[name]) for name in names})
        print_rows(rows, as_json=as_json)

    run(config, work)


def _plain(value: object) -> str | int | None:
    return value if isinstance(value, str | int) or value is None else str(value)
