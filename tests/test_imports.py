"""Every module can be the first one imported, and the floor is light."""

import ast
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("server", "media", "chat", "files", "security")
IMPORT_ALL = """
import importlib, sys, warnings
warnings.simplefilter("error")
for name in sys.stdin.read().split():
    importlib.import_module(name)
"""


def modules() -> dict[str, Path]:
    """Return every module of the packages by its name, without Alembic's scripts."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            if "migrations" not in parts:
                found[".".join(parts).removesuffix(".__init__")] = path
    return found


def needs(name: str, path: Path, known: set[str]) -> set[str]:
    """Return the modules of ours that must be there before this one is.

    The packages above it have begun before it; they must be whole only for what asks them by name.
    """
    asked: set[str] = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        match node:
            case ast.Import(names=names):
                asked |= {alias.name for alias in names}
            case ast.ImportFrom(module=str(module), names=names, level=0):
                full = {f"{module}.{alias.name}" for alias in names}
                asked |= {one if one in known else module for one in full}
    above = {one for asks in asked for one in _packages(asks)} - set(_packages(name))
    return ((asked | above) & known) - {name}


def _packages(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:n]) for n in range(1, len(parts))]


def test_every_module_imports_alone() -> None:
    # Where nothing goes round in a circle, whichever comes first finds all it needs.
    found = modules()
    graph = {name: needs(name, path, set(found)) for name, path in found.items()}
    graphlib.TopologicalSorter(graph).prepare()
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL],
        input=" ".join(found),
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=100,
        check=False,
    )
    assert done.stderr == ""
    assert done.returncode == 0


@pytest.mark.parametrize("library", ["cv2", "aiortc", "sqlalchemy"])
def test_the_floor_is_light(library: str) -> None:
    code = f"import sys, security.gate, security.people; sys.exit({library!r} in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60, check=False)
    assert done.returncode == 0
