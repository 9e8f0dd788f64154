"""The WebSocket of a page: hello, welcome, commands, goodbye. PROTOCOL.md section 2."""

import asyncio
import contextlib
import logging
import time
from dataclasses import replace
from typing import Any

from aiohttp import web

from chat.message import MAX_CHARACTERS
from security.errors import (
    Conflict,
    Denied,
    MadoguchiError,
    NotFound,
    ProtocolError,
    TooMuch,
    Unavailable,
)
from security.ids import new_id
from security.people import DESK_ROLES, SessionKind, Tablet
from security.tablet_key import key_required
from server.api import seats
from server.api.admission import admit_socket
from server.api.commands import HANDLERS, Context
from server.api.errors import error_body
from server.api.keys import PARTS
from server.api.messages import (
    MAX_FRAME_BYTES,
    Command,
    Hello,
    Pong,
    echo_of,
    parse_frame,
    parse_message,
)
from server.api.pace import Pace
from server.api.speaker import Speaker, counter_of, note_refused, speaker_of, token_of
from server.api.tablet_proof import new_challenge, require_socket_proof
from server.api.views import Json, challenge_view, relay_view, time_view
from server.api.welcome import welcome_state
from server.calls import events as ev
from server.calls.guests import came_back, went_away
from server.parts import Parts

log = logging.getLogger(__name__)
HELLO_SECONDS = 5.0
CLOSE_SECONDS = 2.0


async def live(request: web.Request) -> web.StreamResponse:
    """Serve `GET /api/v1/ws`."""
    parts = request.app[PARTS]
    speaker = await speaker_of(parts, request)
    ws = web.WebSocketResponse(max_msg_size=MAX_FRAME_BYTES, compress=False, timeout=CLOSE_SECONDS)
    await ws.prepare(request)
    socket = seats.Socket(ws, request.transport, speaker.token, speaker.municipality.id)
    writer = asyncio.create_task(socket.run())
    try:
        # Not before the handshake: a page cannot read why a handshake was refused.
        await admit_socket(parts, speaker)
        await Page(parts, speaker, request, socket).run()
    except MadoguchiError as exc:
        socket.refuse(seats.encode({"type": "error", **error_body(exc)}))
        otherwise = seats.NOT_ALLOWED if isinstance(exc, Denied) else seats.AWAY
        socket.close(exc.close_code or otherwise, exc.code)
    except Exception:
        log.exception("a page broke")
        socket.close(seats.AWAY, "broken")
    finally:
        socket.close(seats.LEFT, "left")
        with contextlib.suppress(ConnectionError, RuntimeError, TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS + 1.0):
                await writer
    return ws


