"""A call of a fleet: what the server wants of it, and what the process that has it may show."""

import asyncio

from media.control_api import CallState
from media.engine import CallMedia
from media.keeper import Keeper
from media.remote import RemoteNode

NONE: frozenset[str] = frozenset()


class FleetCall:
    """What the server wants of a call, where it is, and who is connected."""

    def __init__(self, call_id: str, held: CallMedia | None = None) -> None:
        held = held or CallMedia()
        self.id = call_id
        self.gate_open = held.gate_open
        self.veiled = set(held.veiled)
        self.refused = dict(held.refused)
        self.paths = dict(held.paths)
        self.connected = set(held.connected)
        self.joined = set(held.connected | held.joined)
        self.turned_away: set[str] = set()
        self.keeper: Keeper | None = None
        self.placed = asyncio.Event()
        self.lock = asyncio.Lock()  # one state at a time on its way, in order
        self.over = False
        self.begun = held.gate_open  # it was placed once, or its gate opened: never refused again
        self.is_sought = False  # a task looks for a process
        self.is_behind = False  # its process does not know what is wanted: a task tells it
        # All that its process may show: of a state that was not confirmed, the more.
        self._shown = self.state()

    def state(self) -> CallState:
        """Return what a process is told."""
        return CallState(
            gate_open=self.gate_open, veiled=frozenset(self.veiled), refused=self.refused
        )

    def held(self) -> CallMedia:
        """Return how it stands, as far as the server knows."""
        return CallMedia(
            self.gate_open,
            frozenset(self.veiled),
            frozenset(self.connected),
            frozenset(self.joined),
            dict(self.paths),
            dict(self.refused),
        )

    @property
    def hides(self) -> bool:
        """Tell whether what is wanted hides something that its process may show."""
        shown = self._shown
        refused = all(x <= shown.refused.get(party, NONE) for party, x in self.refused.items())
        return shown.gate_open and not (self.gate_open and self.veiled <= shown.veiled and refused)

    @property
    def may_show(self) -> bool:
        """Tell whether its process may forward anything."""
        return self._shown.gate_open

    async def tell(self, node: RemoteNode) -> None:
        """Make the call what is wanted on `node`, under `lock`. Raises what `set_call` raises."""
        state, shown, hides = self.state(), self._shown, self.hides
        if shown.gate_open:
            veiled = shown.veiled & state.veiled
            both = shown.refused.keys() & state.refused.keys()
            refused = {party: shown.refused[party] & state.refused[party] for party in both}
            self._shown = CallState(gate_open=True, veiled=veiled, refused=refused)
        else:
            self._shown = state
        await node.set_call(self.id, state, hides=hides)
        self._shown = state

    def put(self, keeper: Keeper | None) -> None:
        """Note where the call is."""
        self.keeper = keeper
        if keeper is None:
            self._shown = CallState(gate_open=False, veiled=frozenset())
            self.connected.clear()
            self.paths.clear()
            self.placed.clear()
        else:
            self.begun = True
            self.placed.set()
