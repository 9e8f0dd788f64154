"""Every page in every state, over the real service, with real browsers and real media."""

from contextlib import AsyncExitStack
from pathlib import Path

from server.demo.lan import lan_address
from tools.browsers.lines import TcpLine, UdpRelay
from tools.browsers.page import Browser
from tools.browsers.people import DESK_SIZE, PORTRAIT, Counter, Desk, sit_down
from tools.browsers.service import RunningService
from tools.tour.doors import walk_doors
from tools.tour.ending import walk_out, walk_results
from tools.tour.house import walk_house, walk_records
from tools.tour.officer import walk_office
from tools.tour.precheck import walk_checks, walk_precheck
from tools.tour.queue import walk_busy_queue, walk_closed_hall, walk_ringing, walk_trouble
from tools.tour.scene import Visit
from tools.tour.talk import Talk

# Long enough to be looked at in every form.
PATIENCE = {"ring_seconds": 120, "resume_seconds": 600}


async def walk(browser: Browser, folder: Path, visit: Visit) -> None:
    """Show `visit` every state once, one after another; `folder` is for whatever is written."""
    async with AsyncExitStack() as after:
        outside = lan_address() or "127.0.0.2"
        service = RunningService(
            folder / "service", media_host="127.0.0.1", announce=outside, calls=PATIENCE
        )
        await service.start()
        after.push_async_callback(service.stop)
        media = UdpRelay(outside, ("127.0.0.1", service.media_port))
        after.callback(media.close)
        town = await service.town("kakuu")
        await service.town("mihon")  # with a second one a desk must say which
        lines = (await TcpLine.open(service.port), await TcpLine.open(service.port))
        for line in lines:
            after.push_async_callback(line.close)
        pair = await sit_down(browser, browser, town, lines[0].base_url, lines[1].base_url)
        second = Counter(await browser.seat(*PORTRAIT), service.base_url)
        other = Desk(await browser.seat(*DESK_SIZE), service.base_url)
        for seat in (*pair.both, second, other):
            after.push_async_callback(seat.page.end)
        await walk_closed_hall(pair, visit)
        await walk_trouble(pair.counter, visit)
        await pair.counter.page.reload()
        await walk_precheck(pair.counter, visit)
        await second.enter(town.counters[1])
        await walk_ringing(pair, second, visit)
        await other.enter(town.desks[1])
        await walk_busy_queue(other, visit)
        await walk_checks(other, visit)
        await other.page.open(f"{service.base_url}/")
        await Talk(pair, lines, media, folder, visit).walk()
        await walk_results(pair.counter, second, pair.desk, visit)
        await walk_records(other.page, service.base_url, visit)
        await walk_out(pair.counter, pair.desk, visit)
        await walk_doors(other.page, service.base_url, visit)
        await walk_office(other.page, service.base_url, town.officers, visit)
        (administrator,) = town.administrators
        await walk_house(other.page, service.base_url, administrator, second, visit)
