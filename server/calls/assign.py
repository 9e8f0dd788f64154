"""Which desk a waiting call is offered to. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from server.calls.call import Call


@dataclass(frozen=True, slots=True)
class FreeDesk:
    """A desk that is open, connected and in no call."""

    person_id: str
    idle_since: datetime


def choose(call: Call, free: Sequence[FreeDesk], *, luck: float | None = None) -> str | None:
    """Return the desk asked least recently for this call, or None when nobody is free.

    Of several the one that has been idle longest, or the one that `luck` (0 up to but not with 1)
    points at.
    """
    if not free:
        return None
    least = min(_last_asked(call, desk) for desk in free)
    equal = [desk for desk in free if _last_asked(call, desk) == least]
    equal.sort(key=lambda desk: (desk.idle_since, desk.person_id))
    return equal[0 if luck is None else int(luck * len(equal))].person_id


def _last_asked(call: Call, desk: FreeDesk) -> int:
    asked = [i for i, person in enumerate(call.offered) if person == desk.person_id]
    return asked[-1] if asked else -1


def estimate_wait_seconds(
    ahead: int, desks_open: int, desks_free: int, talk_seconds: Sequence[float]
) -> int | None:
    """Return a rough wait from recent talks (seconds each), or None when nothing is known.

    The median talk, times the rounds until a desk is free for this place.
    """
    if desks_open == 0:
        return None
    if ahead < desks_free:
        return 0
    if not talk_seconds:
        return None
    median = sorted(talk_seconds)[len(talk_seconds) // 2]
    rounds = (ahead - desks_free) // desks_open + 1
    return round(rounds * median)
