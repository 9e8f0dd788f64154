"""What to ask a sender for again, and when (RFC 4585 section 6.2.1). Pure."""

from collections.abc import Iterable

FIRST_ASK_SECONDS = 0.01  # as much disorder is usual and mends itself
UNKNOWN_RTT_SECONDS = 0.08
SHORTEST_SECONDS = 0.04
ROUND_TRIPS = 1.2  # an answer may take a little longer than the last one did
LONGEST_SECONDS = 0.4
MAX_ASKS = 10
GIVE_UP_SECONDS = 1.2  # a picture held up for longer is better begun afresh


class Missing:
    """Asks for what has not come after 10 ms and then once per round trip.

    A number is given up after ten requests or 1.2 s; `gave_up` tells of it, since whoever decodes
    the stream then needs a keyframe. `longest` bounds the time between requests: a browser that has
    sent a packet does so again a round trip later at the earliest, so that asking sooner only makes
    up for requests that are lost. Times are monotonic seconds.
    """

    __slots__ = ("_asks", "_gave_up", "_longest")

    def __init__(self, longest: float = LONGEST_SECONDS) -> None:
        self._longest = longest
        # number: (when to ask next, requests so far; -1: given up)
        self._asks: dict[int, tuple[float, int]] = {}
        self._gave_up = False

    def due(
        self,
        missing: Iterable[tuple[int, float]],
        now: float,
        rtt_seconds: float | None = None,
    ) -> list[int]:
        """Return the numbers to ask for now.

        `missing` are all that have not come, each with when it was missed (`PacketPath.missing`),
        `rtt_seconds` is the round trip of the sender's own connection, None while unknown.
        """
        wait = ROUND_TRIPS * (UNKNOWN_RTT_SECONDS if rtt_seconds is None else rtt_seconds)
        wait = min(self._longest, max(SHORTEST_SECONDS, wait))
        before, self._asks = self._asks, {}
        asked = []
        for seq, since in missing:
            at, asks = before.get(seq, (since + FIRST_ASK_SECONDS, 0))
            if asks >= 0 and at <= now:
                if asks >= MAX_ASKS or now - since > GIVE_UP_SECONDS:
                    asks, self._gave_up = -1, True
                else:
                    asked.append(seq)
                    at, asks = now + wait, asks + 1
            self._asks[seq] = at, asks
        return asked

    def gave_up(self) -> bool:
        """Tell, once, whether a number has been given up since the last call."""
        gave_up, self._gave_up = self._gave_up, False
        return gave_up
