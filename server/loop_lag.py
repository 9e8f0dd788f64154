"""Watches the event loop: how late a timer fires says how long somebody kept the loop."""

import asyncio
import logging

log = logging.getLogger(__name__)
EVERY_SECONDS = 0.25
WARN_SECONDS = 0.1


class LoopLag:
    """The longest delay since it was last asked for, in seconds."""

    def __init__(self) -> None:
        self._worst = 0.0

    def take(self) -> float:
        """Return the longest delay and begin anew."""
        worst, self._worst = self._worst, 0.0
        return worst

    async def watch(self) -> None:
        """Measure until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + EVERY_SECONDS
            await asyncio.sleep(EVERY_SECONDS)
            late = loop.time() - due
            self._worst = max(self._worst, late)
            if late > WARN_SECONDS:
                log.warning("the event loop was late by %.0f ms", late * 1000)
