"""Whether one more call may ring or begin: what the engine carries against what goes on. Pure."""

from collections.abc import Collection, Iterable

from media.engine import Capacity
from server.calls.call import Call, State

# A call that rings is promised to the desk, so it counts before it is answered.
HOLDING = frozenset({State.RINGING, State.TALKING, State.INTERRUPTED, State.DECIDING})


def slots(capacity: Capacity, calls: Iterable[Call], admitted: Collection[str]) -> int:
    """Return how many calls more may ring. `admitted` are being answered straight from the queue.

    Calls that are there already go on whatever the engine says: nobody is thrown out.
    """
    if not capacity.accepting:
        return 0
    held = sum(call.state in HOLDING or call.id in admitted for call in calls)
    return max(0, capacity.max_calls - held)


def is_next(call: Call, free: int, elsewhere: Iterable[Call]) -> bool:
    """Tell whether one of `free` slots is for `call`, as who has waited longest goes first.

    `elsewhere` are the calls of other municipalities that a desk could take now: a busy one must
    not take each slot that comes free from a small one.
    """
    place = (call.placed_at, call.id)
    return sum((other.placed_at, other.id) < place for other in elsewhere) < free
