"""What the media engine reports, passed on to pages."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Protocol

from security.errors import NotFound
from server.api.hub import Hub, seat_of
from server.api.seats import SeatKey
from server.calls.call import Call, PartyName
from server.calls.registry import UNDER_WAY

log = logging.getLogger(__name__)
GRACE_SECONDS = 2.0
TWO_ENDS = (PartyName.COUNTER, PartyName.DESK)
# Takes the call and since when the connection was up that is no more, None when it had ended.
Reconnected = Callable[[str, datetime | None], Awaitable[None]]


class Paths(Protocol):
    """Asks the gate about paths (server/path_watch.py)."""

    def taken(self, call_id: str, party: str, host: str) -> None:
        """Note that a party's media goes by `host`."""


class MediaWatch:
    """The engine's `MediaEvents`: a party whose connection ended is asked for a new one.

    Not at once: a page that replaces its connection closes the old one first, and offers by itself.
    What was proved over a connection ends with it: `follow_ends` says who undoes that.
    """

    def __init__(self, hub: Hub, *, clock: Callable[[], datetime]) -> None:
        self._hub = hub
        self._clock = clock
        self._up: dict[tuple[str, str], tuple[SeatKey, datetime]] = {}
        self._paths: Paths | None = None
        self._reconnected: Reconnected | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def follow(self, paths: Paths) -> None:
        """Say who asks about the paths that media takes."""
        self._paths = paths

    def follow_ends(self, reconnected: Reconnected) -> None:
        """Have `reconnected` awaited when one end's connection has ended or was replaced."""
        self._reconnected = reconnected

    def path_taken(self, call_id: str, party: str, host: str) -> None:
        """A party's media goes by another address."""
        if self._paths is not None:
            self._paths.taken(call_id, party, host)

    def media_up(self, call_id: str, party: str) -> None:
        """Sound and pictures of a party have arrived."""
        log.info("call %s: media of %s is up", call_id, party)
        still_open = {call.id: call for call in self._hub.registry.every_open_call()}
        self._up = {key: up for key, up in self._up.items() if key[0] in still_open}
        call, before = still_open.get(call_id), self._up.pop((call_id, party), None)
        if call is None:
            return
        seat = seat_of(call, party)
        self._up[call_id, party] = (seat, self._clock())
        # Another desk that takes a call over has replaced nothing.
        if before is not None and before[0] == seat:
            self._ended(call_id, party, before[1])

    def media_lost(self, call_id: str, party: str) -> None:
        """A party's connection has ended, or was silent for longer than consent lasts."""
        log.info("call %s: media of %s is lost", call_id, party)
        self._up.pop((call_id, party), None)
        self._ended(call_id, party, None)
        asyncio.get_running_loop().call_later(GRACE_SECONDS, self._ask_again, call_id, party)

    def offer_wanted(self, call_id: str, party: str, reason: str, places: int = 1) -> None:
        """The engine itself wants a new offer: there is nothing to wait for."""
        log.info("call %s: %s should offer again: %s", call_id, party, reason)
        if reason == "new_connection":
            self._up.pop((call_id, party), None)
            self._ended(call_id, party, None)
        self._ask(call_id, party, reason, places)

    def _ended(self, call_id: str, party: str, up_since: datetime | None) -> None:
        if self._reconnected is None or party not in TWO_ENDS:
            return
        task = asyncio.get_running_loop().create_task(self._tell_ended(call_id, up_since))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell_ended(self, call_id: str, up_since: datetime | None) -> None:
        try:
            if self._reconnected is not None:
                await self._reconnected(call_id, up_since)
        except Exception:
            log.exception("call %s: what its connection proved still stands", call_id)

    def shown(self, call_id: str, party: str, lines: Mapping[str, str]) -> None:
        """Whom a party is sent on each line has changed."""
        call = self._open_call(call_id)
        if call is not None:
            self._hub.seats.send(seat_of(call, party), {"type": "streams", "lines": dict(lines)})

    def _ask_again(self, call_id: str, party: str) -> None:
        if (call_id, party) not in self._up:
            self._ask(call_id, party, "new_connection")

    def _ask(self, call_id: str, party: str, reason: str, places: int = 1) -> None:
        call = self._open_call(call_id)
        # A counter is connected while it waits, too.
        if call is None or (call.state not in UNDER_WAY and party != PartyName.COUNTER):
            return
        message = {"type": "please-offer", "reason": reason}
        more = {"places": places} if reason == "streams" else {}
        self._hub.seats.send(seat_of(call, party), message | more)

    def _open_call(self, call_id: str) -> Call | None:
        try:
            return self._hub.registry.get(call_id)
        except NotFound:
            return None
