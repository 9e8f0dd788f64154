"""What to ask a sender for again, and when (RFC 4585 section 6.2.1). Pure."""

from collections import OrderedDict

FIRST_ASK_SECONDS = 0.01  # as much disorder is usual and mends itself
UNKNOWN_RTT_SECONDS = 0.08
SHORTEST_SECONDS = 0.04
ROUND_TRIPS = 1.2  # an answer may take a little longer than the last one did
LONGEST_SECONDS = 0.4
MAX_ASKS = 10
GIVE_UP_SECONDS = 1.2  # a picture held up for longer is better begun afresh
MAX_MISSING = 192


class Missing:
    """The numbers that have not come: asked for after 10 ms and then once per round trip.

    A number is given up after ten requests or 1.2 s; `gave_up` tells of it, since whoever decodes
    the stream then needs a keyframe. Times are monotonic seconds.
    """

    __slots__ = ("_asks", "_gave_up")

    def __init__(self) -> None:
        # number: (when to ask next, requests so far, when it was missed)
        self._asks: OrderedDict[int, tuple[float, int, float]] = OrderedDict()
        self._gave_up = False

    def __len__(self) -> int:
        return len(self._asks)

    def __contains__(self, seq: int) -> bool:
        return seq in self._asks

    def gap(self, after: int, before: int, now: float) -> bool:
        """Note that everything between the two numbers is missing.

        Returns False, and forgets all, when it is too much to ask for: a keyframe is cheaper.
        """
        count = (before - after - 1) & 0xFFFF
        if len(self._asks) + count > MAX_MISSING:
            self._asks.clear()
            return False
        for step in range(1, count + 1):
            self._asks[(after + step) & 0xFFFF] = (now + FIRST_ASK_SECONDS, 0, now)
        return True

    def arrived(self, seq: int) -> None:
        """Note that `seq` is there after all."""
        self._asks.pop(seq, None)

    def forget(self) -> None:
        """Ask for nothing any more."""
        self._asks.clear()
        self._gave_up = False

    def forget_before(self, seq: int) -> None:
        """Ask for nothing older than `seq` any more: with it a keyframe begins."""
        for number in [x for x in self._asks if 0 < (seq - x) & 0xFFFF < 0x8000]:
            del self._asks[number]

    def due(self, now: float, rtt_seconds: float | None = None) -> list[int]:
        """Return the numbers to ask for now, oldest first.

        `rtt_seconds` is the round trip of the sender's own connection, None while unknown.
        """
        wait = ROUND_TRIPS * (UNKNOWN_RTT_SECONDS if rtt_seconds is None else rtt_seconds)
        wait = min(LONGEST_SECONDS, max(SHORTEST_SECONDS, wait))
        asked = []
        for seq, (at, asks, since) in list(self._asks.items()):
            if at > now:
                continue
            if asks >= MAX_ASKS or now - since > GIVE_UP_SECONDS:
                del self._asks[seq]
                self._gave_up = True
                continue
            self._asks[seq] = (now + wait, asks + 1, since)
            asked.append(seq)
        return asked

    def gave_up(self) -> bool:
        """Tell, once, whether a number has been given up since the last call."""
        gave_up, self._gave_up = self._gave_up, False
        return gave_up
