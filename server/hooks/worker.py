"""Tells facts: addresses each one, sends what is due, tries again what failed.

All state stands in the database (server/db/outbox.py): whatever a kill leaves half done is done
again, so a destination may hear a fact twice, with the same id. Destinations go on beside one
another, so that a slow one keeps no other waiting.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from server.db.outbox import Delivery, SqlOutbox, Told
from server.db.webhooks import DESTINATION, SqlWebhooks
from server.hooks import folder
from server.hooks.fact import Fact
from server.hooks.schedule import next_try
from server.hooks.sender import Sender, Sent

log = logging.getLogger(__name__)
LOOK_SECONDS = 1.0
BATCH = 32
KEPT = timedelta(days=30)
SWEEP = timedelta(hours=1)
TEST = "hook.test"
KINDS = ("webhook", "plugin", "folder")
_LUCK = random.SystemRandom()


class Deliveries:
    """`senders` by kind of destination; `standing` are those of the settings, for real calls."""

    def __init__(
        self,
        box: SqlOutbox,
        hooks: SqlWebhooks,
        senders: Mapping[str, Sender],
        standing: tuple[str, ...] = (),
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._box = box
        self._hooks = hooks
        self._senders = senders
        self._standing = standing
        self._clock = clock
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        self._looking = asyncio.Lock()
        self._swept: datetime | None = None
        self._figures: dict[str, dict[str, int]] = {}

    def on_their_way(self) -> dict[tuple[str, str], int]:
        """Return how many deliveries of each kind waited or were dead at the last look."""
        found = {(kind, state): 0 for kind in KINDS for state in ("waiting", "dead")}
        for destination, states in self._figures.items():
            for state, count in states.items():
                key = (destination.partition(":")[0], state)
                if key in found:
                    found[key] += count
        return found

    def wake(self) -> None:
        """Look at once."""
        self._wake.set()

    async def run(self) -> None:
        """Tell until cancelled."""
        try:
            while True:
                try:
                    await self._look()
                except Exception:
                    # A database that is away for a moment must not end this.
                    log.exception("the outbox could not be looked at")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._wake.wait()
        finally:
            tasks = list(self._busy.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def look(self) -> None:
        """Tell everything that is due, and return when each has been tried."""
        await self._look()
        while self._busy:
            await asyncio.gather(*self._busy.values())

    async def _look(self) -> None:
        self._wake.clear()
        async with self._looking:
            await self._spread_and_begin()

    async def _spread_and_begin(self) -> None:
        now = self._clock()
        # One batch, and then what is due: facts that keep coming must not keep it waiting.
        if found := await self._box.unspread(BATCH):
            await self._box.spread([(at, one, await self._to(one)) for at, one in found], now)
        if len(found) == BATCH:
            self.wake()
        for destination in await self._box.due_destinations(now):
            if destination not in self._busy:
                self._begin(destination)
        if self._swept is None or now - self._swept > SWEEP:
            self._swept = now
            await self._box.sweep(now - KEPT)
        self._figures = await self._box.figures()

    async def _to(self, fact: Fact) -> list[str]:
        """Return where a fact goes, as things stand now."""
        wanting = await self._hooks.wanting(fact.municipality_id)
        if fact.type == TEST:
            return [DESTINATION + one for one, _, _ in wanting if one == fact.subject]
        found = [
            DESTINATION + one
            for one, types, training in wanting
            if fact.type in types and (training or not fact.training)
        ]
        standing = () if fact.training else self._standing
        return found + [x for x in standing if x != folder.DESTINATION or fact.type in folder.TYPES]

    def _begin(self, destination: str) -> None:
        task = asyncio.create_task(self._serve(destination))
        self._busy[destination] = task
        task.add_done_callback(lambda _: self._busy.pop(destination, None))

    async def _serve(self, destination: str) -> None:
        """Tell one destination what is due; after a failure the rest waits for the next look."""
        sender = self._senders.get(destination.partition(":")[0])
        if sender is None:
            log.warning("nothing here tells %s any more", destination)
            return
        try:
            while batch := await self._box.due(destination, self._clock(), sender.at_once):
                told = await asyncio.gather(*(self._try(sender, one) for one in batch))
                await self._box.settle(told)
                if any(one.state != "done" for one in told):
                    break
        except Exception:
            log.exception("deliveries to %s broke off", destination)

    async def _try(self, sender: Sender, delivery: Delivery) -> Told:
        try:
            sent = await sender.send(delivery.destination, delivery.fact)
        except Exception as error:
            log.warning("fact %s: %s", delivery.fact.id, type(error).__name__, exc_info=True)
            sent = Sent("internal")
        now = self._clock()
        if sent.problem is None:
            return Told(delivery, "done", now)
        log.info("fact %s to %s: %s", delivery.fact.id, delivery.destination, sent.problem)
        again = None
        if not sent.gone:
            again = next_try(
                delivery.tries + 1,
                delivery.first_at or now,
                now,
                luck=_LUCK.random(),
                asked=sent.retry_after,
                for_ever=sender.patient,
            )
        state = "dead" if again is None else "waiting"
        return Told(delivery, state, now, again, sent.problem)
