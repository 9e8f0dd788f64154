"""Watches the event loop: how late a timer fires says how long somebody kept the loop."""

import asyncio
import logging

log = logging.getLogger(__name__)
EVERY_SECONDS = 0.25
WARN_SECONDS = 0.1


class LoopLag:
    """The last delay, in seconds."""

    def __init__(self) -> None:
        self.seconds = 0.0

    async def watch(self) -> None:
        """Measure until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + EVERY_SECONDS
            await asyncio.sleep(EVERY_SECONDS)
            self.seconds = max(0.0, loop.time() - due)
            if self.seconds > WARN_SECONDS:
                log.warning("the event loop was late by %.0f ms", self.seconds * 1000)
