"""Janus from Debian under the same load, joined through its WebSocket API.

`videocall`: two parties, one connection each, as here. `videoroom`: each call a room of two, each
party publishing on one connection and subscribed on another.
"""

import asyncio
import itertools
import json
import re
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from media.dtls import Identity
from security.errors import Unavailable
from server.bench.connect import Leg
from server.bench.load import Load, now_ns
from server.bench.processes import family, pin
from server.bench.target import Joined

Json = dict[str, Any]
CONFIGURATION = Path(__file__).with_name("janus")
LIBRARY = "/usr/lib/x86_64-linux-gnu/janus"
ANSWER_SECONDS = 20.0
START_SECONDS = 10.0
KEEPALIVE_SECONDS = 20.0
# Janus takes no loopback address: this one stands in a network namespace of the comparison's own.
HOST = "198.51.100.1"
PLUGINS = ("videocall", "videoroom")


class Client:
    """One session of Janus's API over a WebSocket."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self._ws = ws
        self._numbers = itertools.count(1)
        self._waiting: dict[str, asyncio.Future[Json]] = {}
        self._events: dict[int, asyncio.Queue[Json]] = {}
        self._session = 0
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._live())]

    async def open(self) -> None:
        """Begin the session."""
        self._session = (await self._ask({"janus": "create"}))["data"]["id"]

    async def attach(self, plugin: str) -> int:
        """Return a new handle on a plugin."""
        answer = await self._ask({"janus": "attach", "plugin": f"janus.plugin.{plugin}"})
        handle = int(answer["data"]["id"])
        self._events[handle] = asyncio.Queue()
        return handle

    async def request(self, handle: int, body: Json, jsep: Json | None = None) -> Json:
        """Send a request to a plugin and return its event or answer."""
        message: Json = {"janus": "message", "handle_id": handle, "body": body}
        if jsep is not None:
            message["jsep"] = jsep
        answer = await self._ask(message)
        data = answer["plugindata"]["data"]
        if "error" in data:
            raise Unavailable(f"Janus refused: {data['error']}")
        return answer

    async def event(self, handle: int, name: str) -> Json:
        """Wait for an event of a handle that nothing asked for."""
        async with asyncio.timeout(ANSWER_SECONDS):
            while True:
                found = await self._events[handle].get()
                data = found["plugindata"]["data"]
                if data.get("result", {}).get("event") == name:
                    return found

    async def close(self) -> None:
        """End the session."""
        for task in self._tasks:
            task.cancel()
        await self._ws.close()

    async def _ask(self, message: Json) -> Json:
        transaction = str(next(self._numbers))
        future: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._waiting[transaction] = future
        await self._send(message | {"transaction": transaction})
        async with asyncio.timeout(ANSWER_SECONDS):
            return await future

    async def _send(self, message: Json) -> None:
        if self._session:
            message["session_id"] = self._session
        await self._ws.send_str(json.dumps(message))

    async def _read(self) -> None:
        async for frame in self._ws:
            message: Json = json.loads(frame.data)
            if message["janus"] == "ack":
                continue
            future = self._waiting.pop(message.get("transaction", ""), None)
            if future is not None and message["janus"] == "error":
                future.set_exception(Unavailable(f"Janus refused: {message['error']['reason']}"))
            elif future is not None:
                future.set_result(message)
            elif message["janus"] == "event":
                self._events[message["sender"]].put_nowait(message)

    async def _live(self) -> None:
        while True:
            await asyncio.sleep(KEEPALIVE_SECONDS)
            await self._send({"janus": "keepalive", "transaction": "keepalive"})


class Janus:
    """The running Janus as a target."""

    def __init__(self, pid: int, client: Client, plugin: str, way: str) -> None:
        self.name = f"janus {plugin}"
        self.way = way
        self._pid = pid
        self._client = client
        self._plugin = plugin

    @property
    def pids(self) -> list[int]:
        """Janus's one process."""
        return family(self._pid)

    async def prepare(self, calls: int) -> None:
        """There is nothing to do before the first call."""

    async def join(self, load: Load, identity: Identity, number: int) -> Joined:
        """Set up call `number` by the plugin."""
        if self._plugin == "videocall":
            return await self._call(load, identity, number)
        return await self._room(load, identity, number)

    async def forwarded(self) -> int | None:
        """Janus does not say without its admin API."""
        return None

    async def _call(self, load: Load, identity: Identity, number: int) -> Joined:
        client, first = self._client, 2 * number
        handles = [await client.attach("videocall") for _ in range(2)]
        for n, handle in enumerate(handles):
            await client.request(handle, {"request": "register", "username": f"p{first + n}"})
        begun = now_ns()
        caller, callee = Leg(identity, host=HOST), Leg(identity, host=HOST)
        ask = {"request": "call", "username": f"p{first + 1}"}
        await client.request(handles[0], ask, _jsep("offer", caller.sdp(setup="active")))
        offer = (await client.event(handles[1], "incomingcall"))["jsep"]["sdp"]
        types = _types(offer)
        answer = _jsep("answer", callee.sdp(setup="active", types=types))
        await client.request(handles[1], {"request": "accept"}, answer)
        accepted = (await client.event(handles[0], "accepted"))["jsep"]["sdp"]
        load.add(await caller.connect(accepted, sender=first, hears=first + 1))
        load.add(await callee.connect(offer, sender=first + 1, hears=first, types=types))
        return Joined((caller, callee), begun)

    async def _room(self, load: Load, identity: Identity, number: int) -> Joined:
        client, room, first = self._client, number + 1, 2 * number
        handles = [await client.attach("videoroom") for _ in range(4)]
        made = {"request": "create", "room": room, "publishers": 2, "admin_key": "none"}
        codecs = {"audiocodec": "opus", "videocodec": "vp8", "bitrate": 0}
        await client.request(handles[0], made | codecs)
        begun = now_ns()
        legs, feeds = [], []
        for n in range(2):
            leg = Leg(identity, direction="sendonly", host=HOST)
            ask = {"request": "joinandconfigure", "room": room, "ptype": "publisher"}
            joined = await client.request(handles[n], ask, _jsep("offer", leg.sdp(setup="active")))
            feeds.append(joined["plugindata"]["data"]["id"])
            connected = await leg.connect(joined["jsep"]["sdp"], sender=first + n, hears=1 << 30)
            load.add(connected)
            legs.append(leg)
        for n in range(2):
            heard = (feeds[1 - n], first + 1 - n)
            legs.append(await self._subscribe(load, identity, handles[2 + n], room, heard))
        return Joined(tuple(legs), begun)

    async def _subscribe(
        self, load: Load, identity: Identity, handle: int, room: int, heard: tuple[int, int]
    ) -> Leg:
        feed, hears = heard
        leg = Leg(identity, direction="recvonly", host=HOST)
        ask = {"request": "join", "room": room, "ptype": "subscriber", "streams": [{"feed": feed}]}
        offer = (await self._client.request(handle, ask))["jsep"]["sdp"]
        types = _types(offer)
        answer = _jsep("answer", leg.sdp(setup="active", types=types))
        await self._client.request(handle, {"request": "start", "room": room}, answer)
        load.add(await leg.connect(offer, sender=1 << 29, hears=hears, types=types))
        return leg


