"""The nouns of PROTOCOL.md section 1 as pydantic models: what pages are shown."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from files.entry import FileState
from media.quality import Cause, Level
from media.quality import Place as LinePlace
from server.calls.call import Device, Outcome, State
from server.relay import RelayUse


def time_view(at: datetime) -> str:
    """Return RFC 3339 in UTC with milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Time = Annotated[datetime, PlainSerializer(time_view, return_type=str, when_used="json")]
PartyWord = Literal["counter", "desk"]
AnyParty = Literal["counter", "desk", "guest-1", "guest-2"]
GuestKind = Literal["senior", "interpreter", "representative"]


class Noun(BaseModel):
    """Base of everything that is shown."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Place(Noun):
    """An office or a tablet."""

    id: str
    name: str


class Named(Noun):
    """Somebody, by name alone."""

    name: str


class Interruption(Noun):
    """Since when a call is interrupted, who is lost, and when it gives up."""

    since: Time
    gives_up_at: Time
    lost: tuple[PartyWord, ...]


class PartyNoun(Noun):
    """One end of a call."""

    present: bool
    camera: Device
    microphone: Device
    path: str | None


class Parties(Noun):
    """Both ends of a call."""

    counter: PartyNoun
    desk: PartyNoun


class GuestNoun(Noun):
    """A third party: asked, or in the call."""

    party: AnyParty
    id: str
    name: str
    kind: GuestKind
    joined: bool
    present: bool
    camera: Device
    microphone: Device
    path: str | None


class CallNoun(Noun):
    """A call."""

    id: str
    number: str
    training: bool
    state: State
    procedure: str
    office: Place
    tablet: Place
    clerk: Named
    desk: Named | None
    placed_at: Time
    ringing_since: Time | None
    answered_at: Time | None
    closed_at: Time | None
    ends_at: Time | None
    interrupted: Interruption | None
    veiled: bool
    outcome: Outcome | None
    reason: str | None
    version: int
    parties: Parties
    guests: tuple[GuestNoun, ...]


class MessageNoun(Noun):
    """A chat message."""

    number: int
    id: str
    party: AnyParty = Field(alias="from")
    name: str
    text: str
    at: Time


class FileNoun(Noun):
    """A file; hashes are lower-case hex SHA-256."""

    id: str
    party: AnyParty = Field(alias="from")
    name: str
    type: str | None
    size_bytes: int
    received_bytes: int
    state: FileState
    sha256_sent: str
    sha256_offered: str | None
    offered_bytes: int | None
    reason: str | None
    scanned: Literal["clean", "not"] | None
    still: bool
    closed_to: tuple[str, ...]
    at: Time


class ClosedNotice(Noun):
    """What the counter is told while no desk is open."""

    hours: str
    telephone: str


class PositionNoun(Noun):
    """A waiting call's place."""

    ahead: int
    wait_seconds: int | None
    desks_open: int
    offered_to: str | None
    busy: bool
    closed_notice: ClosedNotice | None


class InvitationNoun(Noun):
    """A call that one is asked into."""

    call: str
    number: str
    procedure: str
    office: Place
    tablet: Place
    desk: Named
    kind: GuestKind
    asked_at: Time


class QueueNoun(Noun):
    """The queue as one desk sees it; empty for who is only ever asked into calls."""

    waiting: tuple[CallNoun, ...]
    offered: str | None
    desks_open: int
    busy: bool
    picks: bool
    invited: InvitationNoun | None


class RelayServer(Noun):
    """Addresses of the relay with credentials, as RTCConfiguration takes them."""

    urls: tuple[str, ...]
    username: str
    credential: str


class RelayNoun(Noun):
    """How a page uses the relay, and until when."""

    use: RelayUse
    servers: tuple[RelayServer, ...]
    expires_at: Time


class LineNoun(Noun):
    """One direction between a party and the server over the last look; null where unknown."""

    rtt_ms: int | None
    jitter_ms: int | None
    loss: float | None
    kbps: int | None
    fps: float | None
    width: int | None
    height: int | None
    freezes: int | None
    repaired: int | None


class LinesNoun(Noun):
    """Both directions of one party."""

    sends: LineNoun
    receives: LineNoun


class QualityNoun(Noun):
    """How good the call is; the counter is told of its own connection, without figures."""

    level: Level
    cause: Cause | None
    place: LinePlace | None
    abort_offered: bool
    lines: dict[str, LinesNoun] | None


