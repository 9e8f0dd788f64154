"""What a call is: states, parties, outcomes. Pure data."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    """Where a call is."""

    WAITING = "waiting"
    RINGING = "ringing"
    TALKING = "talking"
    INTERRUPTED = "interrupted"
    DECIDING = "deciding"
    CLOSED = "closed"


class Outcome(StrEnum):
    """判定: 確認済み, 差戻し, 不可, 中断; 対応済み for help that verifies nobody (Q&A 4)."""

    VERIFIED = "verified"
    COMPLETED = "completed"
    RETURNED = "returned"
    REFUSED = "refused"
    ABORTED = "aborted"


class PartyName(StrEnum):
    """The ends of a call. It lives without its guests, and not without the other two."""

    COUNTER = "counter"
    DESK = "desk"
    GUEST_1 = "guest-1"
    GUEST_2 = "guest-2"


GUEST_PARTIES = (PartyName.GUEST_1, PartyName.GUEST_2)


class Device(StrEnum):
    """State of a camera or microphone as its page reports it."""

    ON = "on"
    OFF = "off"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Party:
    """One end: whether its page is here, and its devices."""

    present: bool = False
    camera: Device = Device.ON
    microphone: Device = Device.ON


@dataclass(frozen=True, slots=True)
class Guest:
    """A third party: asked by the desk, in the call once `joined_at` is set.

    `kind` is the role in which the person was asked; `lost_at` says since when the page is gone.
    """

    party: PartyName
    person_id: str
    kind: str
    asked_at: datetime
    joined_at: datetime | None = None
    lost_at: datetime | None = None
    camera: Device = Device.ON
    microphone: Device = Device.ON


@dataclass(frozen=True, slots=True)
class Call:
    """One conversation from queue to close.

    `interrupted_from` is the state to come back to; `lost_since` says since when a party is lost.
    `offered` holds the persons already asked, in order. `version` grows with each change.
    `clerks_before` stood at the counter in earlier shifts of the call, in order.
    `desks_before` led it before the desk that does now, in order, each once.
    `waiting_since` is set when it is given back to the queue; else it waits since `placed_at`.
    `consent` is what its page sent, with the SHA-256 of the words, JSON.
    `answered_by` led it last: `desk_id` of a call that ends between two desks.
    """

    id: str
    number: str
    municipality_id: str
    office_id: str
    tablet_id: str
    clerk_id: str
    procedure: str
    training: bool
    consent: str
    placed_at: datetime
    state: State = State.WAITING
    desk_id: str | None = None
    ringing_since: datetime | None = None
    answered_at: datetime | None = None
    answered_by: str | None = None
    closed_at: datetime | None = None
    waiting_since: datetime | None = None
    interrupted_from: State | None = None
    lost_since: dict[PartyName, datetime] = field(default_factory=dict)
    veiled: bool = False
    outcome: Outcome | None = None
    reason: str | None = None
    offered: tuple[str, ...] = ()
    counter: Party = Party(present=True)
    desk: Party = Party()
    guests: tuple[Guest, ...] = ()
    clerks_before: tuple[str, ...] = ()
    desks_before: tuple[str, ...] = ()
    version: int = 1
