"""Two namespaces and a line between them that can be made as bad as a test likes.

    link = await Link.open(seed=7)
    service = RunningService(folder, media_host=link.server_address, within=link.server)
    await link.set(both=Fault(delay_seconds=0.05, loss=0.05))
    with link.client.inside():
        browser = await Chromium.start(folder)      # its media can go nowhere but over the line
    base_url = await link.door(service.port)        # pages and WebSocket, around the line
    …
    await link.close()

`client` holds whoever is on the bad line, `server` the service, and also whoever sits on a good
line: a browser started inside `server` reaches the service at once.
"""

import asyncio
import dataclasses
import itertools
import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

from tools.netns.door import Door
from tools.netns.faults import NOTHING_WRONG, Fault
from tools.netns.space import Namespace, run

Json = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]
ANSWER_SECONDS = 20.0
MTU_BYTES = 1500
_numbers = itertools.count()


class Link:
    """A line between `client` and `server`. Its devices are the only ones beside loopback."""

    client_address, server_address = "10.77.1.2", "10.77.0.1"
    client_address6, server_address6 = "fd77:1::2", "fd77::1"
    public_address = "198.51.100.7"

    def __init__(
        self, client: Namespace, server: Namespace, bridge: asyncio.subprocess.Process
    ) -> None:
        self.client = client
        self.server = server
        self._bridge = bridge
        self._doors: list[Door] = []
        self._device = ""
        self._turn = asyncio.Lock()

    @classmethod
    async def open(cls, *, seed: int = 1, nat: bool = False) -> "Link":
        """Make the namespaces and the line. With `nat` the server sees the client behind a router.

        Raises `NotPossible` where that cannot be done, with a sentence that says why.
        """
        mark = f"mg{os.getpid()}x{next(_numbers)}"
        near, far = f"{mark}c", f"{mark}s"
        client = Namespace(near)
        try:
            server = Namespace(far)
        except BaseException:
            client.delete()
            raise
        try:
            bridge = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tools.netns.bridge",
                near,
                far,
                str(seed),
                cwd=ROOT,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
            link = cls(client, server, bridge)
            await link._lay(near, far)
        except BaseException:
            client.delete()
            server.delete()
            raise
        if nat:
            await link._ask({"nat": cls.public_address})
        return link

    async def _lay(self, near: str, far: str) -> None:
        await self._answer()
        self._device = near
        ends = (
            (self.client, near, self.client_address, self.client_address6),
            (self.server, far, self.server_address, self.server_address6),
        )
        for space, device, address, address6 in ends:
            run("ip", "link", "set", device, "netns", space.name)
            space.ip("link", "set", device, "mtu", str(MTU_BYTES), "up")
            space.ip("addr", "add", f"{address}/32", "dev", device)
            space.ip("-6", "addr", "add", f"{address6}/128", "dev", device, "nodad")
            space.ip("route", "add", "default", "dev", device)
            space.ip("-6", "route", "add", "default", "dev", device)

    async def set(
        self, *, both: Fault | None = None, up: Fault | None = None, down: Fault | None = None
    ) -> None:
        """Change what is wrong from now on; up is client to server. What is not given stays."""
        up, down = up or both, down or both
        order = {"up": up, "down": down}
        await self._ask({k: dataclasses.asdict(v) for k, v in order.items() if v is not None})

    async def mend(self) -> None:
        """Let the line be good again."""
        await self.set(both=NOTHING_WRONG)

    async def rebind(self, address: str | None = None) -> None:
        """Have the router (`nat`) forget its ports, and come from another address if given."""
        await self._ask({"rebind": address})

    async def counts(self) -> Json:
        """Return `{"up", "down"}` with packets passed, lost by fault and dropped by the queue."""
        return await self._ask({"counts": True})

    def add_client_address(self, address: str) -> None:
        """Let the client have one more address, not used yet, as a second network that is up."""
        self.client.ip("addr", "replace", f"{address}/32", "dev", self._device)

    def move(self, address: str) -> None:
        """Give the client another address of its own instead of the one it has (IPv4)."""
        self.add_client_address(address)
        self.client.ip("route", "replace", "default", "dev", self._device, "src", address)
        self.client.ip("addr", "del", f"{self.client_address}/32", "dev", self._device)
        self.client_address = address

    def add_server_address(self, address: str) -> None:
        """Let the server have one more address."""
        length, device = (128 if ":" in address else 32), self.server.name
        self.server.ip("addr", "add", f"{address}/{length}", "dev", device, "nodad")

    def add_tunnel(self, client_address: str, server_address: str) -> None:
        """Give both one more address from which they reach that of the other, as a VPN does."""
        ends = (self.client, client_address, server_address)
        for space, own, other in (ends, (self.server, server_address, client_address)):
            space.ip("addr", "add", f"{own}/32", "dev", space.name)
            space.ip("route", "add", f"{other}/32", "dev", space.name, "src", own)

    async def door(self, port: int, *, over_line: bool = False) -> str:
        """Return a base URL on the client's loopback that leads to a TCP port of the server.

        It goes around the line, or `over_line` to the server's address with all faults. Pages from
        it are a secure context.
        """
        to = (self.server_address, port) if over_line else ("127.0.0.1", port)
        door = await Door.open(self.client, self.client if over_line else self.server, to)
        self._doors.append(door)
        return f"http://localhost:{door.port}"

    async def close(self) -> None:
        """End the bridge and remove the namespaces."""
        for door in self._doors:
            await door.close()
        if self._bridge.stdin is not None:
            self._bridge.stdin.close()
        await self._bridge.wait()
        self.client.delete()
        self.server.delete()

    async def _ask(self, order: Json) -> Json:
        if self._bridge.stdin is None:
            raise ConnectionError("the bridge takes no orders")
        async with self._turn:
            self._bridge.stdin.write(json.dumps(order).encode() + b"\n")
            return await self._answer()

    async def _answer(self) -> Json:
        if self._bridge.stdout is None:
            raise ConnectionError("the bridge says nothing")
        async with asyncio.timeout(ANSWER_SECONDS):
            line = await self._bridge.stdout.readline()
        if not line:
            raise ConnectionError("the bridge has ended")
        return dict(json.loads(line))


def udp_socket(space: Namespace, address: str, port: int = 0) -> socket.socket:
    """Return a UDP socket inside `space`, bound there, that does not block."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = space.socket_of(family, socket.SOCK_DGRAM)
    made.setblocking(False)
    made.bind((address, port))
    return made
