"""Compiles the native packet path beside its source: `python -m media.native.build`.

Nothing of ours is imported here, for the wheel is built by the same file (hatch_build.py). The
library carries the hash of its source, so that no stale one is ever loaded (library.py).
"""

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
LIBRARY = FOLDER / "_path.so"
SOURCES = (
    *("header.c", "red.c", "frame.c", "sps.c", "numbers.c", "reception.c", "cache.c"),
    *("take.c", "forward.c", "send.c", "report.c", "checks.c", "wire.c"),
    *("sources.c", "sinks.c", "legs.c", "path.c"),
)
HEADERS = ("streams.h", "path.h", "inside.h")
WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror")
# Contraction would round jitter otherwise than Python does.
FLAGS = ("-std=c11", "-D_GNU_SOURCE", "-ffp-contract=off", "-fPIC", "-pthread", *WARNINGS)
HARDENING = ("-O2", "-fstack-protector-strong", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2")
SANITIZERS = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
BUILD_SECONDS = 120


class BuildFailed(Exception):
    """The compiler refused; the text is what it said."""


def source_hash() -> str:
    """Return what the library must carry to be that of these sources."""
    digest = hashlib.sha256()
    for name in (*HEADERS, *SOURCES):
        digest.update((FOLDER / name).read_bytes())
    return digest.hexdigest()[:32]


def compiler() -> list[str] | None:
    """Return the command of the C compiler ($CC, cc or gcc), None where there is none."""
    said = shlex.split(os.environ.get("CC", ""))
    for command in [said] if said else [["cc"], ["gcc"]]:
        found = shutil.which(command[0])
        if found:
            return [found, *command[1:]]
    return None


def compile_to(target: Path, *flags: str, extra: tuple[Path, ...] = ()) -> None:
    """Compile our sources and `extra` to `target`, which appears whole or not at all.

    Raises `BuildFailed`.
    """
    command = compiler()
    if command is None:
        raise BuildFailed("there is no C compiler")
    made = target.with_name(f"{target.name}.{os.getpid()}")
    sources = [str(FOLDER / name) for name in SOURCES] + [str(path) for path in extra]
    stamp = f'-DPATH_SOURCE="{source_hash()}"'
    arguments = [*command, *FLAGS, *flags, stamp, f"-I{FOLDER}", *sources, "-o", str(made), "-lm"]
    try:
        subprocess.run(arguments, check=True, capture_output=True, timeout=BUILD_SECONDS)  # noqa: S603
        made.replace(target)
    except subprocess.CalledProcessError as error:
        raise BuildFailed(error.stderr.decode("utf-8", "replace")) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildFailed(str(error)) from error
    finally:
        made.unlink(missing_ok=True)


def build(target: Path = LIBRARY) -> Path:
    """Compile the library and return where it is. Raises `BuildFailed`."""
    compile_to(target, *HARDENING, "-shared")
    return target


def main() -> int:
    """Build; where that cannot be, say so and go on without: the Python path is always there."""
    try:
        build()
    except BuildFailed as failed:
        sys.stderr.write(f"the native packet path was not built: {failed}\n")
        return 0 if compiler() is None else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
