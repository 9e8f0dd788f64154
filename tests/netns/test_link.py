"""The line of the namespaces does to packets what it is told, and nothing goes around it."""

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tools.netns.faults import Fault
from tools.netns.link import Link, udp_socket
from tools.netns.space import Namespace, NotPossible

MakeLink = Callable[..., Awaitable[Link]]
PACKETS = 400


class Ends:
    """A UDP socket at either end of a line."""

    def __init__(self, link: Link) -> None:
        self.near = udp_socket(link.client, link.client_address)
        self.far = udp_socket(link.server, link.server_address)

    async def send(self, payload: bytes = b"x") -> None:
        await asyncio.get_running_loop().sock_sendto(self.near, payload, self.far.getsockname())

    async def take(self, seconds: float = 2.0) -> tuple[bytes, tuple[str, int]]:
        async with asyncio.timeout(seconds):
            return await asyncio.get_running_loop().sock_recvfrom(self.far, 4096)

    def __enter__(self) -> "Ends":
        return self

    def __exit__(self, *_: object) -> None:
        self.near.close()
        self.far.close()


async def taken(link: Link) -> int:
    """Return for how many packets on the way up it has been decided what becomes of them."""
    counts = (await link.counts())["up"]
    return int(counts["passed"]) + int(counts["lost"]) + int(counts["dropped"])


async def flood(ends: Ends, link: Link, packets: int = PACKETS, payload: bytes = b"x") -> None:
    """Send a number of packets and wait until the line has done with them."""
    before = await taken(link)
    for number in range(packets):
        await ends.send(payload)
        if number % 20 == 19:
            await link.counts()
    async with asyncio.timeout(10):
        while await taken(link) - before < packets:
            pass


async def test_a_delay_is_added_and_a_cut_lets_nothing_through(make_link: MakeLink) -> None:
    link = await make_link()
    with Ends(link) as ends:
        await link.set(both=Fault(delay_seconds=0.08))
        began = time.monotonic()
        await ends.send()
        await ends.take()
        assert 0.08 <= time.monotonic() - began < 0.3
        await link.set(both=Fault(cut=True))
        await ends.send()
        with pytest.raises(TimeoutError):
            await ends.take(0.2)
        await link.mend()
        await ends.send(b"again")
        assert (await ends.take())[0] == b"again"


@pytest.mark.parametrize("burst", [None, 4.0])
async def test_the_share_of_packets_that_it_is_told_is_lost(
    make_link: MakeLink, burst: float | None
) -> None:
    link = await make_link(seed=3)
    with Ends(link) as ends:
        await link.set(up=Fault(loss=0.25, burst=burst))
        await flood(ends, link)
        lost = (await link.counts())["up"]["lost"]
        assert 0.15 * PACKETS < lost < 0.35 * PACKETS


async def test_more_than_the_rate_waits_and_then_is_dropped(make_link: MakeLink) -> None:
    link = await make_link()
    with Ends(link) as ends:
        await link.set(up=Fault(rate_bps=1_000_000, queue_seconds=0.1))
        await flood(ends, link, 100, bytes(972))
        counts = (await link.counts())["up"]
        # 0.1 s of 1 Mbit/s are twelve packets of 1,000 bytes, and what leaves meanwhile.
        assert counts["dropped"] > 40
        assert counts["passed"] >= 12


async def test_a_router_that_forgets_comes_from_another_port(make_link: MakeLink) -> None:
    link = await make_link(nat=True)
    loop = asyncio.get_running_loop()
    with Ends(link) as ends:
        seen = []
        for outside in (None, "198.51.100.9"):
            await ends.send()
            seen.append((await ends.take())[1])
            await loop.sock_sendto(ends.far, b"back", seen[-1])
            async with asyncio.timeout(2):
                assert await loop.sock_recv(ends.near, 100) == b"back"
            await link.rebind(outside)
        await ends.send()
        seen.append((await ends.take())[1])
        assert [host for host, _ in seen] == [link.public_address] * 2 + ["198.51.100.9"]
        assert len({port for _, port in seen}) == 3


async def test_the_client_can_move_to_another_address(make_link: MakeLink) -> None:
    link = await make_link()
    link.move("10.77.1.3")
    with Ends(link) as ends:
        await ends.send()
        assert (await ends.take())[1][0] == "10.77.1.3"


async def test_pages_reach_the_service_around_the_line_or_over_it(make_link: MakeLink) -> None:
    link = await make_link()

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    with link.server.inside():
        served = await asyncio.start_server(greet, "0.0.0.0", 0)
    port = served.sockets[0].getsockname()[1]
    around = await link.door(port)
    over = await link.door(port, over_line=True)
    await link.set(both=Fault(cut=True))
    for base_url, reached in ((around, True), (over, False)):
        plain = link.client.socket_of(socket.AF_INET, socket.SOCK_STREAM)
        plain.setblocking(False)
        await asyncio.get_running_loop().sock_connect(
            plain, ("127.0.0.1", int(base_url.rsplit(":", 1)[1]))
        )
        if reached:
            assert await asyncio.get_running_loop().sock_recv(plain, 100) == b"hello"
        else:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await asyncio.get_running_loop().sock_recv(plain, 100)
        plain.close()
    served.close()


async def test_nothing_outside_can_be_reached_and_nothing_is_left_behind(
    make_link: MakeLink,
) -> None:
    link = await make_link()
    names = {link.client.name, link.server.name}
    devices = {line.split(":")[1].strip() for line in link.client.ip("-o", "link").splitlines()}
    assert devices == {"lo", link.client.name}
    await link.close()
    assert not names & {path.name for path in Path("/run/netns").iterdir()}


def test_without_root_one_sentence_says_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(NotPossible, match="needs root"):
        Namespace("never-made")
