"""Hard networks: what little a network lets through is found, and the call goes on over it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from security.secret_file import write_secret
from server.demo.authority import issue
from server.relay import Relay
from server.relay_conf import turnserver_conf
from tools.browsers.chromium import ALLOW_DEVICES, FAKE_DEVICES, Chromium
from tools.browsers.firefox import Firefox
from tools.browsers.gaps import longest_gap_seconds, until_gap_is_over, watch_gaps
from tools.browsers.page import Browser, Page
from tools.browsers.people import Pair, sit_down
from tools.browsers.service import RunningService
from tools.netns.coturn import Coturn
from tools.netns.link import Link

pytestmark = [
    pytest.mark.browser,
    pytest.mark.fault,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]
TURN_PORT, TURNS_PORT = 3478, 5349
# What the newest connection sends over: type and protocol of the chosen pair's own end.
CHOSEN = """(async () => {
  const open = __peers.filter((peer) => peer.connectionState === "connected").at(-1);
  const all = open ? [...(await open.getStats()).values()] : [];
  const chosen = all.find((r) => r.type === "transport")?.selectedCandidatePairId;
  const pair = all.find((r) => r.id === chosen)
    ?? all.find((r) => r.type === "candidate-pair" && (r.selected || r.nominated));
  const end = all.find((r) => r.id === pair?.localCandidateId);
  return end ? `${end.candidateType} ${end.relayProtocol ?? end.protocol}` : null;
})()"""


def lets_through(*rules: str) -> str:
    """Return the packet filter of a network that lets out what matches and in what answers it."""
    lines = "\n".join(f"    {rule} accept" for rule in ("oif lo", *rules))
    return (
        "table inet wall {\n  chain out {\n"
        f"    type filter hook output priority 0; policy drop;\n{lines}\n  }}\n"
        "  chain in {\n    type filter hook input priority 0; policy drop;\n"
        f"{lines.replace('oif', 'iif').replace('dport', 'sport')}\n  }}\n}}\n"
    )


async def until_over(page: Page, path: str) -> None:
    """Wait until a page's media go over a path of this type and protocol."""
    await page.until(f"{CHOSEN}.then((path) => path === '{path}')")


@pytest_asyncio.fixture(loop_scope="session")
async def relayed(
    make_link: Callable[..., Awaitable[Link]], tmp_path: Path
) -> AsyncIterator[tuple[Link, RunningService]]:
    """A service whose pages may use nothing but its relay."""
    link = await make_link()
    address = link.server_address
    urls = tuple(f"turn:{address}:{TURN_PORT}?transport={way}" for way in ("udp", "tcp"))
    urls += (f"turns:{address}:{TURNS_PORT}",)
    issued = issue((address,), now=datetime.now(UTC))
    coturn = Coturn(tmp_path / "coturn", link.server, address, TURN_PORT)
    conf = turnserver_conf(
        Relay(urls, "shared", timedelta(hours=1)), media=[address], secret_file="relay"
    )
    await coturn.start(conf, certificate=issued.chain, key=issued.key)
    write_secret(tmp_path / "relay", "shared")
    relay: dict[str, Any] = {"urls": urls, "use": "only", "secret_file": str(tmp_path / "relay")}
    service = RunningService(
        tmp_path / "service", media_host=address, within=link.server, relay=relay
    )
    await service.start()
    yield link, service
    await service.stop()
    await coturn.stop()


async def test_a_call_is_held_through_the_relay_by_udp_tcp_and_tls(
    relayed: tuple[Link, RunningService], tmp_path: Path
) -> None:
    link, service = relayed
    with link.client.inside():
        # The certificate of the relay is this test's own.
        chromium: Browser = await Chromium.start(
            tmp_path, (FAKE_DEVICES, ALLOW_DEVICES, "--ignore-certificate-errors")
        )
    base_url = await link.door(service.port)
    pair = await sit_down(chromium, chromium, await service.town("relayed"), base_url)
    link.client.nft(lets_through(f"udp dport {TURN_PORT}"))
    await pair.talk()
    for rule, path in (
        (f"udp dport {TURN_PORT}", "relay udp"),
        (f"tcp dport {TURN_PORT}", "relay tcp"),
        (f"tcp dport {TURNS_PORT}", "relay tls"),
    ):
        link.client.nft(lets_through(rule))
        if path != "relay udp":
            await asyncio.gather(*(seat.page.reload() for seat in pair.both))
        await asyncio.gather(*(until_over(seat.page, path) for seat in pair.both))
        await pair.until_moving()
    await pair.end()
    await chromium.close()


@pytest_asyncio.fixture(loop_scope="session", params=["chromium", "firefox"])
async def moving(
    request: pytest.FixtureRequest,
    make_link: Callable[..., Awaitable[Link]],
    tmp_path: Path,
) -> AsyncIterator[tuple[Link, RunningService, Pair]]:
    """A call whose counter and desk are behind a router, each page reached around the line."""
    link = await make_link(nat=True)
    service = RunningService(
        tmp_path / "service", media_host=link.server_address, within=link.server
    )
    await service.start()
    with link.client.inside():
        browser: Browser = await (
            Chromium.start(tmp_path)
            if request.param == "chromium"
            else Firefox.start(tmp_path / "profile")
        )
    base_url = await link.door(service.port)
    pair = await sit_down(browser, browser, await service.town("moving"), base_url)
    await pair.talk()
    await pair.until_moving()
    yield link, service, pair
    await pair.end()
    await browser.close()
    await service.stop()


async def gap_seconds(pair: Pair) -> float:
    """Return the longest time without media at either end, once media flow again."""
    await asyncio.gather(*(until_gap_is_over(seat.page, over_ms=0) for seat in pair.both))
    await pair.until_moving()
    return max([await longest_gap_seconds(seat.page) for seat in pair.both])


async def test_a_call_follows_its_network_through_every_change(
    moving: tuple[Link, RunningService, Pair],
) -> None:
    link, service, pair = moving
    number = await pair.counter.number()

    async def rebind() -> None:
        await link.rebind("198.51.100.8")

    async def move() -> None:
        link.move("10.77.1.3")

    async def lose_udp() -> None:
        link.client.nft(lets_through(f"tcp dport {service.media_port}"))

    # Bounds for a busy machine; tests/bench/moves.py measures.
    for change, most_seconds in ((rebind, 6.0), (move, 8.0), (lose_udp, 25.0)):
        for seat in pair.both:
            await watch_gaps(seat.page)
        await change()
        if change is lose_udp:
            for seat in pair.both:
                await seat.page.until(f"{CHOSEN}.then((path) => path?.endsWith(' tcp'))")
        assert await gap_seconds(pair) < most_seconds, change.__name__
    assert await pair.counter.number() == number
