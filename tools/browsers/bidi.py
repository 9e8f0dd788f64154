"""WebDriver BiDi over a WebSocket: commands with answers, and events.

https://www.w3.org/TR/webdriver-bidi/
"""

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import aiohttp

Json = dict[str, Any]
LARGEST_MESSAGE = 64 * 1024 * 1024
ANSWER_SECONDS = 30.0


class BidiError(RuntimeError):
    """The browser refused a command; `code` is the standard's name of the error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Bidi:
    """A session with one browser."""

    def __init__(self, http: aiohttp.ClientSession, ws: aiohttp.ClientWebSocketResponse) -> None:
        self._http = http
        self._ws = ws
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Json]] = {}
        self._listeners: list[Callable[[str, Json], None]] = []
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def connect(cls, url: str) -> "Bidi":
        """Open a session at the browser's address, `ws://127.0.0.1:PORT`."""
        http = aiohttp.ClientSession()
        ws = await http.ws_connect(f"{url}/session", max_msg_size=LARGEST_MESSAGE)
        bidi = cls(http, ws)
        await bidi.send("session.new", {"capabilities": {"alwaysMatch": {}}})
        return bidi

    def listen(self, listener: Callable[[str, Json], None]) -> None:
        """Call `listener` with the name and the parameters of every event."""
        self._listeners.append(listener)

    async def send(self, method: str, params: Json) -> Json:
        """Return the result of a command.

        Raises `BidiError` when it is refused, `ConnectionError` when the browser is gone.
        """
        number = next(self._numbers)
        answer = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        await self._ws.send_json({"id": number, "method": method, "params": params})
        async with asyncio.timeout(ANSWER_SECONDS):
            message = await answer
        if message["type"] == "error":
            raise BidiError(message["error"], message["message"])
        return dict(message["result"])

    async def close(self) -> None:
        """End the session."""
        await self._ws.close()
        await self._http.close()
        await self._reader

    async def _read(self) -> None:
        async for frame in self._ws:
            message = frame.json()
            if message["type"] == "event":
                for listener in self._listeners:
                    listener(message["method"], message["params"])
                continue
            answer = self._waiting.pop(message["id"], None)
            if answer is not None and not answer.done():
                answer.set_result(message)
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(ConnectionError("the browser is gone"))
