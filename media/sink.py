"""The stream in which a leg is sent a source, inside the packet path. Rules 16 to 24."""

from typing import TYPE_CHECKING

from media.frames import BEGINS_KEY, NEEDLESS, SYNC, Frame
from media.numbers import Numbers
from media.path import NOBODY, Agreed, Codec, Flow, Seeds, SinkState

if TYPE_CHECKING:
    from media.pathleg import PathLeg
    from media.source import Source

_NOTHING = Agreed(0, NOBODY, b"", stamps=False, numbers=False, mid=b"")


class Sink:
    """SSRC, numbers and clock go on whoever is behind it.

    `left_time` is the timestamp of the frame that is being left out, `key_time` that of the last
    keyframe sent, -1 for none.
    """

    __slots__ = (
        "agreed",
        "attached_epoch",
        "attached_generation",
        "flow",
        "flow_next",
        "frames_left_out",
        "handle",
        "key_time",
        "left_time",
        "leg",
        "numbers",
        "octets",
        "packets",
        "payload_type",
        "pictures",
        "resent",
        "rtx_seq",
        "seeds",
        "source",
        "ssrc",
        "twice",
    )

    def __init__(self, handle: int, leg: "PathLeg", codec: int, seeds: Seeds) -> None:
        self.handle = handle
        self.leg = leg
        self.seeds = seeds
        self.ssrc = seeds.ssrc
        self.pictures = codec != Codec.OPUS
        self.payload_type = 0
        self.agreed = _NOTHING
        self.rtx_seq = seeds.first_rtx_seq
        self.numbers = Numbers(
            Codec.CLOCK_RATES[codec], first_seq=seeds.first_seq, first_time=seeds.first_time
        )
        self.source: Source | None = None
        self.attached_epoch = self.attached_generation = -1
        self.flow = self.flow_next = Flow.ALL
        self.left_time = self.key_time = -1
        self.twice = False
        self.packets = self.octets = self.resent = self.frames_left_out = 0

    def listen(self, source: "Source | None") -> None:
        """Take `source` as the one behind the stream; another one has another clock."""
        if source is not self.source:
            self.source = source
            self.attached_epoch = self.attached_generation = -1

    def agree(self, agreed: Agreed) -> None:
        """Take the listener's numbers; if they change, nothing sent before is sent again."""
        if agreed != self.agreed:
            self.agreed = agreed
            self.payload_type = agreed.payload_type
            self.attached_epoch = -1

    @property
    def attached(self) -> bool:
        """Tell whether the listener is sent what its source brings now."""
        return self.source is not None and self.attached_epoch == self.source.epoch

    @property
    def repeats(self) -> bool:
        """Tell whether anything may be sent again (rule 24)."""
        agreed = self.agreed
        return agreed.rtx_type != NOBODY or not (agreed.stamps or agreed.numbers)

    def attach(self, seq: int, time: int, ids: tuple[int, int], now: float) -> None:
        """Continue the stream with the source's packet `seq`; `ids` as of `attach_ids`."""
        source = self.source
        if source is None:
            return
        same = self.attached_generation == source.generation
        self.numbers.attach(seq, time, same_clock=same, now=now)
        self.numbers.attach_ids(*ids)
        self.attached_epoch = source.epoch
        self.attached_generation = source.generation
        self.left_time = -1
        self.key_time = time

    # --- frames left out

    def set_flow(self, flow: int) -> None:
        """Leave out frames of another kind, from the next frame on."""
        self.flow_next = flow if self.pictures or flow == Flow.NONE else Flow.ALL
        if self.flow == Flow.NONE or not self.attached:
            self.flow = self.flow_next

    def begin_frame(self, frame: Frame) -> None:
        """Take up the wish for another flow where the stream can bear it."""
        wish = self.flow_next
        if wish == self.flow:
            return
        if self.flow >= Flow.KEYS or wish == Flow.NONE:
            self.attached_epoch = -1
        elif self.flow == Flow.BASE and wish == Flow.ALL and not frame[0] & (SYNC | BEGINS_KEY):
            return
        self.flow = wish

    def leaves_out(self, frame: Frame, time: int) -> bool:
        """Tell whether a packet is of a frame that is not to be sent."""
        if self.flow == Flow.BASE:
            return bool(frame[0] & NEEDLESS)
        return self.flow == Flow.NONE or (self.flow == Flow.KEYS and time != self.key_time)

    def leave_out(self, seq: int, time: int) -> None:
        """Close up over the source's newest packet."""
        begins = time != self.left_time
        self.left_time = time
        self.frames_left_out += begins
        self.numbers.leave_out(seq, 1 if begins else 0)

    def state(self) -> SinkState:
        """Return what was sent."""
        return SinkState(
            self.attached, self.packets, self.octets, self.resent, self.frames_left_out
        )
