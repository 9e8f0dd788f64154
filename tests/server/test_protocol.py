"""PROTOCOL.md, the server and the browser's library say the same names."""

import ast
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from server.api.messages import CLIENT_MESSAGES, SERVER_TYPES

ROOT = Path(__file__).resolve().parents[2]
PROTOCOL = (ROOT / "server/api/PROTOCOL.md").read_text("utf-8")
CODE_IN_PYTHON = re.compile(r'\bcode="([a-z_]+)"|Reason\(\s*"([a-z_]+)"')


def section(number: int) -> str:
    """Return a section of PROTOCOL.md."""
    return PROTOCOL.split(f"\n## {number}. ")[1].split("\n## ")[0]


def table(text: str) -> list[list[str]]:
    """Return the cells of the first table in a text, its head left out."""
    rows = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def types_of(number: int) -> set[str]:
    """Return the message types in the table of a section."""
    first = [row[0] for row in table(section(number))]
    return {name for cell in first for name in re.findall(r"`([a-z.-]+)`", cell)}


def by_class() -> dict[str, set[str]]:
    """Return the error codes of section 6, by the class of the error."""
    return {row[0].strip("`"): set(re.findall(r"`([a-z_]+)`", row[3])) for row in table(section(6))}


def codes() -> set[str]:
    """Return the error codes of section 6."""
    return set().union(*by_class().values())


@pytest.fixture(scope="module")
def browser() -> dict[str, Any]:
    """What static/app/lib/protocol.js exports."""
    script = (
        "import * as p from './static/app/lib/protocol.js';"
        "console.log(JSON.stringify({client: p.CLIENT_TYPES, server: p.SERVER_TYPES,"
        "codes: p.ERROR_CODES, close: Object.values(p.CLOSE_CODES),"
        "limits: p.LIMITS}))"
    )
    done = subprocess.run(
        ["node", "--input-type=module", "-e", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout))


def test_the_document_and_the_server_know_the_same_messages() -> None:
    assert types_of(3) == set(CLIENT_MESSAGES)
    assert types_of(4) == set(SERVER_TYPES)


def test_the_browser_knows_the_same_messages(browser: dict[str, Any]) -> None:
    assert set(browser["client"]) == set(CLIENT_MESSAGES)
    assert set(browser["server"]) == set(SERVER_TYPES)


def test_the_browser_knows_every_error_code_and_its_class(browser: dict[str, Any]) -> None:
    assert {name: set(every) for name, every in browser["codes"].items()} == by_class()


def test_no_error_code_belongs_to_two_classes_and_the_server_raises_it_in_its_own() -> None:
    of_class = {code: name for name, every in by_class().items() for code in every}
    assert len(of_class) == sum(map(len, by_class().values()))
    wrong = []
    for folder in ("server", "chat", "files", "media", "security"):
        for path in (ROOT / folder).rglob("*.py"):
            if "demo" not in path.parts and "cli" not in path.parts:
                wrong += [(path, *one) for one in raised(path) if of_class.get(one[1]) != one[0]]
    assert not wrong


def raised(path: Path) -> list[tuple[str, str]]:
    """Return class and code of each error that a file makes with its code."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            name = node.func.id
            given = [one.value for one in node.keywords if one.arg == "code"]
            if name in by_class() and given and isinstance(given[0], ast.Constant):
                found.append((name, str(given[0].value)))
    return found


def test_every_error_code_of_the_code_is_documented() -> None:
    used: dict[str, str] = {}
    for folder in ("server", "chat", "files", "media", "security"):
        for path in (ROOT / folder).rglob("*.py"):
            if "demo" in path.parts or "cli" in path.parts:
                continue
            for found in CODE_IN_PYTHON.finditer(path.read_text("utf-8")):
                used[found[1] or found[2]] = str(path.relative_to(ROOT))
    known = codes() | set(re.findall(r"`([a-z_]+)`", section(6)))
    unknown = {code: where for code, where in used.items() if code not in known}
    assert not unknown


def test_close_codes_are_the_same(browser: dict[str, Any]) -> None:
    text = section(2).split("Close codes: ")[1]
    assert {int(code) for code in re.findall(r"\b([14]\d{3})\b", text)} == set(browser["close"])


def test_limits_are_the_same(browser: dict[str, Any]) -> None:
    from chat.message import MAX_CHARACTERS
    from server.api import messages, pace, seats, socket

    limits = browser["limits"]
    assert limits["frame_bytes"] == messages.MAX_FRAME_BYTES
    assert limits["json_depth"] == messages.MAX_DEPTH
    assert limits["sdp_bytes"] == messages.MAX_SDP_BYTES
    assert limits["messages_per_second"] == pace.PER_SECOND
    assert limits["messages_per_minute"] == pace.PER_MINUTE
    assert limits["stream_messages"] == seats.KEPT_MESSAGES
    assert limits["chat_characters"] == MAX_CHARACTERS
    assert limits["hello_seconds"] == socket.HELLO_SECONDS
