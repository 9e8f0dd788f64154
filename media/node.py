"""The media engine as the server sees it: all calls of this process, over one port."""

import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime

from media.answer import Local, write_answer
from media.call import Call, Party
from media.downlink import Downlink
from media.dtls import Identity, new_identity
from media.engine import CallMedia, Capacity
from media.ice import plain_host
from media.leg import Leg
from media.lobby import Lobby
from media.port import Port
from media.rounds import Rounds, ask_for_streams, calls_under_way
from media.rtcp import CNAME
from media.sdp import Offer, parse_offer
from media.settings import MediaEvents, MediaSettings, PartyStats
from media.workload import Workload
from security.errors import NotFound, Unavailable
from security.gate import Permit
from security.ids import new_id

__all__ = ["MediaEvents", "MediaNode", "MediaSettings", "PartyStats"]


class MediaNode:
    """Forwards sound and pictures between the parties of calls. All methods run on the loop."""

    def __init__(
        self,
        settings: MediaSettings,
        events: MediaEvents,
        *,
        clock: Callable[[], float] = time.monotonic,
        alone: bool = False,
    ) -> None:
        """`alone`: this process is the node's own, so that all of its processor time counts."""
        self.epoch = new_id()
        self._settings = settings
        self._events = events
        self._clock = clock
        self._calls: dict[str, Call] = {}
        self._port = Port(self, packet_path=settings.packet_path, clock=clock)
        self._workload = Workload(self._port.path.name, settings.max_calls, alone=alone)
        self._lobby = Lobby(self._port.path)
        self._identity: Identity | None = None
        self._rounds = Rounds(
            *(self._calls, self._lobby, self._port, events, self._workload),
            clock=clock,
            ended=self.connection_ended,
        )

    @property
    def port(self) -> int:
        """The UDP port in use; 0 before `start`."""
        return self._port.number

    @property
    def packet_path(self) -> str:
        """Which packet path carries the calls: "native" or "python"."""
        return self._port.path.name

    # --- life

    async def start(self) -> None:
        """Open the socket and begin to serve.

        Raises `Unavailable` when the address or port cannot be had.
        """
        self._identity = new_identity(datetime.now(UTC))
        try:
            self._port.open(self._settings.host, self._settings.port, tcp=self._settings.tcp)
        except OSError as error:
            raise Unavailable(f"the media port cannot be opened: {error.strerror}") from error
        self._rounds.begin()

    async def stop(self) -> None:
        """Say goodbye to every party and close the socket."""
        for call_id in tuple(self._calls):
            self.close_call(call_id)
        for guest in self._lobby:
            self.dismiss(guest.name)
        self._rounds.end()
        self._port.close()

    # --- what the server asks for

    def open_call(self, call_id: str) -> None:
        """Make room for a call; nothing happens when it is there already. Its gate is closed."""
        self._calls.setdefault(call_id, Call(self._port.path, call_id))

    def join(
        self,
        permit: Permit,
        call_id: str,
        party: str,
        offer: str,
        *,
        only_from: Collection[str] | None = None,
    ) -> str:
        """Connect `party` as its SDP `offer` says and return the SDP answer.

        The same certificate fingerprint as before is an ICE restart in place; another one replaces
        the party's connection, and who listens to it goes on listening. `permit` is for
        `media.join` on the call; `only_from` as in media/engine.py.

        Raises `ProtocolError` (`bad_sdp`) with nothing changed, `NotFound` for an unknown call,
        `Denied` for the wrong permit, `Unavailable` when the node is not running.
        """
        permit.require("media.join", call_id)
        return self.admit(call_id, party, offer, only_from=only_from)

    def admit(
        self, call_id: str, party: str, offer: str, *, only_from: Collection[str] | None = None
    ) -> str:
        """Do what `join` does for somebody who has looked at the permit already.

        That is the control socket alone: permits do not travel, and who may speak there is the
        server, which has asked the gate (CONTROL.md).
        """
        identity, call = self._running_identity(), self._call(call_id)
        parsed = parse_offer(offer)
        leg = self._connect(call.party(party), parsed, only_from)
        call.choose_codec()
        leg.codec_told = call.codec
        self._rewire(call)
        return write_answer(leg.offer, self._local(leg, identity))

    def warm(
        self,
        permit: Permit,
        seat: str,
        offer: str,
        *,
        only_from: Collection[str] | None = None,
    ) -> str:
        """Connect `seat` before it is in a call and return the SDP answer.

        The connection waits in the lobby, from which nothing leads to anybody, for `adopt`. An
        offer of the same connection restarts it in place, another one replaces it. `permit` is for
        `media.warm` on the seat.

        Raises `ProtocolError` (`bad_sdp`) with nothing changed, `Denied`, `TooMuch`, `Unavailable`.
        """
        permit.require("media.warm", seat)
        return self.let_wait(seat, offer, only_from=only_from)

    def let_wait(self, seat: str, offer: str, *, only_from: Collection[str] | None = None) -> str:
        """Do what `warm` does for somebody who has looked at the permit already (see `admit`)."""
        identity, parsed = self._running_identity(), parse_offer(offer)
        leg = self._connect(self._lobby.guest(seat), parsed, only_from)
        return write_answer(parsed, self._local(leg, identity))

    def adopt(self, permit: Permit, call_id: str, party: str, seat: str) -> bool:
        """Move the connection that waits for `seat` into a call as `party`; tell whether one did.

        It comes with keys, addresses and what was agreed; its sources, numbers and reports begin
        anew, and what the party had there is dropped. `permit` is for `media.join` on the call.

        Raises `NotFound` for an unknown call, `TooMuch` for a fifth party, `Denied`.
        """
        permit.require("media.join", call_id)
        return self.move_in(call_id, party, seat)

    def move_in(self, call_id: str, party: str, seat: str) -> bool:
        """Do what `adopt` does for somebody who has looked at the permit already (see `admit`)."""
        call = self._call(call_id)
        guest = self._lobby.waiting(seat)
        if guest is None:
            there = call.parties.get(party)
            return there is not None and there.leg is not None and there.leg.waited_as == seat
        member = call.party(party)
        self._port.forget(member)
        self._port.hand_over(guest, member)
        self._lobby.hand_over(guest, member)
        self._port.refuse(member)
        call.choose_codec()
        self._rewire(call)
        if member.leg is not None and member.leg.transport.up:
            self.connection_up(member, self._clock())
        return member.leg is not None

    def dismiss(self, seat: str) -> None:
        """End the connection that waits for `seat`; nothing happens when there is none."""
        guest = self._lobby.dismiss(seat)
        if guest is not None:
            self._port.forget(guest)
            guest.close()

    def leave(self, call_id: str, party: str) -> None:
        """End `party`'s connection; nothing happens when there is none."""
        call = self._calls.get(call_id)
        member = call.parties.get(party) if call else None
        if call is not None and member is not None:
            self._workload.ended(member.stats())
            heard = [x for uplink in member.uplinks.values() for x in uplink.listeners]
            self._port.forget(member)
            call.leave(party)
            self._recall(heard)
            call.choose_codec()
            self._rewire(call)

    def set_gate(self, call_id: str, *, open: bool) -> None:
        """Let sound and pictures through between the parties, or nothing.

        Takes no permit: the call's state opens and closes it, as an effect of an event that the
        gate has allowed already (server/calls/machine.py), and some events are nobody's request.

        Raises `NotFound` for an unknown call.
        """
        call = self._call(call_id)
        call.gate_open = open
        self._wire(call)

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
        self._wire(call)

    def refuse(self, call_id: str, party: str, hosts: Collection[str]) -> None:
        """Carry nothing of `party` by these addresses (without ports), whatever it proves there.

        Holds for the party's name, as a veil does, and takes no permit: refusing must never be
        refused. Raises `NotFound` for an unknown call.
        """
        call = self._call(call_id)
        call.refused[party] = frozenset(hosts)
        member = call.parties.get(party)
        if member is not None:
            member.refused = call.refused[party]
            self._port.refuse(member)

    def close_call(self, call_id: str) -> None:
        """End every connection of the call and forget it; nothing happens when it is not there."""
        call = self._calls.pop(call_id, None)
        if call is not None:
            for member in tuple(call.parties.values()):
                self._workload.ended(member.stats())
                self._port.forget(member)
                call.leave(member.name)

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
        joined = frozenset(n for n, x in legs.items() if x)
        paths = {n: x.path_told for n, x in legs.items() if x is not None}
        return CallMedia(
            call.gate_open,
            frozenset(call.veiled),
            frozenset(connected),
            joined,
            {n: plain_host(told[0]) for n, told in paths.items() if told is not None},
            dict(call.refused),
        )

    def shown(self, call_id: str, party: str) -> dict[str, str]:
        """Return by the mid of each line of `party` whom it is sent there, "" for nobody.

        Raises `NotFound` for an unknown call.
        """
        member = self._call(call_id).parties.get(party)
        if member is None or member.leg is None:
            return {}
        return member.leg.shown

    def places_wanted(self, call_id: str, party: str) -> int:
        """Return how many lines of each kind `party` should offer: one for each of the others.

        Raises `NotFound` for an unknown call.
        """
        member = self._call(call_id).parties.get(party)
        return 1 if member is None or member.leg is None else member.leg.places_wanted

    def call_ids(self) -> tuple[str, ...]:
        """Return the calls that are open here."""
        return tuple(self._calls)

    def capacity(self) -> Capacity:
        """Return how much room is left for a further call."""
        return self._workload.capacity(calls_under_way(self._calls), serving=self._port.is_open)

    # --- inside

    def _call(self, call_id: str) -> Call:
        call = self._calls.get(call_id)
        if call is None:
            raise NotFound("the media engine has no such call")
        return call

    def _running_identity(self) -> Identity:
        """Return our certificate. Raises `Unavailable` while the node is not running."""
        if self._identity is None or not self._port.is_open:
            raise Unavailable("the media engine is not running")
        return self._identity

    def _connect(self, member: Party, offer: Offer, only_from: Collection[str] | None) -> Leg:
        """Begin or restart the connection that `offer` is about and return it."""
        leg = member.leg
        if leg is not None and member.can_restart(offer):
            member.restart(offer)
        else:
            self._port.forget(member)
            leg = member.connect(self._running_identity(), offer, now=self._clock())
        self._port.remember(member, leg)
        self._port.confine(leg, only_from)
        return leg

    def _wire(self, call: Call) -> None:
        """Tie everybody anew; of what that hides nothing leaves any more."""
        uplinks = [x for member in call.parties.values() for x in member.uplinks.values()]
        heard = {x: x.listeners for x in uplinks if x.open}
        call.wire()
        hidden = [x for uplink, listeners in heard.items() if not uplink.open for x in listeners]
        self._recall(hidden)

    def _recall(self, hidden: list[Downlink]) -> None:
        """Have nothing leave any more of what waits for these streams."""
        if hidden:
            self._port.recall({ssrc for x in hidden for ssrc in (x.ssrc, x.rtx_ssrc)} - {0})

    def _rewire(self, call: Call) -> None:
        """Tie everybody anew and tell who is shown where.

        Who sends pictures in another codec than the call's is to offer again.
        """
        call.wire()
        for member in call.parties.values():
            leg = member.leg
            if leg is None:
                continue
            if leg.shown != leg.shown_told:
                leg.shown_told = leg.shown
                self._events.shown(call.id, member.name, leg.shown)
            if leg.codec_told != call.codec:
                leg.codec_told = call.codec
                ask_for_streams(self._events, member, leg)

    def _local(self, leg: Leg, identity: Identity) -> Local:
        return Local(
            ufrag=leg.transport.local.ufrag,
            password=leg.transport.local.password,
            fingerprint=identity.fingerprint,
            addresses=self._settings.announce,
            port=self._port.number,
            streams=leg.streams,
            cname=CNAME,
            session_id=leg.session_id,
            version=leg.version,
            codec=leg.codec_told,
            tcp=self._settings.tcp,
        )

    # --- what the port tells

    def connection_up(self, member: Party, now: float) -> None:
        """Ask at once for what the newcomer waits for: earlier it would have been lost."""
        if member in self._lobby:
            return
        self._events.media_up(member.call_id, member.name)
        call = self._calls.get(member.call_id)
        if call is None:
            return
        call.wire()
        needy = frozenset(self._port.path.needy())
        for other in call.parties.values():
            if other.leg is not None:
                self._port.control.tick(other.leg, other.uplinks, needy, now)

    def connection_ended(self, member: Party, leg: Leg) -> None:
        """Tell the server; of who waits for no call there is nothing to tell, only to forget."""
        if member in self._lobby:
            self.dismiss(member.name)
        else:
            self._events.media_lost(member.call_id, member.name)
