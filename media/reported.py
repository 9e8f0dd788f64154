"""What the listener of one downlink says about it: loss, round-trip time, estimate. Pure."""

from media.feedback import RateCap
from media.rtcp import Block

MAX_REMEMBERED = 16


class Reported:
    """Takes reports of one listener. Rates are in bit/s, times monotonic seconds."""

    __slots__ = (
        "_measured_at",
        "_octets",
        "_sent_at",
        "cap",
        "forwarded_bps",
        "loss_fraction",
        "remb_bps",
        "rtt_seconds",
    )

    def __init__(self) -> None:
        self.cap = RateCap()
        self.forwarded_bps = 0
        self.rtt_seconds: float | None = None
        self.loss_fraction: float | None = None
        self.remb_bps: int | None = None
        self._sent_at: dict[int, float] = {}
        self._measured_at: float | None = None
        self._octets = 0

    def measure(self, octets: int, now: float) -> None:
        """Take the running total of bytes sent; to be called about twice a second."""
        if self._measured_at is not None and now > self._measured_at:
            self.forwarded_bps = int((octets - self._octets) * 8 / (now - self._measured_at))
        self._measured_at, self._octets = now, octets

    def report_sent(self, ntp: int, now: float) -> None:
        """Remember when the sender report with this NTP time left."""
        if len(self._sent_at) >= MAX_REMEMBERED:
            del self._sent_at[next(iter(self._sent_at))]
        self._sent_at[ntp >> 16 & 0xFFFFFFFF] = now

    def block(self, block: Block, now: float) -> None:
        """Take a report block; the round trip is RFC 3550 section 6.4.1."""
        self.loss_fraction = block.fraction / 256
        sent = self._sent_at.get(block.last_report)
        if sent is not None:
            self.rtt_seconds = max(0.0, now - sent - block.delay / 65536)
        self.cap.loss(self.loss_fraction, self.forwarded_bps)

    def estimate(self, bps: int) -> None:
        """Take a REMB."""
        self.remb_bps = bps
        self.cap.estimate(bps, self.forwarded_bps)
