"""The simulated desk of `demo --check`: opens, takes the call, leads its steps, decides."""

import functools
from collections.abc import Sequence

from server.demo.browser import Json
from server.demo.client import SimulatedPage
from server.demo.mirror import Mirror
from server.demo.step_walk import code_on, next_message


class SimulatedDesk:
    """A verifier at one page."""

    def __init__(self, page: SimulatedPage) -> None:
        self.page = page

    async def open(self) -> None:
        """受付中: take calls."""
        await self.page.connect()
        await self.page.ask("desk.state", state="open")

    async def accept(self, call_id: str, seconds: float) -> Json:
        """Wait until the call rings here and answer it."""
        await self.page.until(lambda m: _offered(m) == call_id, seconds)
        return await self.page.accept(call_id)

    async def lead(self, counter: SimulatedPage, pictures: Sequence[str]) -> None:
        """Go through every step of the call; `pictures` are ids of files that can be bound."""
        version = 0
        while True:
            for page in (counter, self.page):
                await page.until(functools.partial(_told, version))
            seen, shown = self.page.mirror.steps or {}, counter.mirror.steps or {}
            if seen["current"] is None:
                return
            said = next_message(seen, "desk", code=code_on(shown), pictures=pictures)
            page = self.page if said else counter
            said = said or next_message(shown, "counter")
            if said is None:
                raise ValueError(f"nobody can go on with {seen['current']}")
            version = (await page.ask(said.pop("type"), **said))["version"]

    async def close(self, outcome: str, reason: str | None = None) -> None:
        """判定: open the decision and give it."""
        await self.page.ask("call.decide")
        await self.page.ask("call.close", outcome=outcome, reason=reason)


def _offered(mirror: Mirror) -> str | None:
    return None if mirror.queue is None else mirror.queue["offered"]


def _told(version: int, mirror: Mirror) -> bool:
    return mirror.steps is not None and mirror.steps["version"] >= version
