"""The C of the packet path under sanitizers, and as it is built and loaded."""

import os
import subprocess
from pathlib import Path

import pytest

from media.native import build, library

LONG = os.environ.get("MADOGUCHI_FUZZ") == "long"
DRIVER = Path(__file__).parent / "native_driver.c"
THREADS = ("-O0", "-g", "-fsanitize=thread")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the driver, built with each kind of sanitizer."""
    folder = tmp_path_factory.mktemp("native")
    build.compile_to(folder / "memory", *build.SANITIZERS, extra=(DRIVER,))
    build.compile_to(folder / "threads", *THREADS, extra=(DRIVER,))
    return folder


def _run(program: Path, *words: str) -> str:
    done = subprocess.run(
        [program, *words], capture_output=True, text=True, timeout=3000, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


@pytest.mark.fuzz
@pytest.mark.timeout(3600 if LONG else 120)
def test_no_datagram_makes_the_path_read_or_write_where_it_may_not(made: Path) -> None:
    if LONG:
        for seed in range(10):
            _run(made / "memory", "feed", "1000000", str(seed))
    else:
        _run(made / "memory", "feed", "250000", "20261123")


@pytest.mark.fuzz
@pytest.mark.timeout(3600 if LONG else 120)
def test_the_thread_and_its_callers_never_touch_the_same_without_a_lock(made: Path) -> None:
    said = _run(made / "threads", "threads", "60" if LONG else "1", "1")
    assert int(said.split()[0]) > 100


def test_a_library_of_another_source_is_not_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert library.load() is not None
    library.load.cache_clear()
    monkeypatch.setattr(library, "source_hash", lambda: "0" * 32)
    with pytest.raises(library.Unusable, match="another source"):
        library.load()
    monkeypatch.setattr(library, "LIBRARY", tmp_path / "none.so")
    with pytest.raises(library.Unusable, match="not built"):
        library.load()
    (tmp_path / "none.so").write_bytes(b"no library")
    with pytest.raises(library.Unusable, match="cannot be loaded"):
        library.load()


def test_what_the_compiler_refuses_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = tmp_path / "wrong.c"
    wrong.write_text("int unused(void) { int nothing; return 0; }\n", "utf-8")
    with pytest.raises(build.BuildFailed, match="unused"):
        build.compile_to(tmp_path / "made.so", "-shared", extra=(wrong,))
    monkeypatch.setenv("CC", str(tmp_path / "no-compiler"))
    assert build.compiler() is None
    with pytest.raises(build.BuildFailed, match="no C compiler"):
        build.build(tmp_path / "made.so")
    assert [x.name for x in tmp_path.iterdir()] == ["wrong.c"]
