"""A node's side of CONTROL.md: HTTP and one WebSocket over a `MediaNode`."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from typing import TypeVar

from aiohttp import WSMsgType, web
from aiohttp.typedefs import Handler
from pydantic import BaseModel, TypeAdapter

from media import control_api as api
from media.control_folder import is_ours, peer_of
from media.engine import CallMedia, Joined
from media.event_log import EventLog
from media.node import MediaNode
from security.errors import MadoguchiError, NotFound, ProtocolError, TooMuch, Unavailable

PULSE_SECONDS = 1.0
LOOK_SECONDS = 0.25
LONELY_SECONDS = 10.0
_NAME: TypeAdapter[str] = TypeAdapter(api.Name)
M = TypeVar("M", bound=BaseModel)
_log = logging.getLogger(__name__)


class ControlServer:
    """Answers one server at a time, and decides what to do without one. Times are in seconds."""

    def __init__(
        self,
        node: MediaNode,
        events: EventLog,
        version: str,
        *,
        resume_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._node = node
        self._events = events
        self._version = version
        self._resume_seconds = resume_seconds
        self._clock = clock
        self._done = asyncio.Event()
        self._socket: web.WebSocketResponse | None = None
        self._alone_since = self._empty_since = clock()

    def app(self) -> web.Application:
        """Return the application."""
        app = web.Application(middlewares=[_checked], client_max_size=api.MAX_BODY_BYTES)
        app.add_routes(
            [
                web.put("/v1/calls/{call}", self._set_call),
                web.delete("/v1/calls/{call}", self._close_call),
                web.post("/v1/calls/{call}/parties/{party}", self._join),
                web.put("/v1/calls/{call}/parties/{party}", self._move_in),
                web.delete("/v1/calls/{call}/parties/{party}", self._leave),
                web.put("/v1/lobby/{seat}", self._let_wait),
                web.delete("/v1/lobby/{seat}", self._dismiss),
                web.get("/v1/calls/{call}/stats", self._stats),
                web.get("/v1/stats", self._all_stats),
                web.get("/v1/events", self._serve_events),
                web.post("/v1/end", self._end),
            ]
        )
        return app

    def end(self) -> None:
        """Let `until_done` return."""
        self._done.set()

    async def until_done(self) -> None:
        """Return when the process should end: it was told so, or nobody needs it any more."""
        while not self._done.is_set():
            self._look(self._clock())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._done.wait()

    async def close(self) -> None:
        """Say goodbye to the server."""
        if self._socket is not None:
            await self._socket.close()

    # --- without a server

    def _look(self, now: float) -> None:
        if self._socket is not None:
            self._empty_since = self._alone_since = now
            return
        held = [self._node.held(call_id) or CallMedia() for call_id in self._node.call_ids()]
        if any(call.connected for call in held):
            self._empty_since = now
        alone = now - self._alone_since
        if alone >= self._resume_seconds and any(call.gate_open for call in held):
            self._close_gates()
        if alone >= 2 * self._resume_seconds or now - self._empty_since >= LONELY_SECONDS:
            _log.info("no server came back and nobody is left: the media process ends")
            self._done.set()

    def _close_gates(self) -> None:
        _log.warning("no server for %g s: nothing is forwarded any more", self._resume_seconds)
        for call_id in self._node.call_ids():
            self._node.set_gate(call_id, open=False)

    # --- HTTP

    async def _set_call(self, request: web.Request) -> web.Response:
        call_id = _name(request, "call")
        wanted = _body(api.CallState, await request.read())
        held = self._node.held(call_id)
        self._node.open_call(call_id)
        # What hides goes first, what shows last.
        if not wanted.gate_open:
            self._node.set_gate(call_id, open=False)
        for party in {*wanted.refused, *(held.refused if held else ())}:
            self._node.refuse(call_id, party, wanted.refused.get(party, frozenset()))
        for party in wanted.veiled:
            self._node.set_veil(call_id, party, on=True)
        for party in (held.veiled if held else frozenset()) - wanted.veiled:
            self._node.set_veil(call_id, party, on=False)
        if wanted.gate_open:
            self._node.set_gate(call_id, open=True)
        return web.Response(status=204)

    async def _close_call(self, request: web.Request) -> web.Response:
        self._node.close_call(_name(request, "call"))
        return web.Response(status=204)

    async def _join(self, request: web.Request) -> web.Response:
        told = _body(api.Offer, await request.read())
        call, party = _name(request, "call"), _name(request, "party")
        sdp = self._node.admit(call, party, told.offer, only_from=told.only_from)
        return _json(api.JOINED.dump_json(Joined(sdp, self._node.epoch)))

    async def _let_wait(self, request: web.Request) -> web.Response:
        told = _body(api.Offer, await request.read())
        sdp = self._node.let_wait(_name(request, "seat"), told.offer, only_from=told.only_from)
        return _json(api.JOINED.dump_json(Joined(sdp, self._node.epoch)))

    async def _move_in(self, request: web.Request) -> web.Response:
        seat = _body(api.Seat, await request.read()).seat
        moved = self._node.move_in(_name(request, "call"), _name(request, "party"), seat)
        return _json(api.Moved(moved=moved).model_dump_json().encode())

    async def _dismiss(self, request: web.Request) -> web.Response:
        self._node.dismiss(_name(request, "seat"))
        return web.Response(status=204)

    async def _leave(self, request: web.Request) -> web.Response:
        self._node.leave(_name(request, "call"), _name(request, "party"))
        return web.Response(status=204)

    async def _stats(self, request: web.Request) -> web.Response:
        return _json(api.STATS.dump_json(self._node.stats(_name(request, "call"))))

    async def _all_stats(self, request: web.Request) -> web.Response:
        found = {}
        for call_id in self._node.call_ids():
            await asyncio.sleep(0)  # packets go between
            with contextlib.suppress(NotFound):
                found[call_id] = self._node.stats(call_id)
        return _json(api.ALL_STATS.dump_json(found))

    async def _end(self, request: web.Request) -> web.Response:
        self.end()
        return web.Response(status=204)

    # --- events

    def noun(self) -> api.NodeNoun:
        """Return how the node stands."""
        calls = {call_id: self._node.held(call_id) for call_id in self._node.call_ids()}
        return api.NodeNoun(
            version=self._version,
            epoch=self._node.epoch,
            port=self._node.port,
            calls={call_id: held for call_id, held in calls.items() if held is not None},
            capacity=self._node.capacity(),
        )

    async def _serve_events(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(max_msg_size=4096, compress=False, timeout=1.0)
        await socket.prepare(request)
        older, self._socket = self._socket, socket
        if older is not None:
            await older.close(code=api.REPLACED)
        writer = asyncio.create_task(self._write(socket))
        try:
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    self._events.seen(_body(api.SeenFrame, frame.data).seq)
        finally:
            writer.cancel()
            if self._socket is socket:
                self._socket = None
            await asyncio.gather(writer, return_exceptions=True)
        return socket

    async def _write(self, socket: web.WebSocketResponse) -> None:
        wake = asyncio.Event()
        self._events.wake = wake.set
        sent = 0
        await socket.send_str(api.NodeFrame(node=self.noun()).model_dump_json())
        while True:
            wake.clear()
            for frame in self._events.after(sent):
                sent = frame.seq
                await socket.send_str(frame.model_dump_json())
            try:
                async with asyncio.timeout(PULSE_SECONDS):
                    await wake.wait()
            except TimeoutError:
                pulse = api.PulseFrame(capacity=self._node.capacity())
                await socket.send_str(pulse.model_dump_json())


def _name(request: web.Request, what: str) -> str:
    try:
        return _NAME.validate_python(request.match_info[what])
    except ValueError as error:
        raise ProtocolError(f"this is no name of a {what}") from error


def _body(model: type[M], body: bytes | str) -> M:
    try:
        return model.model_validate_json(body)
    except ValueError as error:
        raise ProtocolError("the body is not as CONTROL.md says") from error


def _json(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="application/json")


@web.middleware
async def _checked(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer nobody but this user, and errors as CONTROL.md section 2 says."""
    transport = request.transport
    if transport is None or not is_ours(peer_of(transport.get_extra_info("socket"))[1]):
        return web.Response(status=403)
    try:
        return await handler(request)
    except MadoguchiError as error:
        status, body = api.error_frame(error)
    except web.HTTPRequestEntityTooLarge:
        limit = api.MAX_BODY_BYTES
        status, body = api.error_frame(TooMuch("the body is too long", limit=limit, unit="bytes"))
    except web.HTTPException:
        raise
    except Exception:
        _log.exception("a request of the server failed")
        status, body = api.error_frame(Unavailable("the media process failed at this"))
    return web.Response(status=status, body=body, content_type="application/json")
