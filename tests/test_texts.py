"""The words of the screens: both languages whole, no key unknown, no key forgotten."""

import json
import re
from functools import cache
from pathlib import Path

import pytest

from server.api.messages import CLIENT_MESSAGES, SERVER_TYPES
from server.calls.call import Outcome

ROOT = Path(__file__).resolve().parent.parent
TEXT = ROOT / "static" / "text"
APP = ROOT / "static" / "app"
MESSAGE_TYPES = frozenset({*CLIENT_MESSAGES, *SERVER_TYPES})
JAPANESE = re.compile(r"[\u3041-\u30ff\u4e00-\u9fff]")
PLACEHOLDER = re.compile(r"\{(\w+)\}")
LITERAL = re.compile(r'(?<![\w.])(t\()?"([a-z_]+(?:\.[a-z0-9_]+)*)"')
TEMPLATE = re.compile(r"`([a-z_]+\.(?:[^`$]|\$\{[^}]*\})*)`")
HOLE = re.compile(r"\$\{[^}]*\}")
PLURALS = (".one", ".other")


@cache
def words(language: str) -> dict[str, str]:
    return flatten(json.loads((TEXT / f"{language}.json").read_text(encoding="utf-8")))


def flatten(tree: dict[str, object], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = str(value)
    return flat


def base(key: str) -> str:
    for ending in PLURALS:
        key = key.removesuffix(ending)
    return key


@cache
def sources() -> dict[str, str]:
    folders = (APP / "parts", APP / "pages")
    files = [path for folder in folders for path in sorted(folder.rglob("*.js"))]
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in files}


@cache
def literals() -> dict[str, str]:
    """Return what is written like a key, with where: of a known group, or straight in t("…")."""
    groups = {key.split(".")[0] for key in words("ja") if "." in key}
    found: dict[str, str] = {}
    for place, code in sources().items():
        for direct, text in LITERAL.findall(code):
            grouped = "." in text and text.split(".")[0] in groups
            if direct or (grouped and text not in MESSAGE_TYPES):
                found[text] = place
    return found


@cache
def patterns() -> dict[str, str]:
    """Return keys that are put together while the page runs, as patterns, with where."""
    found: dict[str, str] = {}
    for place, code in sources().items():
        for template in TEMPLATE.findall(code):
            if "${" in template:
                parts = [re.escape(part) for part in HOLE.split(template)]
                found[".*".join(parts)] = place
    return found


def error_codes() -> list[str]:
    """Return the codes of PROTOCOL.md section 6."""
    protocol = (ROOT / "server" / "api" / "PROTOCOL.md").read_text(encoding="utf-8")
    section = protocol.split("## 6. Errors")[1]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    return [code for row in rows for code in re.findall(r"`([a-z_]+)`", row.split("|")[4])]


def test_both_languages_have_the_same_keys() -> None:
    assert {base(key) for key in words("ja")} == {base(key) for key in words("en")}


def test_both_languages_ask_for_the_same_values() -> None:
    asked = {
        language: {
            base(key): set(PLACEHOLDER.findall(text)) for key, text in words(language).items()
        }
        for language in ("ja", "en")
    }
    assert asked["ja"] == asked["en"]


@pytest.mark.parametrize("language", ["ja", "en"])
def test_no_text_is_empty(language: str) -> None:
    assert [key for key, text in words(language).items() if not text.strip()] == []


def test_japanese_is_japanese_and_english_is_not() -> None:
    neither = re.compile(r"[\W\d_A-Za-z]*")
    untranslated = [
        key
        for key, text in words("ja").items()
        if not JAPANESE.search(text) and not neither.fullmatch(text)
    ]
    assert untranslated == []
    assert [key for key, text in words("en").items() if JAPANESE.search(text)] == []


def test_every_key_that_a_page_names_has_words() -> None:
    known = {base(key) for key in words("ja")} | set(words("ja"))
    heads = {key.rsplit(".", 1)[0] for key in known}
    unknown = sorted(
        f"{place}: {key}" for key, place in literals().items() if key not in known | heads
    )
    assert unknown == []


def test_every_key_that_a_page_puts_together_has_words() -> None:
    groups = {key.split(".")[0] for key in words("ja")}
    unknown = sorted(
        f"{place}: {pattern}"
        for pattern, place in patterns().items()
        if re.split(r"\\?\.", pattern)[0] in groups
        and not any(re.fullmatch(pattern, key) for key in words("ja"))
    )
    assert unknown == []


def test_no_words_are_left_that_no_page_says() -> None:
    said = set(literals())
    unsaid = [
        key
        for key in words("ja")
        if not {key, base(key)} & said and not any(re.fullmatch(p, key) for p in patterns())
    ]
    assert unsaid == []


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_error_code_of_the_protocol_has_words(language: str) -> None:
    codes = error_codes()
    assert len(codes) > 30
    assert [code for code in codes if f"error.{code}" not in words(language)] == []


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_has_words(outcome: Outcome) -> None:
    assert f"outcome.{outcome.value}" in words("ja")


def test_nobody_is_promised_end_to_end_encryption() -> None:
    promised = [
        key
        for language in ("ja", "en")
        for key, text in words(language).items()
        if re.search(r"E2E|end-to-end|エンドツーエンド", text, re.IGNORECASE)
    ]
    assert promised == []


def test_pages_write_no_japanese_of_their_own() -> None:
    comment = re.compile(r"/\*.*?\*/|(?<![:\"'`\w])//[^\n]*", re.DOTALL)
    written = [
        f"{place}: {found}"
        for place, code in sources().items()
        for found in re.findall(r"[\u3041-\u30fa\u4e00-\u9fff]+", comment.sub("", code))
        if found != "日本語"  # a language is called by its own name
    ]
    assert written == []
