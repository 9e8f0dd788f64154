"""Every page and state: accessible, of one language, without scrolling sideways."""

import json
import re
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from tools.browsers.page import Browser, Page
from tools.browsers.people import Pair, words
from tools.browsers.service import RunningService, Town
from tools.browsers.tour import Stop, Tour

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(400),
]
ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SIZES = {
    "counter": [(1366, 1024), (810, 1080), (1024, 1366)],
    "desk": [(1366, 768)],
}
# What the demo's town and its people are called, in any language.
NAMES = ("架空市", "架空中央郵便局", "番窓口", "見本 いちか", "架空 一郎", "日本語")
JAPANESE = re.compile(r"[\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff]")
# Visible words that are not in an element of another language.
SHOWN = """(other) => {
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    if (!element.checkVisibility({ visibilityProperty: true })) continue;
    const apart = `[lang=${other}], .msg, .file b, kbd, .toasts, .vh, [aria-live], [role=log]`;
    if (element.closest(apart)) continue;
    found.push(walk.currentNode.data.trim());
  }
  return found.filter(Boolean);
}"""
# What is too wide or, where nothing may scroll, too high; and controls that lie outside.
MISFITS = """(still) => {
  const { scrollWidth, scrollHeight } = document.documentElement;
  const found = [];
  const scrolls = (element) => {
    for (let box = element.parentElement; box; box = box.parentElement) {
      const { overflowX, overflowY } = getComputedStyle(box);
      if (box !== document.body && /auto|scroll/.test(overflowX + overflowY)) return true;
    }
    return false;
  };
  if (scrollWidth > innerWidth) found.push(`the page is wider by ${scrollWidth - innerWidth} px`);
  if (still && scrollHeight > innerHeight) {
    found.push(`the page is higher by ${scrollHeight - innerHeight} px`);
  }
  for (const control of __seen("button, a[href], input, select, textarea, summary", null)) {
    const box = control.getBoundingClientRect();
    if (box.width === 0 || scrolls(control)) continue;
    const low = still && box.bottom > innerHeight + 1;
    if (box.right > innerWidth + 1 || box.left < -1 || low) {
      found.push(`outside: ${control.id || control.className} ${control.textContent.trim()}`);
    }
  }
  return found;
}"""


async def axe_findings(page: Page) -> list[str]:
    """Return what axe finds, one line each."""
    if not await page.eval("typeof axe !== 'undefined'"):
        await page.evaluate(f"{AXE.read_text('utf-8')}; undefined")
    options = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
    found: list[dict[str, Any]] = await page.eval(
        f"axe.run(document, {json.dumps(options)}).then((r) => r.violations.map((v) => "
        "({ id: v.id, at: v.nodes.map((n) => n.target.join(' ') + ' ' + n.failureSummary) })))"
    )
    return [f"{one['id']}: {at}" for one in found for at in one["at"]]


async def misfits(stop: Stop) -> list[str]:
    """Return the sizes at which the page scrolls where it may not, or hides what can be pressed."""
    found = []
    for width, height in SIZES[stop.kind]:
        await stop.page.resize(width, height)
        await stop.page.until(f"innerWidth === {width} && innerHeight === {height}")
        told = await stop.page.eval(f"({MISFITS})({json.dumps(stop.kind == 'desk')})")
        found += [f"{width}x{height}: {one}" for one in told]
    return found


async def look(stop: Stop) -> list[str]:
    """Return everything that is wrong at a stop."""
    wrong = [*await axe_findings(stop.page), *await misfits(stop)]
    return [f"{stop.kind} {stop.name}: {one}" for one in wrong]


async def test_what_axe_and_the_ruler_should_find_they_find(pair: Pair) -> None:
    await pair.counter.page.eval(
        "void document.querySelector('main').insertAdjacentHTML('beforeend',"
        " '<img src=\"/static/img/icon.svg\"><input><canvas width=3000></canvas>')"
    )
    found = " ".join(await look(Stop("spoiled", "counter", pair.counter.page)))
    assert "image-alt" in found
    assert "label" in found
    assert "is wider" in found


@pytest.mark.parametrize("language", ["ja", "en"])
async def test_every_page_and_state_is_accessible_and_fits(
    browser: Browser, service: RunningService, town: Town, tmp_path: Path, language: str
) -> None:
    wrong: list[str] = []
    async with aclosing(Tour(browser, service, town, tmp_path).walk(language)) as stops:
        async for stop in stops:
            wrong += await look(stop)
    assert wrong == []


async def test_the_switch_to_english_turns_everything_and_is_remembered(pair: Pair) -> None:
    await pair.counter.page.click("label[lang=en]")
    await pair.desk.page.click("button[lang=en]")
    for seat in pair.both:
        seat.language = "en"
        await seat.page.until("document.documentElement.lang === 'en'")
        await seat.page.reload()
        await seat.until_ready()
    await pair.counter.page.until_seen(words("idle.call", "en"), ".callbtn")
    await pair.talk()
    for seat in pair.both:
        shown = await seat.page.eval(f"({SHOWN})('ja')")
        text = "\n".join(shown)
        for name in NAMES:
            text = text.replace(name, "")
        left = [line for line in text.split("\n") if JAPANESE.search(line)]
        assert left == [], f"{seat.name} is not all English"


async def test_pages_speak_japanese_at_first(pair: Pair) -> None:
    for seat in pair.both:
        assert await seat.page.eval("document.documentElement.lang") == "ja"
    await pair.talk()
    for seat in pair.both:
        shown = await seat.page.eval(f"({SHOWN})('en')")
        english = [line for line in shown if len([c for c in line if "a" <= c <= "z"]) > 4]
        assert english == [], f"{seat.name} is not all Japanese"
