"""What the registry needs of a database and of the rest of the house."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Protocol

from media.engine import CallMedia, Capacity
from server.calls.call import Call


class CallStore(Protocol):
    """Calls on disk. Every method returns once its work is durable."""

    async def insert_numbered(
        self, municipality_id: str, prefix: str, make: Callable[[int], tuple[Call, bytes]]
    ) -> Call:
        """Write the call that `make` returns for the next number under `prefix`, from 1.

        `make` returns the call and its wrapped data key. Number and call are written together, so
        a call that is not written leaves no gap.
        """

    async def save(self, call: Call) -> None:
        """Write a changed call; raises `Conflict` unless the stored version is one less."""

    async def load_open(self) -> list[Call]:
        """Return every call that is not closed, oldest first."""

    async def get(self, municipality_id: str, call_id: str) -> Call | None:
        """Return one call of the municipality."""

    async def of_desk(self, municipality_id: str, person_id: str, since: datetime) -> list[Call]:
        """Return the calls that a person answered since, oldest first."""


class MediaControl(Protocol):
    """What the registry asks of the media engine (media/engine.py)."""

    def held(self, call_id: str) -> CallMedia | None:
        """Return how a call stands there, None when it is unknown."""

    def capacity(self) -> Capacity:
        """Return how much room is left, as last known."""

    async def open_call(self, call_id: str) -> None:
        """Make room for a call; harmless when there is one."""

    async def set_gate(self, call_id: str, *, open: bool) -> None:
        """Forward between the parties, or not."""

    async def set_veil(self, call_id: str, party: str, *, on: bool) -> None:
        """Withhold a party's picture, or show it again."""

    def near(self, call_id: str, seat: str) -> bool:
        """Tell whether a seat's waiting connection can be let into the call."""

    async def leave(self, call_id: str, party: str) -> None:
        """End a party's connection."""

    async def close_call(self, call_id: str) -> None:
        """Forget the call and all its connections."""

    async def keep_only(self, call_ids: Collection[str]) -> None:
        """Close every other call."""


class Audience(Protocol):
    """Who is told of changes."""

    async def tell_call(self, call: Call, desk_id: str | None) -> None:
        """Show `call` to its counter and to `desk_id`."""

    async def tell_guest(self, call: Call, person_id: str) -> None:
        """Show `call` to somebody who is not in it any more."""

    def ask_nearer(self, desk_id: str) -> None:
        """Have a desk make its waiting connection anew."""

    async def tell_queue(self, municipality_id: str) -> None:
        """Show the queue to the desks and their place to the waiting counters."""

    async def settle_steps(self, call: Call) -> None:
        """Let the steps of a call follow a change of its state."""

    async def drop_unfinished_files(self, call: Call) -> None:
        """Throw away what was still arriving in `call`."""
