"""The noun "steps" of PROTOCOL.md section 1: what each end is told of the steps of a call."""

from datetime import date
from typing import Literal

from server.api.nouns import CallNoun, FileNoun, MessageNoun, Named, Noun, Place, SummaryNoun, Time
from server.procedures.documents import DocumentClass
from server.procedures.sheet import About
from server.procedures.words import Words

StepState = Literal["done", "now", "open", "locked"]
NeedKind = Literal["tick", "still", "file", "answer", "prompts", "documents", "code"]


class ItemNoun(Noun):
    """A line to be ticked; `item` is its number in the template's list."""

    item: int
    words: Words
    on: bool


class WayNoun(Noun):
    """One way in which the documents would be enough: what it still wants."""

    a: int
    b: int
    pin: bool
    notice: bool


class ShownNoun(Noun):
    """A document that was shown; `expires` is null for the counter, and when none stands on it."""

    kind: str
    document_class: DocumentClass
    name: Words
    expires: date | None
    counts: bool


class DocumentsNoun(Noun):
    """The documents shown, and each way in which they would be enough; none when they are."""

    shown: tuple[ShownNoun, ...]
    pin: bool
    notice: bool
    excused: bool
    ways: tuple[WayNoun, ...]


class CodeNoun(Noun):
    """The spoken code: `code` is told to the counter alone."""

    code: str | None
    tries_left: int
    agreed: bool


class NeedNoun(Noun):
    """One thing to be done; what does not belong to its kind is null."""

    need: int
    kind: NeedKind
    by: Literal["desk", "counter"]
    done: bool
    left: int
    words: Words | None = None
    items: tuple[ItemNoun, ...] | None = None
    draw: int | None = None
    draws_left: int | None = None
    text: str | None = None
    bound: tuple[str, ...] | None = None
    at_least: int | None = None
    documents: DocumentsNoun | None = None
    code: CodeNoun | None = None


class StepNoun(Noun):
    """One line of the template; `script` is told to the desk alone."""

    id: str
    title: Words
    script: Words | None
    now: Words
    state: StepState
    reopens: bool
    needs: tuple[NeedNoun, ...]


class MissingNoun(Noun):
    """What keeps the decision locked: a need of a step."""

    step: str
    need: int
    kind: NeedKind
    left: int


class ApprovalNoun(Noun):
    """A confirmation by a senior: asked (`approved` null), given or refused."""

    about: About
    reason: str
    asked_by: Named
    asked_at: Time
    approved: bool | None
    answer: str | None
    answered_by: Named | None
    answered_at: Time | None


class AskedNoun(Noun):
    """What a senior is asked to confirm, as the list of a senior's desk shows it."""

    call: str
    number: str
    procedure: str
    office: Place
    tablet: Place
    desk: Named
    about: About
    reason: str
    asked_at: Time
    documents: tuple[ShownNoun, ...]


class AskedAnswer(Noun):
    """Everything that seniors are asked, the oldest first."""

    approvals: tuple[AskedNoun, ...]


class ChipNoun(Noun):
    """What the IC chip of a document said."""

    document: str
    tool: str
    result: Literal["agrees", "differs", "unreadable"]
    by: Named
    at: Time


class EarlierNoun(Noun):
    """What the tablet's call before has left that broke off: how much, and if it was taken over."""

    call: str
    number: str
    closed_at: Time
    documents: int
    files: int
    things: int
    taken: bool


class StepsNoun(Noun):
    """The steps of a call as one end is told them."""

    call: str
    version: int
    procedure: str
    current: str | None
    steps: tuple[StepNoun, ...]
    missing: tuple[MissingNoun, ...]
    locked: bool
    approval_wanted: bool
    approvals: tuple[ApprovalNoun, ...]
    chips: tuple[ChipNoun, ...]
    earlier: EarlierNoun | None


class CallAnswer(Noun):
    """A call with all that was said, sent and done."""

    call: CallNoun
    chat: tuple[MessageNoun, ...]
    files: tuple[FileNoun, ...]
    steps: StepsNoun | None
    quality: tuple[SummaryNoun, ...]
