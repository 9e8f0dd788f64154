"""A whole 新規発行: from 呼出 to the printed record, and to its bundle that a stranger verifies."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from click.testing import CliRunner, Result

from server.cli.root import commands
from server.records.verify import STEPS
from tests.support.tampered_bundles import tampered
from tools.browsers.chromium import ChromiumPage
from tools.browsers.page import Browser, Page
from tools.browsers.people import DESK_SIZE, Desk, Pair, sit_down, words
from tools.browsers.service import RunningService
from tools.browsers.steps import Walk

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(200),
    pytest.mark.parametrize("browser", ["chromium"], indirect=True),
]
Json = dict[str, Any]
# Sends over the page's own socket what the page itself would not, and gives the answer's code.
FORGED = """(() => new Promise((resolve) => {
  const plain = WebSocket.prototype.send;
  const message = MESSAGE;
  WebSocket.prototype.send = function send(...given) {
    WebSocket.prototype.send = plain;
    this.addEventListener("message", ({ data }) => {
      const answer = JSON.parse(data);
      if (answer.re === message.id) resolve(answer.error?.code ?? "taken");
    });
    plain.apply(this, given);
    plain.call(this, JSON.stringify(message));
  };
}))()"""
KEY = """fetch(document.querySelector("a[download]").href.replace("/bundle", ""))
  .then((answer) => answer.json()).then(({ key }) => key)"""
ONE_OF_A4 = (595, 842)
REASON = "旅券の期限が先月で切れている。窓口で原本を確認した。"


@pytest_asyncio.fixture(loop_scope="session")
async def seats(browser: Browser, service: RunningService) -> AsyncIterator[tuple[Pair, Desk]]:
    """Counter and desk where real calls may be placed, and a senior at a desk of their own."""
    town = await service.town("real", real=True)
    pair = await sit_down(browser, browser, town, service.base_url)
    senior = Desk(await browser.seat(*DESK_SIZE), service.base_url)
    await senior.enter(town.desks[2])
    yield pair, senior
    errors = [error for seat in (*pair.both, senior) for error in seat.page.errors]
    await pair.end()
    await senior.page.end()
    assert errors == []


async def test_a_new_card_is_issued_recorded_printed_and_verified(
    seats: tuple[Pair, Desk], tmp_path: Path
) -> None:
    pair, senior = seats
    await pair.talk()
    await pair.until_moving()
    number = await pair.desk.number()
    assert number.startswith("K-")
    await pair.desk.write("よろしくお願いします。")
    await _another_order_is_refused(pair.desk)
    walk = Walk(pair.counter, pair.desk)
    await walk.until("documents")
    await _retake(pair.desk)
    await walk.until("documents")
    await _compare(pair.desk)
    await _pass_by_a_senior(walk, pair.desk, senior)
    await walk.to_the_end()
    await pair.desk.decide("verified")
    await pair.counter.until_says("result.verified.title")
    await _read_and_print(pair.desk.page, number, tmp_path / "record.pdf")
    bundle, key = await _exported(senior, number, tmp_path / "record.zip")
    await asyncio.to_thread(_verify_all, bundle, key, tmp_path / "copy.zip")


async def _another_order_is_refused(desk: Desk) -> None:
    """The page does not offer a later step, and the server does not take it either."""
    await desk.page.click("#step-match")
    await desk.until_says("steps.later", ".steps li.current p")
    assert not await desk.page.sees(None, ".steps li.current .need")
    await desk.page.eval("void document.querySelector('#decide-verified').click()")
    assert not await desk.page.sees(None, "dialog")
    early = {"type": "step.tick", "id": "early", "step": "match", "need": 0, "item": 0, "on": True}
    assert await desk.page.eval(FORGED.replace("MESSAGE", json.dumps(early))) == "step_locked"
    await desk.page.click("#step-consent")


async def _retake(desk: Desk) -> None:
    """A face that turned out badly is put aside: its step is open again, and another is taken."""
    taken = "document.querySelectorAll('.tray .v.ok').length"
    before = await desk.page.eval(taken)
    await desk.page.click(".tray button.still")
    await desk.page.until("document.querySelector('dialog img')?.naturalWidth > 0")
    await desk.press("still.remove", "dialog button")
    await desk.page.until(f"{taken} === {before - 1}")
    await desk.page.until("document.querySelector('.steps li.current #step-face')")


async def _compare(desk: Desk) -> None:
    """The face stands beside the live picture, which moves on; Esc ends that and no call."""
    await desk.page.press("Alt+C")
    await desk.page.until("document.querySelector('.pictures img')?.naturalWidth > 0")
    await desk.until_moving()
    await desk.page.press("Escape")
    await desk.page.until_gone(None, ".pictures img")
    await desk.until_says("call.talking")


async def _pass_by_a_senior(walk: Walk, desk: Desk, senior: Desk) -> None:
    """Two documents of class A, of which one has expired; a senior lets that pass."""
    await walk.shown("driving-licence", "2099-12-31")
    await walk.shown("passport", "2020-01-31")
    await desk.until_says("documents.more.a", ".need .chip.warn", n=1)
    await desk.press("documents.override")
    await desk.page.fill("#approval-reason", REASON)
    await desk.press("senior.ask", "dialog button:not([aria-disabled])")
    await senior.page.until_seen(REASON, ".approval")
    await senior.press("senior.give", ".approval button")
    await desk.page.until_seen(None, ".need.done[data-kind=documents]")


async def _read_and_print(page: Page, number: str, file: Path) -> None:
    """The record is found from the day's list, says what was done, verifies, and is one page."""
    assert isinstance(page, ChromiumPage)
    await page.click(f".today a[href*='{number}']")
    await page.until_seen(number, ".sheet")
    shown = await page.eval("document.querySelector('.sheet').innerText")
    for said in (words("outcome.verified"), "旅券", "運転免許証", REASON, "監督 三保", "架空 一郎"):
        assert said in shown, said
    await page.click("button", words("records.verify"))
    await page.until_seen(words("records.verify.sound", count=len(STEPS)))
    content = await page.plain.pdf(path=file, prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", content)) == 1
    box = re.search(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)\s*\]", content)
    assert box is not None
    assert tuple(round(float(side)) for side in box.groups()) == ONE_OF_A4


async def _exported(senior: Desk, number: str, file: Path) -> tuple[Path, str]:
    """Return the bundle as the senior's browser saves it, and the municipality's record key."""
    page = senior.page
    assert isinstance(page, ChromiumPage)
    await page.open(f"{senior.base_url}/records?number={number}")
    await page.until_seen(number, ".sheet")
    async with page.plain.expect_download() as saved:
        await page.click("a[download]", words("records.export"))
    await (await saved.value).save_as(file)
    return file, str(await page.eval(KEY))


def _verify(file: Path, key: str) -> Result:
    return CliRunner().invoke(commands, ["record", "verify", str(file), "--key", key])


def _verify_all(bundle: Path, key: str, copy: Path) -> None:
    """The bundle is sound; each of the twelve copies is refused at the step that is meant."""
    sound = _verify(bundle, key)
    assert sound.exit_code == 0, sound.output
    assert sound.stdout.splitlines()[-1].startswith("sound: K-")
    copies = tampered(bundle.read_bytes())
    assert len({one.content for one in copies}) == len(copies) >= 12
    for one in copies:
        copy.write_bytes(one.content)
        refused = _verify(copy, key)
        assert refused.exit_code == 1, one.name
        assert f"step {one.step} " in refused.stderr, (one.name, refused.stderr)
        assert one.why in refused.stderr, (one.name, refused.stderr)
