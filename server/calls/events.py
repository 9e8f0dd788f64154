"""What may happen to a call, and what must then be done. Pure data."""

from dataclasses import dataclass
from datetime import datetime

from server.calls.call import Device, Outcome, PartyName


@dataclass(frozen=True, slots=True)
class Event:
    """Base of everything that may happen to a call."""


@dataclass(frozen=True, slots=True)
class Offered(Event):
    """The call rings at one desk."""

    desk_id: str


@dataclass(frozen=True, slots=True)
class Passed(Event):
    """The desk that it rang at let it go, fell silent past the ring time, or went away."""

    desk_id: str


@dataclass(frozen=True, slots=True)
class Accepted(Event):
    """A desk answered."""

    desk_id: str


@dataclass(frozen=True, slots=True)
class HandedOver(Event):
    """The desk gives the running call to another, where it rings; all that was done stays."""

    desk_id: str


@dataclass(frozen=True, slots=True)
class Withdrawn(Event):
    """The counter gave up before an answer."""


@dataclass(frozen=True, slots=True)
class Lost(Event):
    """A party's page is gone."""

    party: PartyName


@dataclass(frozen=True, slots=True)
class CameBack(Event):
    """A party's page is back."""

    party: PartyName


@dataclass(frozen=True, slots=True)
class CounterSeatExpired(Event):
    """The counter did not come back within the resume time."""


@dataclass(frozen=True, slots=True)
class DeskSeatExpired(Event):
    """The desk did not come back within the resume time."""


@dataclass(frozen=True, slots=True)
class DecisionBegun(Event):
    """The desk has opened 判定."""


@dataclass(frozen=True, slots=True)
class DecisionPutOff(Event):
    """The desk has gone back to the talk."""


@dataclass(frozen=True, slots=True)
class Closed(Event):
    """The desk has decided. `reason` is required unless the outcome is 確認済み."""

    outcome: Outcome
    reason: str | None


@dataclass(frozen=True, slots=True)
class Veiled(Event):
    """The counter's picture is withheld, or shown again."""

    on: bool


@dataclass(frozen=True, slots=True)
class DevicesChanged(Event):
    """A page reports its camera and microphone."""

    party: PartyName
    camera: Device
    microphone: Device


@dataclass(frozen=True, slots=True)
class ClerkChanged(Event):
    """Another clerk has signed in on the call's tablet."""

    clerk_id: str


@dataclass(frozen=True, slots=True)
class TabletRevoked(Event):
    """The tablet may no longer be used."""


@dataclass(frozen=True, slots=True)
class Forbidden(Event):
    """A policy that has taken force does not let a party go on; `code` is the rule's reason."""

    code: str


@dataclass(frozen=True, slots=True)
class TimeUp(Event):
    """The call has waited or lasted as long as the policy lets it; `code` says which."""

    code: str


@dataclass(frozen=True, slots=True)
class ServerStarted(Event):
    """The server has started again and found this call open; nobody is connected yet.

    `veiled` says that the counter's picture is withheld, whatever the disk has heard of it.
    """

    veiled: bool = False


@dataclass(frozen=True, slots=True)
class GuestAsked(Event):
    """The desk asks somebody into the call; `kind` is the role in which they come."""

    person_id: str
    kind: str


@dataclass(frozen=True, slots=True)
class GuestUnanswered(Event):
    """Who was asked did not come within the ring time."""

    person_id: str


@dataclass(frozen=True, slots=True)
class GuestJoined(Event):
    """Who was asked came."""

    person_id: str


@dataclass(frozen=True, slots=True)
class GuestLeft(Event):
    """Who was asked said no, or who was in left or was sent away."""

    person_id: str


@dataclass(frozen=True, slots=True)
class GuestLost(Event):
    """A guest's page is gone."""

    person_id: str


@dataclass(frozen=True, slots=True)
class GuestBack(Event):
    """A guest's page is back."""

    person_id: str


@dataclass(frozen=True, slots=True)
class GuestSeatExpired(Event):
    """A guest did not come back within the resume time."""

    person_id: str


@dataclass(frozen=True, slots=True)
class GuestDevices(Event):
    """A guest's page reports its camera and microphone."""

    person_id: str
    camera: Device
    microphone: Device


@dataclass(frozen=True, slots=True)
class Effect:
    """Base of everything that must be done after a transition."""


@dataclass(frozen=True, slots=True)
class Persist(Effect):
    """Write the call to the database; nothing later happens before this is durable."""


@dataclass(frozen=True, slots=True)
class OpenMedia(Effect):
    """Make room for the call; nothing passes yet."""


@dataclass(frozen=True, slots=True)
class AskNearer(Effect):
    """Have the desk that it rings at wait where it can be let in from."""


@dataclass(frozen=True, slots=True)
class AdmitDesk(Effect):
    """Let the desk's waiting connection into the call, before anybody is told of the answer."""


@dataclass(frozen=True, slots=True)
class AskGuestNearer(Effect):
    """Have somebody who is asked into the call wait where they can be let in from."""

    person_id: str


@dataclass(frozen=True, slots=True)
class AdmitGuest(Effect):
    """Let a guest's waiting connection into the call, before anybody is told."""


@dataclass(frozen=True, slots=True)
class DropGuest(Effect):
    """End the connection of a guest who is not in the call any more."""

    party: PartyName


@dataclass(frozen=True, slots=True)
class HoldMedia(Effect):
    """Close the gate and end the desk's connection; the counter's waits for the next desk."""


@dataclass(frozen=True, slots=True)
class OpenGate(Effect):
    """Let both parties send and receive sound and pictures."""


@dataclass(frozen=True, slots=True)
class SetVeil(Effect):
    """Stop or resume forwarding the counter's picture."""

    on: bool


@dataclass(frozen=True, slots=True)
class CloseMedia(Effect):
    """Take down everything that the call holds in the media node."""


@dataclass(frozen=True, slots=True)
class SetTimer(Effect):
    """Feed `event` back at the time `at`; a timer of the same name is replaced."""

    name: str
    at: datetime
    event: Event


@dataclass(frozen=True, slots=True)
class CancelTimer(Effect):
    """Forget the timer of this name, if there is one."""

    name: str


@dataclass(frozen=True, slots=True)
class DropUnfinishedFiles(Effect):
    """Throw away what was still arriving."""


@dataclass(frozen=True, slots=True)
class SettleSteps(Effect):
    """Undo the steps that an interruption opens again; make what is due once the call goes on."""


@dataclass(frozen=True, slots=True)
class Tell(Effect):
    """Show the call to its parties and the queue to the desks."""


@dataclass(frozen=True, slots=True)
class Release(Effect):
    """The call is over: show it once more to `desk_id`, then free its seats."""

    desk_id: str | None


@dataclass(frozen=True, slots=True)
class Farewell(Effect):
    """Show the call once more to guests who are not in it any more."""

    person_ids: tuple[str, ...]
