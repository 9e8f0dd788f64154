"""`madoguchi record`: verify a record's bundle with no server and no secret."""

import json
from pathlib import Path

import click

from security.errors import Unavailable
from server.cli.audit import KEY
from server.cli.options import json_option
from server.records.verify import STEPS, Done, Failed, Verifier


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


def _line(one: Done) -> str:
    return f"{one.number:2}. {one.name}: ok" + (f" ({one.note})" if one.note else "")


def _said(done: list[Done], failed: Failed | None, *, trusted: bool) -> dict[str, object]:
    return {
        "steps": [{"number": one.number, "name": one.name, "note": one.note} for one in done],
        "of": len(STEPS),
        "failed": failed and {"number": failed.number, "name": failed.name, "why": failed.why},
        "trusted": trusted and failed is None,
    }
