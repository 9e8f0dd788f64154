"""A page without a screen: speaks PROTOCOL.md as the browser does."""

import asyncio
import contextlib
import itertools
import json
import logging
import socket
import time
from collections.abc import Callable

import aiohttp

from security.ids import new_id
from server.demo.browser import Browser, refusal
from server.demo.encoded import EncodedClip
from server.demo.leg import MediaLeg
from server.demo.mirror import Json, Mirror
from server.demo.transfer import download, upload

log = logging.getLogger(__name__)
ANSWER_SECONDS = 10.0


class SimulatedPage:
    """One page of one signed-in seat; `browser` has used its link already.

    `mirror` holds what the server told. Requests raise `MadoguchiError` with the server's code,
    and `ConnectionError` when the socket is lost before the answer.
    """

    def __init__(self, browser: Browser, clip: EncodedClip) -> None:
        self.browser = browser
        self.mirror = Mirror()
        self.leg: MediaLeg | None = None
        self.close_code: int | None = None
        self.lost = asyncio.Event()
        self.lost.set()
        self.on_message: Callable[[Json], None] = lambda message: None
        self._clip = clip
        self._page_id = new_id()
        self._ids = itertools.count(1)
        self._connections = 0
        self._asked: Json = {}  # the challenge of the present socket
        self._ws: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        self._pending: dict[str, asyncio.Future[Json]] = {}
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    # The socket

    async def connect(self, *, takeover: bool = False) -> None:
        """Open the socket, say hello with the last number seen, wait for the welcome."""
        self._ws = await self.browser.open_socket()
        self._asked, proof = {}, None
        if self.browser.key is not None:
            async with asyncio.timeout(ANSWER_SECONDS):
                self._asked = await self._ws.receive_json()
            proof = self.browser.key.socket(self._asked, self._page_id)
        hello = {
            "type": "hello",
            "page": self._page_id,
            "epoch": self.mirror.epoch,
            "seq": self.mirror.seq,
            "takeover": takeover,
            "proof": proof,
        }
        await self._send(hello)
        async with asyncio.timeout(ANSWER_SECONDS):
            first = await self._ws.receive()
        if first.type is not aiohttp.WSMsgType.TEXT:
            raise ConnectionError(f"no welcome: {first.type.name}")
        message = json.loads(first.data)
        if message["type"] == "error":
            raise refusal(message)
        self._take(message)
        self.lost.clear()
        self._reader = asyncio.create_task(self._read(self._ws))

    async def return_(self) -> None:
        """Come back after a loss; the server sends what was missed."""
        await self.connect()

    async def cut(self) -> None:
        """Lose the socket without a close frame, as when a network goes."""
        if self._ws is None or self._reader is None:
            return
        wire = self._ws.get_extra_info("socket")
        if wire is not None:
            wire.shutdown(socket.SHUT_RDWR)
        await self._reader

    async def close(self) -> None:
        """Leave: connection and socket are closed properly."""
        await self.close_media()
        if self._ws is not None:
            await self._ws.close()
        if self._reader is not None:
            await self._reader

    async def _send(self, message: Json) -> None:
        if self._ws is None or self._ws.closed:
            raise ConnectionError("there is no socket")
        await self._ws.send_str(json.dumps(message, ensure_ascii=False))

    async def _read(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        try:
            async for frame in ws:
                if frame.type is not aiohttp.WSMsgType.TEXT:
                    break
                message = json.loads(frame.data)
                if message["type"] == "ping":
                    await self._send({"type": "pong", "seq": self.mirror.seq or 0})
                else:
                    self._take(message)
        except (ConnectionError, aiohttp.ClientError):
            log.debug("the socket broke")
        finally:
            self._gone(ws)
            await ws.close()

    def _gone(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.close_code = ws.close_code
        self.lost.set()
        for future in self._pending.values():
            if not future.done():
                future.set_exception(ConnectionError("the socket was lost"))
        self._pending.clear()

    def _take(self, message: Json) -> None:
        self.mirror.take(message)
        reply = self._pending.pop(message.get("re") or "", None)
        if reply is not None and not reply.done():
            if message["type"] == "error":
                reply.set_exception(refusal(message))
            else:
                reply.set_result(message)
        self.on_message(message)
        for condition, future in self._waiting:
            if not future.done() and condition():
                future.set_result(None)

    # Asking and waiting

    async def ask(self, kind: str, /, **fields: object) -> Json:
        """Send a message and return its answer."""
        message_id = str(fields.pop("id", f"m{next(self._ids)}"))
        future: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._pending[message_id] = future
        try:
            await self._send({"type": kind, "id": message_id, **fields})
            async with asyncio.timeout(ANSWER_SECONDS):
                return await future
        finally:
            self._pending.pop(message_id, None)

    async def until(self, condition: Callable[[Mirror], bool], seconds: float = 10.0) -> None:
        """Wait until the mirror meets `condition`; raises `TimeoutError`."""
        if condition(self.mirror):
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (lambda: condition(self.mirror), future)
        self._waiting.append(entry)
        try:
            async with asyncio.timeout(seconds):
                await future
        finally:
            self._waiting.remove(entry)

    # What pages do

    async def place(self, procedure: str) -> Json:
        """呼出: place a call with the resident's consent."""
        consent = {"video": True, "text_version": "1", "language": "ja"}
        return dict((await self.ask("call.place", procedure=procedure, consent=consent))["call"])

    async def accept(self, call_id: str | None = None) -> Json:
        """応対する: take the named call or the oldest."""
        return dict((await self.ask("call.accept", call=call_id))["call"])

    async def say(self, text: str) -> Json:
        """Send a chat message; one that is lost with the socket is sent again after the return."""
        message_id = f"chat-{new_id()}"
        while True:
            try:
                return await self.ask("chat.send", id=message_id, text=text)
            except ConnectionError:
                await self.until_back()

    async def until_back(self, seconds: float = 10.0) -> None:
        """Wait until somebody has called `return_()`; raises `TimeoutError`."""
        deadline = time.monotonic() + seconds
        while self.lost.is_set():
            if time.monotonic() > deadline:
                raise TimeoutError("the page did not come back")
            await asyncio.sleep(0.02)

    async def send_file(self, name: str, data: bytes) -> str:
        """Send a file and return its id once every byte arrived."""
        return await upload(self.browser, self._call_id(), name, data)

    async def fetch_file(self, file_id: str) -> bytes:
        """Return the bytes of a file that is offered."""
        return await download(self.browser, self._call_id(), file_id)

    def _call_id(self) -> str:
        if self.mirror.call is None:
            raise ConnectionError("there is no call")
        return str(self.mirror.call["id"])

    # Media

    async def open_media(self) -> MediaLeg:
        """Make a new RTCPeerConnection and offer it; returns once the answer is taken."""
        leg = MediaLeg(self._clip)
        self._connections += 1
        try:
            answer = await self.offer(self._connections, await leg.offer())
            await leg.accept(answer["sdp"])
        except BaseException:
            await leg.close()
            raise
        self.leg = leg
        return leg

    async def offer(self, connection: int, sdp: str) -> Json:
        """Send an offer, signed by the tablet's key on a counter, and return the answer."""
        key = self.browser.key
        signed = {}
        if key is not None:
            signature = key.offer(self._asked, self._call_id(), connection, sdp)
            signed = {"signature": signature}
        return await self.ask("offer", connection=connection, sdp=sdp, **signed)

    async def replace_media(self) -> MediaLeg:
        """Lose the connection without a word and offer another."""
        old, self.leg = self.leg, None
        if old is not None:
            await old.vanish()
        return await self.open_media()

    async def close_media(self) -> None:
        """Hang up, if there is a connection."""
        old, self.leg = self.leg, None
        if old is not None:
            with contextlib.suppress(ConnectionError):
                await old.close()
