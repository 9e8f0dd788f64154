"""What the media engine reports, passed on to pages."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Protocol

from security.errors import NotFound
from server.api.hub import Hub, seat_of
from server.calls.call import Call, PartyName
from server.calls.registry import UNDER_WAY

log = logging.getLogger(__name__)
GRACE_SECONDS = 2.0


class Paths(Protocol):
    """Asks the gate about paths (server/path_watch.py)."""

    def taken(self, call_id: str, party: str, host: str) -> None:
        """Note that a party's media goes by `host`."""


class MediaWatch:
    """The engine's `MediaEvents`: a party whose connection ended is asked for a new one.

    Not at once: a page that replaces its connection closes the old one first, and offers by itself.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._up: set[tuple[str, str]] = set()
        self._paths: Paths | None = None

    def follow(self, paths: Paths) -> None:
        """Say who asks about the paths that media takes."""
        self._paths = paths

    def path_taken(self, call_id: str, party: str, host: str) -> None:
        """A party's media goes by another address."""
        if self._paths is not None:
            self._paths.taken(call_id, party, host)

    def media_up(self, call_id: str, party: str) -> None:
        """Sound and pictures of a party have arrived."""
        log.info("call %s: media of %s is up", call_id, party)
        still_open = {call.id for call in self._hub.registry.every_open_call()}
        self._up = {up for up in self._up if up[0] in still_open} | {(call_id, party)}

    def media_lost(self, call_id: str, party: str) -> None:
        """A party's connection has ended, or was silent for longer than consent lasts."""
        log.info("call %s: media of %s is lost", call_id, party)
        self._up.discard((call_id, party))
        asyncio.get_running_loop().call_later(GRACE_SECONDS, self._ask_again, call_id, party)

    def offer_wanted(self, call_id: str, party: str, reason: str, places: int = 1) -> None:
        """The engine itself wants a new offer: there is nothing to wait for."""
        log.info("call %s: %s should offer again: %s", call_id, party, reason)
        if reason == "new_connection":
            self._up.discard((call_id, party))
        self._ask(call_id, party, reason, places)

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
