"""What the ids of a call are called on screen, looked up once a minute at most."""

import time
from collections.abc import Awaitable, Callable
from typing import Protocol

from security.people import Municipality, Office, Person, Tablet
from server.api.views import Names
from server.calls.call import Call

FRESH_SECONDS = 60.0
UNKNOWN = "?"


class NameStore(Protocol):
    """Where names stand."""

    async def municipalities(self) -> list[Municipality]:
        """Return every municipality."""

    async def office(self, municipality_id: str, office_id: str) -> Office | None:
        """Return an office of the municipality."""

    async def tablet(self, municipality_id: str, tablet_id: str) -> Tablet | None:
        """Return a tablet of the municipality."""

    async def person(self, municipality_id: str, person_id: str) -> Person | None:
        """Return a person of the municipality."""


class Directory:
    """Names by id, kept for a minute."""

    def __init__(self, store: NameStore, *, now: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._now = now
        self._kept: dict[tuple[str, str], tuple[float, str]] = {}
        self._municipalities: tuple[float, dict[str, Municipality]] = (float("-inf"), {})

    async def names(self, call: Call) -> Names:
        """Return the names on a call."""
        home = call.municipality_id
        return Names(
            office=await self.office(home, call.office_id),
            tablet=await self.tablet(home, call.tablet_id),
            clerk=await self.person(home, call.clerk_id),
            desk=await self.person(home, call.desk_id) if call.desk_id else None,
            guests={x.person_id: await self.person(home, x.person_id) for x in call.guests},
        )

    async def person(self, municipality_id: str, person_id: str) -> str:
        """Return a person's name."""
        return await self._name(municipality_id, person_id, self._store.person)

    async def office(self, municipality_id: str, office_id: str) -> str:
        """Return an office's name."""
        return await self._name(municipality_id, office_id, self._store.office)

    async def tablet(self, municipality_id: str, tablet_id: str) -> str:
        """Return a tablet's name."""
        return await self._name(municipality_id, tablet_id, self._store.tablet)

    async def municipality(self, municipality_id: str) -> Municipality:
        """Return a municipality with its hours and telephone number."""
        at, known = self._municipalities
        if self._now() - at > FRESH_SECONDS or municipality_id not in known:
            known = {m.id: m for m in await self._store.municipalities()}
            self._municipalities = (self._now(), known)
        return known[municipality_id]

    async def _name(
        self,
        municipality_id: str,
        key: str,
        fetch: Callable[[str, str], Awaitable[Office | Tablet | Person | None]],
    ) -> str:
        kept = self._kept.get((municipality_id, key))
        if kept is None or self._now() - kept[0] > FRESH_SECONDS:
            found = await fetch(municipality_id, key)
            kept = (self._now(), found.name if found else UNKNOWN)
            self._kept[municipality_id, key] = kept
        return kept[1]
