"""What happens within a call: files, words, the veil, the microphone."""

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from tools.browsers.page import Page
from tools.browsers.people import Pair, words

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]

PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>"
    b"endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)


def photograph(path: Path) -> Path:
    """Write a JPEG that is not the one the service will make of it."""
    picture = np.random.default_rng(7).integers(0, 255, (480, 640, 3), np.uint8)
    cv2.imwrite(str(path), picture)
    return path


async def hashes(page: Page, name: str) -> list[str]:
    """Return the hashes that the row of a file shows, opened if need be."""
    row = f"__seen('.file', '{name}')[0]"
    await page.until(f"{row}?.querySelector('details')")
    await page.eval(f"void ({row}.querySelector('details').open = true)")
    found = await page.eval(
        f"[...{row}.querySelectorAll('.hash')].map((h) => h.textContent.replace(/\\s/g, ''))"
    )
    return [str(text) for text in found]


async def test_a_pdf_and_a_photograph_go_both_ways_with_both_hashes(
    standing: Pair, tmp_path: Path
) -> None:
    paper = tmp_path / "申請書.pdf"
    paper.write_bytes(PDF)
    picture = photograph(tmp_path / "うら面.jpg")
    for sender, receiver in ((standing.counter, standing.desk), (standing.desk, standing.counter)):
        for path in (paper, picture):
            named = path.rename(path.with_name(f"{sender.name}-{path.name}"))
            await sender.send_file(named)
            await receiver.until_file(named.name, "offered")
            await sender.until_file(named.name, "offered.own")
            sent, offered = await hashes(standing.desk.page, named.name)
            assert sent == hashlib.sha256(named.read_bytes()).hexdigest()
            assert (offered == sent) is (path is paper)
            named.rename(path)


async def test_a_file_of_another_kind_is_refused_in_words(standing: Pair, tmp_path: Path) -> None:
    program = tmp_path / "setup.pdf"
    program.write_bytes(b"MZ" + bytes(4000))
    await standing.counter.send_file(program)
    await standing.counter.until_says("error.wrong_type")
    await standing.counter.write("送れませんでした")
    await standing.desk.until_last("送れませんでした")


async def test_names_and_messages_stay_text_whatever_they_hold(
    standing: Pair, tmp_path: Path
) -> None:
    bad = '<img src=x onerror="globalThis.__struck=1"><b>太字</b>'
    named = tmp_path / "<img src=x onerror=__struck=1>.pdf"
    named.write_bytes(PDF)
    await standing.counter.write(bad)
    await standing.desk.until_last(bad)
    await standing.desk.write(bad)
    await standing.counter.until_last(bad, bad)
    await standing.counter.send_file(named)
    await standing.desk.until_file("_img src=x onerror=__struck=1_.pdf", "offered")
    for seat in standing.both:
        assert await seat.page.eval("globalThis.__struck ?? null") is None
        assert await seat.page.eval("document.querySelectorAll('.msg img, .file img').length") == 0


async def test_while_the_veil_is_on_no_picture_moves_at_the_desk(standing: Pair) -> None:
    await standing.desk.press("veil.stop")
    await standing.counter.until_says("veil.title")
    await standing.desk.until_says("veil.title")
    assert await standing.desk.page.sees(None, ".picture .veil")
    # The picture behind the veil stands still as well: nothing is sent, while sound goes on.
    await standing.desk.page.until("__moves('.picture video').then((m) => m.most === 0)")
    before = (await standing.desk.receives())["frames"]
    await standing.desk.until_hearing()
    assert (await standing.desk.receives())["frames"] - before <= 1
    assert not await standing.desk.says("veil.end")
    await standing.counter.press("veil.end")
    await standing.desk.page.until_gone(None, ".picture .veil")
    await standing.desk.until_moving()


async def test_who_talks_into_a_muted_microphone_is_told(standing: Pair) -> None:
    await standing.counter.tab("devices")
    await standing.counter.press("device.mute")
    await standing.counter.until_says("level.muted_hint")
    await standing.counter.press("device.mute")
    await standing.counter.page.until_gone(words("level.muted_hint"))
    await standing.desk.until_hearing()
