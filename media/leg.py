"""One party's connection above its transport: what its SDP agreed on."""

import secrets
from collections.abc import Set

from media.bucket import Bucket
from media.codecs import VP8, Codec
from media.downlink import Downlink
from media.ice import Address
from media.path import MAX_SSRCS, NOBODY, PacketPath, Route, Seeds
from media.sdp import ABS_SEND_TIME, FORWARDED, KINDS, MID, TRANSPORT_CC, Line, Offer
from media.steering import Steering
from media.transport import Transport
from media.uplink import Uplink

RESENDS_BURST, RESENDS_PER_SECOND = 200, 400
SOUND_RESENDS = 100  # twice what a voice sends, whatever pictures need
# Of RTCP (media/rtcp.py, `MAX_STEPS`): four times what reports on 1,000 packets a second come to.
REPORT_STEPS = 5000
_KEPT = FORWARDED | {MID, TRANSPORT_CC}


class Leg:
    """One connection of a party. `handle` is the packet path's; the leg sends nothing itself."""

    def __init__(self, path: PacketPath, transport: Transport, offer: Offer) -> None:
        self._path = path
        self.handle = path.add_leg()
        self.transport = transport
        self.offer = offer
        self._taken: set[int] = set()
        self.session_id = secrets.randbits(62)
        self.version = 0
        self.steering = Steering()
        self.downlinks: list[Downlink] = []
        self.shows: list[str] = []  # party on the first lines, on the second …; "" for nobody
        self.places_wanted = 1
        self.places_asked = 1
        self.shown_told: dict[str, str] = {}
        self.resends = Bucket(RESENDS_BURST, RESENDS_PER_SECOND)
        self.sound_resends = Bucket(SOUND_RESENDS, SOUND_RESENDS)
        self.report_steps = Bucket(REPORT_STEPS, REPORT_STEPS)
        self.due_at = 0.0  # when it is to be looked at next, if nothing comes up before
        self.steered_at = self.judged_at = 0.0
        self.lossy_until = 0.0  # sound is sent twice so long
        self.reported_at = 0.0
        self.report_seconds = 0.0  # from one to the next; the first goes at once
        self.waited_as: str | None = None  # whose place in the lobby it had
        self.codec_told = VP8  # in which the party was last told to send pictures
        self.cap_told: int | None = None
        self.path_told: Address | None = None  # by which the server knows that media goes

    def _downlink(self, line: Line) -> Downlink:
        """Begin a stream on a line, under SSRCs that nobody on this connection uses or has used."""
        ssrcs = []
        for _ in range(2):
            ssrcs.append(_new_ssrc(self.offer.ssrcs | self._taken))
            self._taken.add(ssrcs[-1])
        seeds = _seeds(ssrcs[0], ssrcs[1] if line.kind == "video" else 0)
        return Downlink(
            self._path, self.handle, self.transport, line.kind, line.mid, seeds, self.steering
        )

    @property
    def rtt_seconds(self) -> float | None:
        """The round trip to the party, as last told by any of its streams; None so far."""
        told = [x.reported.rtt_seconds for x in self.downlinks]
        return min((x for x in told if x is not None), default=None)

    @property
    def counts(self) -> bool:
        """Whether the party agreed to account for packets by transport-wide numbers."""
        return any(downlink.counted for downlink in self.downlinks)

    @property
    def counts_arrivals(self) -> bool:
        """Whether the party's pictures go under transport-wide numbers, of which it is told."""
        line = self.offer.line("video")
        return any(x.uri == TRANSPORT_CC for x in line.extensions)

    @property
    def resent(self) -> int:
        """How many packets were sent to the party again."""
        return sum(downlink.state().resent for downlink in self.downlinks)

    def of_kind(self, kind: str) -> list[Downlink]:
        """Return the streams of sound or of pictures."""
        return [x for x in self.downlinks if x.kind == kind]

    def agree(self, offer: Offer) -> None:
        """Take over what `offer` says: a stream for each line, those that are there go on."""
        self.offer = offer
        self.version += 1
        before = {x.mid: x for x in self.downlinks}
        lines = [line for kind in KINDS for line in offer.lines_of(kind)]
        self.downlinks = [
            before.pop(x.mid) if x.mid in before else self._downlink(x) for x in lines
        ]
        for gone in before.values():
            gone.close()
        self._path.tell_arrivals(self.handle, self.ssrc)

    @property
    def ssrc(self) -> int:
        """The SSRC under which we report."""
        return self.of_kind("video")[0].ssrc

    @property
    def streams(self) -> dict[str, tuple[int, int]]:
        """The SSRCs of each line by mid, for the answer."""
        return {x.mid: (x.ssrc, x.rtx_ssrc) for x in self.downlinks}

    @property
    def shown(self) -> dict[str, str]:
        """Whom the party is sent on each line, by mid; "" for nobody."""
        return {x.mid: x.party for x in self.downlinks}

    def place(self, downlink: Downlink) -> int:
        """Return the number of the stream's line among those of its kind."""
        return self.of_kind(downlink.kind).index(downlink)

    def route(self, uplinks: dict[str, Uplink], codecs: dict[str, Codec]) -> None:
        """Lead what the party sends, in the codec of each kind, to its sources."""
        routes = []
        for kind, codec in codecs.items():
            line, uplink = self.offer.line(kind), uplinks[kind]
            repairable = "nack" in codec.feedback
            announced = sorted(line.ssrcs)[:MAX_SSRCS]
            self._path.expect(uplink.source, announced, repairable=repairable)
            if line.sends:
                routes += _routes(line, codec, uplink.source)
        self._path.set_routes(self.handle, routes)

    def close(self) -> None:
        """Forget the connection in the packet path, and whom it heard."""
        self._path.remove_leg(self.handle)
        for downlink in self.downlinks:
            downlink.forget()


def _routes(line: Line, codec: Codec, source: int) -> list[Route]:
    ids = {x.uri: x.id for x in line.extensions}
    kept = {x.id for x in line.extensions if x.uri in _KEPT}
    table = bytes(i if i in kept else 0 for i in range(16))
    cc, stamp, mid = (ids.get(x, 0) for x in (TRANSPORT_CC, ABS_SEND_TIME, MID))
    number = codec.payload_type
    routes = [Route(number, source, table, cc, stamp, mid, NOBODY)]
    if codec.rtx_type is not None:
        routes.append(Route(codec.rtx_type, source, table, cc, stamp, mid, number))
    if line.red is not None:
        kind = line.red.payload_type
        routes.append(Route(kind, source, table, cc, stamp, mid, NOBODY, number))
    return routes


def _new_ssrc(taken: Set[int]) -> int:
    while True:
        number = secrets.randbits(32)
        if number and number not in taken:
            return number


def _seeds(ssrc: int, rtx_ssrc: int) -> Seeds:
    """Draw the first numbers: the upper half of each range stays free, as RFC 3711 asks."""
    return Seeds(
        ssrc,
        rtx_ssrc,
        first_seq=secrets.randbits(15),
        first_time=secrets.randbits(31),
        first_rtx_seq=secrets.randbits(14),
    )
