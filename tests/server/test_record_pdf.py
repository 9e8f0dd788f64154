"""The page of a record as PDF: one sheet of A4, Japanese embedded, nothing fetched, no markup."""

import asyncio
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from security.errors import Unavailable
from server.cli.root import commands
from server.record_paper import press
from server.records.page import Paper, html_of
from server.records.record import Addition, Earlier, Named
from server.words import words_of
from tests.server import make_record_vectors as v

A4_POINTS = (595.28, 841.89)
KEY = v.public_key()


def paper(language: Any = "ja", **changes: Any) -> Paper:
    """Return the page of the good vector's record, changed so."""
    record = v.record().model_copy(update=changes)
    additions = [Addition.model_validate_json(v.addition(1, b""))]
    template = v.TEMPLATE.model_dump(mode="json")
    words = words_of(language)
    return Paper(record, "ab" * 32, b"\x01" * 64, KEY, additions, template, words, language)


def told(pdf: bytes, folder: Path, *command: str) -> str:
    """Return what a program of poppler-utils says about a PDF."""
    file = folder / "page.pdf"
    file.write_bytes(pdf)
    args = [*command, str(file)] + (["-"] if command[0] == "pdftotext" else [])
    return subprocess.run(args, capture_output=True, check=True, text=True).stdout


async def test_the_page_is_one_sheet_of_a4_with_its_japanese_type_embedded(tmp_path: Path) -> None:
    # So many steps that they fit in smaller type alone.
    page = html_of(paper(steps=v.record().steps * 6), made_at=v.AT, by="例示 さくら")
    made = await press(page.encode())
    info = told(made, tmp_path, "pdfinfo")
    assert re.search(r"^Pages:\s+1$", info, re.M)
    size = re.search(r"^Page size:\s+([\d.]+) x ([\d.]+)", info, re.M)
    assert size is not None
    assert [abs(float(x) - y) < 1 for x, y in zip(size.groups(), A4_POINTS, strict=True)] == [
        True, True,
    ]  # fmt: skip
    fonts = [line.split() for line in told(made, tmp_path, "pdffonts").splitlines()[2:]]
    assert fonts
    assert all(font[-5] == "yes" for font in fonts), "each font is embedded"
    text = "".join(told(made, tmp_path, "pdftotext", "-layout").split())
    for said in ("本人確認記録", "R-261124-0012", "確認済み", "運転免許証", "窓口花子", "訂正1"):
        assert said in text
    assert len(made) < 400_000


def test_nothing_that_somebody_wrote_is_taken_for_markup() -> None:
    bad = '<img src="http://example.com/x"><script>{by}</script>'
    named = v.record().office.model_copy(update={"name": bad})
    page = html_of(paper(office=named, reason=bad), made_at=v.AT, by=bad)
    assert "<img" not in page
    assert "<script" not in page
    assert page.count("&lt;script&gt;{by}&lt;/script&gt;") == 3


def test_the_page_names_who_did_each_step_and_where_it_came_from() -> None:
    named = Named(id="d0", name="職員 前子")
    people = v.record().people.model_copy(update={"verifiers_before": (named,)})
    earlier = Earlier(call="c0", number="R-261124-0011")
    page = html_of(paper(people=people, earlier=earlier), made_at=v.AT, by="x")
    assert re.search(r"<td>1 目的</td><td>09:40</td><td>例示 さくら</td>", page)
    for said in ("職員（引継ぎ前）</th><td>職員 前子", "取り込み元の通話</th><td>R-261124-0011"):
        assert said in page


async def test_a_page_fetches_nothing(tmp_path: Path) -> None:
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    secret = tmp_path / "secret.txt"
    secret.write_text("とても秘密", "utf-8")
    urls = (f"http://127.0.0.1:{port}/x.png", secret.as_uri())
    tags = "".join(
        f'<img src="{url}"><link rel="stylesheet" href="{url}">'
        f'<a rel="attachment" href="{url}">x</a>'
        for url in urls
    )
    made = await press(f"<body>{tags}本文</body>".encode())
    server.close()
    assert asked == []
    assert b"EmbeddedFile" not in made


async def test_what_fits_on_no_page_goes_on_over_several(tmp_path: Path) -> None:
    made = await press(("<p>x</p>" * 300).encode())
    pages = re.search(r"^Pages:\s+(\d+)$", told(made, tmp_path, "pdfinfo"), re.M)
    assert pages is not None
    assert int(pages[1]) > 2


async def test_a_machine_without_what_it_needs_says_so_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "weasyprint.py").write_text("raise OSError('no library called pango')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    with pytest.raises(Unavailable, match="install libpango") as refused:
        await press(b"<p>x")
    assert refused.value.code == "no_pdf"
    (tmp_path / "weasyprint.py").write_text("CSS = HTML = None\n")
    (tmp_path / "fc-list").write_text("#!/bin/sh\n")
    (tmp_path / "fc-list").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(Unavailable, match="a Japanese font is missing"):
        await press(b"<p>x")


async def test_what_takes_too_long_is_killed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "weasyprint.py").write_text("while True: pass\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    with pytest.raises(Unavailable, match="took longer than"):
        await press(b"<p>x", seconds=0.3)


async def test_who_reads_a_record_gets_its_page_and_it_stands_in_the_log(
    world: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _, desk, call = await world.talking()
    await desk.do("call.close", outcome="returned", reason="写しが読めません")
    parts, home = world.service.parts, world.town.municipality.id
    record_id = await parts.records.store.id_of_call(home, call["id"])
    path = f"/api/v1/records/{record_id}/pdf"
    status, made = await desk.request("GET", path)
    assert (status, made[:5]) == (200, b"%PDF-")
    assert desk.last_headers["Content-Type"] == "application/pdf"
    name = f'attachment; filename="{call["number"]}.pdf"'
    assert desk.last_headers["Content-Disposition"] == name
    folder = parts.settings.data.folder
    config = tmp_path / "madoguchi.toml"
    config.write_text(
        f'[data]\nfolder = "{folder}"\n[keys]\nkek_file = "{parts.settings.keys.kek_file}"\n'
    )
    file = tmp_path / "record.pdf"
    command = ["record", "pdf", call["number"], "-o", str(file), "--config", str(config)]
    result = await asyncio.to_thread(CliRunner().invoke, commands, command)
    assert result.exit_code == 0, result.output
    assert file.read_bytes()[:5] == b"%PDF-"
    assert "写しが読めません" in told(made, tmp_path, "pdftotext").replace("\n", "")
    log = await parts.audit.since(home, v.AT.replace(year=2000), limit=10_000)
    tags = [one.tag for one in log if record_id.encode() in one.entry]
    assert tags == ["gate:record:read", "record:pdf:make", "command:record:pdf"]
    administrator = await world.signed_in(world.town.administrator)
    assert (await administrator.request("GET", path))[0] == 403
    (tmp_path / "weasyprint.py").write_text("raise OSError('no library called pango')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    status, said = await desk.request("GET", path)
    assert (status, said["error"]["code"]) == (503, "no_pdf")
