"""Who is in a call and who is sent what. No input or output here."""

from collections.abc import Set
from dataclasses import dataclass

from media.codecs import VP8, Codec, choose
from media.downlink import Downlink
from media.dtls import DtlsState, Identity
from media.leg import Leg
from media.path import NOBODY, PacketPath
from media.sdp import KINDS, Line, Offer
from media.settings import PartyStats
from media.transport import Transport
from media.uplink import Uplink
from security.errors import TooMuch

MAX_PARTIES = 4


@dataclass(slots=True)
class Counters:
    """What passed the connections of a party that are gone."""

    packets_received: int = 0
    bytes_received: int = 0
    packets_forwarded: int = 0
    bytes_forwarded: int = 0
    refused: int = 0
    resent: int = 0


class Party:
    """One end of a call. Its uplinks outlive its connections (`leg`, None while there is none).

    `kinds` are the uplinks that it has: none while it is in no call.
    """

    def __init__(
        self, path: PacketPath, call_id: str, name: str, *, kinds: tuple[str, ...] = KINDS
    ) -> None:
        self._path = path
        self.call_id = call_id
        self.name = name
        self.uplinks = {kind: Uplink(path, kind) for kind in kinds}
        self.leg: Leg | None = None
        self.refused: frozenset[str] = frozenset()  # addresses by which nothing may go
        self._before = Counters()

    def brings(self, sources: Set[int]) -> bool:
        """Tell whether one of `sources` is the party's."""
        return any(uplink.source in sources for uplink in self.uplinks.values())

    def can_restart(self, offer: Offer) -> bool:
        """Tell whether `offer` comes from the connection that is there already."""
        if self.leg is None:
            return False
        transport = self.leg.transport
        alive = transport.dtls.state in (DtlsState.WAITING, DtlsState.UP)
        return alive and transport.fingerprints == offer.fingerprints

    def connect(self, identity: Identity, offer: Offer, *, now: float) -> Leg:
        """Begin a connection for `offer`; whatever there was is dropped."""
        self.drop()
        transport = Transport(identity, offer.fingerprints, now=now)
        self.leg = Leg(self._path, transport, offer)
        self.leg.agree(offer)
        return self.leg

    def take(self, leg: Leg) -> None:
        """Take over a connection that stands; whatever there was is dropped."""
        self.drop()
        self.leg = leg

    def restart(self, offer: Offer) -> None:
        """Take a further offer of the same connection: keys, numbers and addresses stay."""
        if self.leg is None:
            return
        before = self.leg.offer
        if (before.ufrag, before.password) != (offer.ufrag, offer.password):
            self.leg.transport.restart()
        self.leg.agree(offer)

    def drop(self) -> None:
        """Forget the connection; the uplinks wait for the next."""
        if self.leg is None:
            return
        old, sums = self._path.leg_state(self.leg.handle), self._before
        sums.packets_received += old.packets_received
        sums.bytes_received += old.bytes_received
        sums.packets_forwarded += old.packets_forwarded
        sums.bytes_forwarded += old.bytes_forwarded
        sums.refused += old.refused
        sums.resent += self.leg.resent
        self.leg.close()
        self.leg = None
        for uplink in self.uplinks.values():
            uplink.replaced()

    def close(self) -> None:
        """Forget the party in the packet path."""
        self.drop()
        for uplink in self.uplinks.values():
            uplink.close()

    def stats(self) -> PartyStats:
        """Return how the party's connection does."""
        leg, before = self.leg, self._before
        now = Counters() if leg is None else self._path.leg_state(leg.handle)
        video = self.uplinks["video"]
        state = video.read()
        reported = None if leg is None else leg.of_kind("video")[0].reported
        losses = [x.reported.loss_fraction for x in leg.downlinks] if leg else []
        return PartyStats(
            up=leg is not None and leg.transport.up,
            packets_received=before.packets_received + now.packets_received,
            bytes_received=before.bytes_received + now.bytes_received,
            packets_forwarded=before.packets_forwarded + now.packets_forwarded,
            bytes_forwarded=before.bytes_forwarded + now.bytes_forwarded,
            lost=sum(uplink.lost for uplink in self.uplinks.values()),
            rtt_seconds=leg.rtt_seconds if leg else None,
            loss_fraction=max((x for x in losses if x is not None), default=None),
            jitter_seconds=None if state.ssrc == NOBODY else state.jitter / video.clock_rate,
            remb_bps=reported.remb_bps if reported else None,
            cap_bps=leg.cap_told if leg else None,
            repaired=sum(uplink.read().repaired for uplink in self.uplinks.values()),
            resent=before.resent + (leg.resent if leg else 0),
            refused=before.refused + now.refused,
            frames=state.frames,
            width=state.width or None,
            height=state.height or None,
            paused=leg is not None and leg.steering.paused,
        )


