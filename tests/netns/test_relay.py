"""coturn, set up as we print it, carries media to our address and nothing else."""

import asyncio
import base64
import hashlib
import hmac
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aioice import stun
from aioice.stun import TransactionFailed
from aioice.turn import TurnClientUdpProtocol

from media.node import MediaNode
from media.settings import MediaSettings
from server.relay import Grant, Relay, RelayUse, grant
from server.relay_conf import PER_NAME, turnserver_conf
from tests.media.basics import CALL, Events, make_permit
from tests.media.probe import Probe
from tools.netns.coturn import Coturn
from tools.netns.link import Link, udp_socket

PORT = 3478
MEDIA_PORT = 40000
RELAY = Relay((f"turn:relay.example:{PORT}?transport=udp",), "a secret", timedelta(hours=1))


class World:
    """A relay in the server's namespace, and clients of it in the other."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self._made: list[TurnClientUdpProtocol] = []

    async def client(self, given: Grant) -> TurnClientUdpProtocol:
        """Return a client with an allocation. Raises `TransactionFailed` when it is refused."""
        server = (self.link.server_address, PORT)
        with self.link.client.inside():
            _, client = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: TurnClientUdpProtocol(
                    server,
                    username=given.username,
                    password=given.credential,
                    lifetime=600,
                    channel_refresh_time=500,
                ),
                remote_addr=server,
            )
        self._made.append(client)
        await client.connect()
        return client

    async def close(self) -> None:
        for client in self._made:
            if client.relayed_address is not None:
                await client.delete()
            client.transport.close()


@pytest.fixture
async def world(make_link: Callable[..., Awaitable[Link]], tmp_path: Path) -> AsyncIterator[World]:
    link = await make_link()
    coturn = Coturn(tmp_path / "coturn", link.server, link.server_address, PORT)
    conf = turnserver_conf(RELAY, media=[link.server_address], secret_file="keys/relay")
    await coturn.start(conf)
    made = World(link)
    yield made
    await made.close()
    await coturn.stop()


def granted(*, age: timedelta = timedelta()) -> Grant:
    """Return a grant of some time ago."""
    given = grant(RELAY, RelayUse.FALLBACK, now=datetime.now(UTC) - age)
    assert given is not None
    return given


async def test_a_granted_page_reaches_the_media_address_through_the_relay(world: World) -> None:
    media = udp_socket(world.link.server, world.link.server_address, MEDIA_PORT)
    client = await world.client(granted())
    await client.send_data(b"a check", (world.link.server_address, MEDIA_PORT))
    async with asyncio.timeout(5):
        data, source = await asyncio.get_running_loop().sock_recvfrom(media, 100)
    assert data == b"a check"
    assert client.relayed_address is not None
    assert source == client.relayed_address
    media.close()


def check(answer: str) -> bytes:
    """Return a binding request to the connection that an answer is about."""
    ufrag, password = re.findall("a=ice-(?:ufrag|pwd):(.+)\r\n", answer)[:2]
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    message.attributes["USERNAME"] = f"{ufrag}:them"
    message.attributes["PRIORITY"] = 1
    message.attributes["ICE-CONTROLLING"] = 1
    message.add_message_integrity(password.encode())
    return bytes(message)


async def test_where_only_the_relay_may_be_used_a_check_by_any_other_way_is_not_answered(
    world: World,
) -> None:
    link, permit, heard = world.link, await make_permit(), asyncio.Event()
    address = link.server_address
    node = MediaNode(MediaSettings(address, MEDIA_PORT, (address,), tcp=False), Events())
    with link.server.inside():
        await node.start()
    node.open_call(CALL)
    probe = Probe(ssrc=1000)
    answer = node.join(permit, CALL, "counter", probe.offer(), only_from=(address,))
    direct = udp_socket(link.client, link.client_address, 0)
    loop = asyncio.get_running_loop()

    async def sent_directly() -> bool:
        await loop.sock_sendto(direct, check(answer), (address, MEDIA_PORT))
        try:
            async with asyncio.timeout(0.4):
                return bool(await loop.sock_recv(direct, 600))
        except TimeoutError:
            return False

    assert not await sent_directly()
    client = await world.client(granted())
    client.receiver = Heard(heard)
    await client.send_data(check(answer), (address, MEDIA_PORT))
    async with asyncio.timeout(5):
        await heard.wait()
    answer = node.join(permit, CALL, "counter", probe.offer(), only_from=None)
    assert await sent_directly()
    node.join(permit, CALL, "counter", probe.offer(), only_from=())
    assert not await sent_directly()
    direct.close()
    probe.close()
    await node.stop()


class Heard(asyncio.DatagramProtocol):
    """Says that something came through the relay."""

    def __init__(self, event: asyncio.Event) -> None:
        self._event = event

    def datagram_received(self, data: bytes, address: object) -> None:
        self._event.set()


@pytest.mark.parametrize("peer", ["10.77.0.9", "10.77.1.2", "127.0.0.1", "192.0.2.1", "224.0.0.1"])
async def test_a_peer_that_is_not_our_media_address_is_refused(world: World, peer: str) -> None:
    world.link.add_server_address("10.77.0.9")
    client = await world.client(granted())
    with pytest.raises(TransactionFailed) as refused:
        await client.send_data(b"x", (peer, MEDIA_PORT))
    assert refused.value.response.error_code == 403


async def test_credentials_are_refused_when_expired_changed_or_invented(world: World) -> None:
    good = granted()
    later = good.username.replace(good.username[:10], str(int(good.username[:10]) + 9999))
    for bad in (
        granted(age=timedelta(hours=1, seconds=5)),
        replace(good, username=later),
        replace(good, credential=base64.b64encode(b"x" * 20).decode()),
        replace(good, username="clerk", credential="clerk"),
    ):
        with pytest.raises(TransactionFailed) as refused:
            await world.client(bad)
        assert refused.value.response.error_code == 401
    await world.client(good)


async def test_one_page_has_a_bounded_number_of_allocations(world: World) -> None:
    given = granted()
    for _ in range(PER_NAME):
        await world.client(given)
    with pytest.raises(TransactionFailed) as refused:
        await world.client(given)
    assert refused.value.response.error_code == 486


def test_credentials_are_those_of_the_turn_rest_scheme_and_name_nobody() -> None:
    now = datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC)
    given = grant(RELAY, RelayUse.ONLY, now=now)
    assert given is not None
    expiry, _, name = given.username.partition(":")
    assert int(expiry) == int((now + RELAY.lifetime).timestamp())
    assert len(name) == 22
    mac = hmac.new(b"a secret", given.username.encode(), hashlib.sha1).digest()
    assert given.credential == base64.b64encode(mac).decode()
    again = grant(RELAY, RelayUse.ONLY, now=now)
    assert again is not None
    assert again.username != given.username
    assert "a secret" not in repr(RELAY)


def test_without_a_relay_or_leave_to_use_it_there_are_no_credentials() -> None:
    now = datetime.now(UTC)
    assert grant(None, RelayUse.ONLY, now=now) is None
    assert grant(RELAY, RelayUse.NONE, now=now) is None
