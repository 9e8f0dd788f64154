"""Every module can be the first one imported, and none does any work when it is."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("server", "media", "chat", "files", "security")
# A child forks once per module from an interpreter that has only third-party libraries loaded:
# as strict as a fresh interpreter for our own modules, and a hundred times faster.
FORKS = """
import importlib, os, sys, traceback, warnings
libraries, names = (part.split() for part in sys.stdin.read().split("|"))
for library in libraries:
    importlib.import_module(library)
for name in names:
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        warnings.simplefilter("error")
        try:
            importlib.import_module(name)
        except BaseException:
            print(name, traceback.format_exc(limit=-1), flush=True)
            os._exit(1)
        os._exit(0)
    os.waitpid(child, 0)
"""
LIBRARIES = """
    aiohttp.web aiortc aiosqlite alembic.command argon2 av click cryptography.x509 cv2 numpy
    joserfc.jwk joserfc.jwt prometheus_client puremagic pydantic pyotp segno
    sqlalchemy.ext.asyncio tree_sitter_toml webauthn
"""


def modules() -> list[str]:
    found = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            if "migrations" not in parts:  # Alembic's scripts run inside Alembic
                found.append(".".join(parts).removesuffix(".__init__"))
    return found


def import_alone(names: list[str]) -> str:
    work = f"{LIBRARIES}|{' '.join(names)}"
    done = subprocess.run(
        [sys.executable, "-c", FORKS],
        input=work,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=250,
        check=False,
    )
    return done.stdout + (done.stderr if done.returncode else "")


@pytest.mark.timeout(260)
def test_every_module_imports_alone() -> None:
    names = modules()
    with ThreadPoolExecutor(2) as pool:
        failures = "".join(pool.map(import_alone, (names[0::2], names[1::2])))
    assert failures == ""


@pytest.mark.parametrize("library", ["cv2", "aiortc", "sqlalchemy"])
def test_the_floor_is_light(library: str) -> None:
    code = f"import sys, security.gate, security.people; sys.exit({library!r} in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60, check=False)
    assert done.returncode == 0
