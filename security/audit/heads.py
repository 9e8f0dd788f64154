"""The file of heads: the newest (count, link) of each chain, kept apart from the database.

Whoever cuts entries off the end of the log must rewrite this file as well; copy it elsewhere
(another machine, paper) and even that is found. FORMAT.md section 3. Blocking: call in a thread.
"""

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path

from security.audit.chain import Head
from security.errors import Corrupt, Unavailable

FILE_NAME = "audit.heads"


class HeadsFile:
    """Reads and replaces the file; safe between processes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, Head]:
        """Return the head of each municipality; empty when there is no file. Raises `Corrupt`."""
        try:
            text = self._path.read_text("utf-8")
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError) as error:
            raise Corrupt(f"{self._path.name} cannot be read") from error
        return dict(_parse(line, self._path.name) for line in text.splitlines())

    def advance(self, heads: Mapping[str, Head]) -> None:
        """Write down durably each head that is later than the one that stands there.

        Raises `Unavailable`.
        """
        try:
            with self._path.with_suffix(".lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                known = self.read()
                later = {k: v for k, v in heads.items() if known.get(k, Head()).count < v.count}
                if later:
                    self._replace({**known, **later})
        except OSError as error:
            raise Unavailable(f"{self._path.name} cannot be written: {error.strerror}") from error

    def _replace(self, heads: dict[str, Head]) -> None:
        lines = [
            json.dumps({"municipality": key, "count": head.count, "link": head.link.hex()}) + "\n"
            for key, head in sorted(heads.items())
        ]
        fresh = self._path.with_suffix(".new")
        with fresh.open("w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)


def _parse(line: str, name: str) -> tuple[str, Head]:
    try:
        said = json.loads(line)
        municipality, count, link = said["municipality"], said["count"], bytes.fromhex(said["link"])
        if isinstance(municipality, str) and type(count) is int and len(link) == 32:
            return municipality, Head(count, link)
    except (ValueError, TypeError, KeyError):
        pass
    raise Corrupt(f"{name} holds a line that is not a head")
