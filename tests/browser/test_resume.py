"""Whatever breaks, the same call goes on: same number, same chat, and the pictures move again."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from server.demo.lan import lan_address
from tools.browsers.lines import TcpLine, UdpRelay
from tools.browsers.page import Browser
from tools.browsers.people import Pair, sit_down
from tools.browsers.service import RunningService, Town

pytestmark = [
    pytest.mark.browser,
    pytest.mark.fault,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]
CUT_SECONDS = 8.0
LARGE_BYTES = 6_000_000
SLOW_BYTES_PER_SECOND = 1_000_000.0


@pytest_asyncio.fixture(loop_scope="session")
async def own_service(tmp_path: Path) -> AsyncIterator[RunningService]:
    """A service of this test's own, which it may kill."""
    running = RunningService(tmp_path / "service")
    await running.start()
    yield running
    await running.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def line(service: RunningService) -> AsyncIterator[TcpLine]:
    """What the counter's pages, socket and files go through."""
    opened = await TcpLine.open(service.port)
    yield opened
    await opened.close()


@pytest_asyncio.fixture(loop_scope="session")
async def lined(
    browser: Browser, service: RunningService, town: Town, line: TcpLine
) -> AsyncIterator[Pair]:
    """Both ends in a call, the counter behind `line`."""
    pair = await sit_down(browser, browser, town, line.base_url, service.base_url)
    await pair.talk()
    await pair.until_moving()
    yield pair
    await pair.end()


def large_pdf(path: Path) -> Path:
    """Write a PDF that takes seconds on a slow line."""
    path.write_bytes(b"%PDF-1.4\n%" + os.urandom(LARGE_BYTES) + b"\n%%EOF\n")
    return path


async def until_the_same_call(pair: Pair, number: str, *chat: str) -> None:
    """Wait until both talk again, in the call with that number and that chat."""
    for seat in pair.both:
        await seat.until_says("call.talking", seconds=60)
        assert await seat.number() == number
        await seat.until_messages(*chat)
    await pair.until_moving(seconds=60)


async def test_a_reload_of_either_page_comes_back_to_the_same_call(call: Pair) -> None:
    number = await call.counter.number()
    await call.counter.write("ひとつ")
    await call.desk.until_messages("ひとつ")
    await call.desk.write("ふたつ")
    await call.counter.until_messages("ひとつ", "ふたつ")
    for seat in call.both:
        await seat.page.reload()
        await until_the_same_call(call, number, "ひとつ", "ふたつ")
    await call.counter.write("みっつ")
    await call.desk.until_messages("ひとつ", "ふたつ", "みっつ")


async def test_a_line_cut_for_eight_seconds_ends_nothing(lined: Pair, line: TcpLine) -> None:
    number = await lined.counter.number()
    await lined.counter.write("まえ")
    await lined.desk.until_messages("まえ")
    line.cut()
    await asyncio.gather(
        lined.desk.until_says("stage.lost.counter"), lined.counter.until_says("call.away")
    )
    await lined.desk.write("あいだ")
    # The cut itself lasts this long.
    await asyncio.sleep(CUT_SECONDS)
    line.mend()
    await until_the_same_call(lined, number, "まえ", "あいだ")
    await lined.counter.write("あと")
    await lined.desk.until_messages("まえ", "あいだ", "あと")


async def test_an_upload_goes_on_where_a_cut_line_stopped_it(
    lined: Pair, line: TcpLine, tmp_path: Path
) -> None:
    paper = large_pdf(tmp_path / "おおきい.pdf")
    line.bytes_per_second = SLOW_BYTES_PER_SECOND
    await lined.counter.send_file(paper)
    await lined.desk.show_files()
    await lined.desk.page.until("document.querySelector('.file progress')?.value > 1e6")
    line.cut()
    await lined.counter.until_says("call.away")
    line.bytes_per_second = None
    line.mend()
    await lined.desk.until_file(paper.name, "offered", seconds=60)


async def test_a_killed_server_goes_on_with_call_chat_and_upload(
    browser: Browser, own_service: RunningService, tmp_path: Path
) -> None:
    town = await own_service.town("killed")
    line = await TcpLine.open(own_service.port)
    pair = await sit_down(browser, browser, town, line.base_url, own_service.base_url)
    await pair.talk()
    await pair.until_moving()
    number = await pair.counter.number()
    await pair.counter.write("まえ")
    await pair.desk.until_messages("まえ")
    paper = large_pdf(tmp_path / "おおきい.pdf")
    line.bytes_per_second = SLOW_BYTES_PER_SECOND
    await pair.counter.send_file(paper)
    await pair.desk.show_files()
    await pair.desk.page.until("document.querySelector('.file progress')?.value > 1e6")
    await pair.desk.write("とちゅう")
    await own_service.kill()
    await asyncio.gather(
        pair.counter.until_says("call.away"), pair.desk.until_says("stage.own_lost")
    )
    await pair.until_moving()  # nobody is there but the media process
    line.bytes_per_second = None
    await own_service.start()
    await until_the_same_call(pair, number, "まえ", "とちゅう")
    await pair.desk.until_file(paper.name, "offered", seconds=60)
    await pair.desk.decide("returned")
    await pair.counter.until_says("result.returned.title")
    await pair.end()
    await line.close()


async def test_a_network_that_gives_another_address_is_followed(
    browser: Browser, tmp_path: Path
) -> None:
    outside = lan_address() or "127.0.0.2"
    service = RunningService(tmp_path / "service", media_host="127.0.0.1", announce=outside)
    await service.start()
    relay = UdpRelay(outside, ("127.0.0.1", service.media_port))
    pair = await sit_down(browser, browser, await service.town("moved"), service.base_url)
    await pair.talk()
    await pair.until_moving()
    number = await pair.counter.number()
    assert relay.peers >= 2
    relay.rebind()
    await until_the_same_call(pair, number)
    relay.cut = True
    await pair.desk.page.until("__moves('.picture video').then((m) => m.most === 0)")
    relay.rebind()
    relay.cut = False
    await until_the_same_call(pair, number)
    await pair.end()
    relay.close()
    await service.stop()
