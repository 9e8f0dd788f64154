"""What comes in on one line of a party, as call and reports see it; its packets: media/path.py."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from media.codecs import H264, OPUS, VP8
from media.feedback import Keyframes
from media.missing import LONGEST_SECONDS, SHORTEST_SECONDS, Missing
from media.path import NOBODY, Codec, PacketPath, SourceState
from media.rtcp import Block

if TYPE_CHECKING:
    from media.downlink import Downlink

CODECS = {OPUS: Codec.OPUS, VP8: Codec.VP8, H264: Codec.H264}
_FIRST = {"audio": Codec.OPUS, "video": Codec.VP8}


@dataclass(slots=True)
class LastReport:
    """The newest sender report of a source and when it came (monotonic seconds)."""

    ntp: int
    time: int
    at: float


class Uplink:
    """One source. It outlives connections; `source` is its handle, `listeners` who is sent it."""

    def __init__(self, path: PacketPath, kind: str) -> None:
        self._path = path
        self.kind = kind
        self.source = path.add_source(_FIRST[kind])
        self.clock_rate = Codec.CLOCK_RATES[_FIRST[kind]]
        self.open = False
        self.listeners: tuple[Downlink, ...] = ()
        self.keyframes = Keyframes()
        self.missing = self._missing()
        self.last_report: LastReport | None = None
        self.passed_on_at = 0.0  # when a sender report of it last went to its listeners
        self.ssrc = NOBODY
        self._window = -1.0
        self._counted = (0, 0)  # expected and received at the last report

    def _missing(self) -> Missing:
        """Sound is of use for a moment alone, and small: it is asked for more often."""
        return Missing(SHORTEST_SECONDS if self.kind == "audio" else LONGEST_SECONDS)

    def read(self) -> SourceState:
        """Return what it brought, and note when another SSRC has taken over."""
        state = self._path.source_state(self.source)
        if state.ssrc != self.ssrc:
            self.ssrc = state.ssrc
            self.last_report = None
            self.keyframes.restart()
        return state

    @property
    def lost(self) -> int:
        """How many packets never came, over all SSRCs."""
        state = self.read()
        return state.lost_before + max(0, state.expected - state.received)

    def heard(self, now: float, seconds: float) -> bool:
        """Tell whether a packet came within these seconds."""
        return now - self.read().heard_at < seconds

    def set_open(self, is_open: bool) -> None:
        """Let its packets through or not."""
        self.open = is_open
        self._path.set_open(self.source, is_open=is_open)

    def set_codec(self, name: str) -> None:
        """Take pictures of this codec (media/codecs.py)."""
        self._path.set_codec(self.source, CODECS[name])

    def replaced(self) -> None:
        """Forget what belongs to the connection that is gone."""
        self._path.replace(self.source)
        self.missing = self._missing()
        self.read()

    def close(self) -> None:
        """Forget the source."""
        self._path.remove_source(self.source)
        for listener in self.listeners:
            listener.uplink = None
        self.listeners = ()

    @property
    def octets(self) -> int:
        """How many bytes it brought so far."""
        return self._path.source_octets(self.source)

    def set_window(self, seconds: float) -> None:
        """Size the cache for repairs within `seconds`."""
        if seconds != self._window:
            self._window = seconds
            self._path.set_window(self.source, seconds)

    def want_keyframe(self) -> None:
        """Note a wish."""
        self._path.want_keyframe(self.source)

    def report_for(self, now: float) -> tuple[int, int] | None:
        """Return the last sender report's NTP time and timestamp as they would be now."""
        self.read()
        last = self.last_report
        if last is None:
            return None
        gone = max(0.0, now - last.at)
        ntp = (last.ntp + int(gone * (1 << 32))) & 0xFFFFFFFFFFFFFFFF
        return ntp, (last.time + int(gone * self.clock_rate)) & 0xFFFFFFFF

    def block(self, now: float) -> Block | None:
        """Return the report block about it, None before its first packet."""
        state = self.read()
        if state.ssrc == NOBODY or state.highest < 0:
            return None
        last, delay = 0, 0
        if self.last_report is not None:
            last = self.last_report.ntp >> 16 & 0xFFFFFFFF
            delay = int((now - self.last_report.at) * 65536)
        lost = state.expected - state.received
        fraction = self._fraction_lost(state.expected, state.received)
        return Block(state.ssrc, fraction, lost, state.highest, int(state.jitter), last, delay)

    def _fraction_lost(self, expected: int, received: int) -> int:
        """Return the loss since the last report in 1/256 (RFC 3550 section A.3)."""
        before, self._counted = self._counted, (expected, received)
        if expected < before[0]:  # counted afresh
            before = (0, 0)
        wanted, got = expected - before[0], received - before[1]
        return min(255, ((wanted - got) << 8) // wanted) if wanted > got else 0
