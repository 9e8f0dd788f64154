"""One word for one thing: names that DESIGN's table of words forbids do not come back."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from server.calls.call import Outcome, State

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("server", "media", "chat", "files", "security")
# Never part of a name of ours, beside the word to use.
INSTEAD = {
    "tenant": "municipality",
    "org": "municipality",
    "organization": "municipality",
    "organisation": "municipality",
    "meeting": "call",
    "conference": "call",
    "participant": "party",
    "user": "person or party",
    "agent": "desk",
    "customer": "resident",
    "citizen": "resident",
    "attachment": "file or evidence",
}
# Not as a name by itself, as a class or as the owner of an id; "room on the disk" is fine.
NOT_A_NOUN = {"room": "call", "site": "office"}
# Where a page holds its media connection.
HOLD_THE_PEER = ("media/", "static/app/lib/media.js", "static/app/lib/peer.js")
WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
JS_NAME = re.compile(r"\b(?:const|let|var|function|class)\s+(\w+)")
JS_COMMENT = re.compile(r"/\*.*?\*/|^\s*//.*?$", re.DOTALL | re.MULTILINE)


def python_names(path: Path) -> Iterator[str]:
    """Yield every name that the file gives: of functions, classes, arguments, variables."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name) | ast.arg(arg=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name
            case _:
                pass


@cache
def named() -> list[tuple[str, str]]:
    """Return where and how everything of ours is named, in Python and in the pages."""
    found = [
        (path.relative_to(ROOT).as_posix(), name)
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        for name in python_names(path)
    ]
    for path in sorted((ROOT / "static" / "app").rglob("*.js")):
        code = JS_COMMENT.sub("", path.read_text(encoding="utf-8"))
        found += [(path.relative_to(ROOT).as_posix(), name) for name in JS_NAME.findall(code)]
    return found


def words_of(name: str) -> list[str]:
    return [word.lower() for word in WORDS.findall(name)]


@pytest.mark.parametrize("word", INSTEAD)
def test_a_forbidden_word_names_nothing(word: str) -> None:
    found = sorted(
        {f"{place}: {name}" for place, name in named() if {word, word + "s"} & set(words_of(name))}
    )
    assert found == [], f"say {INSTEAD[word]}"


def test_peer_is_said_of_media_connections_alone() -> None:
    found = sorted(
        {
            f"{place}: {name}"
            for place, name in named()
            if "peer" in words_of(name) and not place.startswith(HOLD_THE_PEER)
        }
    )
    assert found == []


@pytest.mark.parametrize("word", NOT_A_NOUN)
def test_a_call_is_no_room_and_an_office_no_site(word: str) -> None:
    nouns = {word, f"{word}_id", word.capitalize(), f"{word}Id"}
    found = sorted(
        {
            f"{place}: {name}"
            for place, name in named()
            # aiohttp calls where a server listens a site.
            if name in nouns and not (word == "site" and place == "server/app.py")
        }
    )
    assert found == [], f"say {NOT_A_NOUN[word]}"


def test_a_session_is_a_sign_in_and_never_a_call() -> None:
    found = sorted(
        {
            f"{place}: {name}"
            for place, name in named()
            if place.startswith(("server/calls/", "chat/", "files/"))
            and "session" in words_of(name)
        }
    )
    assert found == []


def test_states_and_outcomes_are_the_words_of_the_protocol() -> None:
    protocol = (ROOT / "server" / "api" / "PROTOCOL.md").read_text(encoding="utf-8")
    assert " | ".join(state.value for state in State) in protocol
    assert " | ".join(outcome.value for outcome in Outcome) in protocol
