"""The engine as one or more processes beside the server (CONTROL.md).

What the server wants of a call stands here and is sent whole, before anything else about the call,
to whichever process has it: so a veil is up on a new process before anybody can join there.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection, Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from media.control_api import Event, MediaLost, MediaUp, PathTaken, version_of
from media.control_folder import ControlFolder
from media.engine import CallMedia, Capacity, Figures, Joined
from media.fleet_call import FleetCall
from media.keeper import Keeper
from media.paths import chosen
from media.process import ProcessConfig
from media.remote import RemoteNode
from media.settings import MediaEvents, MediaSettings, PartyStats
from media.spawn import Spawner
from security.errors import MadoguchiError, NotFound, Unavailable
from security.gate import Permit

PLACE_SECONDS = 8.0
RETRY_SECONDS, RETRY_AT_LEAST_SECONDS = 0.05, 1.0
_log = logging.getLogger(__name__)


class Fleet:
    """Implements `MediaEngine` of media/engine.py over processes that outlive the server.

    `settings` are those of each process, `folder` is where they listen. `ends_with_us` is asked
    by `stop` whether it ends them.
    """

    def __init__(
        self,
        settings: tuple[MediaSettings, ...],
        folder: Path,
        events: MediaEvents,
        *,
        resume_seconds: float,
        ends_with_us: Callable[[], bool],
    ) -> None:
        self._settings = settings
        self._path = folder
        self._events = events
        self._resume_seconds = resume_seconds
        self._ends_with_us = ends_with_us
        self._folder: ControlFolder | None = None
        self._spawner = Spawner()
        self._keepers: list[Keeper] = []
        self._calls: dict[str, FleetCall] = {}
        self._lobby: dict[str, Keeper] = {}  # where the connection of a seat waits
        self._news = asyncio.Event()  # set for a moment when a process is there
        self._tasks: set[asyncio.Task[None]] = set()

    # --- life

    @property
    def ports(self) -> tuple[int, ...]:
        """The UDP ports of the processes that run."""
        nouns = (node.noun for _, node in self._nodes())
        return tuple(noun.port for noun in nouns if noun is not None)

    @property
    def packet_path(self) -> str:
        """Which packet path carries the calls. Raises `Unavailable` when it cannot be had."""
        return chosen(self._settings[0].packet_path)

    async def start(self) -> None:
        """Take up the processes that run, start the others, and keep them all running.

        Raises `Unavailable` when one cannot be started.
        """
        _log.info("packets go by the %s path", self.packet_path)
        self._folder = folder = ControlFolder(self._path)
        folder.lock()
        level = logging.getLogger().getEffectiveLevel()
        await asyncio.to_thread(version_of, self._settings[0])  # reckoned once; not on the loop
        for index, settings in enumerate(self._settings):
            config = ProcessConfig(
                settings=settings,
                folder=self._path.absolute(),
                index=index,
                resume_seconds=self._resume_seconds,
                log_level=level,
            )
            self._keepers.append(Keeper(config, folder, self._spawner, self))
        opened = (keeper.open() for keeper in self._keepers)
        for failed in await asyncio.gather(*opened, return_exceptions=True):
            if failed is not None:
                raise failed
        for keeper in self._keepers:
            self._begin(keeper.run())
        self._begin(self._spawner.run())

    async def stop(self) -> None:
        """Let go of the processes; end them if they are to end with us."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        end = self._ends_with_us()
        await asyncio.gather(*(keeper.close(end=end) for keeper in self._keepers))
        self._keepers.clear()
        if self._folder is not None:
            self._folder.close()
            self._folder = None

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _nodes(self) -> Iterator[tuple[Keeper, RemoteNode]]:
        for keeper in self._keepers:
            if keeper.node is not None:
                yield keeper, keeper.node

    # --- what the processes tell

    def node_up(self, keeper: Keeper, node: RemoteNode) -> None:
        """Take up the calls that the process has already."""
        self._news.set()
        self._news.clear()
        if node.noun is None:
            return
        for call_id, held in node.noun.calls.items():
            known = self._calls.get(call_id)
            if known is None:
                known = self._calls[call_id] = FleetCall(call_id, held)
                known.put(keeper)
                for party, host in held.paths.items():
                    self._events.path_taken(call_id, party, host)
            elif known.keeper is not keeper:
                self._begin(self._close_at_last(keeper, node, call_id))

    def node_event(self, keeper: Keeper, event: Event) -> None:
        """Note who is connected and tell the server."""
        call = self._calls.get(event.call)
        if call is None or call.keeper is not keeper:
            return
        match event:
            case MediaUp():
                call.connected.add(event.party)
            case MediaLost():
                call.connected.discard(event.party)
            case PathTaken():
                call.paths[event.party] = event.host
        event.tell(self._events)

    def node_down(self, keeper: Keeper) -> None:
        """Ask for new connections at once, and find the calls another process meanwhile."""
        self._lobby = {seat: other for seat, other in self._lobby.items() if other is not keeper}
        lost = [call for call in self._calls.values() if call.keeper is keeper]
        for call in lost:
            call.put(None)
            self._seek(call)
        for call in lost:
            for party in sorted(call.joined):
                self._events.offer_wanted(call.id, party, "new_connection")

    # --- which process has a call

    def _roomiest(self, *, for_new: bool) -> Keeper | None:
        """Return the process with the most room. A call that has begun is never refused."""
        found = [(k, node) for k, node in self._nodes() if node.capacity.accepting]
        if not found and not for_new:
            found = list(self._nodes())
        here = {k.index: sum(c.keeper is k for c in self._calls.values()) for k, _ in found}
        best = min(found, key=lambda x: (x[1].capacity.load, here[x[0].index]), default=None)
        return best[0] if best else None

    async def _place(self, call: FleetCall, *, for_new: bool) -> None:
        """Put the call on a process. Raises `Unavailable` when there is none."""
        async with call.lock:
            if call.keeper is not None or call.over:
                return
            keeper = self._roomiest(for_new=for_new)
            if keeper is None or keeper.node is None:
                raise Unavailable("there is no media process with room")
            node = keeper.node
            try:
                await call.tell(node)
            except MadoguchiError as error:
                call.put(None)
                self._begin(self._close_at_last(keeper, node, call.id))  # it may have it
                raise Unavailable("the media process does not take the call") from error
            if keeper.node is not node:
                call.put(None)
                raise Unavailable("the media process is gone again")
            call.put(keeper)

    def _seek(self, call: FleetCall) -> None:
        """Have a process found for the call, however long it takes; one task is enough."""
        if not call.is_sought:
            call.is_sought = True
            self._begin(self._place_at_last(call))

    async def _place_at_last(self, call: FleetCall) -> None:
        pause = RETRY_SECONDS
        while call.keeper is None and not call.over:
            try:
                await self._place(call, for_new=not call.begun)
            except Unavailable:
                pause = await self._pause(pause)
        call.is_sought = False
        for party in sorted(call.turned_away):
            self._events.offer_wanted(call.id, party, "new_connection")
        call.turned_away.clear()

    async def _pause(self, seconds: float) -> float:
        """Wait, at most until a process comes up, and return how long to wait the next time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()
        return min(2 * seconds, RETRY_AT_LEAST_SECONDS)

    async def _close_at_last(self, keeper: Keeper, node: RemoteNode, call_id: str) -> None:
        """Close a call on a process where it does not belong, as long as both are there."""
        pause = RETRY_SECONDS
        while keeper.node is node:
            call = self._calls.get(call_id)
            async with call.lock if call is not None else contextlib.nullcontext():
                if call is not None and call.keeper is keeper:
                    return
                with contextlib.suppress(MadoguchiError):
                    await node.close_call(call_id, hides=False)
                    return
            pause = await self._pause(pause)

    def _call(self, call_id: str) -> FleetCall:
        call = self._calls.get(call_id)
        if call is None:
            raise NotFound("the media engine has no such call")
        return call

    async def _node_of(self, call: FleetCall) -> RemoteNode:
        """Return the process that has the call, waiting for it. Raises `Unavailable`."""
        try:
            async with asyncio.timeout(PLACE_SECONDS):
                await call.placed.wait()
        except TimeoutError:
            _log.warning("call %s has no media process", call.id)
        if call.keeper is None or call.keeper.node is None:
            raise Unavailable("no media process has the call")
        return call.keeper.node

    async def _tell(self, call: FleetCall) -> None:
        """Send what is wanted of the call. Without a process the next one is told first.

        One that does not confirm what must be hidden is killed; of the rest it is told again.
        """
        if not await self._told(call) and not call.is_behind:
            call.is_behind = True
            self._begin(self._tell_at_last(call))

    async def _told(self, call: FleetCall) -> bool:
        """Tell whether its process knows what is wanted of the call, or there is none to know."""
        async with call.lock:
            if call.over or call.keeper is None or call.keeper.node is None:
                return True
            try:
                await call.tell(call.keeper.node)
            except MadoguchiError as error:
                _log.warning("a media process was not told of a call: %s", error.message)
                return False
        return True

    async def _tell_at_last(self, call: FleetCall) -> None:
        pause = await self._pause(RETRY_SECONDS)
        while not await self._told(call):
            pause = await self._pause(pause)
        call.is_behind = False

    # --- what the server asks for

    def held(self, call_id: str) -> CallMedia | None:
        """Return how a call stands."""
        call = self._calls.get(call_id)
        return None if call is None else call.held()

    def capacity(self) -> Capacity:
        """Return the state of the process with the most room, and how many calls all take."""
        rooms = [node.capacity for _, node in self._nodes()]
        best = min(
            rooms, key=lambda x: (not x.accepting, x.load), default=Capacity(1.0, accepting=False)
        )
        return replace(best, max_calls=sum(x.max_calls for x in rooms))

    def figures(self) -> dict[int, Figures]:
        """Return the figures of each process."""
        return {keeper.index: node.capacity.figures for keeper, node in self._nodes()}

    async def open_call(self, call_id: str) -> None:
        """Make room for a call; it is known from now on, even if this raises `Unavailable`.

        One that was refused gets its place when there is room.
        """
        call = self._calls.get(call_id)
        if call is None:
            call = self._calls[call_id] = FleetCall(call_id)
        try:
            await self._place(call, for_new=not call.begun)
        except Unavailable:
            self._seek(call)
            raise

    async def join(
        self,
        permit: Permit,
        call_id: str,
        party: str,
        offer: str,
        *,
        only_from: Collection[str] | None = None,
    ) -> Joined:
        """Connect `party` on the process that has the call and return the answer."""
        permit.require("media.join", call_id)
        call = self._call(call_id)
        try:
            node = await self._node_of(call)
        except Unavailable:
            call.turned_away.add(party)
            raise
        joined = await node.join(call_id, party, offer, only_from)
        call.joined.add(party)
        return joined

    async def warm(
        self,
        permit: Permit,
        seat: str,
        offer: str,
        *,
        beside: str | None,
        only_from: Collection[str] | None = None,
    ) -> Joined:
        """Connect `seat` where the call `beside` is, else where it waits already, else anywhere."""
        permit.require("media.warm", seat)
        call = self._calls.get(beside) if beside is not None else None
        before = self._lobby.get(seat)
        keeper = (call.keeper if call else None) or before or self._roomiest(for_new=False)
        if keeper is None or keeper.node is None:
            raise Unavailable("there is no media process")
        if before is not keeper:
            await self.dismiss(seat)
        self._lobby[seat] = keeper
        return await keeper.node.let_wait(seat, offer, only_from)

    async def adopt(self, permit: Permit, call_id: str, party: str, seat: str) -> bool:
        """Move the connection that waits for `seat` into the call, if both are in one process."""
        permit.require("media.join", call_id)
        call = self._call(call_id)
        node = await self._node_of(call)
        if self._lobby.get(seat, call.keeper) is not call.keeper:
            await self.dismiss(seat)
            return False
        self._lobby.pop(seat, None)
        moved = await node.move_in(call_id, party, seat)
        if moved:
            call.joined.add(party)
        return moved

    def near(self, call_id: str, seat: str) -> bool:
        """Tell whether both are in one process, or one of them in none."""
        call, keeper = self._calls.get(call_id), self._lobby.get(seat)
        return call is None or call.keeper is None or keeper in (None, call.keeper)

    async def dismiss(self, seat: str) -> None:
        """End the connection that waits for `seat`; one that a dead process had is gone."""
        keeper = self._lobby.pop(seat, None)
        if keeper is not None and keeper.node is not None:
            with contextlib.suppress(Unavailable):
                await keeper.node.dismiss(seat)

    async def leave(self, call_id: str, party: str) -> None:
        """End `party`'s connection."""
        call = self._calls.get(call_id)
        if call is None:
            return
        call.joined.discard(party)
        call.connected.discard(party)
        if call.keeper is not None and call.keeper.node is not None:
            await call.keeper.node.leave(call_id, party)

    async def set_gate(self, call_id: str, *, open: bool) -> None:
        """Let sound and pictures through, or nothing."""
        call = self._call(call_id)
        call.gate_open = open
        call.begun |= open
        await self._tell(call)

    async def set_veil(self, call_id: str, party: str, *, on: bool) -> None:
        """Withhold `party`'s picture, or show it again."""
        call = self._call(call_id)
        if on:
            call.veiled.add(party)
        elif party in call.veiled:
            call.veiled.discard(party)
        else:
            return  # what was not hidden is shown already, or a task tells of it
        await self._tell(call)

    async def refuse(self, call_id: str, party: str, hosts: Collection[str]) -> None:
        """Carry nothing of `party` by these addresses, wherever the call goes on."""
        call = self._call(call_id)
        call.refused[party] = frozenset(hosts)
        await self._tell(call)

    async def close_call(self, call_id: str) -> None:
        """Forget the call."""
        call = self._calls.pop(call_id, None)
        if call is None:
            return
        call.over = True
        async with call.lock:
            keeper = call.keeper
            if keeper is None or keeper.node is None:
                return
            node = keeper.node
            try:
                await node.close_call(call_id, hides=call.may_show)
            except MadoguchiError:
                self._begin(self._close_at_last(keeper, node, call_id))

    async def keep_only(self, call_ids: Collection[str]) -> None:
        """Close every other call."""
        for call_id in set(self._calls) - set(call_ids):
            await self.close_call(call_id)

    async def stats(self, call_id: str) -> dict[str, PartyStats]:
        """Return how each party's connection does."""
        call = self._call(call_id)
        if call.keeper is None or call.keeper.node is None:
            raise Unavailable("no media process has the call")
        return await call.keeper.node.stats(call_id)

    async def all_stats(self) -> dict[str, dict[str, PartyStats]]:
        """Return how the connections of every call do, but for a process that does not answer."""
        found = {}
        for keeper, node in tuple(self._nodes()):
            with contextlib.suppress(MadoguchiError):
                told = await node.all_stats()
                here = {call.id for call in self._calls.values() if call.keeper is keeper}
                found.update({call_id: told[call_id] for call_id in here & told.keys()})
        return found
