"""The messages of PROTOCOL.md section 3, as pydantic models, and the parser of frames. Pure.

Two kinds of failure: a frame that is not a message at all (`parse_frame` raises, the socket
closes) and a message whose field breaks a rule (`parse_message` raises, the socket stays).
"""

import json
import re
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from chat.message import MAX_CHARACTERS
from security.errors import ProtocolError, TooMuch
from server.calls.call import Device, Outcome
from server.calls.machine import MAX_REASON_CHARACTERS
from server.procedures.progress import MAX_ANSWER_CHARACTERS
from server.procedures.sheet import About
from server.procedures.template import MAX_LISTED

MAX_FRAME_BYTES = 96 * 1024
MAX_SDP_BYTES = 64 * 1024
MAX_DEPTH = 8

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{22}$")]
ClientId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
Pixels = Annotated[int, Field(ge=0, le=16_384)]
Rate = Annotated[float, Field(ge=0, le=240, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Milliseconds = Annotated[int, Field(ge=0, le=60_000)]
Signature = Annotated[str, StringConstraints(max_length=128)]
Short = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class Message(BaseModel):
    """Base of everything that a page sends."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    type: str


class Hello(Message):
    """The first message of a page."""

    page: Id
    epoch: Id | None = None
    seq: int | None = Field(default=None, ge=0)
    takeover: bool = False
    proof: Signature | None = None


class Pong(Message):
    """Answer to `ping`, with the last number seen."""

    seq: int = Field(ge=0)


class Command(Message):
    """A message that is answered by `ok` or `error` under its id."""

    id: ClientId


class Consent(BaseModel):
    """What the resident agreed to, under which wording, read in which language."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    video: Literal[True]
    text_version: Short
    language: Short


class Place(Command):
    """呼出."""

    procedure: Short
    consent: Consent
    training: bool = False


class Withdraw(Command):
    """The counter gives up waiting."""


class Accept(Command):
    """応対する; null takes the oldest."""

    call: Id | None = None


class Pass(Command):
    """Let the ringing call go to the next desk."""

    call: Id


class Decide(Command):
    """Open 判定."""


class Reopen(Command):
    """Go back from 判定 to the talk."""


class Close(Command):
    """Decide."""

    outcome: Annotated[Outcome, Field(strict=False)]
    reason: Annotated[str, StringConstraints(max_length=MAX_REASON_CHARACTERS)] | None = None


class Invite(Command):
    """Ask a person into the call; the resident was told and agreed."""

    person: Id
    agreed: Literal[True]


class Uninvite(Command):
    """Take an invitation back, or send a guest away."""

    person: Id


class Join(Command):
    """Come into a call that one is asked into."""

    call: Id


class Leave(Command):
    """Leave as a guest, or say no to being asked."""


class Veil(Command):
    """Withhold the counter's picture, or show it again."""

    on: bool


class Devices(Command):
    """State of the page's camera and microphone."""

    camera: Annotated[Device, Field(strict=False)]
    microphone: Annotated[Device, Field(strict=False)]


class _Measured(BaseModel):
    """Part of `call.quality`; what the browser cannot say is null."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    fps: Rate | None
    width: Pixels | None
    height: Pixels | None


class ReceivedPart(_Measured):
    """What the page gets."""

    loss: Share | None
    jitter_ms: Milliseconds | None
    freezes: int | None = Field(ge=0, le=10_000)
    frozen_ms: Milliseconds | None


class SentPart(_Measured):
    """The picture that the page sends."""

    limited_by: Literal["none", "cpu", "bandwidth", "other"] | None


class Quality(Command):
    """What the page's browser measures of its own connection."""

    seconds: float = Field(ge=0.5, le=60)
    rtt_ms: Milliseconds | None
    received: ReceivedPart
    sent: SentPart


class HandOver(Command):
    """Give the running call to another desk."""

    person: Id


class ApprovalAsk(Command):
    """Ask a senior to confirm something, and why."""

    about: Annotated[About, Field(strict=False)]
    reason: Annotated[str, StringConstraints(max_length=MAX_REASON_CHARACTERS)]


class ApprovalAnswer(Command):
    """A senior confirms, or refuses and says why."""

    call: Id
    about: Annotated[About, Field(strict=False)]
    approve: bool
    reason: Annotated[str, StringConstraints(max_length=MAX_REASON_CHARACTERS)] | None = None


class StepCommand(Command):
    """A message about one need of one step: its number in the step, from 0."""

    step: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
    need: int = Field(ge=0, le=9)


class StepTick(StepCommand):
    """Tick a line of a list, or take that back."""

    item: int = Field(ge=0, lt=MAX_LISTED)
    on: bool


class StepAnswer(StepCommand):
    """What the resident said; empty takes it back."""

    text: Annotated[str, StringConstraints(max_length=MAX_ANSWER_CHARACTERS)]


class StepDraw(StepCommand):
    """Have prompts drawn, or others in their place."""


class StepBind(StepCommand):
    """A file of the call is what the step asks for, or is not any more."""

    file: Id
    on: bool


class StepStill(StepCommand):
    """Have the tablet take a picture."""


class StepDocument(StepCommand):
    """A document was shown, or is taken off the list."""

    kind: Short
    expires: Annotated[date, Field(strict=False)] | None = None
    on: bool


class StepGrant(StepCommand):
    """PIN entry or the letter of notice goes with the documents, or not any more."""

    what: Literal["pin", "notice"]
    on: bool


class StepChip(Command):
    """What the IC chip of a document said, read with which tool."""

    document: Short
    tool: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    result: Literal["agrees", "differs", "unreadable"]


class StepTakeOver(Command):
    """Take over what the tablet's call before has left."""

    call: Id


class StepCode(StepCommand):
    """The four digits that the desk heard."""

    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")]


class DeskState(Command):
    """受付中 or 離席."""

    state: Literal["open", "away"]


class Offer(Command):
    """An SDP offer for the page's n-th connection."""

    connection: int = Field(ge=1, le=1_000_000)
    sdp: Annotated[str, StringConstraints(max_length=MAX_SDP_BYTES)]
    signature: Signature | None = None


class ChatSend(Command):
    """One chat message."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=MAX_CHARACTERS)]


class ChatRead(Command):
    """Everything up to `number` has been seen."""

    number: int = Field(ge=0)


class PrecheckChat(Command):
    """A message of a check, to be said back."""

    text: Short


CLIENT_MESSAGES: Mapping[str, type[Message]] = MappingProxyType(
    {
        "hello": Hello,
        "pong": Pong,
        "call.place": Place,
        "call.withdraw": Withdraw,
        "call.accept": Accept,
        "call.pass": Pass,
        "call.decide": Decide,
        "call.reopen": Reopen,
        "call.close": Close,
        "call.invite": Invite,
        "call.uninvite": Uninvite,
        "call.join": Join,
        "call.leave": Leave,
        "call.veil": Veil,
        "call.devices": Devices,
        "call.quality": Quality,
        "step.tick": StepTick,
        "step.answer": StepAnswer,
        "step.draw": StepDraw,
        "step.bind": StepBind,
        "step.still": StepStill,
        "step.document": StepDocument,
        "step.grant": StepGrant,
        "step.code": StepCode,
        "step.chip": StepChip,
        "step.take-over": StepTakeOver,
        "approval.ask": ApprovalAsk,
        "approval.answer": ApprovalAnswer,
        "call.hand-over": HandOver,
        "desk.state": DeskState,
        "offer": Offer,
        "chat.send": ChatSend,
        "chat.read": ChatRead,
        "precheck.chat": PrecheckChat,
    }
)
SERVER_TYPES = (
    "you",
    "challenge",
    "welcome",
    "ping",
    "ok",
    "error",
    "call",
    "queue",
    "position",
    "relay",
    "quality",
    "answer",
    "please-offer",
    "streams",
    "chat",
    "chat.read",
    "file",
    "steps",
    "still",
    "approvals",
    "desk",
    "ended",
)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def parse_frame(text: str) -> dict[str, Any]:
    """Return the object in a frame. Raises `ProtocolError` when it is no message at all."""
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as exc:
        raise ProtocolError("the frame is not JSON") from exc
    if not isinstance(value, dict):
        raise ProtocolError("the frame is not a JSON object")
    if not _shallow(value):
        raise ProtocolError(f"the frame is nested deeper than {MAX_DEPTH}")
    kind = value.get("type")
    if not isinstance(kind, str) or kind not in CLIENT_MESSAGES:
        raise ProtocolError("the frame has no known type")
    return value


def _shallow(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for node in level
            if isinstance(node, dict | list)
            for child in (node.values() if isinstance(node, dict) else node)
        ]
        if not level:
            return True
    return False


def echo_of(frame: dict[str, Any]) -> str | None:
    """Return the id under which a faulty message is answered, None when that is faulty too."""
    given = frame.get("id")
    return given if isinstance(given, str) and _CLIENT_ID.fullmatch(given) else None


def parse_message(frame: dict[str, Any]) -> Message:
    """Return the message in a frame of a known type.

    Raises `TooMuch` for a field over its length, `ProtocolError` for any other fault.
    """
    try:
        return CLIENT_MESSAGES[frame["type"]].model_validate(frame)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False, include_context=True)[0]
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "string_too_long":
            limit = int(first["ctx"]["max_length"])
            code = "bad_sdp" if where == "sdp" else "too_long"
            raise TooMuch(
                f"{where} is too long", limit=limit, unit="characters", code=code
            ) from exc
        raise ProtocolError(f"{where}: {first['msg']}") from exc
    except UnicodeError as exc:
        raise ProtocolError("a text is not Unicode") from exc
