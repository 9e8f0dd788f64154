"""Tells pages what has changed. The registry's `Audience`, over the seats."""

import contextlib
import time
from collections.abc import Awaitable, Callable
from datetime import datetime

from chat.message import Message
from files.entry import FileEntry, FileState
from files.uploads import Uploads
from security.errors import NotFound
from security.people import Municipality
from server.api.directory import Directory
from server.api.seats import SeatKey, Seats
from server.api.views import (
    Json,
    call_view,
    file_view,
    invitation_view,
    message_view,
    position_view,
    time_view,
)
from server.calls.call import Call, PartyName, State
from server.calls.guests import guest_of, joined, person_at
from server.calls.registry import IN_QUEUE, Registry

FILE_EVERY_SECONDS = 0.5


SENIOR = "senior"


def counter_key(call: Call) -> SeatKey:
    """Return the seat of the call's tablet."""
    return ("counter", call.tablet_id)


def seat_of(call: Call, party: str) -> SeatKey:
    """Return the seat of a party of the call; one that nobody has for who is not in it."""
    if party == PartyName.COUNTER:
        return counter_key(call)
    return ("desk", person_at(call, party) or "")


class Hub:
    """Draws nouns and sends them to the seats that they concern."""

    def __init__(self, seats: Seats, directory: Directory, uploads: Uploads) -> None:
        self.seats = seats
        self.directory = directory
        self._uploads = uploads
        self._told: dict[str, float] = {}
        self._ends: dict[str, str | None] = {}
        self.refused_paths: dict[tuple[str, str], str] = {}  # (call, party): why
        self._registry: Registry | None = None
        self._settle_steps: Callable[[Call], Awaitable[None]] | None = None

    def bind(self, registry: Registry) -> None:
        """Say whose calls are shown; registry and hub need each other."""
        self._registry = registry

    def follow_states(self, settle_steps: Callable[[Call], Awaitable[None]]) -> None:
        """Have `settle_steps` awaited when the state of a call under way has changed."""
        self._settle_steps = settle_steps

    async def settle_steps(self, call: Call) -> None:
        """Let the steps of a call follow a change of its state."""
        if self._settle_steps is not None:
            await self._settle_steps(call)

    @property
    def registry(self) -> Registry:
        """Return the registry; raises `RuntimeError` before `bind`."""
        if self._registry is None:
            raise RuntimeError("the hub has no registry yet")
        return self._registry

    async def draw_call(self, call: Call) -> Json:
        """Return the noun "call" with names."""
        names = await self.directory.names(call)
        refused = {party: self.refused_paths.get((call.id, party)) for party in PartyName}
        limits = self.registry.limits_of(call.municipality_id)
        return call_view(call, names, limits=limits, refused=refused)

    async def draw_message(self, call: Call, message: Message) -> Json:
        """Return the noun "chat message" with its writer's name."""
        name = await self.directory.person(call.municipality_id, message.person_id)
        return message_view(message, name)

    async def draw_queue(self, municipality_id: str, person_id: str) -> Json:
        """Return the noun "queue" as one desk sees it."""
        invited = await self._invitation(person_id)
        return self._queue_for(
            municipality_id, person_id, await self._draw_waiting(municipality_id), invited
        )

    async def _draw_waiting(self, municipality_id: str) -> list[Json]:
        """Look every name up first, then draw, so that the picture is of one moment."""
        names = {c.id: await self.directory.names(c) for c in self._open(municipality_id)}
        limits = self.registry.limits_of(municipality_id)
        return [
            call_view(call, names[call.id], limits=limits)
            for call in self._open(municipality_id)
            if call.id in names
        ]

    def _open(self, municipality_id: str) -> list[Call]:
        return self.registry.open_calls(municipality_id)

    def _queue_for(
        self, municipality_id: str, person_id: str, waiting: list[Json], invited: Json | None
    ) -> Json:
        ringing = self.registry.ringing_at(person_id)
        return {
            "waiting": waiting if self.registry.desks.answers(person_id) else [],
            "offered": ringing.id if ringing else None,
            "desks_open": self.registry.desks_open(municipality_id),
            "busy": not self.registry.has_room(),
            "picks": not self.registry.limits_of(municipality_id).at_random,
            "invited": invited,
        }

    async def _invitation(self, person_id: str) -> Json | None:
        """Return the noun "invitation" of who is asked into a call."""
        call = self.registry.asks_for(person_id)
        guest = guest_of(call, person_id) if call is not None else None
        if call is None or guest is None:
            return None
        return invitation_view(call, guest, await self.directory.names(call))

    def _draw_open(self, municipality: Municipality) -> Json:
        """Return the noun "position" for a counter without a call: how it would stand."""
        home = municipality.id
        return position_view(
            ahead=self.registry.people_waiting(home),
            wait_seconds=self.registry.wait_of_next(home),
            desks_open=self.registry.desks_open(home),
            offered_to=None,
            busy=not self.registry.has_room(),
            municipality=municipality,
        )

    async def _draw_position(self, call: Call, municipality: Municipality) -> Json:
        """Return the noun "position" of a call in the queue."""
        offered_to = None
        if call.state is State.RINGING and call.desk_id:
            offered_to = await self.directory.person(call.municipality_id, call.desk_id)
        return position_view(
            ahead=self.registry.people_ahead(call),
            wait_seconds=self.registry.wait_seconds(call),
            desks_open=self.registry.desks_open(call.municipality_id),
            offered_to=offered_to,
            busy=call.state is State.WAITING and not self.registry.has_room(),
            municipality=municipality,
        )

    async def tell_call(self, call: Call, desk_id: str | None) -> None:
        """Show `call` to its counter, to `desk_id` and to the guests who are in it."""
        drawn = await self.draw_call(call)
        message = {"type": "call", "call": drawn}
        if call.state is State.CLOSED:
            self._ends.pop(call.id, None)
        else:
            self._ends[call.id] = drawn["ends_at"]
        self.seats.send(counter_key(call), message)
        if desk_id is not None:
            self.seats.send(("desk", desk_id), message)
        for guest in joined(call):
            self.seats.send(("desk", guest.person_id), message)

    async def tell_guest(self, call: Call, person_id: str) -> None:
        """Show `call` to somebody who is not in it any more."""
        self.seats.send(("desk", person_id), {"type": "call", "call": await self.draw_call(call)})

    async def tell_end(self, call: Call, at: datetime) -> None:
        """Show `call` again if another time was told than `at`, at which it ends by itself."""
        told = self._ends.get(call.id)
        if told is not None and told != time_view(at):
            await self.tell_call(call, None if call.state in IN_QUEUE else call.desk_id)

    def ask_nearer(self, desk_id: str) -> None:
        """Have a desk make its waiting connection anew."""
        again = {"type": "please-offer", "reason": "new_connection"}
        self.seats.send(("desk", desk_id), again)

    async def tell_queue(self, municipality_id: str) -> None:
        """Show the queue to the desks and their place to the counters."""
        waiting = await self._draw_waiting(municipality_id)
        for seat in self.registry.desks.of(municipality_id):
            invited = await self._invitation(seat.person_id)
            queue = self._queue_for(municipality_id, seat.person_id, waiting, invited)
            self.seats.show(("desk", seat.person_id), {"type": "queue", "queue": queue})
        for key, socket in self.seats.live():
            if key[0] == "counter" and socket.municipality_id == municipality_id:
                await self.tell_position(key, municipality_id)

    async def tell_position(self, key: SeatKey, municipality_id: str) -> None:
        """Show a counter how its call stands, or how one would; nothing during a talk."""
        position = await self.position_of(key, municipality_id)
        if position is not None:
            self.seats.show(key, {"type": "position", "position": position})

    async def position_of(self, key: SeatKey, municipality_id: str) -> Json | None:
        """Return the noun "position" for a counter, None during a talk."""
        municipality = await self.directory.municipality(municipality_id)
        call = self.registry.of_tablet(key[1])
        if call is None:
            return self._draw_open(municipality)
        return await self._draw_position(call, municipality) if call.state in IN_QUEUE else None

    def tell_parties(self, call: Call, message: Json) -> None:
        """Send a message to both ends of a call that was answered, and to a senior who is in it."""
        self.seats.send(counter_key(call), message)
        if call.desk_id is not None and call.state not in IN_QUEUE:
            self.seats.send(("desk", call.desk_id), message)
        for guest in joined(call):
            if guest.kind == SENIOR:
                self.seats.send(("desk", guest.person_id), message)

    async def tell_message(self, call: Call, message: Message) -> None:
        """Show a chat message to both ends."""
        drawn = await self.draw_message(call, message)
        self.tell_parties(call, {"type": "chat", "message": drawn})

    async def file_changed(self, entry: FileEntry, received_bytes: int) -> None:
        """Show a file to both ends: every change of state, progress at most twice a second."""
        now, last = time.monotonic(), self._told.get(entry.id, float("-inf"))
        if entry.state is FileState.ARRIVING and received_bytes:
            if now - last < FILE_EVERY_SECONDS:
                return
            self._told[entry.id] = now
        else:
            self._told.pop(entry.id, None)
        with contextlib.suppress(NotFound):
            call = self.registry.get(entry.call_id)
            one_time = self._uploads.limits_of(entry.municipality_id).one_time
            drawn = file_view(entry, received_bytes, one_time=one_time)
            self.tell_parties(call, {"type": "file", "file": drawn})

    async def drop_unfinished_files(self, call: Call) -> None:
        """Throw away what was still arriving in `call`."""
        await self._uploads.drop_unfinished(call.municipality_id, call.id)
