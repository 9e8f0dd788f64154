"""Who is connected right now, with what is known of each: for questions about running calls."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from security.people import Municipality
from security.policy.facts import Facts
from server.api.seats import SeatKey
from server.calls.call import Call
from server.calls.registry import UNDER_WAY, Registry


class Speaker(Protocol):
    """What is asked of a page's speaker (server/api/speaker.py)."""

    @property
    def municipality(self) -> Municipality:
        """Return its municipality."""

    @property
    def seat(self) -> SeatKey:
        """Return its seat."""

    def facts(self, subject: str, *, now: datetime, call: Call | None = None) -> Facts:
        """Return the facts of a question."""


class Present:
    """The pages that hold a socket. One entry each; a page enters and leaves with its socket."""

    def __init__(self, registry: Registry, clock: Callable[[], datetime]) -> None:
        self._registry = registry
        self._clock = clock
        self._speakers: dict[int, Speaker] = {}

    def enter(self, speaker: Speaker) -> None:
        """Note a page."""
        self._speakers[id(speaker)] = speaker

    def leave(self, speaker: Speaker) -> None:
        """Forget a page."""
        self._speakers.pop(id(speaker), None)

    def in_calls(self, municipality_id: str) -> list[tuple[Speaker, Facts]]:
        """Return each page of the municipality that is in a running call, with the facts of now."""
        found = []
        for speaker in self._speakers.values():
            if speaker.municipality.id != municipality_id:
                continue
            kind, key = speaker.seat
            registry = self._registry
            call = registry.of_tablet(key) if kind == "counter" else registry.of_desk(key)
            if call is not None and call.state in UNDER_WAY:
                found.append((speaker, speaker.facts(call.id, now=self._clock(), call=call)))
        return found
