"""Live pages: one per seat, each with a numbered stream that survives a lost socket.

PROTOCOL.md sections 2.1 and 2.3.
"""

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from security.errors import Conflict
from security.tokens import token_hash

KEPT_MESSAGES = 512
MAX_QUEUED = 1024
SEND_SECONDS = 5.0
CLOSE_SECONDS = 3.0

LEFT, AWAY, NOT_ALLOWED = 1000, 1001, 1008
SEAT_TAKEN, TAKEN_OVER, REPLACED, SIGNED_OUT = 4001, 4002, 4003, 4004
SeatKey = tuple[str, str]  # ("counter", tablet id) or ("desk", person id)


def encode(message: dict[str, Any]) -> str:
    """Return the frame of a message."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


class Socket:
    """One WebSocket: a bounded queue and the task that empties it.

    Nothing is written before `release`, so that the welcome comes first whatever happens meanwhile.
    """

    def __init__(
        self,
        ws: web.WebSocketResponse,
        transport: asyncio.Transport | None,
        token: str,
        municipality_id: str,
    ) -> None:
        self.ws = ws
        self.working = False
        self.relay_told: str | None = None  # how the page was told to use the relay
        self._transport = transport
        self.municipality_id = municipality_id
        self.token = token
        self.session_hash = token_hash(token)
        self.last_heard = time.monotonic()
        self._queue: deque[str] = deque()
        self._wake = asyncio.Event()
        self._held = True
        self._close: tuple[int, str] | None = None

    def put(self, text: str) -> None:
        """Send a frame; a peer that does not take them is closed with 1001."""
        if len(self._queue) >= MAX_QUEUED:
            self.close(AWAY, "slow")
            return
        self._queue.append(text)
        self._wake.set()

    async def say_first(self, message: dict[str, Any]) -> None:
        """Send a message before anything else; nothing else is sent before `release`."""
        async with asyncio.timeout(SEND_SECONDS):
            await self.ws.send_str(encode(message))

    def release(self, welcome: str) -> None:
        """Send the welcome, then all that was put since."""
        self._queue.appendleft(welcome)
        self._held = False
        self._wake.set()

    def refuse(self, text: str) -> None:
        """Send a frame to a page that gets no welcome, or has broken the protocol."""
        self._queue.append(text)
        self._held = False

    def close(self, code: int, reason: str) -> None:
        """Close after what is queued; the first call decides the code."""
        if self._close is None:
            self._close = (code, reason)
            self._wake.set()
            # A peer that takes nothing would hold the writer for ever.
            asyncio.get_running_loop().call_later(CLOSE_SECONDS, self._abort)

    @property
    def closing(self) -> bool:
        """Tell whether `close` was called."""
        return self._close is not None

    def _abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    async def run(self) -> None:
        """Write frames until closed; a peer that takes none for 5 s is gone."""
        try:
            await self._run()
        except BaseException:
            self._abort()
            raise

    async def _run(self) -> None:
        while True:
            while self._queue and not self._held:
                async with asyncio.timeout(SEND_SECONDS):
                    await self.ws.send_str(self._queue.popleft())
            if self._close is not None:
                code, reason = self._close
                await self.ws.close(code=code, message=reason.encode(), drain=False)
                return
            self._wake.clear()
            await self._wake.wait()

    async def receive(self, timeout_seconds: float | None = None) -> str | None:
        """Return the next text frame; None when the peer is gone; raises `TypeError` on binary."""
        frame = await self.ws.receive(timeout=timeout_seconds)
        self.last_heard = time.monotonic()
        if frame.type is WSMsgType.TEXT:
            return str(frame.data)
        if frame.type is WSMsgType.BINARY:
            raise TypeError("binary frames are refused")
        return None


@dataclass(slots=True)
class Stream:
    """Numbered messages to one page."""

    page_id: str
    seq: int = 0
    kept: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=KEPT_MESSAGES))
    socket: Socket | None = None
    session_hash: str = ""
    ended: bool = False
    lost_at: float = 0.0

    def send(self, message: dict[str, Any]) -> None:
        """Number a message, keep it, and send it when a socket is there."""
        self.seq += 1
        text = encode({**message, "seq": self.seq})
        self.kept.append((self.seq, text))
        if self.socket is not None:
            self.socket.put(text)

    def can_resume(self, seq: int) -> bool:
        """Tell whether everything after `seq` is still kept."""
        oldest = self.kept[0][0] if self.kept else self.seq + 1
        return oldest - 1 <= seq <= self.seq

    def seen(self, seq: int) -> None:
        """Forget what the page has seen: it is not asked for again."""
        while self.kept and self.kept[0][0] <= seq:
            self.kept.popleft()

    def attach(self, socket: Socket, seen: int) -> None:
        """Queue every kept message after `seen`, then go live."""
        for seq, text in self.kept:
            if seq > seen:
                socket.put(text)
        self.socket = socket
        self.session_hash = socket.session_hash


class Seats:
    """Every seat that has, or lately had, a page."""

    def __init__(self, *, keep_seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._streams: dict[SeatKey, Stream] = {}
        self._keep_seconds = keep_seconds
        self._now = now

    def take(
        self,
        key: SeatKey,
        page_id: str,
        socket: Socket,
        *,
        takeover: bool,
        resume_from: int | None,
    ) -> bool:
        """Give the seat to a page; True when its stream goes on after `resume_from`.

        `resume_from` is the last number seen in this epoch, or None. The page that had the seat
        is closed if it may be. Raises `Conflict` `seat_taken` when another page lives there.
        """
        old = self._streams.get(key)
        if old is not None and old.socket is not None:
            if old.page_id != page_id and not takeover and not old.ended:
                raise Conflict("another page has this seat", code="seat_taken")
            same = old.page_id == page_id
            old.socket.close(*((REPLACED, "replaced") if same else (TAKEN_OVER, "taken over")))
            old.socket = None
        if (
            old is not None
            and old.page_id == page_id
            and not old.ended
            and resume_from is not None
            and old.can_resume(resume_from)
        ):
            old.attach(socket, resume_from)
            return True
        stream = self._streams[key] = Stream(page_id)
        stream.attach(socket, 0)
        return False

    def leave(self, key: SeatKey, socket: Socket) -> bool:
        """Take a socket off its seat; False when the seat already has another."""
        stream = self._streams.get(key)
        if stream is None or stream.socket is not socket:
            return False
        stream.socket = None
        stream.lost_at = self._now()
        if stream.ended:
            del self._streams[key]
        return True

    def show(self, key: SeatKey, message: dict[str, Any]) -> None:
        """Send a picture of the moment, unnumbered: who comes back is shown a newer one."""
        stream = self._streams.get(key)
        if stream is not None and stream.socket is not None:
            stream.socket.put(encode(message))

    def send(self, key: SeatKey, message: dict[str, Any]) -> None:
        """Send to a seat; without a stream there is nobody to tell."""
        if stream := self._streams.get(key):
            stream.send(message)

    def send_from(self, key: SeatKey, socket: Socket, message: dict[str, Any]) -> None:
        """Answer on `socket`, unless the seat has passed to another page meanwhile."""
        stream = self._streams.get(key)
        if stream is not None and stream.socket in (socket, None):
            stream.send(message)

    def seen(self, key: SeatKey, socket: Socket, seq: int) -> None:
        """Take a page's word for the last number that it has seen."""
        stream = self._streams.get(key)
        if stream is not None and stream.socket is socket:
            stream.seen(seq)

    def close(self, key: SeatKey, code: int, reason: str) -> None:
        """Close the seat's page, if there is one, and forget its stream once the page is gone."""
        stream = self._streams.get(key)
        if stream is None:
            return
        if stream.socket is None:
            del self._streams[key]
            return
        stream.ended = True
        stream.socket.close(code, reason)

    def present(self, key: SeatKey) -> bool:
        """Tell whether the seat has a live page."""
        stream = self._streams.get(key)
        return stream is not None and stream.socket is not None

    def sweep(self) -> None:
        """Forget streams whose page has been gone for longer than the seat is kept."""
        limit = self._now() - self._keep_seconds
        for key, stream in list(self._streams.items()):
            if stream.socket is None and stream.lost_at < limit:
                del self._streams[key]

    def live(self) -> list[tuple[SeatKey, Socket]]:
        """Return every seat with a live socket."""
        return [(key, s.socket) for key, s in self._streams.items() if s.socket is not None]

    def sign_ins(self) -> dict[SeatKey, str]:
        """Return the sign-in (its hash) of every seat, those of lately lost pages included."""
        return {k: stream.session_hash for k, stream in self._streams.items() if not stream.ended}

    def ping(self) -> None:
        """Send every live page the last number it should have seen."""
        for stream in self._streams.values():
            if stream.socket is not None:
                stream.socket.put(encode({"type": "ping", "seq": stream.seq}))
