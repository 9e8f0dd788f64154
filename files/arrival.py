"""One PATCH on its way in: cut into parts, kept as they fill, undone when it was wrong."""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

from files.blobs import in_thread
from files.parts import PART_BYTES, Parts
from files.tus import CHECKSUM_MISMATCH_STATUS
from security.crypto.keys import DataKey
from security.errors import Conflict, ProtocolError, TooMuch, Unavailable

MAX_EXTRA_PARTS = 1_000

Progress = Callable[[int], Awaitable[None]]


class Arrival:
    """Takes the body of one PATCH that begins at `offset`.

    `progress` is awaited with the number of durable bytes after each part.
    """

    def __init__(
        self, parts: Parts, key: DataKey, *, offset: int, size_bytes: int, progress: Progress
    ) -> None:
        self._parts = parts
        self._key = key
        self._start = offset
        self._offset = offset
        self._size_bytes = size_bytes
        self._progress = progress
        self._held = bytearray()
        self._hash = hashlib.sha256()

    async def take(self, body: AsyncIterator[bytes], sha256: bytes | None) -> int:
        """Keep the whole body and return the new offset; all of it is durable then.

        When the body breaks off (the peer is gone, another request takes over), what had come is
        kept and the error goes on. When the body is wrong, nothing of it is kept:
        `TooMuch` (`too_large`) for more bytes than were announced, `ProtocolError`
        (`checksum_mismatch`, status 460) for another SHA-256 than `sha256`. Raises `Unavailable`
        (`disk_full`) when the disk is full.
        """
        try:
            async for piece in body:
                await self._feed(piece)
            await self._flush()
        except (TooMuch, Unavailable):
            raise
        except BaseException:
            await self._flush()
            raise
        if sha256 is not None and not hmac.compare_digest(sha256, self._hash.digest()):
            await self._undo()
            raise ProtocolError(
                "the body does not have the checksum that was given",
                code="checksum_mismatch",
                http_status=CHECKSUM_MISMATCH_STATUS,
            )
        return self._offset

    async def _feed(self, piece: bytes) -> None:
        if self._offset + len(self._held) + len(piece) > self._size_bytes:
            await self._undo()
            raise TooMuch("more bytes than were announced", limit=self._size_bytes, unit="bytes")
        self._held += piece
        while len(self._held) >= PART_BYTES:
            await self._keep(PART_BYTES)

    async def _undo(self) -> None:
        await in_thread(self._parts.cut, self._start)
        await self._progress(self._start)

    async def _flush(self) -> None:
        if self._held:
            await self._keep(len(self._held))

    async def _keep(self, size: int) -> None:
        data = bytes(self._held[:size])
        await in_thread(self._write, data)
        del self._held[:size]
        self._offset += size
        await self._progress(self._offset)

    def _write(self, data: bytes) -> None:
        self._hash.update(data)
        self._parts.write(self._key, self._offset, data)


async def until_stopped(
    body: AsyncIterator[bytes], stop: asyncio.Event
) -> AsyncGenerator[bytes, None]:
    """Give the pieces of `body` until it ends; raise `Conflict` as soon as `stop` is set."""
    stopping = asyncio.ensure_future(stop.wait())
    reading: asyncio.Future[bytes] | None = None
    try:
        while True:
            reading = asyncio.ensure_future(_next(body))
            await asyncio.wait({reading, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not reading.done():
                raise Conflict("another request took over this upload")
            try:
                piece = reading.result()
            except StopAsyncIteration:
                return
            yield piece
    finally:
        stopping.cancel()
        if reading is not None and not reading.done():
            reading.cancel()
            await asyncio.wait({reading})


async def _next(body: AsyncIterator[bytes]) -> bytes:
    return await anext(body)
