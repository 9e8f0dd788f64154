"""The engine inside the server's own process: one node, nothing in between."""

from collections.abc import Collection

from media.engine import CallMedia, Capacity, Figures, Joined
from media.node import MediaNode
from media.settings import PartyStats
from security.gate import Permit


class LocalEngine:
    """Implements `MediaEngine` of media/engine.py over one `MediaNode`, which ends with it."""

    def __init__(self, node: MediaNode) -> None:
        self._node = node

    @property
    def ports(self) -> tuple[int, ...]:
        """The node's UDP port."""
        return (self._node.port,) if self._node.port else ()

    @property
    def packet_path(self) -> str:
        """Which packet path carries the calls."""
        return self._node.packet_path

    async def start(self) -> None:
        """Open the node's socket. Raises `Unavailable`."""
        await self._node.start()

    async def stop(self) -> None:
        """Say goodbye to every party and close the socket."""
        await self._node.stop()

    def held(self, call_id: str) -> CallMedia | None:
        """Return how a call stands."""
        return self._node.held(call_id)

    def capacity(self) -> Capacity:
        """Return how much room is left."""
        return self._node.capacity()

    def figures(self) -> dict[int, Figures]:
        """Return the node's figures."""
        return {0: self._node.capacity().figures}

    async def open_call(self, call_id: str) -> None:
        """Make room for a call."""
        self._node.open_call(call_id)

    async def join(
        self,
        permit: Permit,
        call_id: str,
        party: str,
        offer: str,
        *,
        only_from: Collection[str] | None = None,
    ) -> Joined:
        """Connect `party` and return the answer."""
        sdp = self._node.join(permit, call_id, party, offer, only_from=only_from)
        return Joined(sdp, self._node.epoch)

    async def warm(
        self,
        permit: Permit,
        seat: str,
        offer: str,
        *,
        beside: str | None,
        only_from: Collection[str] | None = None,
    ) -> Joined:
        """Connect `seat` and return the answer; there is one node for every call."""
        sdp = self._node.warm(permit, seat, offer, only_from=only_from)
        return Joined(sdp, self._node.epoch)

    async def adopt(self, permit: Permit, call_id: str, party: str, seat: str) -> bool:
        """Move the connection that waits for `seat` into the call."""
        return self._node.adopt(permit, call_id, party, seat)

    def near(self, call_id: str, seat: str) -> bool:
        """Tell that everything is in one place."""
        return True

    async def dismiss(self, seat: str) -> None:
        """End the connection that waits for `seat`."""
        self._node.dismiss(seat)

    async def leave(self, call_id: str, party: str) -> None:
        """End `party`'s connection."""
        self._node.leave(call_id, party)

    async def set_gate(self, call_id: str, *, open: bool) -> None:
        """Let sound and pictures through, or nothing."""
        self._node.set_gate(call_id, open=open)

    async def set_veil(self, call_id: str, party: str, *, on: bool) -> None:
        """Withhold `party`'s picture, or show it again."""
        self._node.set_veil(call_id, party, on=on)

    async def refuse(self, call_id: str, party: str, hosts: Collection[str]) -> None:
        """Carry nothing of `party` by these addresses."""
        self._node.refuse(call_id, party, hosts)

    async def close_call(self, call_id: str) -> None:
        """Forget the call."""
        self._node.close_call(call_id)

    async def keep_only(self, call_ids: Collection[str]) -> None:
        """Close every other call."""
        for call_id in set(self._node.call_ids()) - set(call_ids):
            self._node.close_call(call_id)

    async def stats(self, call_id: str) -> dict[str, PartyStats]:
        """Return how each party's connection does."""
        return self._node.stats(call_id)

    async def all_stats(self) -> dict[str, dict[str, PartyStats]]:
        """Return how the connections of every call do."""
        return {call_id: self._node.stats(call_id) for call_id in self._node.call_ids()}
