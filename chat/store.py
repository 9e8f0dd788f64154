"""What the chat of a call needs of a database; no text passes here unsealed. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SealedMessage:
    """One line as it is stored. `number` is 0 until the store has allotted one."""

    municipality_id: str
    call_id: str
    party: str
    person_id: str
    client_id: str
    text_sealed: bytes
    at: datetime
    number: int = 0


class ChatStore(Protocol):
    """Keeps the lines of every call; each query is scoped by the municipality."""

    async def append(self, message: SealedMessage) -> tuple[SealedMessage, bool]:
        """Store `message` and return it with its number, and True; it is durable then.

        The number is one more than the call's last, counting from 1 without gaps, allotted in
        the same transaction. When (call_id, party, client_id) is there already, nothing is
        written and the stored line comes back with False.
        """

    async def list_after(
        self, municipality_id: str, call_id: str, number: int
    ) -> list[SealedMessage]:
        """Return the lines of the call with a larger number, in order; [] when there are none."""

    async def last_number(self, municipality_id: str, call_id: str) -> int:
        """Return the number of the call's newest line, 0 when it has none."""

    async def set_read(self, municipality_id: str, call_id: str, party: str, number: int) -> int:
        """Remember that `party` has read up to `number`; never moves back. Return what holds."""

    async def get_read(self, municipality_id: str, call_id: str) -> dict[str, int]:
        """Return the last number read, per party; a party that has read nothing is left out."""
