"""削除証明: a signed statement of what was deleted, when, and because of what (FORMAT.md). Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from security.audit.chain import canonical, time_text
from security.errors import Corrupt

_LABEL = b"madoguchi deletion 1\x00"


class Kind(StrEnum):
    """What is deleted as one."""

    CHAT = "chat"
    FILES = "files"
    STILLS = "stills"
    RECORD = "record"  # with the steps and answers that it was made of
    AUDIT = "audit"
    TRAINING = "training"  # a whole call of 研修モード


@dataclass(frozen=True, slots=True)
class Deletion:
    """What went: `ids` of one kind, `count` of them, of one call or (None) of no single one.

    Of a whole call `ids` are its own and those of its files.
    `because` is the key of the setting that asked for it, `policy` the number of its version.
    """

    id: str
    municipality_id: str
    kind: Kind
    call_id: str | None
    ids: tuple[str, ...]
    count: int
    at: datetime
    because: str
    policy: int

    def statement(self) -> bytes:
        """Return the bytes that are signed: canonical JSON, as in the audit log."""
        return canonical(
            {
                "v": 1,
                "id": self.id,
                "municipality": self.municipality_id,
                "kind": self.kind.value,
                "call": self.call_id,
                "ids": list(self.ids),
                "count": self.count,
                "at": time_text(self.at),
                "because": self.because,
                "policy": self.policy,
            }
        )


@dataclass(frozen=True, slots=True)
class Proof:
    """A statement with its signature."""

    statement: bytes
    key: bytes
    signature: bytes

    def check(self) -> None:
        """Raise `Corrupt` unless the signature is that of `key` over exactly this statement."""
        try:
            public = Ed25519PublicKey.from_public_bytes(self.key)
            public.verify(self.signature, _LABEL + self.statement)
        except (InvalidSignature, ValueError):
            raise Corrupt("the signature of a proof of deletion does not verify") from None


def prove(key: Ed25519PrivateKey, deletion: Deletion) -> Proof:
    """Return the proof of a deletion."""
    statement = deletion.statement()
    public = key.public_key().public_bytes_raw()
    return Proof(statement, public, key.sign(_LABEL + statement))
