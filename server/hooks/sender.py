"""What a destination does with a fact: one interface for webhooks, plug-ins and the folder."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from server.hooks.fact import Fact


@dataclass(frozen=True, slots=True)
class Sent:
    """How a try ended: told, or `problem` (a code). `gone`: nobody will ever take it there."""

    problem: str | None = None
    retry_after: timedelta | None = None
    gone: bool = False


TOLD = Sent()


class Sender(Protocol):
    """Tells facts to destinations of one kind; never raises what a destination can cause.

    `patient`: what fails is tried for ever. `at_once`: how many may be on their way together.
    """

    patient: bool
    at_once: int

    async def send(self, destination: str, fact: Fact) -> Sent:
        """Try once and return how it ended."""
