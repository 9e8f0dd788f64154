"""The media engine as the server sees it: one UDP socket, all calls of this process.

First byte of a datagram (RFC 7983): 0-3 STUN, 20-63 DTLS, 128-191 RTP or RTCP. Only STUN is looked
at from an address that has not passed a check.
"""

import asyncio
import ipaddress
import logging
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from media.answer import Local, write_answer
from media.call import Call, Party
from media.capacity import DEFAULT_CALLS
from media.codecs import VP8
from media.control import CNAME, ControlPath
from media.dtls import DtlsState, Identity, new_identity
from media.engine import CallMedia, Capacity
from media.ice import Address, addressed_ufrag
from media.leg import Leg
from media.libs import PacketBuffer
from media.packets import PacketPath
from media.sdp import parse_offer
from media.settings import MediaEvents, MediaSettings, PartyStats
from security.errors import NotFound, Unavailable
from security.gate import Permit
from security.ids import new_id

__all__ = ["MediaEvents", "MediaNode", "MediaSettings", "PartyStats"]

RECEIVE_BYTES = 4 * 1024 * 1024
TICK_SECONDS = 0.02
# Per turn of the event loop, which no callback may hold for 20 ms (a handshake takes 1 to 2).
BATCH = 64
BATCH_SECONDS = 0.008
SHARED_ADDRESS_SECONDS = 5.0

_log = logging.getLogger(__name__)


