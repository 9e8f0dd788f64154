"""Who is at work on which file: one request at a time, and a newer one may ask it to stop."""

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from security.errors import Conflict


@dataclass(slots=True)
class Claim:
    """One request's hold on a file. Whoever holds it watches `stop`; `done` is set at its end."""

    stop: asyncio.Event = field(default_factory=asyncio.Event)
    done: asyncio.Event = field(default_factory=asyncio.Event)


class Claims:
    """The holds of this process; a file is worked on by one process only."""

    def __init__(self) -> None:
        self._held: dict[str, Claim] = {}

    @contextlib.contextmanager
    def hold(self, file_id: str) -> Iterator[Claim]:
        """Hold the file until the block ends. Raises `Conflict` when another request does."""
        if file_id in self._held:
            raise Conflict("another request is at work on this file")
        claim = self._held[file_id] = Claim()
        try:
            yield claim
        finally:
            del self._held[file_id]
            claim.done.set()

    async def stop(self, file_id: str) -> None:
        """Ask whoever holds the file to stop and return once nobody does.

        A peer that lost its line comes back long before its old connection is known to be dead.
        """
        while (claim := self._held.get(file_id)) is not None:
            claim.stop.set()
            await claim.done.wait()
