"""How long a call may wait and last, and when it ends by itself. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from server.calls.call import Call, State
from server.calls.machine import Limits

_IN_QUEUE = frozenset({State.WAITING, State.RINGING})


@dataclass(frozen=True, slots=True)
class End:
    """When a call ends at the latest, and the code of why."""

    at: datetime
    code: str


def end_of(call: Call, limits: Limits) -> End | None:
    """Return the end that comes first; None for a call that is closed."""
    if call.state is State.CLOSED:
        return None
    ends = []
    if call.state in _IN_QUEUE:
        ends.append(End(_after(_waits_since(call), limits.waiting_seconds), "max_waiting"))
    if call.answered_at is not None:
        ends.append(End(_after(call.answered_at, limits.talking_seconds), "max_length"))
    return min(ends, key=lambda end: end.at, default=None)


def waited_seconds(call: Call, now: datetime) -> int:
    """Return for how long the call has stood in the queue; 0 when it does not."""
    return _seconds(_waits_since(call), now) if call.state in _IN_QUEUE else 0


def talked_seconds(call: Call, now: datetime) -> int:
    """Return how long ago the call was first answered; 0 when it was not."""
    return _seconds(call.answered_at, now) if call.answered_at is not None else 0


def _waits_since(call: Call) -> datetime:
    return call.waiting_since or call.placed_at


def _after(at: datetime, seconds: float) -> datetime:
    return at + timedelta(seconds=seconds)


def _seconds(since: datetime, now: datetime) -> int:
    return max(0, int((now - since).total_seconds()))