class SummaryNoun(Noun):
    """What is kept of one direction of a call; null where nothing was measured."""

    party: str
    direction: Literal["sends", "receives"]
    seconds: int
    good_seconds: int
    fair_seconds: int
    poor_seconds: int
    packets: int
    lost: int
    repaired: int
    freezes: int
    frozen_ms: int
    loss: float | None
    rtt_ms: int | None
    rtt_ms_worst: int
    jitter_ms_worst: int
    kbps: int | None
    fps: float | None
    width_least: int
    height_least: int
    width_most: int
    height_most: int


class TotalNoun(Noun):
    """How good a whole call was: shares of its time, and what its figures say was the cause."""

    good_percent: int
    fair_percent: int
    poor_percent: int
    cause: Cause | None
    place: LinePlace | None


class YouCounter(Noun):
    """A signed-in counter; `clerk` is null when none is signed in, `mode` 研修 or 本番."""

    page: Literal["counter"] = "counter"
    municipality: Place
    office: Place
    tablet: Place
    clerk: Named | None
    mode: Literal["training", "real"] = "training"
    language: str = "ja"


class PersonNoun(Noun):
    """The person at a desk."""

    id: str
    name: str
    role: str


class YouDesk(Noun):
    """A signed-in desk."""

    page: Literal["desk"] = "desk"
    municipality: Place
    person: PersonNoun
    desk_state: Literal["open", "away"]


class YouOfficer(Noun):
    """A signed-in officer, auditor or administrator; `appointed` says who may sign policies."""

    page: Literal["officer"] = "officer"
    municipality: Place
    person: PersonNoun
    appointed: bool


class MeAnswer(Noun):
    """Who is signed in."""

    you: YouCounter | YouDesk | YouOfficer
    csrf: str
    ticket: str | None = None


class DirectoryNoun(Noun):
    """A municipality's own directory; `name` is what its button says."""

    name: str | None


class MunicipalityNoun(Noun):
    """A municipality on the sign-in page."""

    slug: str
    name: str
    directory: DirectoryNoun | None = None


class PasskeysNoun(Noun):
    """Whether passkeys can be used at this address, else why not."""

    possible: bool
    why: Literal["no_address", "no_domain", "no_https", "other_address"] | None


class MunicipalitiesAnswer(Noun):
    """The municipalities that this server works for."""

    municipalities: tuple[MunicipalityNoun, ...]
    passkeys: PasskeysNoun


class GoAnswer(Noun):
    """Where the browser goes next, at another site."""

    go: str


class ClerkNoun(Noun):
    """Who may stand at a tablet; `pin` tells that one was given."""

    id: str
    name: str
    pin: bool


class ClerksAnswer(Noun):
    """The clerks of a tablet's office."""

    clerks: tuple[ClerkNoun, ...]


class ChallengeAnswer(Noun):
    """What a tablet is asked to sign, and as whom."""

    challenge: str
    issued_at: str
    municipality: str
    tablet: str


class LinkAnswer(Noun):
    """Where a one-time link leads."""

    page: str


class CallsAnswer(Noun):
    """Calls, oldest first."""

    calls: tuple[CallNoun, ...]


class InvitablePerson(Noun):
    """Somebody who could be asked into a call (`joins`), or go on with it (`receives`)."""

    id: str
    name: str
    kind: GuestKind | Literal["verifier"]
    state: Literal["free", "busy", "away"]
    joins: bool
    receives: bool


class InvitableAnswer(Noun):
    """Who could be asked into a call or be given it, those who are free first."""

    people: tuple[InvitablePerson, ...]


class Health(Noun):
    """The process answers."""

    status: Literal["ok"] = "ok"


class ReasonNoun(Noun):
    """One unmet term."""

    code: str
    message: str
    clause: str


class ErrorNoun(Noun):
    """What went wrong; `limit` and `unit` come with `TooMuch`."""

    code: str
    message: str
    reasons: tuple[ReasonNoun, ...] = ()
    request_id: str | None = None
    limit: int | None = None
    unit: str | None = None


class PrecheckRow(Noun):
    """One thing that a 開始前点検 has tried."""

    name: str
    grade: Literal["good", "fair", "bad"]
    code: str
    figures: dict[str, int | float | str | None]


class PrecheckNoun(Noun):
    """What a 開始前点検 has found, at which tablet, by whom."""

    id: str
    at: Time
    office: Place
    tablet: Place
    person: Named
    outcome: Literal["good", "fair", "bad"]
    rows: tuple[PrecheckRow, ...]


class PrecheckAnswer(Noun):
    """A result."""

    precheck: PrecheckNoun


class PrechecksAnswer(Noun):
    """Results, newest first; to a counter its own, and whether it needs another one."""

    prechecks: tuple[PrecheckNoun, ...]
    asked: Literal["daily", "first"]
    current: bool | None


class ErrorAnswer(Noun):
    """The one shape of errors."""

    error: ErrorNoun
