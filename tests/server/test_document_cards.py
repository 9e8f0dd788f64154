"""Cards of documents: what is shipped, what a municipality puts in its place, what is not right."""

import logging
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from server.cli.root import commands
from server.procedures.card_files import read_documents, shipped_text
from server.procedures.cards import Card
from server.procedures.documents import CLASS_OF

TOWN = "kakuu"


def run(*arguments: object) -> Result:
    command: click.Command = commands
    return CliRunner().invoke(command, ["procedure", *map(str, arguments)])


def cards(folder: Path) -> dict[str, Card]:
    return {one.kind: one.card for one in read_documents(folder, TOWN).documents}


def put(folder: Path, name: str, text: str) -> Path:
    file = folder / "cards" / TOWN / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
    return file


def completed(kind: str) -> str:
    source = 'source = { ja = "発行者の資料", en = "Its issuer" }'
    return shipped_text(kind).replace("complete = false", f"complete = true\n{source}", 1)


def test_every_kind_of_document_has_a_card_and_that_of_the_residence_card_is_filled_in(
    tmp_path: Path,
) -> None:
    found = cards(tmp_path)
    assert found.keys() == CLASS_OF.keys()
    assert [kind for kind, card in found.items() if card.complete] == ["residence-card"]
    assert len(found["residence-card"].looks) >= 3
    assert found["residence-card"].source is not None


def test_a_card_that_a_municipality_completes_stands_at_once_and_for_it_alone(
    tmp_path: Path,
) -> None:
    assert run("card", "passport").output == shipped_text("passport")
    file = put(tmp_path, "passport.toml", completed("passport"))
    assert run("check-card", file).exit_code == 0
    assert cards(tmp_path)["passport"].complete
    elsewhere = {one.kind: one.card for one in read_documents(tmp_path, "mihon").documents}
    assert not elsewhere["passport"].complete


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("passport.toml", "kind = ", "a card of a document is not right"),
        ("passport.toml", completed("driving-licence"), "another document"),
        (
            "residence-card.toml",
            completed("passport").replace('"passport"', '"library-card"'),
            "a kind of document",
        ),
        (
            "passport.toml",
            shipped_text("passport").replace("complete = false", "complete = true"),
            "the published source",
        ),
    ],
)
def test_a_card_that_is_not_right_is_left_out_and_told_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, text: str, told: str
) -> None:
    put(tmp_path, name, text)
    with caplog.at_level(logging.WARNING):
        assert cards(tmp_path) == cards(tmp_path / "nowhere")
    assert told in caplog.text


def test_the_check_of_a_card_tells_every_fault_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "passport.toml"
    file.write_text(shipped_text("passport").replace("see =", "seen ="), "utf-8")
    told = run("check-card", file)
    assert told.exit_code == 1
    assert told.output.count("looks") >= 4
