"""The arrows of the house: who may import whom, and which files stay pure."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BELOW = {
    "security": set[str](),
    "chat": {"security"},
    "files": {"security"},
    "media": {"security"},
    "server": {"media", "chat", "files", "security"},
}
# What reaches the world. The rest of these libraries is out of bounds for a rule as well, but for
# the parsers named below, which take bytes or text and return values.
WORLDLY = """
    aiohttp aiofiles aioice aiortc aiosqlite alembic asyncio av http logging multiprocessing os
    random select shutil signal socket sqlalchemy ssl subprocess tempfile threading time
"""
PARSERS = ("aiortc.sdp", "aiortc.rtp", "aiortc.codecs", "aioice.stun", "aioice.candidate")
CLOCKS = frozenset({"now", "today", "utcnow"})
FILE_ACCESS = frozenset({"imread", "imwrite", "VideoCapture", "VideoWriter"})
# The rules that may not lose their word "Pure".
KNOWN_PURE = (
    "security/people.py",
    "security/policy/facts.py",
    "security/policy/decide.py",
    "security/audit/chain.py",
    "security/crypto/stream.py",
    "server/calls/call.py",
    "server/calls/events.py",
    "server/calls/machine.py",
    "server/calls/assign.py",
    "server/api/messages.py",
    "media/ice.py",
    "media/sdp.py",
    "media/feedback.py",
    "chat/message.py",
    "files/entry.py",
    "files/tus.py",
)


def sources() -> list[Path]:
    return [path for name in BELOW for path in sorted((ROOT / name).rglob("*.py"))]


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imported(path: Path) -> set[str]:
    """Return the full names of modules that `path` imports, wherever in the file."""
    names: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def pure_files() -> list[Path]:
    found = []
    for path in sources():
        if re.search(r"\bPure\b", ast.get_docstring(tree_of(path)) or ""):
            found.append(path)
    return found


@pytest.mark.parametrize("folder", BELOW)
def test_a_folder_imports_only_what_stands_below_it(folder: str) -> None:
    ours = set(BELOW)
    looks_up = [
        f"{relative(path)} imports {name}"
        for path in (ROOT / folder).rglob("*.py")
        for name in imported(path)
        if (top := name.split(".")[0]) in ours and top not in BELOW[folder] | {folder}
    ]
    assert looks_up == []


def test_no_folder_imports_tests_tools_or_pages() -> None:
    outside = {"tests", "tools", "static"}
    wrong = [
        f"{relative(path)} imports {name}"
        for path in sources()
        for name in imported(path)
        if name.split(".")[0] in outside
    ]
    assert wrong == []


def test_the_rules_we_rest_on_say_that_they_are_pure() -> None:
    pure = {relative(path) for path in pure_files()}
    assert [name for name in KNOWN_PURE if name not in pure] == []


@pytest.mark.parametrize("path", pure_files(), ids=relative)
def test_a_pure_file_imports_nothing_that_reaches_the_world(path: Path) -> None:
    worldly = [
        name
        for name in imported(path)
        if name.split(".")[0] in WORLDLY.split() and not name.startswith(PARSERS)
    ]
    assert worldly == []


@pytest.mark.parametrize("path", pure_files(), ids=relative)
def test_a_pure_file_reads_no_clock_and_opens_no_file(path: Path) -> None:
    wrong = []
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Attribute) and node.attr in CLOCKS | FILE_ACCESS:
            # `permit.now` and the like are facts; a call on the class reads the clock.
            holder = node.value.id if isinstance(node.value, ast.Name) else ""
            if holder in ("datetime", "date", "cv2"):
                wrong.append(f"line {node.lineno}: {holder}.{node.attr}")
        match node:
            case ast.Call(func=ast.Name(id="open" | "print" | "input" as function)):
                wrong.append(f"line {node.lineno}: {function}()")
    assert wrong == []


def test_assert_is_never_a_rule_outside_the_tests() -> None:
    found = [
        f"{relative(path)}:{node.lineno}"
        for path in sources()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Assert)
    ]
    assert found == []


def test_sql_stands_in_the_database_folder_alone() -> None:
    found = [
        relative(path)
        for path in sources()
        if not relative(path).startswith("server/db/")
        and any(name.split(".")[0] == "sqlalchemy" for name in imported(path))
    ]
    assert found == []
