"""A call from the first page to the result, as two people do it."""

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


async def test_two_people_see_and_hear_each_other_talk_and_part(pair: Pair) -> None:
    await pair.talk()
    for seat in pair.both:
        picture = await seat.until_moving()
        assert picture["width"] >= 640
        await seat.until_hearing()
    assert await pair.counter.number() == await pair.desk.number()
    await pair.counter.write("申請書を送ります")
    await pair.desk.until_messages("申請書を送ります")
    await pair.desk.write("お願いします")
    await pair.counter.until_messages("申請書を送ります", "お願いします")
    await pair.desk.decide("verified")
    await pair.counter.until_says("result.verified.title")
    await pair.counter.press("result.finish")
    await pair.counter.until_says("idle.call", ".callbtn")


async def test_the_counter_is_told_what_the_desk_decided_and_why(pair: Pair) -> None:
    await pair.desk.be_open()
    for outcome in ("returned", "refused", "aborted"):
        await pair.counter.place()
        await pair.desk.accept()
        await pair.counter.until_says("call.talking")
        for seat in pair.both:
            assert await seat.page.sees(words("training.title"), ".train-band")
            assert (await seat.number()).startswith("R-")
        await pair.desk.decide(outcome)
        await pair.counter.until_says(f"result.{outcome}.title")
        assert await pair.counter.says("result.reason")
        assert await pair.counter.says(f"outcome.{outcome}")
        await pair.counter.press("result.finish")
        await pair.counter.until_says("idle.call", ".callbtn")


async def test_a_pdf_and_a_photograph_go_both_ways_with_both_hashes(
    call: Pair, tmp_path: Path
) -> None:
    paper = tmp_path / "申請書.pdf"
    paper.write_bytes(PDF)
    picture = photograph(tmp_path / "うら面.jpg")
    for sender, receiver in ((call.counter, call.desk), (call.desk, call.counter)):
        for path in (paper, picture):
            named = path.rename(path.with_name(f"{sender.name}-{path.name}"))
            await sender.send_file(named)
            await receiver.until_file(named.name, "offered")
            await sender.until_file(named.name, "offered.own")
            sent, offered = await hashes(call.desk.page, named.name)
            assert sent == hashlib.sha256(named.read_bytes()).hexdigest()
            assert (offered == sent) is (path is paper)
            named.rename(path)


async def test_a_file_of_another_kind_is_refused_in_words(call: Pair, tmp_path: Path) -> None:
    program = tmp_path / "setup.pdf"
    program.write_bytes(b"MZ" + bytes(4000))
    await call.counter.send_file(program)
    await call.counter.until_says("error.wrong_type")
    await call.counter.write("送れませんでした")
    await call.desk.until_messages("送れませんでした")


async def test_names_and_messages_stay_text_whatever_they_hold(call: Pair, tmp_path: Path) -> None:
    bad = '<img src=x onerror="globalThis.__struck=1"><b>太字</b>'
    named = tmp_path / "<img src=x onerror=__struck=1>.pdf"
    named.write_bytes(PDF)
    await call.counter.write(bad)
    await call.desk.until_messages(bad)
    await call.desk.write(bad)
    await call.counter.until_messages(bad, bad)
    await call.counter.send_file(named)
    await call.desk.until_file("_img src=x onerror=__struck=1_.pdf", "offered")
    for seat in call.both:
        assert await seat.page.eval("globalThis.__struck ?? null") is None
        assert await seat.page.eval("document.querySelectorAll('.msg img, .file img').length") == 0


async def test_while_the_veil_is_on_no_picture_moves_at_the_desk(call: Pair) -> None:
    await call.desk.press("veil.stop")
    await call.counter.until_says("veil.title")
    await call.desk.until_says("veil.title")
    assert await call.desk.page.sees(None, ".picture .veil")
    # The picture behind the veil stands still as well: nothing is sent, while sound goes on.
    await call.desk.page.until("__moves('.picture video').then((m) => m.most === 0)")
    before = (await call.desk.receives())["frames"]
    await call.desk.until_hearing()
    assert (await call.desk.receives())["frames"] - before <= 1
    assert not await call.desk.says("veil.end")
    await call.counter.press("veil.end")
    await call.desk.page.until_gone(None, ".picture .veil")
    await call.desk.until_moving()


async def test_who_talks_into_a_muted_microphone_is_told(call: Pair) -> None:
    await call.counter.tab("devices")
    await call.counter.press("device.mute")
    await call.counter.until_says("level.muted_hint")
    await call.counter.press("device.mute")
    await call.counter.page.until_gone(words("level.muted_hint"))
    await call.desk.until_hearing()


async def test_a_second_tab_is_refused_and_can_take_over(call: Pair) -> None:
    second = await call.counter.page.another()
    await second.open(f"{call.counter.base_url}/counter")
    await second.until_seen(words("seat.taken.title"))
    assert await call.counter.says("call.talking")
    await second.click("button", words("seat.take"))
    await second.until_seen(words("call.talking"))
    await call.counter.until_says("seat.moved.title")
    call.counter.page = second
    await call.until_moving()


async def test_the_desk_sees_within_a_second_that_the_counter_left(call: Pair) -> None:
    await call.desk.page.eval(
        "void (globalThis.__seen_at = new Promise((done) => {"
        " const look = () => document.querySelector('.facts-bar .chip.warn')"
        " ? done(Date.now()) : setTimeout(look, 10); look(); }))"
    )
    await call.counter.page.eval(
        "void addEventListener('pagehide', () => sessionStorage.setItem('left', Date.now()))"
    )
    await call.counter.page.open(f"{call.counter.base_url}/sign-in")
    left = int(await call.counter.page.eval("sessionStorage.getItem('left')"))
    seen_at = int(await call.desk.page.eval("__seen_at"))
    assert seen_at - left < 1000
    assert await call.desk.says("state.interrupted")
    await call.counter.page.open(f"{call.counter.base_url}/counter")
    await call.counter.until_says("call.talking")
    await call.until_moving()
