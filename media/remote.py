"""The server's side of CONTROL.md: one media process that runs, spoken to over its socket."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import AsyncGenerator, Collection
from urllib.parse import quote

import aiohttp

from media import control_api as api
from media.control_folder import is_ours, peer_of
from media.engine import Capacity, Joined
from media.os_process import OsProcess
from media.sdp import check_size
from media.settings import PartyStats
from security.errors import MadoguchiError, Unavailable

ANSWER_SECONDS = 5.0
HIDE_SECONDS = 3.0
# A second look, since it may have been this process that stood still.
SILENCE_SECONDS = (5.0, 1.0)
END_SECONDS = 3.0
FULL_SECONDS = 0.05  # between two looks at a socket that takes nobody at the moment
BASE = "http://media"
_log = logging.getLogger(__name__)


class WrongVersion(Exception):
    """The process is of another version or has other settings."""


class RemoteNode:
    """One run of a media process. Every request raises `Unavailable` when it is not answered."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        events: aiohttp.ClientWebSocketResponse,
        process: OsProcess,
    ) -> None:
        self._http = http
        self._events = events
        self.process = process
        self.capacity = Capacity(load=0.0, accepting=False)
        self.noun: api.NodeNoun | None = None

    @classmethod
    async def connect(cls, path: str) -> "RemoteNode | None":
        """Return the process that listens at `path`, None when there is none.

        One that listens and does not answer is killed: it holds the port and cannot be told.
        Raises `Unavailable` when it takes nobody, so that nobody can say who it is.
        """
        process = await cls._listener_at_last(path)
        if process is None:
            return None
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        http = aiohttp.ClientSession(connector=aiohttp.UnixConnector(path=path), timeout=timeout)
        try:
            closing = aiohttp.ClientWSTimeout(ws_close=1.0)
            async with asyncio.timeout(ANSWER_SECONDS):
                events = await http.ws_connect(f"{BASE}/v1/events", timeout=closing)
        except (aiohttp.ClientError, OSError, TimeoutError):
            await http.close()
            await process.kill()
            return None
        return cls(http, events, process)

    @classmethod
    async def _listener_at_last(cls, path: str) -> OsProcess | None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_SECONDS):
                while True:
                    with contextlib.suppress(BlockingIOError):
                        return cls.listener(path)
                    await asyncio.sleep(FULL_SECONDS)
        raise Unavailable("the media process takes no connection")

    @staticmethod
    def listener(path: str) -> OsProcess | None:
        """Return the process that listens at `path`; None when there is none that is ours.

        Raises `BlockingIOError` while too many wait to be taken there.
        """
        with socket.socket(socket.AF_UNIX) as probe:
            probe.setblocking(False)
            try:
                probe.connect(path)
                pid, uid = peer_of(probe)
                return OsProcess(pid) if is_ours(uid) else None
            except BlockingIOError:
                raise
            except OSError:
                return None

    # --- life

    async def greet(self, version: str, port: int) -> None:
        """Read how the node stands.

        Raises `WrongVersion` when it is not of `version` or `port` (0: any), `Unavailable` when it
        says nothing.
        """
        try:
            text = await self._receive()
        except TimeoutError as error:
            raise Unavailable("the media process says nothing") from error
        try:
            frame = api.FRAMES.validate_json(text or "")
        except ValueError as error:
            raise WrongVersion from error
        if not isinstance(frame, api.NodeFrame) or frame.node.version != version:
            raise WrongVersion
        if port not in (0, frame.node.port):
            raise WrongVersion
        self.noun, self.capacity = frame.node, frame.node.capacity

    async def events(self) -> AsyncGenerator[api.Event, None]:
        """Give each event once the one before has been dealt with; ends with the process.

        A process that falls silent is killed.
        """
        while True:
            try:
                text = await self._receive()
            except TimeoutError:
                _log.error("media process %d is silent: it is killed", self.process.pid)
                self.kill()
                return
            if text is None:
                return
            frame = api.FRAMES.validate_json(text)
            if isinstance(frame, api.PulseFrame):
                self.capacity = frame.capacity
            elif isinstance(frame, api.EventFrame):
                yield frame.event
                with contextlib.suppress(ConnectionError):
                    await self._events.send_str(api.SeenFrame(seq=frame.seq).model_dump_json())

    async def end(self) -> None:
        """End the process in order; kill it when it does not."""
        with contextlib.suppress(Unavailable):
            await self._ask("POST", "/v1/end", seconds=HIDE_SECONDS)
        await self._events.close()
        try:
            async with asyncio.timeout(END_SECONDS):
                await self.process.until_ended()
        except TimeoutError:
            await self.process.kill()

    def kill(self) -> None:
        """End the process at once."""
        self.process.send(signal.SIGKILL)

    async def close(self) -> None:
        """Let go of the process; it goes on."""
        await self._events.close()
        await self._http.close()
        self.process.close()

    async def remove(self) -> None:
        """Kill what is left of the process, then let go of it: it is of no use and has the port."""
        await self.process.kill()
        await self.close()

    # --- what is asked

    async def set_call(self, call_id: str, state: api.CallState, *, hides: bool) -> None:
        """Make the call what the server wants.

        A process that does not confirm it is killed if it `hides` something that may be shown.
        """
        await self._do("PUT", call_id, state.model_dump_json(), hides=hides)

    async def close_call(self, call_id: str, *, hides: bool) -> None:
        """Close the call. For `hides` see `set_call`."""
        await self._do("DELETE", call_id, hides=hides)

    async def join(
        self, call_id: str, party: str, offer: str, only_from: Collection[str] | None = None
    ) -> Joined:
        """Return the answer to a party's offer."""
        check_size(offer)
        body = _offer(offer, only_from).model_dump_json()
        path = _path(call_id, "parties", party)
        return api.JOINED.validate_json(await self._ask("POST", path, body))

    async def let_wait(
        self, seat: str, offer: str, only_from: Collection[str] | None = None
    ) -> Joined:
        """Return the answer to the offer of a seat that is in no call."""
        check_size(offer)
        body = _offer(offer, only_from).model_dump_json()
        return api.JOINED.validate_json(await self._ask("PUT", _seat_path(seat), body))

    async def move_in(self, call_id: str, party: str, seat: str) -> bool:
        """Move a seat's waiting connection into the call; tell whether it is there."""
        body = api.Seat(seat=seat).model_dump_json()
        path = _path(call_id, "parties", party)
        return api.Moved.model_validate_json(await self._ask("PUT", path, body)).moved

    async def dismiss(self, seat: str) -> None:
        """End a seat's waiting connection."""
        await self._ask("DELETE", _seat_path(seat))

    async def leave(self, call_id: str, party: str) -> None:
        """End a party's connection."""
        await self._ask("DELETE", _path(call_id, "parties", party))

    async def stats(self, call_id: str) -> dict[str, PartyStats]:
        """Return how the parties' connections do."""
        return api.STATS.validate_json(await self._ask("GET", _path(call_id, "stats")))

    async def all_stats(self) -> dict[str, dict[str, PartyStats]]:
        """Return by call how the parties' connections do."""
        return api.ALL_STATS.validate_json(await self._ask("GET", "/v1/stats"))

    async def _do(self, method: str, call_id: str, body: str | None = None, *, hides: bool) -> None:
        try:
            await self._ask(method, _path(call_id), body, seconds=HIDE_SECONDS)
        except MadoguchiError:
            if hides:
                _log.error("media process %d does not hide: it is killed", self.process.pid)
                self.kill()
            raise

    async def _ask(
        self, method: str, path: str, body: str | None = None, seconds: float = ANSWER_SECONDS
    ) -> bytes:
        try:
            timeout = aiohttp.ClientTimeout(total=seconds)
            async with self._http.request(
                method, BASE + path, data=body, timeout=timeout
            ) as answer:
                found = await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Unavailable("the media process does not answer") from error
        if answer.status >= 300:
            raise api.error_of(found)
        return found

    async def _receive(self) -> str | None:
        """Return the next frame, None when the process is gone; raises `TimeoutError`."""
        for last, seconds in enumerate(SILENCE_SECONDS, start=1 - len(SILENCE_SECONDS)):
            try:
                frame = await self._events.receive(timeout=seconds)
            except TimeoutError:
                if last == 0:
                    raise
                continue
            return str(frame.data) if frame.type is aiohttp.WSMsgType.TEXT else None
        return None


def _path(call_id: str, *more: str) -> str:
    return "/".join(["/v1/calls", *(quote(part, safe="") for part in (call_id, *more))])


def _seat_path(seat: str) -> str:
    return "/v1/lobby/" + quote(seat, safe="")


def _offer(offer: str, only_from: Collection[str] | None) -> api.Offer:
    return api.Offer(offer=offer, only_from=None if only_from is None else tuple(only_from))
