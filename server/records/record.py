"""The record (本人確認記録) of one call: its form, canonical bytes and signature. Pure.

server/procedures/FORMAT.md is written for strangers and says the same. Names are those of the
moment of the decision; numbers of documents stand nowhere in it.
"""

from typing import Annotated, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from security.audit.chain import canonical
from security.errors import Corrupt
from server.calls.call import Outcome

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Time = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]
RECORD_LABEL = b"madoguchi record 1\x00"
ADDITION_LABEL = b"madoguchi record addition 1\x00"
MANIFEST_LABEL = b"madoguchi record bundle 1\x00"
SIGNATURE_BYTES = 64
MAX_ADDITION_CHARACTERS = 2_000


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Named(_Part):
    """Somebody or something, with the name of that day."""

    id: str
    name: str


class Basis(_Part):
    """What was followed: `version` 0 is what is shipped; `sha256` that of its text."""

    version: int
    sha256: Sha256


class Procedure(_Part):
    """The 事務 and the template that was followed."""

    id: str
    name: str
    template: Basis


class Times(_Part):
    """When; dates of the law and of documents count in `zone`."""

    placed: Time
    answered: Time | None
    closed: Time
    zone: str


class People(_Part):
    """Who: the verifier decided (判定), the clerk held the originals (原本確認)."""

    verifier: Named
    verifiers_before: tuple[Named, ...]
    clerk: Named
    clerks_before: tuple[Named, ...]
    seniors: tuple[Named, ...]


class Earlier(_Part):
    """The call that broke off, of which the desk took over what had been gathered."""

    call: str
    number: str


class Consent(_Part):
    """What the resident agreed to, in which version and language of the words, when.

    `sha256` is that of the words on the tablet.
    """

    what: tuple[str, ...]
    version: str
    language: str
    sha256: Sha256 | None
    at: Time


class Need(_Part):
    """What was done for one need of a step, `by` whom last; `left` is what was missing."""

    kind: str
    left: int
    ticked: tuple[int, ...] = ()
    drawn: tuple[int, ...] = ()
    draws: int = 0
    answer: str | None = None
    by: Named | None = None
    at: Time | None = None
    bound: tuple[str, ...] = ()
    tries: int = 0


class Step(_Part):
    """One step of the template."""

    id: str
    needs: tuple[Need, ...]


class Document(_Part):
    """An identity document that was shown; `counts`: valid on the call's day."""

    kind: str
    document_class: Literal["a", "b"]
    expires: Day | None
    counts: bool


class Approval(_Part):
    """上席確認: that documents are enough all the same, or that the decision is right."""

    about: Literal["documents", "decision"]
    reason: str
    asked_by: Named
    asked_at: Time
    approved: bool | None
    answer: str | None
    answered_by: Named | None
    answered_at: Time | None


class Chip(_Part):
    """What the IC chip of a document said, read with which tool."""

    document: str
    tool: str
    result: str
    by: Named
    at: Time


class Evidence(_Part):
    """A still, file or part of a recording; `offered` ones have bytes, `sha256` is theirs."""

    kind: Literal["still", "file", "recording"]
    id: str
    party: str
    state: str
    media_type: str | None
    size_bytes: int
    sha256: Sha256


class Chat(_Part):
    """The transcript."""

    messages: int
    sha256: Sha256


class Quality(_Part):
    """How good one direction was, in seconds, as far as it was known at the close."""

    party: str
    direction: str
    seconds: int
    good: int
    fair: int
    poor: int
    freezes: int


class Position(_Part):
    """An entry of the audit log."""

    position: int
    link: Sha256


class AuditPlace(_Part):
    """First and last entry of the call, and the key that signs the log's heads."""

    first: Position
    last: Position
    key: Sha256


class Record(_Part):
    """本人確認記録."""

    v: Literal[1] = 1
    id: str
    call: str
    number: str
    earlier: Earlier | None
    training: bool
    municipality: Named
    office: Named
    tablet: Named
    procedure: Procedure
    times: Times
    people: People
    outcome: Outcome
    reason: str | None
    consent: Consent
    steps: tuple[Step, ...]
    documents: tuple[Document, ...]
    pin: bool
    notice: bool
    approvals: tuple[Approval, ...]
    chips: tuple[Chip, ...]
    evidence: tuple[Evidence, ...]
    chat: Chat
    policy: Basis
    quality: tuple[Quality, ...]
    audit: AuditPlace

    def to_bytes(self) -> bytes:
        """Return the canonical bytes, which are signed and kept as they are."""
        return canonical(self.model_dump(mode="json"))

    @property
    def documents_let_pass(self) -> bool:
        """Tell whether documents that are not enough were let pass, by another than who decided."""
        return any(
            one.about == "documents" and one.approved and one.answered_by != self.people.verifier
            for one in self.approvals
        )

    @property
    def left(self) -> int:
        """Return how much was missing at the close; documents that were let pass are not."""
        let_pass = self.documents_let_pass
        return sum(
            need.left
            for step in self.steps
            for need in step.needs
            if not (let_pass and need.kind == "documents")
        )


class Addition(_Part):
    """A correction: what is added to a closed record. `previous` is the SHA-256 of what it follows:

    the record's bytes for number 1, else those of the addition before.
    """

    v: Literal[1] = 1
    record: str
    number: int = Field(ge=1)
    previous: Sha256
    at: Time
    by: Named
    text: str = Field(min_length=1, max_length=MAX_ADDITION_CHARACTERS)

    def to_bytes(self) -> bytes:
        """Return the canonical bytes, which are signed."""
        return canonical(self.model_dump(mode="json"))


def read_record(content: bytes) -> Record:
    """Return the record of canonical bytes. Raises `Corrupt`."""
    try:
        record = Record.model_validate_json(content)
    except ValidationError:
        raise Corrupt("the record has not the form of version 1") from None
    if record.to_bytes() != content:
        raise Corrupt("the record is not canonical")
    return record


def read_addition(content: bytes) -> Addition:
    """Return the addition of canonical bytes. Raises `Corrupt`."""
    try:
        addition = Addition.model_validate_json(content)
    except ValidationError:
        raise Corrupt("an addition has not the form of version 1") from None
    if addition.to_bytes() != content:
        raise Corrupt("an addition is not canonical")
    return addition


def sign(key: Ed25519PrivateKey, label: bytes, content: bytes) -> bytes:
    """Return the 64 bytes of the signature over label and content."""
    return key.sign(label + content)


def check(key: bytes, label: bytes, content: bytes, signature: bytes) -> None:
    """Raise `Corrupt` unless `signature` is that of `key` over exactly this."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, label + content)
    except (InvalidSignature, ValueError):
        raise Corrupt("the signature does not verify") from None
