"""Who is in a call and who is sent what. No input or output here."""

import secrets

from media.answer import Ssrcs
from media.dtls import DtlsState, Identity
from media.leg import KINDS, Leg, extension_table
from media.sdp import Offer
from media.settings import PartyStats
from media.source import Source
from media.transport import Counters, Transport
from security.errors import TooMuch

MAX_PARTIES = 4


class Party:
    """One end of a call. Its sources outlive its connections (`leg`, None while there is none)."""

    def __init__(self, call_id: str, name: str) -> None:
        self.call_id = call_id
        self.name = name
        self.sources = {kind: Source(kind) for kind in KINDS}
        self.leg: Leg | None = None
        self._before = Counters()

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
        seeds = (secrets.randbits(32), secrets.randbits(32))
        self.leg = Leg(transport, offer, _new_ssrcs(offer), seeds)
        self.leg.agree(offer, self.sources)
        return self.leg

    def restart(self, offer: Offer) -> None:
        """Take a further offer of the same connection: keys, numbers and addresses stay."""
        if self.leg is None:
            return
        before = self.leg.offer
        if (before.ufrag, before.password) != (offer.ufrag, offer.password):
            self.leg.transport.restart()
        self.leg.agree(offer, self.sources)

    def drop(self) -> None:
        """Forget the connection; the sources wait for the next."""
        if self.leg is None:
            return
        old, sums = self.leg.transport.counters, self._before
        sums.packets_received += old.packets_received
        sums.bytes_received += old.bytes_received
        sums.packets_forwarded += old.packets_forwarded
        sums.bytes_forwarded += old.bytes_forwarded
        self.leg = None
        for source in self.sources.values():
            source.replaced()

    def stats(self) -> PartyStats:
        """Return how the party's connection does."""
        now = Counters() if self.leg is None else self.leg.transport.counters
        video = self.sources["video"]
        reported = None if self.leg is None else self.leg.downlinks["video"].reported
        heard = video.ssrc is not None
        return PartyStats(
            up=self.leg is not None and self.leg.transport.up,
            packets_received=self._before.packets_received + now.packets_received,
            bytes_received=self._before.bytes_received + now.bytes_received,
            packets_forwarded=self._before.packets_forwarded + now.packets_forwarded,
            bytes_forwarded=self._before.bytes_forwarded + now.bytes_forwarded,
            lost=sum(source.lost for source in self.sources.values()),
            rtt_seconds=reported.rtt_seconds if reported else None,
            loss_fraction=reported.loss_fraction if reported else None,
            jitter_seconds=video.reception.jitter / video.clock_rate if heard else None,
            remb_bps=reported.remb_bps if reported else None,
            cap_bps=self.leg.cap_told if self.leg else None,
        )


def _new_ssrcs(offer: Offer) -> Ssrcs:
    """Choose three numbers that nobody on this connection uses."""
    taken = offer.line("audio").ssrcs | offer.line("video").ssrcs
    chosen: list[int] = []
    while len(chosen) < 3:
        number = secrets.randbits(32)
        if number and number not in taken and number not in chosen:
            chosen.append(number)
    return Ssrcs(*chosen)


class Call:
    """The parties of one call and what passes between them. Nothing passes until `gate_open`."""

    def __init__(self, call_id: str) -> None:
        self.id = call_id
        self.parties: dict[str, Party] = {}
        self.gate_open = False
        self.veiled: set[str] = set()  # outlives a party that leaves and comes back

    def party(self, name: str) -> Party:
        """Return the party of this name, new if need be.

        Raises `TooMuch` for a fifth.
        """
        found = self.parties.get(name)
        if found is None:
            if len(self.parties) >= MAX_PARTIES:
                raise TooMuch("the call is full", limit=MAX_PARTIES, unit="parties")
            found = self.parties[name] = Party(self.id, name)
        return found

    def wire(self) -> None:
        """Tie each listener to its source; to be called after every change."""
        for party in self.parties.values():
            for kind in KINDS:
                source = party.sources[kind]
                source.listeners = ()
                hidden = kind == "video" and party.name in self.veiled
                source.set_open(self.gate_open and not hidden)
        for party in self.parties.values():
            if party.leg is not None:
                self._wire_leg(party, party.leg)

    def _wire_leg(self, party: Party, leg: Leg) -> None:
        # Two m-lines hold one other party: the first that came.
        other = next((x for x in self.parties.values() if x is not party), None)
        for kind in KINDS:
            line, downlink = leg.offer.line(kind), leg.downlinks[kind]
            source = other.sources[kind] if other and line.receives else None
            downlink.listen(source)
            table = None
            if other is not None and other.leg is not None:
                table = extension_table(other.leg.offer, leg.offer, kind)
            downlink.agree(line.payload_type, line.rtx_type, table)
            if source is not None:
                source.listeners += (downlink,)
                if kind == "video" and not downlink.attached:
                    source.keyframes.want()
