"""What every media test leans on: a permit, remembered events, a clock, patience."""

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from security.errors import Reason
from security.gate import Gate, Permit
from security.policy.decide import Decision, Rule, Term
from security.policy.facts import Actor, Facts

CALL = "call-1"


class _NoAudit:
    async def write(self, decision: Decision, facts: Facts) -> None:
        return


async def make_permit(call_id: str = CALL, action: str = "media.join") -> Permit:
    """Return a permit as the gate gives it."""
    yes = Rule(action, (Term(lambda _: True, Reason("no", "never")),))
    facts = Facts(datetime(2026, 11, 23, tzinfo=UTC), Actor("desk", "m"), call_id, "m")
    return await Gate({action: yes}, _NoAudit()).ask(action, facts)


class Events:
    """Remembers what the node told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, str]] = []
        self.places: dict[str, int] = {}
        self.lines: dict[str, dict[str, str]] = {}
        self.paths: list[tuple[str, str, str]] = []

    def media_up(self, call_id: str, party: str) -> None:
        self.told.append(("up", call_id, party))

    def media_lost(self, call_id: str, party: str) -> None:
        self.told.append(("lost", call_id, party))

    def path_taken(self, call_id: str, party: str, host: str) -> None:
        self.paths.append((call_id, party, host))

    def offer_wanted(self, call_id: str, party: str, reason: str, places: int = 1) -> None:
        self.told.append((reason, call_id, party))
        self.places[party] = places

    def shown(self, call_id: str, party: str, lines: Mapping[str, str]) -> None:
        self.lines[party] = dict(lines)


class Clock:
    """The real clock, which a test can put forward; who has one of its own is told at once."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self.told: list[Callable[[float], None]] = []

    @property
    def ahead(self) -> float:
        return self._ahead

    @ahead.setter
    def ahead(self, seconds: float) -> None:
        self._ahead = seconds
        for tell in self.told:
            tell(self())

    def __call__(self) -> float:
        return time.monotonic() + self._ahead


async def until(met: Callable[[], bool], within_seconds: float = 15.0) -> bool:
    """Wait until `met()` is true and tell whether it became so in time."""
    end = time.monotonic() + within_seconds
    while not met():
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.01)
    return True
