"""Who is connected right now, with what is known of each: for questions about running calls."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from security.people import Municipality
from security.policy.facts import Facts
from server.api.seats import SeatKey
from server.calls.call import Call
from server.calls.registry import IN_QUEUE, UNDER_WAY, Registry
from server.policies import InForce

OPEN = IN_QUEUE | UNDER_WAY


class Speaker(Protocol):
    """What is asked of a page's speaker (server/api/speaker.py)."""

    @property
    def municipality(self) -> Municipality:
        """Return its municipality."""

    @property
    def seat(self) -> SeatKey:
        """Return its seat."""

    @property
    def in_force(self) -> InForce:
        """Return the policy in force in its municipality."""

    def facts(self, subject: str, *, now: datetime, call: Call | None = None) -> Facts:
        """Return the facts of a question."""


class Present:
    """The pages that hold a socket. One entry each; a page enters and leaves with its socket."""

    def __init__(self, registry: Registry, clock: Callable[[], datetime]) -> None:
        self._registry = registry
        self._clock = clock
        self._speakers: dict[int, Speaker] = {}
        # By seat, the newest last: asked for at each look at each path of media.
        self._seated: dict[SeatKey, list[Speaker]] = {}
        self._looked: dict[int, int] = {}  # the policy's number at the last look

    def enter(self, speaker: Speaker) -> None:
        """Note a page."""
        self._speakers[id(speaker)] = speaker
        self._seated.setdefault(speaker.seat, []).append(speaker)

    def leave(self, speaker: Speaker) -> None:
        """Forget a page."""
        self._speakers.pop(id(speaker), None)
        self._looked.pop(id(speaker), None)
        left = [one for one in self._seated.pop(speaker.seat, ()) if one is not speaker]
        if left:
            self._seated[speaker.seat] = left

    def at(self, seat: SeatKey) -> Speaker | None:
        """Return the newest page on a seat, None when there is none."""
        here = self._seated.get(seat)
        return here[-1] if here else None

    def in_calls(self, municipality_id: str) -> list[tuple[Speaker, Facts]]:
        """Return each page of the municipality that is in an open call, with the facts of now."""
        here = [one for one in self._speakers.values() if one.municipality.id == municipality_id]
        return [(one, facts) for one in here if (facts := self._in_call(one))]

    def under_a_new_policy(self) -> list[tuple[Speaker, Facts]]:
        """Return each page in an open call at which nobody has looked under the policy in force.

        The next call leaves them out, until another version takes force.
        """
        fresh = []
        for key, speaker in self._speakers.items():
            number = speaker.in_force.number
            if self._looked.get(key) != number:
                self._looked[key] = number
                fresh.append(speaker)
        return [(one, facts) for one in fresh if (facts := self._in_call(one))]

    def _in_call(self, speaker: Speaker) -> Facts | None:
        kind, key = speaker.seat
        registry = self._registry
        call = registry.of_tablet(key) if kind == "counter" else registry.of_person(key)
        if call is None or call.state not in OPEN:
            return None
        return speaker.facts(call.id, now=self._clock(), call=call)
