"""The languages of the pages."""

import re

import pytest

from tools.browsers.people import Pair, words

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
    pytest.mark.parametrize("browser", ["chromium"], indirect=True),
]
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
