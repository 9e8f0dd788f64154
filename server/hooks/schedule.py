"""When a failed delivery is tried again: back-off over a day, then it is a dead letter. Pure."""

from datetime import datetime, timedelta

DELAYS = tuple(
    timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 21_600)
)
LIFETIME = timedelta(days=1)
LONGEST_ASKED = timedelta(hours=1)
SPREAD = 0.2
# Of a folder, which is ours: what cannot be written now is written once there is room.
LONGEST_FOR_EVER = timedelta(minutes=10)


def next_try(
    tries: int,
    first_at: datetime,
    now: datetime,
    *,
    luck: float,
    asked: timedelta | None = None,
    for_ever: bool = False,
) -> datetime | None:
    """Return when to try again after the `tries`-th try failed, None when that was the last one.

    `luck` from 0 to 1 spreads tries that failed together by a fifth; `asked` is what the receiver
    asked for (Retry-After), of which an hour is granted. The last try is a day after the first.
    """
    delay = DELAYS[min(tries, len(DELAYS)) - 1] * (1 + SPREAD * luck)
    if for_ever:
        return now + min(delay, LONGEST_FOR_EVER)
    if asked is not None:
        delay = max(delay, min(asked, LONGEST_ASKED))
    last = first_at + LIFETIME
    return None if now >= last else min(now + delay, last)
