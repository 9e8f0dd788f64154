"""Whichever of the announced addresses alone can be reached, a call is held by it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from media.node import MediaNode, MediaSettings
from tests.media.basics import CALL, Events, until
from tests.media.clients import Client
from tools.netns.link import Link

VPN, VPN_CLIENT, PUBLIC = "10.8.0.1", "10.8.0.2", "203.0.113.5"
# A router before the service that translates the public address to its own, one to one.
ONE_TO_ONE = (
    "table ip router {{\n  chain in {{\n    type nat hook prerouting priority -100;\n"
    f"    ip daddr {PUBLIC} dnat to {{address}}\n  }}}}\n}}}}\n"
)


def reaches_only(address: str) -> str:
    """Return the packet filter of a network from which nothing but `address` can be reached."""
    family = "ip6" if ":" in address else "ip"
    return (
        "table inet wall {\n  chain out {\n    type filter hook output priority 0; policy drop;\n"
        f"    {family} daddr {address} accept\n  }}\n}}\n"
    )


@pytest.fixture
async def link(make_link: Callable[..., Awaitable[Link]]) -> Link:
    made = await make_link()
    made.add_tunnel(VPN_CLIENT, VPN)
    made.server.nft(ONE_TO_ONE.format(address=made.server_address))
    return made


@pytest.fixture
async def node(link: Link) -> AsyncIterator[MediaNode]:
    """A node on one port for both families, which announces four addresses."""
    announced = (VPN, PUBLIC, link.server_address, link.server_address6)
    made = MediaNode(MediaSettings("::", 0, announced), Events())
    with link.server.inside():
        await made.start()
    made.open_call(CALL)
    made.set_gate(CALL, open=True)
    yield made
    await made.stop()


@pytest.mark.parametrize("address", [VPN, PUBLIC, Link.server_address, Link.server_address6])
async def test_a_call_is_held_by_the_one_address_that_can_be_reached(
    link: Link, node: MediaNode, address: str
) -> None:
    link.client.nft(reaches_only(address))
    near, far = Client(60), Client(200)
    try:
        for client, party, space in ((near, "counter", link.client), (far, "desk", link.server)):
            with space.inside():
                await client.join(node, party)
        assert await until(lambda: near.frames > 5 and far.frames > 5)
        assert near.level > 120 > far.level
    finally:
        await asyncio.gather(near.close(), far.close())
