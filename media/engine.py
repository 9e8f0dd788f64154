"""What the server asks of sound and pictures, wherever they run.

The engine may be a node in the server's own process (media/local.py) or processes beside it
(CONTROL.md): whoever uses it waits for every answer, and nothing passes between the two but what
could go through a wire. What is asked may be asked again: the second time changes nothing.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from media.settings import PartyStats
from security.gate import Permit


@dataclass(frozen=True, slots=True)
class Joined:
    """The SDP answer to an offer, and the name of the run of the node that gave it.

    Connections end with the node's run: another `epoch` later means that this one is gone.
    """

    sdp: str
    epoch: str


@dataclass(frozen=True, slots=True)
class CallMedia:
    """How a call stands in the engine.

    `connected` are the parties whose connection carries, `joined` all that have one. `paths` says
    by which address each party's media goes, `refused` by which it may not.
    """

    gate_open: bool = False
    veiled: frozenset[str] = frozenset()
    connected: frozenset[str] = frozenset()
    joined: frozenset[str] = frozenset()
    paths: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Figures:
    """What one node did since it began, for who watches over it: totals that only grow.

    `received` came from parties, `forwarded` went to them; `lost` never came, `repaired` came
    when asked for again, `resent` was sent again, `refused` did not authenticate; `stale`,
    `excess`, `unsent` and `unheard` are `PathCounts` of media/path.py. `busy` is the share of one
    core that the busier of its threads uses, `late` the share of its ticks that come late, both
    averaged over seconds.
    """

    packet_path: str = ""
    calls: int = 0
    packets_received: int = 0
    bytes_received: int = 0
    packets_forwarded: int = 0
    bytes_forwarded: int = 0
    lost: int = 0
    repaired: int = 0
    resent: int = 0
    refused: int = 0
    stale: int = 0
    excess: int = 0
    unsent: int = 0
    unheard: int = 0
    cpu_seconds: float = 0.0
    resident_bytes: int = 0
    busy: float = 0.0
    late: float = 0.0
    strained: bool = False


NO_FIGURES = Figures()


@dataclass(frozen=True, slots=True)
class Capacity:
    """How much a node carries: `load` is a part of what it can, 1 is full.

    `accepting` is false when a further call would do harm to the ones that are there. `max_calls`
    is how many it takes at most (media/capacity.py).
    """

    load: float
    accepting: bool
    max_calls: int = 0
    figures: Figures = NO_FIGURES


class MediaEngine(Protocol):
    """Carries the sound and pictures of calls. Events are told as media/settings.py says."""

    @property
    def ports(self) -> tuple[int, ...]:
        """The UDP ports in use, one for each node; empty before `start`."""

    @property
    def packet_path(self) -> str:
        """What carries the packets: "native" or "python".

        Raises `Unavailable` when the one that is set cannot be had.
        """

    async def start(self) -> None:
        """Begin to serve; what still runs of an earlier server is taken up.

        Raises `Unavailable` when an address or port cannot be had.
        """

    async def stop(self) -> None:
        """Let go of the engine. Calls end unless it outlives the server (CONTROL.md)."""

    def held(self, call_id: str) -> CallMedia | None:
        """Return how a call stands as far as known, None when the engine has no such call."""

    def capacity(self) -> Capacity:
        """Return how much room is left for a further call, as last known."""

    def figures(self) -> dict[int, Figures]:
        """Return the figures of each node by its index, as last known."""

    async def open_call(self, call_id: str) -> None:
        """Make room for a call; nothing happens when it is there already. Its gate is closed.

        Raises `Unavailable` when there is none.
        """

    async def join(
        self,
        permit: Permit,
        call_id: str,
        party: str,
        offer: str,
        *,
        only_from: Collection[str] | None = None,
    ) -> Joined:
        """Connect `party` as its SDP `offer` says and return the answer.

        The same certificate fingerprint as before is an ICE restart in place; another one replaces
        the party's connection, and who listens to it goes on listening. `permit` is for
        `media.join` on the call. `only_from` are the addresses, our relay's, from which alone
        anything of the party is taken from now on; None: from anywhere.

        Raises `ProtocolError` (`bad_sdp`) with nothing changed, `NotFound` for an unknown call,
        `Denied` for the wrong permit, `TooMuch` for a fifth party, `Unavailable`.
        """

    async def warm(
        self,
        permit: Permit,
        seat: str,
        offer: str,
        *,
        beside: str | None,
        only_from: Collection[str] | None = None,
    ) -> Joined:
        """Connect `seat` before it is in a call and return the answer.

        The connection waits in a lobby, from which nothing leads to anybody, for `adopt`. `beside`
        is the call that it will most likely be moved into: a connection cannot be moved to another
        node. `permit` is for `media.warm` on the seat.

        Raises `ProtocolError` (`bad_sdp`) with nothing changed, `Denied`, `TooMuch`, `Unavailable`.
        """

    async def adopt(self, permit: Permit, call_id: str, party: str, seat: str) -> bool:
        """Move the connection that waits for `seat` into a call as `party`.

        Tells whether it is there; false when none waits where the call is. What the party had in
        the call is dropped; nothing of the lobby comes along but keys, addresses and what was
        agreed. `permit` is for `media.join` on the call.

        Raises `NotFound` for an unknown call, `TooMuch` for a fifth party, `Denied`.
        """

    def near(self, call_id: str, seat: str) -> bool:
        """Tell whether `seat`'s waiting connection, if there is one, could be moved into the call.

        When not, another one that is made `beside` the call could.
        """

    async def dismiss(self, seat: str) -> None:
        """End the connection that waits for `seat`; nothing happens when there is none."""

    async def leave(self, call_id: str, party: str) -> None:
        """End `party`'s connection; nothing happens when there is none."""

    async def set_gate(self, call_id: str, *, open: bool) -> None:
        """Let sound and pictures through between the parties, or nothing.

        Takes no permit: the call's state opens and closes it, as an effect of an event that the
        gate has allowed already (server/calls/machine.py), and some events are nobody's request.
        Raises `NotFound` for an unknown call.
        """

    async def set_veil(self, call_id: str, party: str, *, on: bool) -> None:
        """Withhold `party`'s picture, or show it again from the next keyframe on. Sound goes on.

        Holds for the party's name: before it has joined, after it has left, and on whatever node
        the call goes on. Takes no permit, for the reason given at `set_gate`; putting the veil up
        must never be refused. Raises `NotFound` for an unknown call.
        """

    async def refuse(self, call_id: str, party: str, hosts: Collection[str]) -> None:
        """Take nothing from and send nothing to `party` by these addresses; replaces those before.

        Its media goes on by another address that it can prove, if there is one. Holds for the
        party's name, as a veil does. Takes no permit: refusing must never be refused.
        Raises `NotFound` for an unknown call.
        """

    async def close_call(self, call_id: str) -> None:
        """End every connection of the call and forget it; nothing happens when it is not there."""

    async def keep_only(self, call_ids: Collection[str]) -> None:
        """Close every other call: a server that begins says which ones it knows."""

    async def stats(self, call_id: str) -> dict[str, PartyStats]:
        """Return how each party's connection does.

        Raises `NotFound` for an unknown call, `Unavailable` while no node has it.
        """

    async def all_stats(self) -> dict[str, dict[str, PartyStats]]:
        """Return by call what `stats` does, but for the calls of a node that does not answer."""
