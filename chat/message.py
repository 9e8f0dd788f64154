"""A chat message and the rules over it. Pure."""

from dataclasses import dataclass
from datetime import datetime

MAX_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True)
class Message:
    """One line of a call's chat; `number` counts from 1 without gaps."""

    number: int
    client_id: str
    party: str
    person_id: str
    text: str
    at: datetime
