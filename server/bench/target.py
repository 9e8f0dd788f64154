"""What the load needs of a server under test."""

from dataclasses import dataclass
from typing import Protocol

from media.dtls import Identity
from server.bench.connect import Leg
from server.bench.load import Load


@dataclass(frozen=True, slots=True)
class Joined:
    """A call whose parties are connected; `begun_ns` is when the first one had its offer ready."""

    legs: tuple[Leg, ...]
    begun_ns: int


class Target(Protocol):
    """A server that forwards between the parties of calls."""

    @property
    def name(self) -> str:
        """What it is called in the report."""

    @property
    def way(self) -> str:
        """How it is run and joined."""

    @property
    def pids(self) -> list[int]:
        """Its processes."""

    async def prepare(self, calls: int) -> None:
        """Do what comes before the first call."""

    async def join(self, load: Load, identity: Identity, number: int) -> Joined:
        """Set up call `number` (from 0): its parties are 2 x number and the next."""

    async def forwarded(self) -> int | None:
        """Return how many RTP packets it says it has sent, None if it does not say."""
