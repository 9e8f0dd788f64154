"""What is installed: locked by hash, from no particular address, and each with its reason."""

import json
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements.lock", "requirements-test.lock")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[a-z,]+\])?==[^ ;\\]+")


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def wanted(requirement: str) -> str:
    """Return the library's name in a requirement."""
    found = NAME.match(requirement)
    assert found is not None, requirement
    return normal(found.group(0))


@cache
def project() -> dict[str, list[str]]:
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return {
        "run": table["project"]["dependencies"],
        "test": table["project"]["optional-dependencies"]["test"],
        "build": table["build-system"]["requires"],
    }


@cache
def entries(lock: str) -> dict[str, str]:
    """Return each pinned library with its whole entry."""
    text = (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    found: dict[str, str] = {}
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            pinned = PINNED.match(line)
            assert pinned is not None, f"{lock}: not pinned: {line[:60]}"
            found[normal(pinned.group(1))] = line
    return found


def package_lock() -> dict[str, dict[str, object]]:
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    return {name: entry for name, entry in lock["packages"].items() if name}


@cache
def reasons() -> dict[str, str]:
    """Return the README's table of libraries: name and reason."""
    found: dict[str, str] = {}
    for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == 2:
            for name in re.split(r",\s*", re.sub(r"[`\[\]]|\(http[^)]*\)", "", cells[0])):
                found[name if "@" in name else normal(name)] = cells[1]
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_every_library_is_locked_by_hash(lock: str) -> None:
    options = {
        name: set(re.findall(r"--[\w-]+=?\w*", entry)) for name, entry in entries(lock).items()
    }
    assert [name for name, found in options.items() if found != {"--hash=sha256"}] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert re.findall(r"https?://|--index-url|--extra-index|--find-links| @ ", text) == []


@pytest.mark.parametrize(
    ("lock", "kinds"), [(LOCKS[0], ("run", "build")), (LOCKS[1], ("run", "build", "test"))]
)
def test_everything_asked_for_is_locked(lock: str, kinds: tuple[str, ...]) -> None:
    asked = {wanted(requirement) for kind in kinds for requirement in project()[kind]}
    assert sorted(asked - set(entries(lock))) == []


def test_both_locks_agree() -> None:
    first, second = entries(LOCKS[0]), entries(LOCKS[1])
    differing = [
        name for name in first if second.get(name, "").split(" ")[0] != first[name].split(" ")[0]
    ]
    assert differing == []


def test_the_browser_lock_names_no_address() -> None:
    assert [name for name, entry in package_lock().items() if "resolved" in entry] == []


def test_every_browser_library_is_locked_by_hash() -> None:
    lacking = [
        name
        for name, entry in package_lock().items()
        if not str(entry.get("integrity", "")).startswith("sha512-")
    ]
    assert lacking == []


def test_every_library_asked_for_has_its_reason_in_the_readme() -> None:
    asked = {wanted(requirement) for group in project().values() for requirement in group}
    package = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    asked |= {
        name.lower() for kind in ("dependencies", "devDependencies") for name in package[kind]
    }
    given = {
        normal(name) if not name.startswith("@") else name for name, why in reasons().items() if why
    }
    assert sorted(asked - given) == []


def test_what_aiortc_is_reached_into_is_pinned_exactly() -> None:
    pinned = {wanted(r) for r in project()["run"] if "==" in r}
    assert {"aiortc", "aioice", "av", "pylibsrtp"} <= pinned
