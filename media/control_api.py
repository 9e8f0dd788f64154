"""The messages of CONTROL.md. Pure."""

import hashlib
import json
from dataclasses import replace
from functools import cache
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from media.engine import CallMedia, Capacity, Joined
from media.settings import MediaEvents, MediaSettings, PartyStats
from security import errors

MAX_BODY_BYTES = 400 * 1024  # an offer of 64 KiB, each byte of which JSON may write as six
KEPT_EVENTS = 512
REPLACED = 4003
Host = Annotated[str, Field(max_length=64)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]


class Model(BaseModel):
    """Base of what goes over the wire."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CallState(Model):
    """All that the server wants of a call."""

    gate_open: bool
    veiled: frozenset[Name]
    refused: dict[Name, frozenset[Host]] = Field(default_factory=dict)


class Offer(Model):
    """A party's SDP offer, and from where alone anything of the party is taken."""

    offer: str
    only_from: tuple[Host, ...] | None = None


class Seat(Model):
    """Whose waiting connection becomes a party's."""

    seat: Name


class Moved(Model):
    """Whether there was one."""

    moved: bool


class NodeNoun(Model):
    """One run of a media process."""

    version: str
    epoch: str
    port: int
    calls: dict[Name, CallMedia]
    capacity: Capacity


class _PartyEvent(Model):
    call: Name
    party: Name


class MediaUp(_PartyEvent):
    """`MediaEvents.media_up`."""

    type: Literal["media_up"] = "media_up"

    def tell(self, events: MediaEvents) -> None:
        """Tell it on."""
        events.media_up(self.call, self.party)


class MediaLost(_PartyEvent):
    """`MediaEvents.media_lost`."""

    type: Literal["media_lost"] = "media_lost"

    def tell(self, events: MediaEvents) -> None:
        """Tell it on."""
        events.media_lost(self.call, self.party)


class PathTaken(_PartyEvent):
    """`MediaEvents.path_taken`."""

    type: Literal["path_taken"] = "path_taken"
    host: Host

    def tell(self, events: MediaEvents) -> None:
        """Tell it on."""
        events.path_taken(self.call, self.party, self.host)


class OfferWanted(_PartyEvent):
    """`MediaEvents.offer_wanted`."""

    type: Literal["offer_wanted"] = "offer_wanted"
    reason: str
    places: int = 1

    def tell(self, events: MediaEvents) -> None:
        """Tell it on."""
        events.offer_wanted(self.call, self.party, self.reason, self.places)


class Shown(_PartyEvent):
    """`MediaEvents.shown`."""

    type: Literal["shown"] = "shown"
    lines: dict[str, str]

    def tell(self, events: MediaEvents) -> None:
        """Tell it on."""
        events.shown(self.call, self.party, self.lines)


Event = Annotated[
    MediaUp | MediaLost | PathTaken | OfferWanted | Shown, Field(discriminator="type")
]


class NodeFrame(Model):
    """The first frame of a socket."""

    type: Literal["node"] = "node"
    node: NodeNoun


class EventFrame(Model):
    """One event; `seq` counts from 1 in a run."""

    type: Literal["event"] = "event"
    seq: int
    event: Event


class PulseFrame(Model):
    """The node is alive and has this much room."""

    type: Literal["pulse"] = "pulse"
    capacity: Capacity


class SeenFrame(Model):
    """The server has taken every event up to `seq`."""

    type: Literal["seen"] = "seen"
    seq: int


class ErrorBody(Model):
    """One error of security/errors.py, by the name of its class."""

    kind: str = Field(alias="class")
    code: str
    message: str
    limit: int = 0
    unit: str = ""


class ErrorFrame(Model):
    """What an answer other than 2xx carries."""

    error: ErrorBody


FRAMES: TypeAdapter[NodeFrame | EventFrame | PulseFrame] = TypeAdapter(
    Annotated[NodeFrame | EventFrame | PulseFrame, Field(discriminator="type")]
)
JOINED: TypeAdapter[Joined] = TypeAdapter(Joined)
STATS: TypeAdapter[dict[str, PartyStats]] = TypeAdapter(dict[str, PartyStats])
ALL_STATS: TypeAdapter[dict[str, dict[str, PartyStats]]] = TypeAdapter(
    dict[str, dict[str, PartyStats]]
)
SETTINGS: TypeAdapter[MediaSettings] = TypeAdapter(MediaSettings)


def version_of(settings: MediaSettings) -> str:
    """Return what two that speak to each other have in common: the models, and the settings.

    The port is not among them, since 0 stands for any. Takes 15 ms the first time.
    """
    told = SETTINGS.dump_python(replace(settings, port=0), mode="json")
    said = json.dumps([_schemas(), told], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:16]


@cache
def _schemas() -> str:
    adapters = (
        FRAMES,
        JOINED,
        STATS,
        ALL_STATS,
        SETTINGS,
        TypeAdapter(CallState | Offer | Seat | Moved | SeenFrame),
    )
    return json.dumps([adapter.json_schema() for adapter in adapters], sort_keys=True)


def error_frame(error: errors.MadoguchiError) -> tuple[int, bytes]:
    """Return the HTTP status and body that carry `error`."""
    body = {
        "class": type(error).__name__,
        "code": error.code,
        "message": error.message,
        "limit": getattr(error, "limit", 0),
        "unit": getattr(error, "unit", ""),
    }
    return error.status, json.dumps({"error": body}).encode()


def error_of(body: bytes) -> errors.MadoguchiError:
    """Return the error that `body` carries; `Unavailable` when it carries none."""
    try:
        told = ErrorFrame.model_validate_json(body).error
    except ValueError:
        return errors.Unavailable("the media process does not answer as it should")
    if told.kind == "TooMuch":
        return errors.TooMuch(told.message, limit=told.limit, unit=told.unit, code=told.code)
    kinds = (errors.ProtocolError, errors.Denied, errors.Conflict, errors.NotFound)
    kind = next((x for x in kinds if x.__name__ == told.kind), errors.Unavailable)
    return kind(told.message, code=told.code)
