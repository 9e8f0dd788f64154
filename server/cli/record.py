"""`madoguchi record`: bundles of records; verified with no server and no secret."""

import json
import os
from pathlib import Path

import click

from files.blobs import FolderBlobs
from security.errors import Unavailable
from server.audit_signing import AuditSigning
from server.cli.audit import KEY
from server.cli.house import House, run
from server.cli.options import config_option, json_option, municipality_option, print_rows
from server.clock import utc_now
from server.db.calls import SqlCalls
from server.db.chat import SqlChat
from server.db.deletions import SqlDeletions
from server.db.files import SqlFiles
from server.db.records import SqlRecords, Wanted
from server.keys import KeyRing, load_kek
from server.record_bundles import RecordBundles
from server.record_keys import RecordKeys
from server.record_paper import RecordPaper
from server.records.verify import STEPS, Done, Failed, Verifier
from server.words import Language


@click.group()
def record() -> None:
    """本人確認記録: the signed record of a call."""


@record.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", type=KEY, help="Record key that the municipality has made known.")
@json_option
def verify(file: Path, key: bytes | None, *, as_json: bool) -> None:
    """Verify a bundle in the steps of server/procedures/FORMAT.md; exit 1 at the first that fails.

    Without --key everything is checked but whose signature it is: the key's fingerprint is
    printed, to be compared with what the municipality has made known.
    """
    done: list[Done] = []
    failed: Failed | None = None
    try:
        with file.open("rb") as content:
            verifier = Verifier(content, key)
            try:
                for one in verifier.run():
                    done.append(one)
                    if not as_json:
                        click.echo(_line(one))
            except Failed as error:
                failed = error
    except OSError as error:
        raise Unavailable(f"{file} cannot be read: {error.strerror}") from error
    if as_json:
        click.echo(json.dumps(_said(done, failed, trusted=key is not None), ensure_ascii=False))
    if failed is not None:
        raise failed
    if not as_json:
        kind = "研修 / training, " if verifier.record.training else ""
        word = "sound" if key else "consistent, but whose key this is must still be found out"
        click.echo(f"{word}: {kind}{verifier.record.number}, {verifier.record.outcome}")


@record.command()
@click.argument("which")
@click.option(
    "-o", "--output", "file", type=click.Path(dir_okay=False, path_type=Path), required=True
)
@municipality_option
@config_option
def export(which: str, file: Path, slug: str | None, config: Path) -> None:
    """Write the bundle of a record to the new FILE; WHICH is its id or 受付番号."""

    async def work(house: House) -> None:
        home = await house.municipality(slug)
        store, record_id = await _found(house, home.id, which)
        await house.note(home.id, "record:export", record_id, {})
        _, content = await _bundles(house, store).make(home.id, record_id, utc_now())
        write_new(file, content)

    run(config, work)


@record.command()
@click.argument("which")
@click.option(
    "-o", "--output", "file", type=click.Path(dir_okay=False, path_type=Path), required=True
)
@click.option("--language", type=click.Choice(["ja", "en"]), default="ja", show_default=True)
@municipality_option
@config_option
def pdf(which: str, file: Path, language: Language, slug: str | None, config: Path) -> None:
    """Write the page of a record as PDF to the new FILE; WHICH is its id or 受付番号."""

    async def work(house: House) -> None:
        home = await house.municipality(slug)
        store, record_id = await _found(house, home.id, which)
        await house.note(home.id, "record:pdf", record_id, {"language": language})
        paper = RecordPaper(store, RecordKeys(house.people))
        by = "madoguchi record pdf"
        _, content = await paper.pdf(home.id, record_id, language=language, by=by, now=utc_now())
        write_new(file, content)

    run(config, work)


@record.command()
@config_option
@json_option
def key(config: Path, *, as_json: bool) -> None:
    """Print the public record key of each municipality, to be made known."""

    async def work(house: House) -> None:
        keys = RecordKeys(house.people)
        rows = [
            {"municipality": home.slug, "key": (await keys.public_key(home.id)).hex()}
            for home in await house.people.municipalities()
        ]
        print_rows(rows, as_json=as_json)

    run(config, work)


async def _found(house: House, home: str, which: str) -> tuple[SqlRecords, str]:
    """Return where records stand, and the id of the one meant by its id or 受付番号."""
    store = SqlRecords(house.database, _calls(house))
    found = await store.search(home, Wanted(number=which), limit=1)
    return store, found[0].id if found else which


def _calls(house: House) -> SqlCalls:
    ring = KeyRing(load_kek(house.settings.keys.kek_file, os.environ))
    return SqlCalls(house.database, ring)


def _bundles(house: House, store: SqlRecords) -> RecordBundles:
    return RecordBundles(
        store,
        RecordKeys(house.people),
        _calls(house),
        SqlChat(house.database),
        SqlFiles(house.database),
        FolderBlobs(house.settings.data.folder / "blobs"),
        house.audit,
        AuditSigning(house.people, house.audit),
        SqlDeletions(house.database),
    )


def write_new(file: Path, content: bytes) -> None:
    """Write a new file that nobody else may read. Raises `Unavailable` when there is one."""
    try:
        with open(file, "xb", opener=_for_us_alone) as out:
            out.write(content)
    except OSError as error:
        raise Unavailable(f"{file} cannot be made: {error.strerror}") from error


def _for_us_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _line(one: Done) -> str:
    return f"{one.number:2}. {one.name}: ok" + (f" ({one.note})" if one.note else "")


def _said(done: list[Done], failed: Failed | None, *, trusted: bool) -> dict[str, object]:
    return {
        "steps": [{"number": one.number, "name": one.name, "note": one.note} for one in done],
        "of": len(STEPS),
        "failed": failed and {"number": failed.number, "name": failed.name, "why": failed.why},
        "trusted": trusted and failed is None,
    }
