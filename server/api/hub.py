"""Tells pages what has changed. The registry's `Audience`, over the seats."""

import contextlib
import time

from chat.message import Message
from files.entry import FileEntry, FileState
from files.uploads import Uploads
from security.errors import NotFound
from security.people import Municipality
from server.api.directory import Directory
from server.api.seats import SeatKey, Seats
from server.api.views import Json, call_view, file_view, message_view, position_view
from server.calls.call import Call, State
from server.calls.registry import IN_QUEUE, Registry

FILE_EVERY_SECONDS = 0.5


def counter_key(call: Call) -> SeatKey:
    """Return the seat of the call's tablet."""
    return ("counter", call.tablet_id)


class Hub:
    """Draws nouns and sends them to the seats that they concern."""

    def __init__(self, seats: Seats, directory: Directory, uploads: Uploads) -> None:
        self.seats = seats
        self.directory = directory
        self._uploads = uploads
        self._told: dict[str, float] = {}
        self._registry: Registry | None = None

    def bind(self, registry: Registry) -> None:
        """Say whose calls are shown; registry and hub need each other."""
        self._registry = registry

    @property
    def registry(self) -> Registry:
        """Return the registry; raises `RuntimeError` before `bind`."""
        if self._registry is None:
            raise RuntimeError("the hub has no registry yet")
        return self._registry

    async def draw_call(self, call: Call) -> Json:
        """Return the noun "call" with names."""
        names = await self.directory.names(call)
        return call_view(call, names, resume_seconds=self.registry.limits.resume_seconds)

    async def draw_message(self, call: Call, message: Message) -> Json:
        """Return the noun "chat message" with its writer's name."""
        name = await self.directory.person(call.municipality_id, message.person_id)
        return message_view(message, name)

    async def draw_queue(self, municipality_id: str, person_id: str) -> Json:
        """Return the noun "queue" as one desk sees it."""
        calls = self.registry.open_calls(municipality_id)
        ringing = self.registry.ringing_at(person_id)
        return {
            "waiting": [await self.draw_call(call) for call in calls],
            "offered": ringing.id if ringing else None,
            "desks_open": self.registry.desks_open(municipality_id),
        }

    def draw_open(self, municipality: Municipality) -> Json:
        """Return the noun "position" for a counter without a call: how it would stand."""
        home = municipality.id
        return position_view(
            ahead=self.registry.people_waiting(home),
            wait_seconds=self.registry.wait_of_next(home),
            desks_open=self.registry.desks_open(home),
            offered_to=None,
            municipality=municipality,
        )

    async def draw_position(self, call: Call, municipality: Municipality) -> Json:
        """Return the noun "position" of a call in the queue."""
        offered_to = None
        if call.state is State.RINGING and call.desk_id:
            offered_to = await self.directory.person(call.municipality_id, call.desk_id)
        return position_view(
            ahead=self.registry.people_ahead(call),
            wait_seconds=self.registry.wait_seconds(call),
            desks_open=self.registry.desks_open(call.municipality_id),
            offered_to=offered_to,
            municipality=municipality,
        )

    async def tell_call(self, call: Call, desk_id: str | None) -> None:
        """Show `call` to its counter and to `desk_id`."""
        message = {"type": "call", "call": await self.draw_call(call)}
        self.seats.send(counter_key(call), message)
        if desk_id is not None:
            self.seats.send(("desk", desk_id), message)

    async def tell_queue(self, municipality_id: str) -> None:
        """Show the queue to the desks and their place to the waiting counters."""
        for seat in self.registry.desks.of(municipality_id):
            queue = await self.draw_queue(municipality_id, seat.person_id)
            self.seats.send(("desk", seat.person_id), {"type": "queue", "queue": queue})
        municipality = await self.directory.municipality(municipality_id)
        for key, socket in self.seats.live():
            if key[0] != "counter" or socket.municipality_id != municipality_id:
                continue
            call = self.registry.of_tablet(key[1])
            if call is None:
                self.seats.send(key, {"type": "position", "position": self.draw_open(municipality)})
            elif call.state in IN_QUEUE:
                position = await self.draw_position(call, municipality)
                self.seats.send(key, {"type": "position", "position": position})

    def tell_parties(self, call: Call, message: Json) -> None:
        """Send a message to both ends of a call that was answered."""
        self.seats.send(counter_key(call), message)
        if call.desk_id is not None and call.state not in IN_QUEUE:
            self.seats.send(("desk", call.desk_id), message)

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
            self.tell_parties(call, {"type": "file", "file": file_view(entry, received_bytes)})

    async def drop_unfinished_files(self, call: Call) -> None:
        """Throw away what was still arriving in `call`."""
        await self._uploads.drop_unfinished(call.municipality_id, call.id)