def _jsep(kind: str, sdp: str) -> Json:
    return {"type": kind, "sdp": sdp}


def _types(sdp: str) -> dict[str, int]:
    """Return the payload types of Opus and VP8 in an offer."""
    found = {name.lower(): int(number) for number, name in re.findall(r"rtpmap:(\d+) (\w+)/", sdp)}
    return {"audio": found["opus"], "video": found["vp8"]}


def installed() -> bool:
    """Tell whether Janus is on this machine."""
    return shutil.which("janus") is not None


@asynccontextmanager
async def running(
    folder: Path, core: int | None, plugin: str, event_loops: int | None = None
) -> AsyncIterator[Janus]:
    """Run Janus with the checked-in configuration, on one core alone if named."""
    port = _free_port()
    loops = "" if event_loops is None else f"event_loops = {event_loops}"
    filled = {"FOLDER": str(folder), "LIBRARY": LIBRARY, "PORT": str(port), "EVENT_LOOPS": loops}
    for file in CONFIGURATION.glob("*.jcfg"):
        text = re.sub("|".join(filled), lambda found: filled[found[0]], file.read_text("utf-8"))
        (folder / file.name).write_text(text, "utf-8")
    with (folder / "janus.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            "janus", "-F", str(folder), stdout=log, stderr=log
        )
        try:
            async with aiohttp.ClientSession() as http:
                ws = await _connect(http, port)
                if core is not None:
                    pin(process.pid, core)
                client = Client(ws)
                await client.open()
                way = f"{plugin} plugin, " + (loops or "a thread for each connection (default)")
                yield Janus(process.pid, client, plugin, way)
                await client.close()
        finally:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 10)
            except TimeoutError:
                process.kill()
                await process.wait()


async def _connect(http: aiohttp.ClientSession, port: int) -> aiohttp.ClientWebSocketResponse:
    async with asyncio.timeout(START_SECONDS):
        while True:
            try:
                return await http.ws_connect(
                    f"ws://127.0.0.1:{port}", protocols=("janus-protocol",), max_msg_size=1 << 22
                )
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])
