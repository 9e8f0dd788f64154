"""Carries TCP connections from the loopback of one namespace to a port of another."""

import asyncio
import contextlib
import socket

from tools.netns.space import Namespace

CHUNK_BYTES = 65536


class Door:
    """Listens inside one namespace and connects inside another, from this process."""

    def __init__(self, server: asyncio.Server, port: int) -> None:
        self.port = port
        self._server = server
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(cls, front: Namespace, back: Namespace, to: tuple[str, int]) -> "Door":
        """Listen on a free port of `front`'s loopback; `to` is an address inside `back`."""
        listening = front.socket_of(socket.AF_INET, socket.SOCK_STREAM)
        listening.bind(("127.0.0.1", 0))
        door: Door | None = None

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            if door is not None and task is not None:
                door._tasks.add(task)
                task.add_done_callback(door._tasks.discard)
            await _carry(reader, writer, back, to)

        server = await asyncio.start_server(accept, sock=listening)
        door = cls(server, listening.getsockname()[1])
        return door

    async def close(self) -> None:
        """Stop listening and drop what is open."""
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _carry(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    back: Namespace,
    to: tuple[str, int],
) -> None:
    plain = back.socket_of(socket.AF_INET, socket.SOCK_STREAM)
    plain.setblocking(False)
    onward: asyncio.StreamWriter | None = None
    try:
        await asyncio.get_running_loop().sock_connect(plain, to)
        other, onward = await asyncio.open_connection(sock=plain)
        await asyncio.gather(_pump(reader, onward), _pump(other, writer))
    except OSError:
        pass  # nobody there: the connection is dropped, as it would be
    finally:
        if onward is None:
            plain.close()
        else:
            onward.transport.abort()
        writer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()
