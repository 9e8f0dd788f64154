"""What a decision is made from. Pure data: whoever asks fills it in, rules only read it."""

from dataclasses import dataclass
from datetime import datetime

from security.people import OfficeKind, Role


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks: a counter (tablet, with or without a clerk signed in) or a person at a desk."""

    page: str  # "counter" | "desk"
    municipality_id: str
    person_id: str | None = None
    role: Role | None = None
    tablet_id: str | None = None
    tablet_live: bool = False  # enrolled and not revoked
    office_id: str | None = None
    office_kind: OfficeKind | None = None


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What rules need of a call."""

    id: str
    municipality_id: str
    tablet_id: str
    desk_id: str | None
    state: str
    answered: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """The input of every rule. `subject` is the id of what is asked for: call, file, tablet."""

    now: datetime
    actor: Actor
    subject: str
    subject_municipality_id: str
    call: CallFacts | None = None
    procedure_open: bool = False
