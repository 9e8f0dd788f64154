"""Secrets in files: one line of text that nobody but the owner may read."""

import os
import stat
from pathlib import Path

from security.errors import Unavailable

MAX_BYTES = 1024
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def read_secret(path: Path) -> str:
    """Return the content of the file at `path`, without the line's end.

    Raises `Unavailable` when it cannot be read or its mode is laxer than 0600.
    """
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            content = file.read(MAX_BYTES)
    except OSError as error:
        raise Unavailable(f"the key file {path} cannot be read: {error.strerror}") from None
    if mode & _OTHERS:
        raise Unavailable(
            f"the key file {path} has mode {mode:04o}, so others can reach it; set it to 0600"
        )
    return content.decode("ascii", errors="replace").rstrip("\n")


def write_secret(path: Path, text: str) -> None:
    """Write one line to a new file of mode 0600 and make it durable.

    Raises `Unavailable` when a file is there already (a key is never overwritten) or cannot be
    made.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise Unavailable(f"the key file {path} cannot be made: {error.strerror}") from None
