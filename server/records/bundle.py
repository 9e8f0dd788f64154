"""A record with all that it rests on, as one file for years (FORMAT.md section 4). Pure."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from security.audit.chain import Head, Stored, canonical, time_text
from security.audit.signed import SignedHead, to_json
from security.deletions import Proof
from server.records import zipped
from server.records.record import MANIFEST_LABEL, read_record, sign

BUNDLE = "madoguchi record"
MANIFEST, MANIFEST_SIGNATURE = "manifest.json", "manifest.sig"
RECORD, RECORD_SIGNATURE = "record.json", "record.sig"
TEMPLATE, POLICY, CHAT, AUDIT, DELETIONS = (
    "template.json", "policy.toml", "chat.json", "audit.jsonl", "deletions.json",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Signed:
    """Bytes and the signature over them."""

    content: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Segment:
    """The stretch of the audit log from the call's first entry up to a signed head."""

    before: Head
    entries: Sequence[Stored]
    signed: SignedHead

    def to_bytes(self) -> bytes:
        """Return it as lines: where it begins and the signed head, then the entries."""
        opening = {
            "v": 1,
            "chain": self.signed.municipality_id,
            "from": self.before.count + 1,
            "before": self.before.link.hex(),
            "signed": to_json(self.signed),
        }
        lines = [canonical(opening), *(one.entry for one in self.entries)]
        return b"".join(line + b"\n" for line in lines)


@dataclass(frozen=True, slots=True)
class Contents:
    """What goes into a bundle. What is None was deleted; `deletions` prove that."""

    record: Signed
    template: bytes
    policy: bytes
    chat: bytes | None
    audit: Segment | None
    evidence: Mapping[str, bytes] = field(default_factory=dict)
    additions: Sequence[Signed] = ()
    deletions: Sequence[Proof] = ()


def make(contents: Contents, key: Ed25519PrivateKey, *, now: datetime) -> bytes:
    """Return the bundle, its manifest signed with the municipality's record key."""
    record = read_record(contents.record.content)
    members = _members(contents)
    manifest = canonical(
        {
            "v": 1,
            "bundle": BUNDLE,
            "record": record.id,
            "municipality": record.municipality.id,
            "made_at": time_text(now),
            "key": key.public_key().public_bytes_raw().hex(),
            "members": [
                {"name": name, "bytes": len(content), "sha256": sha256_hex(content)}
                for name, content in members
            ],
        }
    )
    seal = sign(key, MANIFEST_LABEL, manifest)
    return zipped.write([(MANIFEST, manifest), (MANIFEST_SIGNATURE, seal), *members])


def _members(contents: Contents) -> list[tuple[str, bytes]]:
    found = {
        RECORD: contents.record.content,
        RECORD_SIGNATURE: contents.record.signature,
        TEMPLATE: contents.template,
        POLICY: contents.policy,
    }
    if contents.chat is not None:
        found[CHAT] = contents.chat
    if contents.audit is not None:
        found[AUDIT] = contents.audit.to_bytes()
    if contents.deletions:
        found[DELETIONS] = canonical(
            {"v": 1, "deletions": [_proof(one) for one in contents.deletions]}
        )
    for number, one in enumerate(contents.additions, 1):
        found[addition_name(number)] = one.content
        found[addition_name(number, "sig")] = one.signature
    found |= {evidence_name(each): content for each, content in contents.evidence.items()}
    return sorted(found.items())


def _proof(proof: Proof) -> dict[str, Any]:
    return {
        "statement": proof.statement.decode(),
        "key": proof.key.hex(),
        "signature": proof.signature.hex(),
    }


def addition_name(number: int, ending: str = "json") -> str:
    """Return the name of the member that holds an addition, or its signature."""
    return f"additions/{number:04}.{ending}"


def evidence_name(evidence_id: str) -> str:
    """Return the name of the member that holds the bytes of a still or file."""
    return f"{zipped.HASHED_ONLY}{evidence_id}"


def sha256_hex(content: bytes) -> str:
    """Return SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()
