"""The one UDP port: its socket, whose address is whose, and what is not RTP.

Strangers' datagrams end at the look-up of the user name that a check is addressed to.
"""

import logging
import socket
from collections.abc import Callable, Collection, Set
from typing import Protocol

from media.call import Party
from media.control import ControlPath
from media.dtls import DtlsState
from media.ice import CONSENT_SECONDS, Address, addressed_ufrag, plain_host
from media.leg import Leg
from media.path import STREAM, PacketPath, PathCounts
from media.paths import maker_for
from media.sockets import open_sockets
from media.tcp import Streams

SHARED_ADDRESS_SECONDS = 5.0

_log = logging.getLogger(__name__)


class PortEvents(Protocol):
    """Told on the event loop."""

    def connection_up(self, member: Party, now: float) -> None:
        """The party's handshake has just ended."""

    def connection_ended(self, member: Party, leg: Leg) -> None:
        """The party said goodbye, or its handshake failed."""


class Port:
    """Owns the socket, the packet path on it, and the tables of addresses and user names."""

    def __init__(self, events: PortEvents, *, packet_path: str, clock: Callable[[], float]) -> None:
        """Raises `Unavailable` when that packet path cannot be had (media/paths.py)."""
        self._events = events
        self._clock = clock
        self._by_ufrag: dict[str, Party] = {}
        self._by_address: dict[Address, Party] = {}
        self._socket: socket.socket | None = None
        self.path: PacketPath = maker_for(packet_path)(clock, self._on_datagram, self._send_stream)
        self.control = ControlPath(self.path)
        self._streams = Streams(self.path.feed, self._on_stream_gone, clock=clock)
        self.number = 0

    @property
    def is_open(self) -> bool:
        """Tell whether datagrams come and go."""
        return self._socket is not None

    def open(self, host: str, port: int, *, tcp: bool) -> None:
        """Open the sockets and begin to serve. Raises `OSError`."""
        self._socket, listening = open_sockets(host, port, tcp=tcp)
        self.number = self._socket.getsockname()[1]
        self.path.start(self._socket)
        if listening is not None:
            self._streams.open(listening)

    def tick(self, now: float) -> None:
        """Do what is due about every 20 ms."""
        self.path.tick(now)
        self._streams.tick(now)

    def counts(self) -> PathCounts:
        """Return what was not carried, over slow connections either."""
        counts = self.path.counts()
        return counts._replace(unsent=counts.unsent + self._streams.dropped)

    def close(self) -> None:
        """Serve no more."""
        self._streams.close()
        if self._socket is not None:
            self.path.stop()
            self._socket.close()
            self._socket = None

    # --- who is who

    def remember(self, member: Party, leg: Leg) -> None:
        """Make checks for the party's credentials, and for no others of it, find their way."""
        valid = {x.ufrag for x in (leg.transport.local, leg.transport.old_local) if x}
        for ufrag in [x for x, owner in self._by_ufrag.items() if owner is member]:
            if ufrag not in valid:
                self._forget_ufrag(ufrag)
        for ufrag in valid:
            self._by_ufrag[ufrag] = member
            self.path.expect_checks(ufrag)

    def _forget_ufrag(self, ufrag: str) -> None:
        if self._by_ufrag.pop(ufrag, None) is not None:
            self.path.ignore_checks(ufrag)

    def forget(self, member: Party) -> None:
        """Say goodbye to the party; nothing of its connection finds its way any more."""
        leg = member.leg
        if leg is None:
            return
        self.send_all(leg, leg.transport.dtls.goodbye(now=self._clock()))
        for ufrag in [x for x, owner in self._by_ufrag.items() if owner is member]:
            self._forget_ufrag(ufrag)
        for address in leg.transport.addresses:
            if self._by_address.get(address) is member:
                del self._by_address[address]
            self._streams.drop(address)
        member.drop()

    def confine(self, leg: Leg, hosts: Collection[str] | None) -> None:
        """Take what comes for a connection from `hosts` alone from now on; None: from anywhere."""
        transport = leg.transport
        transport.only_from = None if hosts is None else frozenset(hosts)
        for address in transport.addresses:
            if not transport.lets_in(address):
                self._on_stream_gone(address)
                self._streams.drop(address)

    def hand_over(self, guest: Party, member: Party) -> None:
        """Have what comes for `guest` come to `member`, who gets its connection."""
        for ufrag in [x for x, owner in self._by_ufrag.items() if owner is guest]:
            self._by_ufrag[ufrag] = member
        for address in [x for x, owner in self._by_address.items() if owner is guest]:
            self._by_address[address] = member

    def refuse(self, member: Party) -> None:
        """Forget every address of the party that it may not use (`Party.refused`)."""
        leg = member.leg
        if leg is None:
            return
        for address in tuple(leg.transport.addresses):
            if plain_host(address[0]) in member.refused:
                self._forget_address(member, leg, address)

    def _forget_address(self, member: Party, leg: Leg, address: Address) -> None:
        """Take an address from the party; another one that it has proven takes its place."""
        if self._by_address.get(address) is member:
            del self._by_address[address]
        addresses = leg.transport.addresses
        addresses.forget(address)
        self.path.forbid(leg.handle, address)
        self._streams.drop(address)
        if addresses.current is not None:
            self.path.use(leg.handle, addresses.current)

    def owner(self, address: Address) -> str | None:
        """Return the name of the party behind `address`, None for a stranger's."""
        member = self._by_address.get(address)
        return None if member is None else member.name

    # --- out

    def send(self, data: memoryview | bytes, address: Address) -> bool:
        """Send one datagram; what the socket does not take is lost, as on any line."""
        if self._socket is None:
            return False
        if address[-1] == STREAM:
            return self._streams.send(data, address)
        try:
            self._socket.sendto(data, socket.MSG_DONTWAIT, address)
        except OSError:
            return False
        return True

    def send_all(self, leg: Leg, datagrams: list[bytes]) -> None:
        """Send datagrams to the party's address in use, if there is one."""
        address = leg.transport.addresses.current
        if address is not None:
            for datagram in datagrams:
                self.send(datagram, address)

    def recall(self, ssrcs: Set[int]) -> None:
        """Send no media of these SSRCs any more that waits for a slow connection."""
        self.path.recall(ssrcs)
        self._streams.recall(ssrcs)

    def _send_stream(self, data: memoryview, address: Address) -> bool:
        return self._streams.send(data, address)

    # --- in

    def _on_datagram(self, data: bytes, address: Address, now: float) -> None:
        """Take what the packet path does not: STUN of anybody, DTLS and RTCP of parties."""
        first = data[0]
        if first < 4:
            self._on_stun(data, address, now)
            return
        member = self._by_address.get(address)
        if member is None or member.leg is None:
            return
        if first < 64:
            self._on_dtls(member, member.leg, data, now)
        else:
            self._on_rtcp(member, member.leg, data, address, now)

    def _on_stun(self, data: bytes, address: Address, now: float) -> None:
        ufrag = addressed_ufrag(data)
        member = self._by_ufrag.get(ufrag) if ufrag else None
        if ufrag is None or member is None or member.leg is None:
            return
        transport = member.leg.transport
        if plain_host(address[0]) in member.refused or not transport.lets_in(address):
            return
        if self._belongs_to_another(member, address, now):
            return
        self.catch_up(member.leg)
        old = transport.old_local
        answer = transport.check(data, ufrag, address, now=now)
        if answer is None:
            return
        if old is not None and transport.old_local is None:
            self._forget_ufrag(old.ufrag)
        self._take_address(member, member.leg, address, answer.forgotten)
        if address[-1] == STREAM:
            self._streams.prove(address)
        self.send(answer.reply, address)

    def _take_address(
        self, member: Party, leg: Leg, address: Address, forgotten: Address | None
    ) -> None:
        """Tell the packet path what a check has changed."""
        addresses, leg.due_at = leg.transport.addresses, 0.0
        if forgotten is not None:
            self.path.forbid(leg.handle, forgotten)
            if self._by_address.get(forgotten) is member:
                del self._by_address[forgotten]
            self._streams.drop(forgotten)
        if address in addresses:
            self._by_address[address] = member
            self.path.allow(leg.handle, address, addresses.checked_at(address) + CONSENT_SECONDS)
        if addresses.current is not None:
            self.path.use(leg.handle, addresses.current)

    def _on_stream_gone(self, address: Address) -> None:
        """Forget a connection that is closed; another address of the party takes its place."""
        member = self._by_address.pop(address, None)
        if member is None or member.leg is None:
            return
        addresses = member.leg.transport.addresses
        addresses.forget(address)
        self.path.forbid(member.leg.handle, address)
        if addresses.current is not None:
            self.path.use(member.leg.handle, addresses.current)

    def _belongs_to_another(self, member: Party, address: Address, now: float) -> bool:
        """Tell whether another party is alive behind this address: it cannot be taken from it."""
        owner = self._by_address.get(address)
        if owner is None or owner is member or owner.leg is None:
            return False
        self.catch_up(owner.leg)
        return now - owner.leg.transport.heard_at < SHARED_ADDRESS_SECONDS

    def catch_up(self, leg: Leg, *, moved: bool = False) -> None:
        """Learn from the packet path where and when the party was heard last.

        It counts when it was later than anything else, and when it has `moved` the party.
        """
        state = self.path.leg_state(leg.handle)
        if state.heard_from is not None and (moved or state.heard_at > leg.transport.heard_at):
            leg.transport.heard_at = max(state.heard_at, leg.transport.heard_at)
            leg.transport.addresses.heard(state.heard_from, state.heard_at)

    def _on_rtcp(self, member: Party, leg: Leg, data: bytes, address: Address, now: float) -> None:
        addresses = leg.transport.addresses
        before = addresses.current
        self.control.receive(leg, member.uplinks, data, address, now)
        if addresses.current is not None and addresses.current != before:
            self.path.use(leg.handle, addresses.current)

    def _on_dtls(self, member: Party, leg: Leg, data: bytes, now: float) -> None:
        transport = leg.transport
        self.send_all(leg, transport.dtls.receive(data, now=now))
        if transport.keys_ready() and transport.dtls.keys is not None:
            keys = transport.dtls.keys
            self.path.set_keys(leg.handle, keys.profile, keys.inbound, keys.outbound)
            self._events.connection_up(member, now)
        else:
            self.look_for_end(member, leg)

    def look_for_end(self, member: Party, leg: Leg) -> None:
        """End the connection if its DTLS has."""
        transport = leg.transport
        if transport.dtls.state in (DtlsState.FAILED, DtlsState.CLOSED) and not transport.lost:
            transport.end()
            self.path.clear_keys(leg.handle)
            transport.lost = True
            _log.info("connection of a party ended: %s", transport.dtls.state.value)
            self._events.connection_ended(member, leg)
