"""What the listener of one downlink says about it: loss, round-trip time, estimate. Pure."""

from media.feedback import RateCap
from media.rtcp import Block

MAX_REMEMBERED = 16
MIN_EXPECTED = 50  # packets; the loss of fewer says little
FRESH_SECONDS = 5.0
SILENT_SECONDS = 2.0
SILENT_BPS = 8000  # that is sent without a word of it arriving; silence of Opus is less


class Reported:
    """Takes reports of one listener. Rates are in bit/s, times monotonic seconds.

    `cap` is told of estimates and losses.
    """

    __slots__ = (
        "_counted",
        "_grew_at",
        "_highest",
        "_loss_at",
        "_measured_at",
        "_octets",
        "_sent_at",
        "cap",
        "forwarded_bps",
        "loss_fraction",
        "remb_bps",
        "rtt_seconds",
    )

    def __init__(self, cap: RateCap | None = None) -> None:
        self.cap = cap or RateCap()
        self.forwarded_bps = 0
        self.rtt_seconds: float | None = None
        self.loss_fraction: float | None = None
        self.remb_bps: int | None = None
        self._sent_at: dict[int, float] = {}
        self._measured_at: float | None = None
        self._octets = 0
        self._loss_at = self._grew_at = 0.0
        self._highest: int | None = None
        self._counted: tuple[int, int] | None = None

    def measure(self, octets: int, now: float) -> None:
        """Take the running total of bytes sent; to be called about twice a second."""
        if self._measured_at is not None and now > self._measured_at:
            self.forwarded_bps = int((octets - self._octets) * 8 / (now - self._measured_at))
        if self.loss_fraction is not None and now - self._loss_at > FRESH_SECONDS:
            self.loss_fraction = None  # whoever says no more says nothing of now
        self._measured_at, self._octets = now, octets

    def report_sent(self, ntp: int, now: float) -> None:
        """Remember when the sender report with this NTP time left."""
        if len(self._sent_at) >= MAX_REMEMBERED:
            del self._sent_at[next(iter(self._sent_at))]
        self._sent_at[ntp >> 16 & 0xFFFFFFFF] = now

    def block(self, block: Block, now: float) -> None:
        """Take a report block; the round trip is RFC 3550 section 6.4.1."""
        self._count(block, now)
        sent = self._sent_at.get(block.last_report)
        if sent is not None:
            self.rtt_seconds = max(0.0, now - sent - block.delay / 65536)

    def _count(self, block: Block, now: float) -> None:
        """Take the loss over at least 50 packets: one report alone may stand for a handful.

        All is lost when reports come and none of them knows of any packet more, for 2 s in which
        packets were sent. The estimate is not told of that: it is no sign of a narrow line.
        """
        if block.highest != self._highest:
            self._highest, self._grew_at = block.highest, now
        elif now - self._grew_at >= SILENT_SECONDS and self.forwarded_bps >= SILENT_BPS:
            self.loss_fraction, self._loss_at = 1.0, now
        if self._counted is None:
            self._counted = (block.highest, block.lost)
        highest, lost = self._counted
        expected = (block.highest - highest) & 0xFFFFFFFF
        if expected >= MIN_EXPECTED:
            self._counted = (block.highest, block.lost)
            self.loss_fraction = min(1.0, max(0.0, (block.lost - lost) / expected))
            self._loss_at = now
            self.cap.loss(self.loss_fraction, self.forwarded_bps, now)

    def fresh_loss(self, now: float) -> float:
        """Return the share lost (0 to 1) as told in the last 5 s, 0 when nothing was."""
        told = self.loss_fraction
        return 0.0 if told is None or now - self._loss_at > FRESH_SECONDS else told

    def estimate(self, bps: int, now: float) -> None:
        """Take a REMB."""
        self.remb_bps = bps
        self.cap.estimate(bps, self.forwarded_bps, now)
