"""Asks a clamd whether bytes are malicious: INSTREAM over its Unix socket (clamd(8)).

The bytes go to a process of this machine and nowhere else. What the scanner cannot say for
sure (it is away, too slow, or refuses the size) is `Unavailable`, never "clean".
"""

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from files.blobs import in_thread
from security.errors import Unavailable

log = logging.getLogger(__name__)
CONNECT_SECONDS = 5.0
SCAN_SECONDS = 60.0
REPLY_BYTES = 1024


class Verdict(StrEnum):
    """What a scanner has found."""

    CLEAN = "clean"
    FOUND = "found"


class Scanner(Protocol):
    """Looks at the bytes of one file."""

    async def scan(self, pieces: Iterator[bytes]) -> Verdict:
        """Return what was found. `pieces` may block. Raises `Unavailable` (`scanner_off`)."""


class Clamd:
    """A clamd that listens at a Unix socket."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    async def scan(self, pieces: Iterator[bytes]) -> Verdict:
        """Return what was found. Raises `Unavailable` (`scanner_off`)."""
        try:
            async with asyncio.timeout(SCAN_SECONDS):
                return _verdict(await self._ask(pieces))
        except (OSError, EOFError, asyncio.LimitOverrunError) as error:
            what = type(error).__name__
            raise Unavailable(f"the scanner does not answer: {what}", code="scanner_off") from error

    async def _ask(self, pieces: Iterator[bytes]) -> bytes:
        async with asyncio.timeout(CONNECT_SECONDS):
            reader, writer = await asyncio.open_unix_connection(self._socket, limit=REPLY_BYTES)
        try:
            # A clamd that has seen enough answers and closes while bytes are still on their way.
            with contextlib.suppress(ConnectionError):
                writer.write(b"zINSTREAM\0")
                while piece := await in_thread(next, pieces, b""):
                    writer.write(len(piece).to_bytes(4, "big") + piece)
                    await writer.drain()
                writer.write(bytes(4))
                await writer.drain()
            return await reader.readuntil(b"\0")
        finally:
            writer.close()


def _verdict(reply: bytes) -> Verdict:
    text = reply.removesuffix(b"\0").strip()
    if text == b"stream: OK":
        return Verdict.CLEAN
    if text.startswith(b"stream: ") and text.endswith(b" FOUND"):
        return Verdict.FOUND
    log.warning("clamd did not scan: %s", text.decode("ascii", "replace"))
    raise Unavailable("the scanner did not scan", code="scanner_off")
