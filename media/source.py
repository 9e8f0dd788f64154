"""One party's sound or pictures as they come in, and the stream in which another gets them."""

from dataclasses import dataclass

from media.cache import PacketCache
from media.feedback import Keyframes
from media.missing import Missing
from media.numbers import Numbers
from media.reception import Reception
from media.reported import Reported
from media.rtcp import Block
from media.transport import Transport

CLOCK_RATES = {"audio": 48000, "video": 90000}
CACHE_SLOTS = {"audio": 64, "video": 512}
TAKEOVER_SECONDS = 0.5


@dataclass(slots=True)
class LastReport:
    """The newest sender report of a source and when it came (monotonic seconds)."""

    ntp: int
    time: int
    at: float


class Source:
    """What comes in on one line of a party.

    It outlives connections: whoever listens stays attached while the party reloads its page.
    `epoch` grows when what follows does not continue what came before (another SSRC, after a veil
    or a closed gate), and every listener then attaches anew; `generation` grows when its clock
    is another one. `open` is False behind a veil or a closed gate.
    """

    __slots__ = (
        "_announced",
        "_heard_at",
        "_lost_before",
        "cache",
        "clock_rate",
        "epoch",
        "generation",
        "keyframes",
        "kind",
        "last_report",
        "listeners",
        "missing",
        "open",
        "reception",
        "repairable",
        "ssrc",
    )

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.clock_rate = CLOCK_RATES[kind]
        self.epoch = 0
        self.generation = 0
        self.open = False
        self.repairable = False
        self.listeners: tuple[Downlink, ...] = ()
        self.ssrc: int | None = None
        self.cache = PacketCache(CACHE_SLOTS[kind])
        self.reception = Reception(self.clock_rate)
        self.missing = Missing()
        self.keyframes = Keyframes()
        self.last_report: LastReport | None = None
        self._announced: frozenset[int] = frozenset()
        self._heard_at = 0.0
        self._lost_before = 0

    @property
    def lost(self) -> int:
        """How many packets never came, over all SSRCs."""
        return self._lost_before + max(0, self.reception.lost)

    def expect(self, announced: frozenset[int], *, repairable: bool) -> None:
        """Accept only these SSRCs from now on, or any when none is announced.

        A `repairable` source understands NACK.
        """
        self._announced = announced
        self.repairable = repairable

    def replaced(self) -> None:
        """Forget what belongs to the connection or the SSRC that is gone."""
        self.generation += 1
        self.ssrc = None
        self.last_report = None
        self._begin_count()
        self.keyframes.restart()
        self.interrupt()

    def _begin_count(self) -> None:
        self._lost_before = self.lost
        self.reception = Reception(self.clock_rate)

    def set_open(self, is_open: bool) -> None:
        """Let packets through or not; what came before a change never goes out after it."""
        if is_open != self.open:
            self.open = is_open
            self.interrupt()

    def interrupt(self) -> None:
        """Make sure that nothing from before is ever sent, and listeners attach anew."""
        self.epoch += 1
        self.cache.clear()
        self.missing.forget()
        if self.kind == "video":
            self.keyframes.want()

    def admits(self, ssrc: int, now: float) -> bool:
        """Tell whether a packet of `ssrc` belongs here, changing over to it where it is time."""
        if ssrc == self.ssrc:
            self._heard_at = now
            return True
        if self._announced and ssrc not in self._announced:
            return False
        if self.ssrc is not None:
            if now - self._heard_at < TAKEOVER_SECONDS:
                return False
            self.replaced()
        self.ssrc = ssrc
        self._heard_at = now
        return True

    def count(self, seq: int, time: int, now: float) -> bool:
        """Count a packet and tell whether it is to be used: it is the first of its number.

        Notes what is missing before it. A second copy is no use even if its bytes are others, as
        the number may have sealed the first already.
        """
        before = self.reception.highest
        verdict = self.reception.note(seq, time, now)
        if verdict in (Reception.REPEATED, Reception.STRAY):
            return False
        if verdict == Reception.JUMP:
            self._begin_count()
            self.reception.note(seq, time, now)
            self.interrupt()
        elif verdict == Reception.LATE:
            self.missing.arrived(seq)
        elif before >= 0 and self.reception.highest - before > 1:
            self._note_gap(before & 0xFFFF, seq, now)
        return True

    def _note_gap(self, after: int, before: int, now: float) -> None:
        """Ask for what is missing; of a closed source nobody would get it."""
        if self.repairable and self.open and not self.missing.gap(after, before, now):
            self.keyframes.want()

    def block(self, now: float) -> Block | None:
        """Return the report block about this source, None before its first packet."""
        if self.ssrc is None or self.reception.highest < 0:
            return None
        last, delay = 0, 0
        if self.last_report is not None:
            last = self.last_report.ntp >> 16 & 0xFFFFFFFF
            delay = int((now - self.last_report.at) * 65536)
        return Block(
            self.ssrc,
            self.reception.fraction_lost(),
            self.reception.lost,
            self.reception.highest,
            int(self.reception.jitter),
            last,
            delay,
        )


class Downlink:
    """The stream in which a party is sent another's sound or pictures.

    SSRC, numbers and clock go on whoever is behind it. `payload_type` and `table` (extension ids)
    are the listener's; `table` is None where the source's ids are its own.
    """

    __slots__ = (
        "attached_epoch",
        "attached_generation",
        "kind",
        "numbers",
        "octets",
        "packets",
        "payload_type",
        "reported",
        "rtx_seq",
        "rtx_ssrc",
        "rtx_type",
        "source",
        "ssrc",
        "table",
        "transport",
    )

    def __init__(
        self, kind: str, transport: Transport, ssrcs: tuple[int, int], *, seed: int
    ) -> None:
        self.kind = kind
        self.transport = transport
        self.ssrc, self.rtx_ssrc = ssrcs
        self.rtx_seq = seed & 0x3FFF
        self.rtx_type: int | None = None
        self.payload_type = 0
        self.table: bytes | None = None
        # The first number lies in the lower half, so that the listener's SRTP index starts right.
        self.numbers = Numbers(
            CLOCK_RATES[kind], first_seq=seed >> 16 & 0x7FFF, first_time=seed & 0x7FFFFFFF
        )
        self.source: Source | None = None
        self.attached_epoch = -1
        self.attached_generation = -1
        self.packets = 0
        self.octets = 0
        self.reported = Reported()

    def listen(self, source: Source | None) -> None:
        """Take `source` as the one behind the stream; another one has another clock."""
        if source is not self.source:
            self.source = source
            self.attached_epoch = self.attached_generation = -1

    def agree(self, payload_type: int, rtx_type: int | None, table: bytes | None) -> None:
        """Take the listener's numbers; if they change, nothing sent before is sent again."""
        agreed = (payload_type, rtx_type, table)
        if agreed != (self.payload_type, self.rtx_type, self.table):
            self.payload_type, self.rtx_type, self.table = agreed
            self.attached_epoch = -1

    @property
    def attached(self) -> bool:
        """Tell whether the listener is sent what its source brings now."""
        return self.source is not None and self.attached_epoch == self.source.epoch

    def attach(self, seq: int, time: int, now: float) -> None:
        """Continue the stream with the source's packet `seq`."""
        source = self.source
        if source is None:
            return
        same = self.attached_generation == source.generation
        self.numbers.attach(seq, time, same_clock=same, now=now)
        self.attached_epoch = source.epoch
        self.attached_generation = source.generation
