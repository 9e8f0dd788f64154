"""A receiver of webhooks on this machine, and calls that are over."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiohttp import web

from security.ids import new_id
from server.calls.call import Call, Outcome, State

Json = dict[str, Any]
CONSENT = '{"video": true, "text_version": "1", "language": "ja"}'
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Receiver:
    """Keeps what it was sent; `answers` are used one after another, then 204."""

    port: int = 0
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[Answer | int] = field(default_factory=list)
    runner: web.AppRunner | None = None

    def url(self, path: str = "/hook", host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.got]

    async def take(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.got.append(({k.lower(): v for k, v in request.headers.items()}, body))
        answer = self.answers.pop(0) if self.answers else 204
        return web.Response(status=answer) if isinstance(answer, int) else await answer(request)


@pytest.fixture
async def make_receiver() -> AsyncIterator[Callable[..., Awaitable[Receiver]]]:
    """Return what starts receivers, over TLS with a context."""
    running: list[Receiver] = []

    async def start(tls: ssl.SSLContext | None = None) -> Receiver:
        receiver = Receiver()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", receiver.take)
        runner = receiver.runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        receiver.port = runner.addresses[0][1]
        running.append(receiver)
        return receiver

    yield start
    for one in running:
        if one.runner is not None:
            await one.runner.cleanup()


@pytest.fixture
async def receiver(make_receiver: Callable[..., Awaitable[Receiver]]) -> Receiver:
    """A receiver without TLS."""
    return await make_receiver()


@dataclass
class Closing:
    """Closes real calls in a world's database, as the registry does."""

    world: Any
    count: int = 0

    async def place(self, *, training: bool = False, procedure: str = "new-issue") -> Call:
        """Return a call that goes on."""
        parts, town = self.world.service.parts, self.world.town
        call_id, now = new_id(), parts.clock()

        def make(count: int) -> tuple[Call, bytes]:
            call = Call(
                call_id,
                f"K-261123-{count:04d}",
                town.municipality.id,
                town.office.id,
                town.tablet.id,
                town.clerk.id,
                procedure,
                training,
                CONSENT,
                now,
                State.TALKING,
                desk_id=town.verifiers[0].id,
                answered_at=now,
            )
            return call, parts.keys.fresh_call(call_id)

        call: Call = await parts.calls.insert_numbered(town.municipality.id, "K-261123", make)
        await parts.audit.note(town.municipality.id, "gate:call:accept", call_id, {}, now=now)
        return call

    async def close(self, call: Call, outcome: Outcome = Outcome.VERIFIED) -> Call:
        """Return the call, closed and stored."""
        now = self.world.service.parts.clock()
        over = replace(
            call,
            state=State.CLOSED,
            outcome=outcome,
            reason="住所の相違" if outcome is not Outcome.VERIFIED else None,
            closed_at=now,
            version=call.version + 1,
        )
        await self.world.service.parts.calls.save(over)
        return over

    async def __call__(self, outcome: Outcome = Outcome.VERIFIED, **how: Any) -> Call:
        return await self.close(await self.place(**how), outcome)


@pytest.fixture
def closing(world: Any) -> Closing:
    """What closes calls."""
    return Closing(world)


async def until(wanted: Callable[[], Any]) -> None:
    """Return once something is so."""
    async with asyncio.timeout(10):
        while not wanted():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.fixture(name="until")
def until_fixture() -> Callable[[Callable[[], Any]], Awaitable[None]]:
    """What waits until something is so."""
    return until


@pytest.fixture
def closing_in() -> type[Closing]:
    """What makes a `closing` of a world that a test started itself."""
    return Closing
