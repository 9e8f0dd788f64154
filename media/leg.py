"""One party's connection above its transport: what its SDP agreed on."""

import secrets
from dataclasses import dataclass

from media.answer import Ssrcs
from media.bucket import Bucket
from media.sdp import FORWARDED, TRANSPORT_CC, Line, Offer
from media.source import Downlink, Source
from media.transport import Transport
from media.transport_cc import Arrivals

KINDS = ("audio", "video")
RESENDS_BURST, RESENDS_PER_SECOND = 200, 400


@dataclass(frozen=True, slots=True)
class Route:
    """Where packets of one payload type go: `table` and `cc` are about header extensions.

    `table` blots out what ends here, `cc` is the id of the transport-wide sequence number (0:
    none). For a retransmission `repairs` is the payload type that it carries, else None.
    """

    source: Source
    table: bytes
    cc: int
    repairs: int | None


class Leg:
    """One connection of a party. The shells read and write it; it sends nothing itself."""

    def __init__(
        self, transport: Transport, offer: Offer, ssrcs: Ssrcs, seeds: tuple[int, int]
    ) -> None:
        self.transport = transport
        self.offer = offer
        self.ssrcs = ssrcs
        self.session_id = secrets.randbits(62)
        self.version = 0
        self.routes: dict[int, Route] = {}
        self.downlinks = {
            "audio": Downlink("audio", transport, (ssrcs.audio, 0), seed=seeds[0]),
            "video": Downlink("video", transport, (ssrcs.video, ssrcs.rtx), seed=seeds[1]),
        }
        self.arrivals = Arrivals()
        self.resends = Bucket(RESENDS_BURST, RESENDS_PER_SECOND)
        self.arrivals_at = 0.0
        self.reported_at = 0.0
        self.cap_told: int | None = None

    @property
    def rtt_seconds(self) -> float | None:
        """The round trip to the party, as last told by either of its streams; None so far."""
        told = [x.reported.rtt_seconds for x in self.downlinks.values()]
        return min((x for x in told if x is not None), default=None)

    def agree(self, offer: Offer, sources: dict[str, Source]) -> None:
        """Take over what `offer` says: payload types, extension ids, directions."""
        self.offer = offer
        self.version += 1
        self.routes = {}
        for kind in KINDS:
            line, source = offer.line(kind), sources[kind]
            source.expect(line.ssrcs, repairable="nack" in line.feedback)
            if line.sends:
                self._route(line, source)

    def _route(self, line: Line, source: Source) -> None:
        kept = {x.id for x in line.extensions if x.uri in FORWARDED}
        table = bytes(i if i in kept else 0 for i in range(16))
        cc = next((x.id for x in line.extensions if x.uri == TRANSPORT_CC), 0)
        self.routes[line.payload_type] = Route(source, table, cc, None)
        if line.rtx_type is not None:
            self.routes[line.rtx_type] = Route(source, table, cc, line.payload_type)


def extension_table(source: Offer, listener: Offer, kind: str) -> bytes | None:
    """Return the listener's extension id for each of the source's, None when all are the same."""
    ids = {x.uri: x.id for x in listener.line(kind).extensions if x.uri in FORWARDED}
    table = bytearray(16)
    same = True
    for extension in source.line(kind).extensions:
        if extension.uri in FORWARDED:
            table[extension.id] = ids.get(extension.uri, 0)
            same = same and table[extension.id] == extension.id
    return None if same else bytes(table)
