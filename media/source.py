"""What comes in on one line of a party, inside the packet path. Rules 9 to 15 of media/path.py."""

from media.cache import MAX_SLOTS, PacketCache, slots_for
from media.frames import BARE, Frame
from media.gaps import Gaps
from media.path import (
    BURST_SECONDS,
    MAX_BURST,
    MAX_WINDOW_SECONDS,
    MIN_WINDOW_SECONDS,
    NOBODY,
    TAKEOVER_SECONDS,
    Codec,
    SourceState,
)
from media.reception import MAX_DROPOUT, Reception
from media.rtp import Table
from media.sink import Sink
from media.tap import Tap

SOUND_SLOTS = 16, 64
PICTURE_SLOTS = 128, MAX_SLOTS
MEASURE_SECONDS = 1.0
USUAL_WINDOW_SECONDS = 0.5


class Source:
    """What comes in on one line of a party.

    It outlives connections: whoever listens stays attached while the party reloads its page.
    `epoch` grows when what follows does not continue what came before (another SSRC, after a veil
    or a closed gate), and every sink then attaches anew; `generation` grows when its clock
    is another one. `open` is False behind a veil or a closed gate.
    """

    __slots__ = (
        "_announced",
        "_counted",
        "_lost_before",
        "_measured_at",
        "_repairable",
        "_skips",
        "_window",
        "cache",
        "clock_rate",
        "codec",
        "epoch",
        "frames",
        "gaps",
        "generation",
        "handle",
        "heard_at",
        "height",
        "ids",
        "key_at",
        "key_seq",
        "key_time",
        "keyframes",
        "newest_time",
        "octets",
        "open",
        "pictures",
        "reception",
        "repaired",
        "sinks",
        "ssrc",
        "taps",
        "wanted",
        "width",
    )

    def __init__(self, handle: int, codec: int) -> None:
        self.handle = handle
        self.codec = codec
        self.pictures = codec != Codec.OPUS
        self.clock_rate = Codec.CLOCK_RATES[codec]
        self.epoch = 0
        self.generation = 0
        self.open = False
        self.sinks: tuple[Sink, ...] = ()
        self.taps: tuple[Tap, ...] = ()
        self.ids: tuple[Table, int, int, int] = (b"", 0, 0, 0)  # of the last routes
        self.ssrc = NOBODY
        self.heard_at = 0.0
        self.reception = Reception(self.clock_rate)
        self.gaps = Gaps()
        self.cache = PacketCache((PICTURE_SLOTS if self.pictures else SOUND_SLOTS)[0])
        self.key_seq = self.key_time = -1
        self.key_at = 0.0
        self.newest_time = -1
        self.wanted = False
        self.keyframes = self.frames = self.octets = self.repaired = 0
        self.width = self.height = 0
        self._announced: frozenset[int] = frozenset()
        self._repairable = False
        self._skips = False
        self._lost_before = 0
        self._window = USUAL_WINDOW_SECONDS
        self._measured_at = 0.0
        self._counted = 0

    # --- what is asked for

    def expect(self, announced: frozenset[int], *, repairable: bool) -> None:
        """Accept only these SSRCs from now on, or any when none is announced."""
        self._announced = announced
        self._repairable = repairable

    def replaced(self) -> None:
        """Forget what belongs to the connection or the SSRC that is gone."""
        self.generation += 1
        self.ssrc = NOBODY
        self.heard_at = 0.0
        self._begin_count()
        self.interrupt()

    def set_open(self, is_open: bool) -> None:
        """Let packets through or not; what came before a change never goes out after it."""
        if is_open != self.open:
            self.open = is_open
            self.interrupt()

    def set_codec(self, codec: int) -> None:
        """Take packets for another codec."""
        if codec != self.codec:
            self.codec = codec
            self.interrupt()

    def set_ids(self, ids: tuple[Table, int, int, int]) -> None:
        """Take the table and ids of header extensions; packets under others are forgotten."""
        if ids != self.ids:
            if self.ids[0]:
                self.interrupt()
            self.ids = ids

    def set_window(self, seconds: float) -> None:
        """Keep packets for about so long."""
        self._window = min(MAX_WINDOW_SECONDS, max(MIN_WINDOW_SECONDS, seconds))

    def interrupt(self) -> None:
        """Make sure that nothing from before is ever sent, and sinks attach anew."""
        self.epoch += 1
        self.cache.clear()
        self.gaps.forget()
        self.key_seq = self.key_time = self.newest_time = -1
        if self.pictures:
            self.wanted = True

    def fall_behind(self) -> None:
        """Note that packets are left out from here on: nobody is to ask for them again."""
        self._skips = True
        if self.pictures:
            self.interrupt()

    def _begin_count(self) -> None:
        self._lost_before += max(0, self.reception.lost)
        self.reception = Reception(self.clock_rate)

    # --- packets

    def admits(self, ssrc: int, now: float) -> bool:
        """Tell whether a packet of `ssrc` belongs here, changing over to it where it is time."""
        if self._announced and ssrc not in self._announced:
            return False
        if self.ssrc != NOBODY:
            if now - self.heard_at < TAKEOVER_SECONDS:
                return False
            self.replaced()
        self.ssrc = ssrc
        return True

    def count(self, seq: int, time: int, now: float) -> int:
        """Count a packet and return what it is to those before, REPEATED when it is of no use.

        Notes what is missing before it. A second copy is no use even if its bytes are others, as
        the number may have sealed the first already.
        """
        reception = self.reception
        before = reception.highest
        verdict = reception.note(seq, time, now)
        if verdict == Reception.NEW:
            if reception.highest - before > 1 and before >= 0 and self._repairable and self.open:
                if self._skips:
                    self._skips = False
                else:
                    self.wanted |= not self.gaps.open(before & 0xFFFF, seq, now)
            return verdict
        if verdict == Reception.LATE:
            self.gaps.arrived(seq)
            return verdict
        if verdict == Reception.JUMP:
            self._begin_count()
            self.interrupt()
            return self.reception.note(seq, time, now)
        return Reception.REPEATED

    def lacks(self, seq: int) -> bool:
        """Tell whether the packet `seq`, of which a later one tells, has not come."""
        highest = self.reception.highest
        ahead = 0 < (seq - highest) & 0xFFFF < MAX_DROPOUT
        return highest >= 0 and (ahead or seq in self.gaps)

    def begin_keyframe(self, seq: int, time: int, frame: Frame, now: float) -> bool:
        """Note the beginning of a keyframe, and tell whether it is one of its own."""
        if time == self.key_time:
            return False
        if self.key_seq >= 0 and (seq - self.key_seq) & 0xFFFF >= 0x8000:
            return False  # one before the newest
        self.keyframes += 1
        self.wanted = False
        self.key_seq, self.key_time, self.key_at = seq, time, now
        if not frame[0] & BARE:
            self.gaps.forget_before(seq)
        return True

    def burst(self, seq: int, now: float) -> int:
        """Return how many packets lead from the last keyframe to `seq`; 0 when not all are here.

        Nor when they are too many or too old.
        """
        if self.key_seq < 0 or now - self.key_at > BURST_SECONDS:
            return 0
        count = ((seq - self.key_seq) & 0xFFFF) + 1
        if count > MAX_BURST:
            return 0
        cache, first = self.cache, self.key_seq
        return count if all((first + n) & 0xFFFF in cache for n in range(count)) else 0

    def measure(self, now: float) -> None:
        """Give the cache as much room as the packets of the repair window want."""
        gone = now - self._measured_at
        if gone < MEASURE_SECONDS:
            return
        came = self.reception.received - self._counted
        self._measured_at, self._counted = now, self.reception.received
        if came < 0:  # the counts began anew meanwhile: that second says nothing
            return
        least, most = PICTURE_SLOTS if self.pictures else SOUND_SLOTS
        slots = slots_for(came / gone * self._window, least, most)
        # It shrinks late, as a picture that stands still sends little and then much.
        if slots > self.cache.slots or slots * 4 <= self.cache.slots:
            before, self.cache = self.cache, self.cache.resized(slots)
            before.clear()

    # --- what is read

    def state(self) -> SourceState:
        """Return what it brought."""
        seen = self.reception
        return SourceState(
            self.ssrc,
            seen.highest,
            seen.expected,
            seen.received,
            self._lost_before,
            seen.jitter,
            self.heard_at,
            len(self.gaps),
            self.octets,
            self.frames,
            self.repaired,
            self.keyframes,
            self.wanted,
            self.width,
            self.height,
        )
