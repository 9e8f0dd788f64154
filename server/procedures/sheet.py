"""The sheet of a call: what was done of its steps, by whom and when, and what hangs on it. Pure.

`Progress` says what stands; the sheet adds who did it last, the confirmations asked of a senior
(上席確認), what an IC chip said, and a number that grows with every change. Whether a call may be
decided is read off the sheet by server/procedures/lock.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from server.procedures.progress import Place, Progress


class About(StrEnum):
    """What a senior is asked to confirm."""

    DOCUMENTS = "documents"
    DECISION = "decision"


@dataclass(frozen=True, slots=True)
class Mark:
    """Who did something about a need last, and when."""

    person_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Approval:
    """A confirmation by a senior: asked, given or refused. `reason` is that of who asked.

    One that was refused is kept, whatever is asked or changed afterwards.
    """

    about: About
    reason: str
    asked_by: str
    asked_at: datetime
    approved: bool | None = None
    answer: str | None = None
    answered_by: str | None = None
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Chip:
    """What the IC chip of a document said: read by whom, with which tool."""

    document: str
    tool: str
    result: str  # "agrees" | "differs" | "unreadable"
    person_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything about the steps of one call.

    `sample` is drawn once per call, 0 to 99: whether it falls into the sample that a senior looks
    at. `earlier` is the call from which something was taken over.
    """

    call_id: str
    municipality_id: str
    sample: int
    version: int = 0
    progress: Progress = field(default_factory=Progress)
    marks: Mapping[Place, Mark] = field(default_factory=dict)
    approvals: tuple[Approval, ...] = ()
    chips: tuple[Chip, ...] = ()
    earlier: str | None = None

    def approval(self, about: About) -> Approval | None:
        """Return the confirmation that was asked about something last."""
        return next((one for one in reversed(self.approvals) if one.about is about), None)
