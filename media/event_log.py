"""Events of a node, kept until a server has taken them."""

from collections import deque
from collections.abc import Callable, Mapping

from media.control_api import (
    KEPT_EVENTS,
    Event,
    EventFrame,
    MediaLost,
    MediaUp,
    OfferWanted,
    PathTaken,
    Shown,
)


class EventLog:
    """Implements `MediaEvents`: numbers what it is told. `wake` is called for each event.

    Beyond 512 the oldest are forgotten: a server that was away for so long reads the node's state.
    """

    def __init__(self) -> None:
        self.wake: Callable[[], None] = lambda: None
        self._kept: deque[EventFrame] = deque(maxlen=KEPT_EVENTS)
        self._seq = 0

    def media_up(self, call_id: str, party: str) -> None:
        """Keep it."""
        self._keep(MediaUp(call=call_id, party=party))

    def media_lost(self, call_id: str, party: str) -> None:
        """Keep it."""
        self._keep(MediaLost(call=call_id, party=party))

    def path_taken(self, call_id: str, party: str, host: str) -> None:
        """Keep it."""
        self._keep(PathTaken(call=call_id, party=party, host=host))

    def offer_wanted(self, call_id: str, party: str, reason: str, places: int = 1) -> None:
        """Keep it."""
        self._keep(OfferWanted(call=call_id, party=party, reason=reason, places=places))

    def shown(self, call_id: str, party: str, lines: Mapping[str, str]) -> None:
        """Keep it."""
        self._keep(Shown(call=call_id, party=party, lines=dict(lines)))

    def after(self, seq: int) -> list[EventFrame]:
        """Return what is kept beyond number `seq`."""
        return [frame for frame in self._kept if frame.seq > seq]

    def seen(self, seq: int) -> None:
        """Forget everything up to number `seq`."""
        while self._kept and self._kept[0].seq <= seq:
            self._kept.popleft()

    def _keep(self, event: Event) -> None:
        self._seq += 1
        self._kept.append(EventFrame(seq=self._seq, event=event))
        self.wake()
