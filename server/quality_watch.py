"""Looks at the quality of every running call, tells its two ends, keeps a summary."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from media.engine import MediaEngine
from media.quality import Level, MinimumPicture
from media.quality_lines import Report
from media.settings import PartyStats
from security.errors import MadoguchiError
from server.api.hub import Hub, counter_key
from server.api.views import quality_view
from server.calls.call import Call, Device
from server.calls.quality import CallQuality, Summaries
from server.calls.registry import UNDER_WAY

log = logging.getLogger(__name__)
SAVE_SECONDS = 60.0


class QualityStore(Protocol):
    """Summaries on disk."""

    async def save(self, municipality_id: str, call_id: str, summaries: Summaries) -> None:
        """Write the summaries of a call in place of those written before."""

    async def load(self, municipality_id: str, call_id: str) -> Summaries:
        """Return the summaries of a call, none for an unknown one."""


class Followed:
    """One running call."""

    def __init__(self, call: Call, *, now: float) -> None:
        self.municipality_id = call.municipality_id
        self.quality = CallQuality()
        self.saved_at = now


class QualityWatch:
    """Follows the calls under way. What is found is lost with the process, but for 60 s at most."""

    def __init__(
        self,
        hub: Hub,
        media: MediaEngine,
        store: QualityStore,
        minimum: Callable[[str], MinimumPicture],
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._hub = hub
        self._media = media
        self._store = store
        self._minimum = minimum
        self._now = now
        self._followed: dict[str, Followed] = {}

    def heard(self, call: Call, party: str, report: Report) -> None:
        """Take a page's report of its own connection."""
        followed = self._followed.get(call.id)
        if followed is not None:
            followed.quality.report(party, report, self._now())

    def levels(self) -> dict[Level, int]:
        """Return how many calls are shown as good, fair, poor and unknown now."""
        found = Counter(x.quality.shown.desk.level for x in self._followed.values())
        return {level: found[level] for level in Level}

    async def of_call(self, municipality_id: str, call_id: str) -> Summaries:
        """Return what is kept of a call, running or over."""
        followed = self._followed.get(call_id)
        if followed is not None and followed.municipality_id == municipality_id:
            return dict(followed.quality.summaries)
        return await self._store.load(municipality_id, call_id)

    async def look(self) -> None:
        """Look once at every call; to be called every 3 s."""
        open_calls = {call.id: call for call in self._hub.registry.every_open_call()}
        for call_id in [x for x in self._followed if x not in open_calls]:
            await self._save(call_id)
            self._followed.pop(call_id, None)
        told = await self._media.all_stats()
        for call in open_calls.values():
            await asyncio.sleep(0)  # the loop goes on between
            if call.state in UNDER_WAY and call.id in told:
                await self._look_at(call, told[call.id])

    async def _look_at(self, call: Call, stats: dict[str, PartyStats]) -> None:
        followed = await self._follow(call)
        picture = not call.veiled and call.counter.camera is Device.ON
        minimum = self._minimum(call.municipality_id)
        followed.quality.look(stats, self._now(), picture=picture, minimum=minimum)
        self._tell(call, followed)
        if self._now() - followed.saved_at >= SAVE_SECONDS:
            await self._save(call.id)

    async def _follow(self, call: Call) -> Followed:
        """Return the call's state, begun with what an earlier server has kept of it."""
        followed = self._followed.get(call.id)
        if followed is None:
            kept = await self._store.load(call.municipality_id, call.id)
            followed = Followed(call, now=self._now())
            followed.quality.summaries.update(kept)
            followed = self._followed.setdefault(call.id, followed)
        return followed

    def _tell(self, call: Call, followed: Followed) -> None:
        """Show it to both ends, as pictures of the moment."""
        shown, seats = followed.quality.shown, self._hub.seats
        counter = quality_view(shown.counter, abort_offered=False, lines=None)
        seats.show(counter_key(call), {"type": "quality", "quality": counter})
        if call.desk_id is not None:
            desk = quality_view(shown.desk, abort_offered=shown.abort_offered, lines=shown.lines)
            seats.show(("desk", call.desk_id), {"type": "quality", "quality": desk})

    async def _save(self, call_id: str) -> None:
        followed = self._followed[call_id]
        followed.saved_at = self._now()
        try:
            summaries = dict(followed.quality.summaries)
            await self._store.save(followed.municipality_id, call_id, summaries)
        except MadoguchiError as away:
            log.warning("the quality of call %s was not kept: %s", call_id, away.code)

    async def stop(self) -> None:
        """Write what is not written yet."""
        for call_id in list(self._followed):
            await self._save(call_id)
