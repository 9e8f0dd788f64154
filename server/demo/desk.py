"""The simulated desk of `demo --check`: opens, takes the call, decides."""

from server.demo.browser import Json
from server.demo.client import SimulatedPage
from server.demo.mirror import Mirror


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

    async def close(self, outcome: str, reason: str | None = None) -> None:
        """判定: open the decision and give it."""
        await self.page.ask("call.decide")
        await self.page.ask("call.close", outcome=outcome, reason=reason)


def _offered(mirror: Mirror) -> str | None:
    return None if mirror.queue is None else mirror.queue["offered"]
