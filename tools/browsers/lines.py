"""Lines between a browser and the service that can be cut, and that can change their address."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

CHUNK_BYTES = 65536
Address = tuple[str, int]


class TcpLine:
    """Forwards connections to a port of this machine; cut, it drops them and takes no new one.

    `bytes_per_second` slows what goes to the server, None lets it run.
    """

    def __init__(self, server: asyncio.Server, to_port: int) -> None:
        self._server = server
        self._to_port = to_port
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.down = False
        self.bytes_per_second: float | None = None

    @classmethod
    async def open(cls, to_port: int) -> "TcpLine":
        """Listen on a free port."""
        line: TcpLine | None = None

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if line is not None:
                await line._carry(reader, writer)

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        line = cls(server, to_port)
        return line

    @property
    def base_url(self) -> str:
        """Where pages reach the service through this line."""
        port = self._server.sockets[0].getsockname()[1]
        return f"http://localhost:{port}"

    def cut(self) -> None:
        """Drop every connection without a goodbye and refuse new ones until `mend`."""
        self.down = True
        for writer in tuple(self._writers):
            writer.transport.abort()

    def mend(self) -> None:
        """Let connections through again."""
        self.down = False

    async def close(self) -> None:
        """Stop listening."""
        self.cut()
        self._server.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if self.down:
            writer.transport.abort()
            return
        try:
            other, onward = await asyncio.open_connection("127.0.0.1", self._to_port)
        except OSError:
            writer.transport.abort()
            return
        pair = {writer, onward}
        self._writers |= pair
        await asyncio.gather(self._pump(reader, onward, slow=True), self._pump(other, writer))
        self._writers -= pair

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, slow: bool = False
    ) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(CHUNK_BYTES):
                writer.write(chunk)
                await writer.drain()
                if slow and self.bytes_per_second is not None:
                    await asyncio.sleep(len(chunk) / self.bytes_per_second)
        with contextlib.suppress(OSError):
            writer.close()


class UdpRelay:
    """Stands before the media port at another address of this machine, as a router does (NAT).

    Each peer has an upstream socket of its own. `rebind` gives all of them other ports, which is
    what a router does that forgot its table.
    """

    def __init__(self, host: str, media: Address) -> None:
        self.cut = False
        self._host = host
        self._media = media
        self._upstream: dict[Address, socket.socket] = {}
        self._down = _udp_socket((host, media[1]))
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._down, self._from_peers)

    @property
    def peers(self) -> int:
        """How many addresses are being carried."""
        return len(self._upstream)

    def rebind(self) -> None:
        """Forget every upstream port; the next datagram of a peer gets a new one."""
        for upstream in self._upstream.values():
            self._loop.remove_reader(upstream)
            upstream.close()
        self._upstream.clear()

    def close(self) -> None:
        """Stop."""
        self.rebind()
        self._loop.remove_reader(self._down)
        self._down.close()

    def _from_peers(self) -> None:
        for data, peer in _datagrams(self._down):
            if not self.cut:
                _send(self._upstream.get(peer) or self._new(peer), data, self._media)

    def _new(self, peer: Address) -> socket.socket:
        # Firefox believes no answer that says it was seen at 127.0.0.1.
        upstream = _udp_socket((self._host, 0))
        self._upstream[peer] = upstream
        self._loop.add_reader(upstream, self._to_peer, upstream, peer)
        return upstream

    def _to_peer(self, upstream: socket.socket, peer: Address) -> None:
        for data, _ in _datagrams(upstream):
            if not self.cut:
                _send(self._down, data, peer)


def _udp_socket(address: Address) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.setblocking(False)
    opened.bind(address)
    return opened


def _datagrams(plain: socket.socket) -> Iterator[tuple[bytes, Address]]:
    """Yield what has arrived; nothing when the other side is not there."""
    with contextlib.suppress(OSError):
        while True:
            yield plain.recvfrom(CHUNK_BYTES)


def _send(plain: socket.socket, data: bytes, address: Address) -> None:
    """Send; what the socket does not take is lost, as on any line."""
    with contextlib.suppress(OSError):
        plain.sendto(data, address)
