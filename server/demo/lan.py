"""The demo's second door: https on the address of the local network, for a real tablet."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from aiohttp import web

from server.app import Service
from server.demo.authority import Issued, issue, server_context

HTTPS_PORT = 8443
AUTHORITY_PORT = 8081
AUTHORITY_PATH = "/demo/ca.crt"
# TEST-NET-1 (RFC 5737): connecting a UDP socket sends nothing, it only asks for the route.
NOWHERE = ("192.0.2.1", 9)


@dataclass(frozen=True, slots=True)
class Door:
    """Where the network reaches the demo: pages by https, the authority's certificate by http."""

    address: str
    https_port: int
    authority_port: int

    @property
    def origin(self) -> str:
        """The origin of the pages."""
        return f"https://{self.address}:{self.https_port}"

    @property
    def authority_url(self) -> str:
        """Where the certificate to install is fetched; a tablet does not trust https yet."""
        return f"http://{self.address}:{self.authority_port}{AUTHORITY_PATH}"


def lan_address() -> str | None:
    """Return this machine's IPv4 address on the local network, None when it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(NOWHERE)
        except OSError:
            return None
        address = str(probe.getsockname()[0])
    return None if address.startswith("127.") else address


def free_port(host: str, wanted: int) -> int:
    """Return `wanted` when it is free at `host`, else some free port. Raises `OSError`."""
    for port in (wanted, 0):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                if port == 0:
                    raise
            else:
                return int(probe.getsockname()[1])
    raise OSError(f"no free port at {host}")


def choose_door(address: str) -> Door:
    """Return a door at `address` with free ports."""
    https = free_port(address, HTTPS_PORT)
    return Door(address, https, free_port(address, AUTHORITY_PORT))


@asynccontextmanager
async def open_door(
    service: Service, door: Door, folder: Path, *, now: datetime
) -> AsyncIterator[Issued]:
    """Serve at the door until the block ends; gives the certificates made for it."""
    issued = issue((door.address,), now=now)
    context = server_context(issued, folder)
    await web.TCPSite(service.runner, door.address, door.https_port, ssl_context=context).start()
    runner = web.AppRunner(_authority_app(issued), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, door.address, door.authority_port).start()
        yield issued
    finally:
        await runner.cleanup()


def _authority_app(issued: Issued) -> web.Application:
    async def certificate(request: web.Request) -> web.Response:
        return web.Response(
            body=issued.authority,
            content_type="application/x-x509-ca-cert",
            headers={"Content-Disposition": 'attachment; filename="madoguchi-demo-ca.crt"'},
        )

    app = web.Application()
    app.router.add_get(AUTHORITY_PATH, certificate)
    return app