class Call:
    """The parties of one call and what passes between them. Nothing passes until `gate_open`.

    `codec` is the one of its pictures (media/codecs.py); who has not offered it is sent VP8.
    """

    def __init__(self, path: PacketPath, call_id: str) -> None:
        self._path = path
        self.id = call_id
        self.parties: dict[str, Party] = {}
        self.gate_open = False
        self.codec = VP8
        self.veiled: set[str] = set()  # outlives a party that leaves and comes back
        self.refused: dict[str, frozenset[str]] = {}  # likewise

    def party(self, name: str) -> Party:
        """Return the party of this name, new if need be.

        Raises `TooMuch` for a fifth.
        """
        found = self.parties.get(name)
        if found is None:
            if len(self.parties) >= MAX_PARTIES:
                raise TooMuch("the call is full", limit=MAX_PARTIES, unit="parties")
            found = self.parties[name] = Party(self._path, self.id, name)
            found.refused = self.refused.get(name, frozenset())
        return found

    def leave(self, name: str) -> None:
        """Forget the party of this name, if it is there."""
        member = self.parties.pop(name, None)
        if member is not None:
            member.close()

    def choose_codec(self) -> None:
        """Take the codec that those who are connected agree on (media/codecs.py)."""
        legs = (member.leg for member in self.parties.values())
        self.codec = choose(leg.offer.line("video").names for leg in legs if leg is not None)

    def codec_of(self, line: Line) -> Codec:
        """Return the codec that the call uses on `line`."""
        return line.codec(self.codec) or line.main

    def wire(self) -> None:
        """Tie each listener to its source; to be called after every change."""
        for party in self.parties.values():
            for kind, uplink in party.uplinks.items():
                uplink.listeners = ()
                hidden = kind == "video" and party.name in self.veiled
                uplink.set_open(self.gate_open and not hidden)
            if party.leg is not None:
                lines = {kind: party.leg.offer.line(kind) for kind in KINDS}
                codecs = {kind: self.codec_of(line) for kind, line in lines.items()}
                party.uplinks["video"].set_codec(codecs["video"].name)
                party.leg.route(party.uplinks, codecs)
        for party in self.parties.values():
            if party.leg is not None:
                self._seat(party, party.leg)
                for downlink in party.leg.downlinks:
                    self._wire(party.leg, downlink)

    def _seat(self, party: Party, leg: Leg) -> None:
        """Give each other party lines of `leg`: those it has, else the first that are free."""
        others = [x for x in self.parties if x != party.name]
        count = max(len(leg.of_kind(kind)) for kind in KINDS)
        shows = [x if x in others else "" for x in leg.shows[:count]]
        shows += [""] * (count - len(shows))
        for other in others:
            if other not in shows and "" in shows:
                shows[shows.index("")] = other
        leg.shows = shows
        leg.places_wanted = max(1, len(others))

    def _wire(self, leg: Leg, downlink: Downlink) -> None:
        place = leg.place(downlink)
        other = self.parties.get(leg.shows[place])
        line = leg.offer.lines_of(downlink.kind)[place]
        source = None
        if other is not None and other.leg is not None:
            source = other.leg.offer.line(downlink.kind)
        downlink.agree(line, self.codec_of(line), source)
        downlink.party = other.name if other else ""
        downlink.listen(other.uplinks[downlink.kind] if other and line.receives else None)
