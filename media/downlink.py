"""The stream in which a party is sent another's sound or pictures, as call and reports see it."""

from media.codecs import Codec
from media.path import NOBODY, Agreed, Flow, PacketPath, Seeds, SinkState
from media.reported import Reported
from media.rtcp import CNAME, cname
from media.sdp import ABS_SEND_TIME, FORWARDED, MID, TRANSPORT_CC, Line
from media.steering import Steering
from media.transport import Transport
from media.uplink import CODECS, Uplink

_REWRITTEN = FORWARDED | {MID, TRANSPORT_CC}


class Downlink:
    """One stream on one line of a leg. `sink` is its handle, `party` whom it shows, "" for nobody.

    SSRC, numbers and clock go on whoever is behind it.
    """

    def __init__(
        self,
        path: PacketPath,
        leg: int,
        transport: Transport,
        kind: str,
        mid: str,
        seeds: Seeds,
        steering: Steering,
    ) -> None:
        self._path = path
        self.leg = leg
        self.transport = transport
        self.kind = kind
        self.mid = mid
        self.ssrc, self.rtx_ssrc = seeds.ssrc, seeds.rtx_ssrc
        self.sink = path.add_sink(leg, CODECS["opus" if kind == "audio" else "vp8"], seeds)
        self.cname = cname(self.ssrc, CNAME)  # goes with every report
        self.party = ""
        self.uplink: Uplink | None = None
        self.steering = steering
        self.counted = False  # whether its packets go under transport-wide numbers
        self.clock_told = False  # by a sender report since it was attached
        self._flow = Flow.ALL
        self._twice = False
        self.reported = Reported(steering.cap if kind == "video" else None)

    def listen(self, uplink: Uplink | None) -> None:
        """Take `uplink` as the one behind the stream."""
        self.uplink = uplink
        self._path.listen(self.sink, NOBODY if uplink is None else uplink.source)
        if uplink is not None:
            uplink.listeners += (self,)

    def agree(self, line: Line, codec: Codec, source: Line | None) -> None:
        """Take what the listener's `line` says about packets of `codec` from the line `source`."""
        extensions = {x.uri for x in line.extensions}
        # A packet that may have to be sent again as it was may hold nothing that changes.
        changes = codec.rtx_type is not None or "nack" not in codec.feedback
        counted = TRANSPORT_CC in extensions and "transport-cc" in codec.feedback
        self.counted = changes and counted
        if self.kind == "audio":
            self.steering.sound_counted = self.counted
        agreed = Agreed(
            codec.payload_type,
            NOBODY if codec.rtx_type is None else codec.rtx_type,
            b"" if source is None else extension_table(source, line),
            stamps=changes and ABS_SEND_TIME in extensions,
            numbers=self.counted,
            mid=line.mid.encode(),
        )
        self._path.agree(self.sink, agreed)

    def close(self) -> None:
        """End the stream."""
        self._path.remove_sink(self.sink)
        self.forget()

    def forget(self) -> None:
        """Let go of who was heard: who holds each other is not freed before a collection."""
        if self.uplink is not None:
            self.uplink.listeners = tuple(x for x in self.uplink.listeners if x is not self)
            self.uplink = None

    def set_flow(self, flow: int) -> None:
        """Say which frames are sent (media/path.py, `Flow`)."""
        if flow != self._flow:
            self._flow = flow
            self._path.set_flow(self.sink, flow)

    def set_twice(self, on: bool) -> None:
        """Send sound twice or once (media/path.py, rule 34)."""
        if on != self._twice:
            self._twice = on
            self._path.set_twice(self.sink, on=on)

    def state(self) -> SinkState:
        """Return what was sent."""
        return self._path.sink_state(self.sink)


def extension_table(source: Line, listener: Line) -> bytes:
    """Return the listener's extension id for each of the source's, empty when all are the same."""
    ids = {x.uri: x.id for x in listener.extensions if x.uri in _REWRITTEN}
    table = bytearray(16)
    same = True
    for extension in source.extensions:
        if extension.uri in _REWRITTEN:
            table[extension.id] = ids.get(extension.uri, 0)
            same = same and table[extension.id] == extension.id
    return b"" if same else bytes(table)
