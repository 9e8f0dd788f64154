"""`madoguchi demo`: try it on one machine, or let it check itself."""

import asyncio
import contextlib
import json
import logging
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import click

from security.errors import Unavailable
from server.app import Service, running_service
from server.demo import printout
from server.demo.authority import fingerprint
from server.demo.browser import Browser
from server.demo.check import check
from server.demo.client import SimulatedPage
from server.demo.encoded import resident_clip
from server.demo.lan import Door, choose_door, free_port, lan_address, open_door
from server.demo.resident import SimulatedResident
from server.demo.seed import Seed, counter_link, desk_link, give_pins, settings_for, sow

log = logging.getLogger(__name__)
PORT = 8080
LOOPBACK = "127.0.0.1"
RESIDENT, PERSON, TABLET = 0, 1, 2  # which tablet is whose


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line asked for; `port` None takes 8080 or any free one."""

    data: Path | None
    port: int | None
    resident: bool
    lan: bool


@click.command()
@click.option("--check", "checking", is_flag=True, help="Simulate both sides, report, end.")
@click.option("--json", "as_json", is_flag=True, help="With --check: print one JSON object.")
@click.option(
    "--record",
    "bundle",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --check: leave the bundle of the call's record in this file.",
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep everything in this folder instead of removing it.",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port at localhost [8080 or a free one]."
)
@click.option("--no-resident", is_flag=True, help="Leave the simulated resident out.")
@click.option("--lan/--no-lan", default=True, help="Serve the local network by https as well.")
def demo(
    *,
    checking: bool,
    as_json: bool,
    bundle: Path | None,
    data: Path | None,
    port: int | None,
    no_resident: bool,
    lan: bool,
) -> None:
    """Try it: a service on this machine with a made-up municipality that keeps nothing."""
    if (as_json or bundle) and not checking:
        raise click.UsageError("--json and --record go with --check")
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s"
    )
    if checking:
        _check(data, bundle, as_json=as_json)
    else:
        wishes = Wishes(data, port, resident=not no_resident, lan=lan)
        asyncio.run(_until_told(wishes))


def _check(data: Path | None, bundle: Path | None, *, as_json: bool) -> None:
    with _folder(data) as folder:
        report = asyncio.run(check(folder, bundle))
    if as_json:
        click.echo(json.dumps(report.as_json(), ensure_ascii=False))
    else:
        click.echo(printout.report_lines(report))
    if not report.well:
        raise click.exceptions.Exit(1)


@contextmanager
def _folder(data: Path | None) -> Iterator[Path]:
    if data is not None:
        yield data
        return
    with tempfile.TemporaryDirectory(prefix="madoguchi-demo-") as name:
        yield Path(name)


async def _until_told(wishes: Wishes) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    with _folder(wishes.data) as folder:
        try:
            async with open_demo(wishes, folder) as demo:
                demo.greet()
                with demo.links_on_enter():
                    await stop.wait()
        except OSError as problem:
            raise Unavailable(f"the demo cannot start: {problem}") from problem
    click.echo()


class Demo:
    """A running demo: prints links and makes new ones."""

    def __init__(
        self,
        service: Service,
        seed: Seed,
        wishes: Wishes,
        links: printout.Links,
        network: str | None,
        pin: str,
    ) -> None:
        self.service = service
        self.seed = seed
        self.links = links
        self._wishes = wishes
        self._network = network
        self._pin = pin
        self._making: set[asyncio.Task[None]] = set()

    def greet(self) -> None:
        """Print where everything is."""
        kept = str(self._wishes.data) if self._wishes.data else None
        click.echo(
            printout.welcome(
                self.service.base_url, self.links, resident=self._wishes.resident, kept_in=kept
            )
        )
        click.echo(printout.pin(self._pin))
        if self._wishes.lan:
            click.echo(self._network or printout.no_network())

    @contextmanager
    def links_on_enter(self) -> Iterator[None]:
        """Print new links whenever Enter is pressed, if somebody sits there."""
        if not sys.stdin.isatty():
            yield
            return
        click.echo(printout.more_links())
        loop = asyncio.get_running_loop()
        loop.add_reader(sys.stdin.fileno(), self._enter)
        try:
            yield
        finally:
            loop.remove_reader(sys.stdin.fileno())

    def _enter(self) -> None:
        if not sys.stdin.readline():
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
            return
        task = asyncio.create_task(self._print_links())
        self._making.add(task)
        task.add_done_callback(self._making.discard)

    async def _print_links(self) -> None:
        links = await make_links(self.service, self.seed, None)
        click.echo(printout.one_time(links))


@asynccontextmanager
async def open_demo(wishes: Wishes, folder: Path) -> AsyncIterator[Demo]:
    """Run service, simulated resident and network door until the block ends."""
    address = lan_address() if wishes.lan else None
    door = choose_door(address) if address else None
    settings = settings_for(
        folder,
        port=free_port(LOOPBACK, PORT) if wishes.port is None else wishes.port,
        media_host="0.0.0.0" if door else LOOPBACK,  # noqa: S104  # the tablet's media come there
        announce=(LOOPBACK, door.address) if door else (LOOPBACK,),
        origins=(door.origin,) if door else (),
    )
    async with contextlib.AsyncExitStack() as stack:
        service = await stack.enter_async_context(running_service(settings))
        seed = await sow(service.parts.people)
        pin = await give_pins(service.parts, seed)
        links = await make_links(service, seed, door)
        network = None
        if door is not None:
            now = service.parts.clock()
            issued = await stack.enter_async_context(open_door(service, door, folder, now=now))
            mark = fingerprint(issued.authority)
            network = printout.network(links.tablet or "", door.authority_url, mark)
        if wishes.resident:
            await stack.enter_async_context(resident_calling(service, seed))
        yield Demo(service, seed, wishes, links, network, pin)


async def make_links(service: Service, seed: Seed, door: Door | None) -> printout.Links:
    """Return fresh one-time links; the token stands in the fragment, which no server is sent."""
    parts = service.parts
    tablet = None
    if door is not None:
        tablet = f"{door.origin}/link#{await counter_link(parts, seed, TABLET)}"
    return printout.Links(
        counter=f"{service.base_url}/link#{await counter_link(parts, seed, PERSON)}",
        desk=f"{service.base_url}/link#{await desk_link(parts, seed, 0)}",
        tablet=tablet,
    )


@asynccontextmanager
async def resident_calling(service: Service, seed: Seed) -> AsyncIterator[None]:
    """Let the simulated resident call until the block ends."""
    clip = await asyncio.to_thread(resident_clip)
    token = await counter_link(service.parts, seed, RESIDENT)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        browser = Browser(http, service.base_url, "counter")
        await browser.use_link(token)
        resident = SimulatedResident(SimulatedPage(browser, clip))
        task = asyncio.create_task(resident.run())
        task.add_done_callback(_tell_end)
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def _tell_end(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        log.warning("the simulated resident stopped: %s", task.exception())
