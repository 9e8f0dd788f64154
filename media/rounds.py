"""What a node does as time goes by: a round every 20 ms over the parties whose turn it is."""

import asyncio
import logging
from collections.abc import Callable, Mapping

from media.call import Call, Party
from media.dtls import DtlsState
from media.ice import plain_host
from media.leg import Leg
from media.lobby import Lobby
from media.port import Port
from media.settings import MediaEvents
from media.workload import Workload

TICK_SECONDS = 0.02

_log = logging.getLogger(__name__)


def calls_under_way(calls: Mapping[str, Call]) -> int:
    """Return how many calls have an open gate."""
    return sum(call.gate_open for call in calls.values())


def ask_for_streams(events: MediaEvents, member: Party, leg: Leg) -> None:
    """Ask the party for an offer that fits what is sent now."""
    leg.places_asked = leg.places_wanted
    events.offer_wanted(member.call_id, member.name, "streams", leg.places_wanted)


class Rounds:
    """Looks at the calls of a node and at who waits. `ended` is told of connections that end."""

    def __init__(
        self,
        calls: Mapping[str, Call],
        lobby: Lobby,
        port: Port,
        events: MediaEvents,
        workload: Workload,
        *,
        clock: Callable[[], float],
        ended: Callable[[Party, Leg], None],
    ) -> None:
        self._calls = calls
        self._lobby = lobby
        self._port = port
        self._events = events
        self._workload = workload
        self._clock = clock
        self._ended = ended
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Go round from now on."""
        self._timer = asyncio.get_running_loop().call_later(TICK_SECONDS, self._on_tick)

    def end(self) -> None:
        """Go round no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _on_tick(self) -> None:
        now = self._clock()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(TICK_SECONDS, self._on_tick)
        if self._workload.tick(loop.time(), loop.time() + TICK_SECONDS):
            self._measure(loop.time())
        self._port.tick(now)
        needy = frozenset(self._port.path.needy())
        moved = frozenset(self._port.path.moved())
        for call in tuple(self._calls.values()):
            for member in tuple(call.parties.values()):
                leg = member.leg
                if leg is None:
                    continue
                if leg.handle in moved:
                    self._port.catch_up(leg, moved=True)
                    self._tell_path(member, leg)
                if leg.due_at <= now or (needy and member.brings(needy)):
                    self._tick_alone(member, leg, needy, now)
        self._tick_lobby(now)

    def _tick_lobby(self, now: float) -> None:
        """Do for who waits what is due a few times a second; they bring and want nothing."""
        for guest in self._lobby.due(now):
            if guest.leg is not None:
                self._tick_alone(guest, guest.leg, frozenset(), now)

    def _measure(self, now: float) -> None:
        parties = [x.stats() for call in self._calls.values() for x in call.parties.values()]
        counts, calls = self._port.counts(), calls_under_way(self._calls)
        self._workload.measure(now, parties, counts=counts, calls=calls)

    def _tick_alone(self, member: Party, leg: Leg, needy: frozenset[int], now: float) -> None:
        """Do what is due for one party; what goes wrong there holds up no other."""
        try:
            self._tick(member, leg, needy, now)
        except Exception:
            _log.exception("the tick of a party failed in call %s", member.call_id)

    def _tick(self, member: Party, leg: Leg, needy: frozenset[int], now: float) -> None:
        if member not in self._lobby:
            self._tell_path(member, leg)
        transport = leg.transport
        if transport.dtls.state is DtlsState.WAITING:
            transport.dtls.expire(now=now)
            if transport.addresses.consented(now):
                self._port.send_all(leg, transport.dtls.tick(now=now))
            self._port.look_for_end(member, leg)
            return
        if member in self._lobby:
            self._port.control.idle(leg, now)
        else:
            self._port.control.tick(leg, member.uplinks, needy, now)
        if transport.up and transport.dtls.state is DtlsState.UP:
            self._watch(member, leg, now)
            self._ask_for_places(member, leg)

    def _tell_path(self, member: Party, leg: Leg) -> None:
        """Tell the server once by which address the party's media goes."""
        address = leg.transport.addresses.current
        if address == leg.path_told:
            return
        leg.path_told = address
        if address is not None:
            self._events.path_taken(member.call_id, member.name, plain_host(address[0]))

    def _ask_for_places(self, member: Party, leg: Leg) -> None:
        """Ask once for an offer with lines for everybody, when there are too few."""
        if leg.places_wanted != leg.places_asked:
            if leg.places_wanted > leg.offer.places:
                ask_for_streams(self._events, member, leg)
            leg.places_asked = leg.places_wanted

    def _watch(self, member: Party, leg: Leg, now: float) -> None:
        """Tell the server when the party's consent ends, and when it is back."""
        gone = not leg.transport.addresses.consented(now)
        if gone == leg.transport.lost:
            return
        leg.transport.lost = gone
        if gone:
            self._ended(member, leg)
        else:
            self._events.media_up(member.call_id, member.name)
