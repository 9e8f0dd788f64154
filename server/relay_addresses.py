"""Where our relay sends from: looked up once, at the start."""

import asyncio
import logging
import socket
from dataclasses import replace

from media.ice import plain_host
from server.relay import Relay

log = logging.getLogger(__name__)
LOOK_UP_SECONDS = 3.0


async def with_addresses(relay: Relay | None) -> Relay | None:
    """Return the relay with all of its addresses: those that are set and those of its names."""
    if relay is None:
        return None
    found = {address for host in relay.hosts for address in await _addresses_of(host)}
    return replace(relay, addresses=tuple(sorted(found)))


async def _addresses_of(host: str) -> set[str]:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(LOOK_UP_SECONDS):
            found = await loop.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    except (OSError, TimeoutError):
        log.warning("the relay's address cannot be looked up: set [relay] addresses")
        return set()
    return {plain_host(str(address[0])) for *_, address in found}
