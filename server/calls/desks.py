"""Who sits at a desk: open or away, connected or not."""

from dataclasses import dataclass
from datetime import datetime

from server.calls.assign import FreeDesk


@dataclass(slots=True)
class DeskSeat:
    """One person's seat, kept while the person is signed in."""

    person_id: str
    municipality_id: str
    open: bool = False
    connected: bool = False
    answers: bool = True  # calls from the queue; who is only ever invited does not
    idle_since: datetime | None = None


class Desks:
    """Every desk seat of this server."""

    def __init__(self) -> None:
        self._seats: dict[str, DeskSeat] = {}

    def connect(
        self, person_id: str, municipality_id: str, *, now: datetime, answers: bool = True
    ) -> DeskSeat:
        """Mark a person's page as there and return the seat; a new seat is 離席."""
        seat = self._seats.setdefault(person_id, DeskSeat(person_id, municipality_id))
        seat.connected = True
        seat.answers = answers
        seat.idle_since = now
        return seat

    def restore(self, person_id: str, municipality_id: str) -> None:
        """Take up a desk that was 受付中 before the server started again."""
        self._seats[person_id] = DeskSeat(person_id, municipality_id, open=True)

    def disconnect(self, person_id: str) -> None:
        """Mark a person's page as gone; open or away is remembered."""
        if seat := self._seats.get(person_id):
            seat.connected = False

    def forget(self, person_id: str) -> DeskSeat | None:
        """Take the seat away at sign-out and return it."""
        return self._seats.pop(person_id, None)

    def set_open(self, person_id: str, *, open: bool) -> None:
        """受付中 or 離席."""
        self._seats[person_id].open = open

    def is_open(self, person_id: str) -> bool:
        """Tell whether the person takes calls."""
        seat = self._seats.get(person_id)
        return seat is not None and seat.open

    def is_connected(self, person_id: str) -> bool:
        """Tell whether the person's page is there."""
        seat = self._seats.get(person_id)
        return seat is not None and seat.connected

    def answers(self, person_id: str) -> bool:
        """Tell whether the person answers calls from the queue."""
        seat = self._seats.get(person_id)
        return seat is not None and seat.answers

    def touch(self, person_id: str, *, now: datetime) -> None:
        """Restart the person's idle time, after a call or a refusal."""
        if seat := self._seats.get(person_id):
            seat.idle_since = now

    def of(self, municipality_id: str) -> list[DeskSeat]:
        """Return the connected seats of a municipality."""
        return [
            s for s in self._seats.values() if s.municipality_id == municipality_id and s.connected
        ]

    def free(self, municipality_id: str, busy: set[str]) -> list[FreeDesk]:
        """Return who could take a call now; `busy` holds the persons in a call or being rung."""
        return [
            FreeDesk(s.person_id, s.idle_since)
            for s in self.of(municipality_id)
            if s.open and s.answers and s.person_id not in busy and s.idle_since is not None
        ]