class MediaNode:
    """Forwards sound and pictures between the parties of calls. All methods run on the loop."""

    def __init__(
        self,
        settings: MediaSettings,
        events: MediaEvents,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.epoch = new_id()
        self._settings = settings
        given = settings.max_calls
        self._most_calls = DEFAULT_CALLS["python"] if given is None else given
        self._events = events
        self._clock = clock
        self._calls: dict[str, Call] = {}
        self._by_ufrag: dict[str, Party] = {}
        self._by_address: dict[Address, Party] = {}
        self._buffer = PacketBuffer()
        self._path = PacketPath(self._send)
        self._control = ControlPath(self._send, self._path)
        self._socket: socket.socket | None = None
        self._identity: Identity | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._port = 0

    @property
    def port(self) -> int:
        """The UDP port in use; 0 before `start`."""
        return self._port

    # --- life

    async def start(self) -> None:
        """Open the socket and begin to serve.

        Raises `Unavailable` when the address or port cannot be had.
        """
        self._identity = new_identity(datetime.now(UTC))
        try:
            self._socket = _open_socket(self._settings.host, self._settings.port)
        except OSError as error:
            raise Unavailable(f"the media port cannot be opened: {error.strerror}") from error
        self._port = self._socket.getsockname()[1]
        loop = asyncio.get_running_loop()
        loop.add_reader(self._socket.fileno(), self._on_readable)
        self._timer = loop.call_later(TICK_SECONDS, self._on_tick)

    async def stop(self) -> None:
        """Say goodbye to every party and close the socket."""
        for call_id in tuple(self._calls):
            self.close_call(call_id)
        if self._timer is not None:
            self._timer.cancel()
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None

    # --- what the server asks for

    def open_call(self, call_id: str) -> None:
        """Make room for a call; nothing happens when it is there already. Its gate is closed."""
        self._calls.setdefault(call_id, Call(call_id))

    def join(self, permit: Permit, call_id: str, party: str, offer: str) -> str:
        """Connect `party` as its SDP `offer` says and return the SDP answer.

        The same certificate fingerprint as before is an ICE restart in place; another one replaces
        the party's connection, and who listens to it goes on listening. `permit` is for
        `media.join` on the call.

        Raises `ProtocolError` (`bad_sdp`) with nothing changed, `NotFound` for an unknown call,
        `Denied` for the wrong permit, `Unavailable` when the node is not running.
        """
        permit.require("media.join", call_id)
        return self.admit(call_id, party, offer)

    def admit(self, call_id: str, party: str, offer: str) -> str:
        """Do what `join` does for somebody who has looked at the permit already.

        That is the control socket alone: permits do not travel, and who may speak there is the
        server, which has asked the gate (CONTROL.md).
        """
        if self._identity is None or self._socket is None:
            raise Unavailable("the media engine is not running")
        call = self._call(call_id)
        parsed = parse_offer(offer)
        member = call.party(party)
        if member.can_restart(parsed):
            member.restart(parsed)
        else:
            self._disconnect(member)
            member.connect(self._identity, parsed, now=self._clock())
        call.wire()
        leg = member.leg
        if leg is None:
            raise Unavailable("the connection was not made")
        self._remember(member, leg)
        return write_answer(parsed, self._local(leg, self._identity))

    def leave(self, call_id: str, party: str) -> None:
        """End `party`'s connection; nothing happens when there is none."""
        call = self._calls.get(call_id)
        member = call.parties.pop(party, None) if call else None
        if call is not None and member is not None:
            self._disconnect(member)
            call.wire()

    def set_gate(self, call_id: str, *, open: bool) -> None:
        """Let sound and pictures through between the parties, or nothing.

        Takes no permit: the call's state opens and closes it, as an effect of an event that the
        gate has allowed already (server/calls/machine.py), and some events are nobody's request.

        Raises `NotFound` for an unknown call.
        """
        call = self._call(call_id)
        call.gate_open = open
        call.wire()

    def set_veil(self, call_id: str, party: str, *, on: bool) -> None:
        """Withhold `party`'s picture, or show it again from the next keyframe on. Sound goes on.

        Holds for the party's name: also before it has joined and after it has left. Takes no
        permit, for the reason given at `set_gate`; putting the veil up must never be refused.
        Raises `NotFound` for an unknown call.
        """
        call = self._call(call_id)
        if on:
            call.veiled.add(party)
        else:
            call.veiled.discard(party)
        call.wire()

    def close_call(self, call_id: str) -> None:
        """End every connection of the call and forget it; nothing happens when it is not there."""
        call = self._calls.pop(call_id, None)
        if call is not None:
            for member in call.parties.values():
                self._disconnect(member)

    def stats(self, call_id: str) -> dict[str, PartyStats]:
        """Return how each party's connection does.

        Raises `NotFound` for an unknown call.
        """
        return {name: member.stats() for name, member in self._call(call_id).parties.items()}

    def held(self, call_id: str) -> CallMedia | None:
        """Return how a call stands, None when it is unknown."""
        call = self._calls.get(call_id)
        if call is None:
            return None
        legs = {name: member.leg for name, member in call.parties.items()}
        connected = (n for n, x in legs.items() if x and x.transport.up and not x.transport.lost)
        return CallMedia(call.gate_open, frozenset(call.veiled), frozenset(connected))

    def call_ids(self) -> tuple[str, ...]:
        """Return the calls that are open here."""
        return tuple(self._calls)

    def capacity(self) -> Capacity:
        """Return how much room is left for a further call."""
        most, calls = self._most_calls, self._calls_under_way()
        load = min(1.0, calls / most) if most else 1.0
        return Capacity(load, accepting=self._has_room(), max_calls=most)

    # --- inside

    def _calls_under_way(self) -> int:
        return sum(call.gate_open for call in self._calls.values())

    def _has_room(self) -> bool:
        return self._socket is not None and self._calls_under_way() < self._most_calls

    def _call(self, call_id: str) -> Call:
        call = self._calls.get(call_id)
        if call is None:
            raise NotFound("the media engine has no such call")
        return call

    def _local(self, leg: Leg, identity: Identity) -> Local:
        return Local(
            ufrag=leg.transport.local.ufrag,
            password=leg.transport.local.password,
            fingerprint=identity.fingerprint,
            addresses=self._settings.announce,
            port=self._port,
            ssrcs=leg.ssrcs,
            cname=CNAME,
            session_id=leg.session_id,
            version=leg.version,
            codec=VP8,
        )

    def _remember(self, member: Party, leg: Leg) -> None:
        """Make checks for the party's credentials, and for no others of it, find their way."""
        valid = {x.ufrag for x in (leg.transport.local, leg.transport.old_local) if x}
        for ufrag in [x for x, owner in self._by_ufrag.items() if owner is member]:
            if ufrag not in valid:
                del self._by_ufrag[ufrag]
        self._by_ufrag.update(dict.fromkeys(valid, member))

    def _disconnect(self, member: Party) -> None:
        leg = member.leg
        if leg is None:
            return
        self._send_all(leg, leg.transport.dtls.goodbye(now=self._clock()))
        for ufrag in [x for x, owner in self._by_ufrag.items() if owner is member]:
            del self._by_ufrag[ufrag]
        for address in leg.transport.addresses:
            if self._by_address.get(address) is member:
                del self._by_address[address]
        member.drop()

    # --- datagrams

    def _send(self, data: memoryview | bytes, address: Address) -> bool:
        """Send one datagram; what the socket does not take is lost, as on any line."""
        if self._socket is None:
            return False
        try:
            self._socket.sendto(data, address)
        except OSError:
            return False
        return True

    def _send_all(self, leg: Leg, datagrams: list[bytes]) -> None:
        address = leg.transport.addresses.current
        if address is not None:
            for datagram in datagrams:
                self._send(datagram, address)

    def _on_readable(self) -> None:
        if self._socket is None:
            return
        buffer, begun = self._buffer, self._clock()
        for _ in range(BATCH):
            try:
                size, address = self._socket.recvfrom_into(buffer.data)
            except BlockingIOError:
                return
            except OSError:
                continue
            if 1 <= size < PacketBuffer.SIZE:
                now = self._clock()
                self._on_datagram(buffer, size, address, now)
                if now - begun > BATCH_SECONDS:
                    return

    def _on_datagram(self, buffer: PacketBuffer, size: int, address: Address, now: float) -> None:
        first = buffer.data[0]
        if first < 4:
            self._on_stun(bytes(buffer.view[:size]), address, now)
            return
        member = self._by_address.get(address)
        if member is None or member.leg is None:
            return
        if 128 <= first < 192:
            if size > 1 and 192 <= buffer.data[1] <= 223:
                self._control.receive(member.leg, member.sources, buffer, size, address, now)
            else:
                self._path.receive(member.leg, buffer, size, address, now)
        elif 20 <= first < 64:
            self._on_dtls(member, member.leg, bytes(buffer.view[:size]), now)

    def _on_stun(self, data: bytes, address: Address, now: float) -> None:
        ufrag = addressed_ufrag(data)
        member = self._by_ufrag.get(ufrag) if ufrag else None
        if ufrag is None or member is None or member.leg is None:
            return
        transport = member.leg.transport
        if self._belongs_to_another(member, address, now):
            return
        old = transport.old_local
        answer = transport.check(data, ufrag, address, now=now)
        if answer is None:
            return
        if old is not None and transport.old_local is None:
            self._by_ufrag.pop(old.ufrag, None)
        if answer.forgotten and self._by_address.get(answer.forgotten) is member:
            del self._by_address[answer.forgotten]
        if address in transport.addresses:
            self._by_address[address] = member
        self._send(answer.reply, address)

    def _belongs_to_another(self, member: Party, address: Address, now: float) -> bool:
        """Tell whether another party is alive behind this address: it cannot be taken from it."""
        owner = self._by_address.get(address)
        if owner is None or owner is member or owner.leg is None:
            return False
        return now - owner.leg.transport.heard_at < SHARED_ADDRESS_SECONDS

    def _on_dtls(self, member: Party, leg: Leg, data: bytes, now: float) -> None:
        transport = leg.transport
        self._send_all(leg, transport.dtls.receive(data, now=now))
        if transport.keys_ready():
            self._on_up(member, now)
        else:
            self._tell_end(member, leg)

    def _tell_end(self, member: Party, leg: Leg) -> None:
        transport = leg.transport
        if transport.dtls.state in (DtlsState.FAILED, DtlsState.CLOSED) and not transport.lost:
            transport.end()
            transport.lost = True
            _log.info("connection of a party ended: %s", transport.dtls.state.value)
            self._events.media_lost(member.call_id, member.name)

    def _on_up(self, member: Party, now: float) -> None:
        """Ask at once for what the newcomer waits for: earlier it would have been lost."""
        self._events.media_up(member.call_id, member.name)
        call = self._calls.get(member.call_id)
        if call is None:
            return
        call.wire()
        for other in call.parties.values():
            if other.leg is not None:
                self._control.tick(other.leg, other.sources, now)

    # --- time

    def _on_tick(self) -> None:
        now = self._clock()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(TICK_SECONDS, self._on_tick)
        for call in tuple(self._calls.values()):
            for member in tuple(call.parties.values()):
                if member.leg is not None:
                    self._tick_alone(member, member.leg, now)

    def _tick_alone(self, member: Party, leg: Leg, now: float) -> None:
        """Do what is due for one party; what goes wrong there holds up no other."""
        try:
            self._tick(member, leg, now)
        except Exception:
            _log.exception("the tick of a party failed in call %s", member.call_id)

    def _tick(self, member: Party, leg: Leg, now: float) -> None:
        transport = leg.transport
        if transport.dtls.state is DtlsState.WAITING:
            transport.dtls.expire(now=now)
            if transport.addresses.consented(now):
                self._send_all(leg, transport.dtls.tick(now=now))
            self._tell_end(member, leg)
            return
        self._control.tick(leg, member.sources, now)
        if transport.up and transport.dtls.state is DtlsState.UP:
            self._watch(member, leg, now)

    def _watch(self, member: Party, leg: Leg, now: float) -> None:
        """Tell the server when the party's consent ends, and when it is back."""
        gone = not leg.transport.addresses.consented(now)
        if gone == leg.transport.lost:
            return
        leg.transport.lost = gone
        if gone:
            self._events.media_lost(member.call_id, member.name)
        else:
            self._events.media_up(member.call_id, member.name)


def _open_socket(host: str, port: int) -> socket.socket:
    version = ipaddress.ip_address(host).version
    family = socket.AF_INET6 if version == 6 else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_DGRAM)
    try:
        opened.setblocking(False)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        _grow_buffers(opened)
        opened.bind((host, port))
    except OSError:
        opened.close()
        raise
    return opened


def _grow_buffers(opened: socket.socket) -> None:
    """Ask for large socket buffers, and say so when the system does not give them.

    One port is one queue for all calls: with the usual 208 KiB, 30 calls lose 2.6 % of packets.
    """
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        with suppress(OSError):
            opened.setsockopt(socket.SOL_SOCKET, option, RECEIVE_BYTES)
    given = opened.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2  # Linux doubles it
    if given < RECEIVE_BYTES:
        _log.warning(
            "the media socket's receive buffer is %d bytes instead of %d: raise net.core.rmem_max",
            given,
            RECEIVE_BYTES,
        )
