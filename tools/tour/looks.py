"""Looking at a page as it stands: by axe, by measure, and in every language and size."""

import functools
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.browsers.page import Page

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
LAYOUT = Path(__file__).with_name("layout.js")
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
LANGUAGES = ("ja", "en")
# Said alike in both languages: names of the town, its people and its hours; kinds of files.
NAMES = (
    *("架空市", "架空中央郵便局", "番窓口", "見本 いちか", "見本 ふたば", "架空 一郎", "架空 次子"),
    *("平日", "日本語", "English", "SHA-256", "PDF", "JPEG", "PNG", "Wi-Fi", "PIN"),
    *("UDP", "TCP", "GiB", "MOJ", "VPN", "TLS", "CSV", "Webhook", "API", "https"),
    *("管理 しずか", "監督 三保", "統制 まもる", "確認 みどり"),
)

SPARE = """void [...document.querySelectorAll("video")].forEach((video) =>
  video.srcObject?.getVideoTracks().forEach((track) =>
    void track.applyConstraints({ frameRate: { max: 2 } }).catch(() => {})))"""

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: `kind` is a rule of axe or of layout.js."""

    scene: str
    language: str
    size: Size
    kind: str
    what: str

    def __str__(self) -> str:
        width, height = self.size
        return f"{self.scene} {self.language} {width}×{height}: {self.kind}: {self.what}"


@functools.cache
def _source(path: Path) -> str:
    return path.read_text("utf-8")


async def speak(page: Page, language: str) -> None:
    """Turn the page to a language without pressing anything, so that dialogs stay open."""
    await page.eval(
        "import('/static/app/parts/words.js')"
        f".then((words) => void words.setLanguage({json.dumps(language)}))"
    )
    await page.until(f"document.documentElement.lang === {json.dumps(language)}")


async def settle(page: Page) -> None:
    """Wait until what was changed is drawn."""
    await page.eval("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")


async def spare(page: Page) -> None:
    """Let its camera give a picture or two a second: enough to look at, and much less to do."""
    await page.eval(SPARE)


async def forms(page: Page, sizes: Sequence[Size]) -> AsyncIterator[tuple[str, Size]]:
    """Bring the page into each language and size; afterwards it is as it was."""
    for language in LANGUAGES:
        await speak(page, language)
        for size in sizes:
            if len(sizes) > 1:
                await page.resize(*size)
            await settle(page)
            yield language, size
    await speak(page, LANGUAGES[0])
    if len(sizes) > 1:
        await page.resize(*sizes[0])


async def measure(page: Page, role: str) -> list[tuple[str, str]]:
    """Return what layout.js finds, as kind and words."""
    given = json.dumps({"role": role, "names": NAMES})
    found = await page.eval(f"({_source(LAYOUT)})({given})")
    return [(each["kind"], each["what"]) for each in found]


async def axe(page: Page) -> list[tuple[str, str]]:
    """Return the violations that axe finds, and the contrasts that it could not tell.

    The source is evaluated by the driver: the page's own Content-Security-Policy stays as it is.
    """
    if not await page.eval("globalThis.axe !== undefined"):
        await page.evaluate(f"(() => {{ {_source(AXE)} }})() ?? ''")
    options = {"runOnly": list(TAGS), "resultTypes": ["violations", "incomplete"]}
    result = await page.eval(
        f"axe.run(document, {json.dumps(options)}).then(({{ violations, incomplete }}) => "
        "({ violations, incomplete: incomplete.filter((r) => r.id === 'color-contrast') }))"
    )
    return [*_told(result["violations"], ""), *_told(result["incomplete"], "?")]


def _told(rules: list[dict[str, Any]], mark: str) -> list[tuple[str, str]]:
    return [
        (f"axe {rule['id']}{mark}", f"{node['html'][:160]} – {node['failureSummary']}")
        for rule in rules
        for node in rule["nodes"]
    ]