class Page:
    """One page for as long as its socket lives."""

    def __init__(
        self, parts: Parts, speaker: Speaker, request: web.Request, socket: seats.Socket
    ) -> None:
        self._parts = parts
        self._speaker = speaker
        self._request = request
        self._socket = socket
        self._pace = Pace()
        self._clerk = token_of(request, SessionKind.CLERK)
        self._context = Context(parts, speaker, self._speak)

    async def _speak(self) -> Speaker:
        if self._speaker.page != "counter":
            return await speaker_of(self._parts, self._request)
        principal = await counter_of(self._parts, self._request, self._clerk)
        return replace(self._speaker, principal=principal)

    async def _change_clerk(self, token: str | None) -> None:
        """Go on with another clerk, or none; the page is told."""
        self._clerk = token
        self._context.speaker = await self._speak()
        self._parts.hub.seats.send(
            self._speaker.seat, {"type": "you", "you": self._context.speaker.you()}
        )

    async def run(self) -> None:
        """Greet, answer commands until the page is gone, then free the seat."""
        hello = await self._hello()
        if hello is None or not self._take_seat(hello):
            return
        seat = self._speaker.seat
        self._parts.present.enter(self._speaker)
        if self._speaker.page == "counter":
            self._parts.shifts.open(seat, self._change_clerk, self._clerk)
        try:
            await self._arrive(hello)
            await self._listen()
        finally:
            self._parts.shifts.close(seat, self._change_clerk)
            self._parts.present.leave(self._speaker)
            if self._parts.hub.seats.leave(seat, self._socket):
                await asyncio.shield(self._depart())

    async def _hello(self) -> Hello | None:
        tablet = self._speaker.tablet
        if tablet is not None:
            await self._challenge(tablet)
        try:
            text = await self._receive(HELLO_SECONDS)
        except TimeoutError as exc:
            raise ProtocolError("no hello within 5 s") from exc
        if text is None:
            return None
        message = parse_message(parse_frame(text))
        if not isinstance(message, Hello):
            raise ProtocolError("the first message is hello")
        if tablet is not None:
            await self._require_key(tablet, message)
        return message

    async def _challenge(self, tablet: Tablet) -> None:
        challenge = self._context.challenge = new_challenge(self._parts.clock())
        await self._socket.say_first({"type": "challenge", **challenge_view(tablet, challenge)})

    async def _require_key(self, tablet: Tablet, hello: Hello) -> None:
        """Raise `Denied` unless the page has the tablet's key, not only its cookie."""
        challenge = self._context.challenge
        try:
            if challenge is None or hello.proof is None:
                raise key_required()
            require_socket_proof(tablet, challenge, hello.page, hello.proof)
        except Denied as no:
            await note_refused(self._parts, tablet, "socket", no.code)
            raise

    def _take_seat(self, hello: Hello) -> bool:
        hub, same_run = self._parts.hub, hello.epoch == self._parts.epoch
        try:
            self._resumed = hub.seats.take(
                self._speaker.seat,
                hello.page,
                self._socket,
                takeover=hello.takeover,
                resume_from=hello.seq if same_run else None,
            )
        except Conflict as exc:
            self._socket.refuse(seats.encode({"type": "error", **error_body(exc)}))
            self._socket.close(seats.SEAT_TAKEN, exc.code)
            return False
        return True

    async def _arrive(self, hello: Hello) -> None:
        parts, speaker = self._parts, self._speaker
        registry = parts.registry
        if speaker.page == "desk":
            role = speaker.person.role if speaker.person else None
            registry.desks.connect(
                speaker.seat[1],
                speaker.municipality.id,
                now=parts.clock(),
                answers=role in DESK_ROLES,
            )
        # Always, even when it is not (yet) known as lost: `Lost` may still be on its way to disk.
        with contextlib.suppress(Conflict, NotFound):
            call = self._context.own_call()
            await registry.apply(call.id, came_back(speaker.party_in(call), speaker.seat[1]))
        desk_open = registry.desks.is_open(speaker.seat[1])
        home = speaker.municipality.id
        times, files = registry.limits_of(home), parts.uploads.limits_of(home)
        welcome: Json = {
            "type": "welcome",
            "epoch": parts.epoch,
            "resumed": self._resumed,
            "server_time": time_view(parts.clock()),
            "you": speaker.you(desk_open=desk_open),
            "limits": {
                "chat_characters": MAX_CHARACTERS,
                "file_bytes": files.max_bytes,
                "resume_seconds": times.resume_seconds,
                "ring_seconds": times.ring_seconds,
                "file_types": list(files.media_types),
                "chat_kept": speaker.in_force.policy.chat.keep != "drop",
            },
            "relay": relay_view(parts.relay_grant(speaker.municipality.id)),
            "state": None if self._resumed else await welcome_state(parts, speaker),
        }
        self._socket.relay_told = parts.relay_use(home)
        self._socket.release(seats.encode(welcome))
        if hello.epoch is not None and hello.epoch != parts.epoch and not self._has_media():
            parts.hub.seats.send(speaker.seat, {"type": "please-offer", "reason": "new_connection"})
        if speaker.page == "desk":
            await registry.settle(speaker.municipality.id)
        else:
            await parts.hub.tell_position(speaker.seat, speaker.municipality.id)

    def _has_media(self) -> bool:
        """Tell whether the page's connection lived on while the server was away."""
        with contextlib.suppress(Conflict):
            call = self._context.own_call()
            held = self._parts.media.held(call.id)
            return held is not None and self._speaker.party_in(call).value in held.connected
        return False

    async def _depart(self) -> None:
        parts, speaker = self._parts, self._speaker
        registry = parts.registry
        if speaker.page == "desk":
            registry.desks.disconnect(speaker.seat[1])
            ringing = registry.ringing_at(speaker.seat[1])
            if ringing is not None:
                registry.later(ringing.id, ev.Passed(speaker.seat[1]))
        seat = speaker.seat
        asked = registry.asks_for(seat[1]) if speaker.page == "desk" else None
        if asked is not None:
            registry.later(asked.id, ev.GuestLeft(seat[1]))
        with contextlib.suppress(Conflict):
            call = self._context.own_call()
            lost = went_away(speaker.party_in(call), seat[1])
            registry.later(call.id, lost, lambda: parts.hub.seats.present(seat))
        if speaker.page == "desk":
            await registry.settle(speaker.municipality.id)
            with contextlib.suppress(Unavailable):
                await parts.media.dismiss(speaker.seat[1])

    async def _listen(self) -> None:
        while not self._socket.closing:
            text = await self._receive(None)
            if text is None:
                return
            frame = parse_frame(text)
            load = self._pace.count(time.monotonic())
            if load > 2:
                self._socket.close(seats.NOT_ALLOWED, "too fast")
                return
            if load > 1:
                limit = TooMuch(
                    "too many messages", limit=60, unit="messages a second", code="too_fast"
                )
                self._answer_error(frame, limit)
                continue
            self._socket.working = True
            try:
                await self._handle(frame)
            finally:
                self._socket.working = False
                self._socket.last_heard = time.monotonic()

    async def _handle(self, frame: dict[str, Any]) -> None:
        try:
            message = parse_message(frame)
            if isinstance(message, Hello):
                raise ProtocolError("hello comes once")
            if isinstance(message, Pong):
                self._parts.hub.seats.seen(self._speaker.seat, self._socket, message.seq)
                return
            if not isinstance(message, Command):
                raise ProtocolError("not a command")
            answer = await HANDLERS[message.type](self._context, message)
            self._send({"type": "ok", "re": message.id, **answer})
        except MadoguchiError as exc:
            log.info("%s refused: %s", frame["type"], exc.code)
            self._answer_error(frame, exc)
        except Exception:
            request_id = new_id()
            log.exception("%s failed, request %s", frame["type"], request_id)
            self._answer_error(frame, MadoguchiError(f"something broke, request {request_id}"))

    def _answer_error(self, frame: dict[str, Any], exc: MadoguchiError) -> None:
        self._send({"type": "error", "re": echo_of(frame), **error_body(exc)})
        if exc.ends_call and exc.close_code is not None:
            self._socket.close(exc.close_code, exc.code)

    def _send(self, message: Json) -> None:
        self._parts.hub.seats.send_from(self._speaker.seat, self._socket, message)

    async def _receive(self, timeout_seconds: float | None) -> str | None:
        try:
            return await self._socket.receive(timeout_seconds)
        except TypeError as exc:
            raise ProtocolError("binary frames are refused") from exc
