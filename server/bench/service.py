"""The service as a target of the load: its own process, its real signalling, its real gate.

A call is placed at a counter page and accepted at a desk page over their WebSockets, as in
`madoguchi serve`; both pages then offer their media, which the load carries instead of a browser.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from media.dtls import Identity
from security.errors import Unavailable
from server.bench.connect import Leg
from server.bench.load import Load, now_ns
from server.bench.processes import family, pin
from server.bench.target import Joined
from server.demo.browser import Browser
from server.demo.client import SimulatedPage
from server.demo.encoded import EncodedClip

START_SECONDS = 60.0
END_SECONDS = 20.0
LARGEST_LINE = 1 << 20
SERVER_FOLDER = Path(__file__).resolve().parents[2]
NO_CLIP = EncodedClip((), ())
WAY = (
    "the whole service in a process of its own, with its pages, WebSockets, database and gate: "
    "what an operator runs, so that nothing it costs is left out"
)


class Service:
    """The running service. `way` says what it is, `seats` are its pages: counter and desk."""

    name = "madoguchi"
    way = WAY

    def __init__(
        self, process: asyncio.subprocess.Process, base_url: str, http: aiohttp.ClientSession
    ) -> None:
        self._process = process
        self.base_url = base_url
        self._http = http
        self.seats: list[tuple[SimulatedPage, SimulatedPage]] = []

    @property
    def pids(self) -> list[int]:
        """The server's processes: itself and what it has started."""
        return family(self._process.pid)

    async def prepare(self, calls: int) -> None:
        """Sign in so many counters and desks; their pages are open and idle."""
        tokens = (await self._ask({"seats": calls}))["seats"]
        for counter, desk in tokens:
            pair = (await self._page("counter", counter), await self._page("desk", desk))
            self.seats.append(pair)

    async def join(self, load: Load, identity: Identity, number: int) -> Joined:
        """Place and answer call `number`, connect both parties to the load."""
        counter, desk = self.seats[number]
        call = await counter.place("new-issue")
        await desk.accept(call["id"])
        begun = now_ns()
        legs = (Leg(identity), Leg(identity))
        first = 2 * number
        for page, leg, sender in ((counter, legs[0], first), (desk, legs[1], first + 1)):
            await connect(load, page, leg, sender, connection=1)
        return Joined(legs, begun)

    async def forwarded(self) -> int | None:
        """Return how many packets the server says it has forwarded."""
        return int((await self._ask({"forwarded": True}))["forwarded"])

    async def write_log(self, entries: int, callers: int) -> dict[str, Any]:
        """Have the server write so many entries into its audit log; return what it says."""
        return await self._ask({"entries": entries, "callers": callers})

    async def make_person(self, password: str) -> dict[str, Any]:
        """Return municipality and login of a new verifier with this password."""
        return await self._ask({"password": password})

    async def tasks(self) -> int:
        """Return how many tasks the server's event loop holds."""
        return int((await self._ask({"tasks": True}))["tasks"])

    async def packet_path(self) -> str:
        """Return which packet path the server says it uses."""
        return str((await self._ask({"packet_path": True}))["packet_path"])

    async def _page(self, page: str, token: str) -> SimulatedPage:
        browser = Browser(self._http, self.base_url, page)
        await browser.use_link(token)
        made = SimulatedPage(browser, NO_CLIP)
        await made.connect()
        return made

    async def close(self) -> None:
        """Close every page."""
        await asyncio.gather(*(page.close() for pair in self.seats for page in pair))

    async def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        if self._process.stdin is None:
            raise Unavailable("the service does not listen")
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        return await _answer(self._process)


S = TypeVar("S", bound=Service)


async def connect(
    load: Load, page: SimulatedPage, leg: Leg, sender: int, *, connection: int
) -> int:
    """Offer `leg` as a page's connection of that number; return its number in the load."""
    answer = await page.offer(connection, leg.sdp())
    return load.add(await leg.connect(answer["sdp"], sender=sender, hears=sender ^ 1))


async def _answer(process: asyncio.subprocess.Process) -> dict[str, Any]:
    if process.stdout is None:
        raise Unavailable("the service does not speak")
    async with asyncio.timeout(START_SECONDS):
        line = await process.stdout.readline()
    if not line:
        raise Unavailable("the service has ended; what it said stands above")
    return dict(json.loads(line))


@asynccontextmanager
async def running(
    folder: Path, core: int | None, packet_path: str = "auto"
) -> AsyncIterator[Service]:
    """Run the service over `folder`, on one core alone if named, until the block ends."""
    async with running_as(Service, folder, core, packet_path) as service:
        yield service


@asynccontextmanager
async def running_as(
    kind: type[S], folder: Path, core: int | None, packet_path: str = "auto"
) -> AsyncIterator[S]:
    """Run the service as `running` does, and give it as one that may ask it more."""
    here = os.environ.get("PYTHONPATH")
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, (str(SERVER_FOLDER), here)))
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server.bench.serve", str(folder), packet_path),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=environment,
        limit=LARGEST_LINE,
    )
    try:
        if core is not None:
            pin(process.pid, core)
        base_url = (await _answer(process))["base_url"]
        # Each page keeps a connection: with a limit, whoever comes after it waits for ever.
        connector = aiohttp.TCPConnector(limit=0)
        jar = aiohttp.DummyCookieJar()
        async with aiohttp.ClientSession(connector=connector, cookie_jar=jar) as http:
            service = kind(process, base_url, http)
            yield service
            await service.close()
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), END_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
