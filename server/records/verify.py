"""Verifies a bundle in the numbered steps of FORMAT.md section 6, with no trust in us. Pure.

Each step does one thing and raises `Corrupt` in words when it fails; what a later step reads was
verified by an earlier one.
"""

import hashlib
import json
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from security.audit.chain import Head, Json, canonical, next_link
from security.audit.signed import SignedHead, from_json
from security.deletions import Proof
from security.errors import Corrupt
from server.calls.call import Outcome
from server.calls.machine import GOOD_OUTCOMES
from server.records import bundle as b
from server.records import zipped
from server.records.record import (
    ADDITION_LABEL,
    MANIFEST_LABEL,
    RECORD_LABEL,
    Evidence,
    Record,
    check,
    read_addition,
    read_record,
)

_MANIFEST_KEYS = {"v", "bundle", "record", "municipality", "made_at", "key", "members"}
_SIGNED_APART = {b.MANIFEST, b.MANIFEST_SIGNATURE}


@dataclass(frozen=True, slots=True)
class Done:
    """A step that passed; `note` says what is still to be known about it."""

    number: int
    name: str
    note: str = ""


class Failed(Corrupt):
    """A step that did not pass: everything before it is sound, nothing after it was looked at."""

    def __init__(self, number: int, name: str, why: str) -> None:
        super().__init__(f"step {number} ({name}): {why}")
        self.number, self.name, self.why = number, name, why


class Verifier:
    """Goes through the steps with one bundle."""

    record: Record
    key: bytes

    def __init__(self, file: BinaryIO, known_key: bytes | None) -> None:
        """Look at `file`; `known_key` is the public key that was noted elsewhere."""
        self._file = file
        self._known_key = known_key
        self._members: dict[str, zipped.Member] = {}
        self._manifest: Json = {}
        self._proofs: list[Json] = []
        self.audit_deleted = False

    def run(self) -> Iterator[Done]:
        """Give each step once it has passed. Raises `Failed` at the first that does not."""
        for number, (name, step) in enumerate(STEPS.items(), 1):
            try:
                note = step(self)
            except Corrupt as error:
                raise Failed(number, name, error.message) from None
            yield Done(number, name, note or "")

    def archive(self) -> None:
        """The file is an archive of the one form, each member once."""
        self._members = zipped.read(self._file)

    def manifest(self) -> None:
        """The manifest is canonical and of version 1."""
        content = self._content(b.MANIFEST)
        said = _canonical(content, "the manifest")
        if not isinstance(said, dict) or set(said) != _MANIFEST_KEYS:
            raise Corrupt("the manifest has not the form of version 1")
        if (said["v"], said["bundle"]) != (1, b.BUNDLE) or not isinstance(said["members"], list):
            raise Corrupt("the manifest has not the form of version 1")
        self.key = _hex(said["key"], 32)
        self._manifest = said

    def manifest_signature(self) -> None:
        """The manifest's signature is that of the key it names, over its raw bytes."""
        signature = self._content(b.MANIFEST_SIGNATURE)
        check(self.key, MANIFEST_LABEL, self._content(b.MANIFEST), signature)

    def known(self) -> str:
        """The key is the one that was noted down."""
        if self._known_key is None:
            fingerprint = hashlib.sha256(self.key).hexdigest()
            return f"trust still owed: key {self.key.hex()}, fingerprint {fingerprint}"
        if self._known_key != self.key:
            raise Corrupt("the bundle is signed with another key than the one given")
        return ""

    def members(self) -> None:
        """The archive holds what the manifest lists, byte for byte, and nothing else."""
        listed: dict[str, Any] = {}
        for one in self._manifest["members"]:
            if not isinstance(one, dict) or set(one) != {"name", "bytes", "sha256"}:
                raise Corrupt("the manifest has not the form of version 1")
            listed[str(one["name"])] = (one["bytes"], one["sha256"])
        there = {name: one for name, one in self._members.items() if name not in _SIGNED_APART}
        for name in sorted(set(listed) | set(there)):
            if name not in there:
                raise Corrupt(f"{name} is missing")
            if name not in listed:
                raise Corrupt(f"{name} does not belong to the bundle")
            if listed[name] != (there[name].size, there[name].sha256):
                raise Corrupt(f"{name} is not what the manifest says")

    def record_form(self) -> None:
        """The record is canonical, of version 1, and the one that the manifest names."""
        self.record = read_record(self._content(b.RECORD))
        said = (self._manifest["record"], self._manifest["municipality"])
        if said != (self.record.id, self.record.municipality.id):
            raise Corrupt("the manifest is that of another record")

    def record_signature(self) -> None:
        """The record's signature is that of the same key."""
        check(self.key, RECORD_LABEL, self._content(b.RECORD), self._content(b.RECORD_SIGNATURE))

    def additions(self) -> str:
        """Additions follow the record without a gap, each signed with the same key."""
        names = [name for name in self._members if name.startswith("additions/")]
        previous = self._members[b.RECORD].sha256
        for number in range(1, len(names) // 2 + 1):
            content = self._content(b.addition_name(number))
            said = read_addition(content)
            if (said.record, said.number, said.previous) != (self.record.id, number, previous):
                raise Corrupt(f"addition {number} does not follow from what stands before it")
            signature = self._content(b.addition_name(number, "sig"))
            check(self.key, ADDITION_LABEL, content, signature)
            previous = self._members[b.addition_name(number)].sha256
        if len(names) % 2:
            raise Corrupt("an addition or its signature is missing")
        return f"{len(names) // 2} additions" if names else ""

    def template(self) -> None:
        """The template is the one that the record names, and the record has all of its steps."""
        self._basis(b.TEMPLATE, self.record.procedure.template.sha256)
        said = _canonical(self._content(b.TEMPLATE), "the template")
        try:
            asked = [
                (step["id"], [need["kind"] for need in step["needs"]]) for step in said["steps"]
            ]
        except (KeyError, TypeError):
            raise Corrupt("the template has not the form of version 1") from None
        done = [(step.id, [need.kind for need in step.needs]) for step in self.record.steps]
        for one in asked:
            if one not in done:
                raise Corrupt(f"step {one[0]} of the template is not in the record")
        if asked != done:
            raise Corrupt("the record has other steps than the template, or in another order")
        if self.record.outcome.value not in said.get("outcomes", ()):
            raise Corrupt(f"the template allows no outcome {self.record.outcome}")

    def policy(self) -> None:
        """The policy is the one that the record names."""
        self._basis(b.POLICY, self.record.policy.sha256)

    def outcome(self) -> None:
        """確認済み and 対応済み: nothing was missing, and whom the policy asks agreed."""
        record, wanted = self.record, self._senior_approval()
        if record.outcome not in GOOD_OUTCOMES and record.reason is None:
            raise Corrupt("the outcome stands without its reason")
        for one in record.approvals:
            if one.approved and one.answered_by == one.asked_by:
                raise Corrupt("who asked for a senior's approval gave it as well")
        if record.outcome not in GOOD_OUTCOMES:
            return
        if wanted != "never" and any(
            x.approved and x.answered_by is None for x in record.approvals
        ):
            raise Corrupt("an approval is nobody's, and the policy asks for a senior's")
        if record.left:
            word = "確認済み" if record.outcome is Outcome.VERIFIED else "対応済み"
            raise Corrupt(f"{word} although {record.left} were missing and no senior agreed")
        by = [x.answered_by for x in record.approvals if x.about == "decision" and x.approved]
        if wanted in ("always", "sample") and record.people.verifier in by:
            raise Corrupt("who decided gave the senior's approval as well")
        if wanted == "always" and not by:
            raise Corrupt("no senior agreed to the decision, as the policy asks")

    def _senior_approval(self) -> str:
        """Return what the policy says of a senior's approval; unset it is that of the baseline."""
        try:
            said = tomllib.loads(self._content(b.POLICY).decode())
            return str(said.get("people", {}).get("senior_approval", "override"))
        except (ValueError, AttributeError, RecursionError):
            raise Corrupt("policy.toml is not a policy") from None

    def deletions(self) -> str:
        """Proofs of deletion are signed with the key of the audit log."""
        if b.DELETIONS not in self._members:
            return ""
        said = _canonical(self._content(b.DELETIONS), "the list of deletions")
        listed = said.get("deletions") if isinstance(said, dict) else None
        for one in listed if isinstance(listed, list) else [None]:
            self._proofs.append(self._proven(one))
        return f"{len(self._proofs)} proofs of deletion"

    def _proven(self, said: Any) -> Json:
        try:
            key, signature = _hex(said["key"], 32), _hex(said["signature"], 64)
            proof = Proof(said["statement"].encode(), key, signature)
            proof.check()
            statement: Json = json.loads(proof.statement)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise Corrupt("a proof of deletion has not the form of version 1") from None
        if key.hex() != self.record.audit.key:
            raise Corrupt("a proof of deletion is signed with another key than the audit log's")
        if statement.get("municipality") != self.record.municipality.id:
            raise Corrupt("a proof of deletion is another municipality's")
        return statement

    def chat(self) -> str:
        """The transcript is the one that the record names."""
        if b.CHAT in self._members:
            self._basis(b.CHAT, self.record.chat.sha256)
            return f"{self.record.chat.messages} messages"
        if self.record.chat.messages and not self._deleted("chat"):
            raise Corrupt("chat.json is missing and no proof says that it was deleted")
        return "deleted, with proof" if self.record.chat.messages else "none"

    def evidence(self) -> str:
        """Every still, file and recording is there as the record names it."""
        wanted = {one.id: one for one in self.record.evidence if one.state == "offered"}
        there = {
            name.removeprefix(zipped.HASHED_ONLY): member
            for name, member in self._members.items()
            if name.startswith(zipped.HASHED_ONLY)
        }
        gone = 0
        for each, one in wanted.items():
            if each in there:
                if (there[each].size, there[each].sha256) != (one.size_bytes, one.sha256):
                    raise Corrupt(f"{one.kind} {each} is not the one of the record")
            elif self._deleted_evidence(one):
                gone += 1
            else:
                raise Corrupt(f"{one.kind} {each} is missing and no proof says it was deleted")
        for each in set(there) - set(wanted):
            raise Corrupt(f"evidence {each} is not in the record")
        return f"{len(there)} there" + (f", {gone} deleted, with proof" if gone else "")

    def audit(self) -> str:
        """The audit log has the call's first and last entry where the record says, signed."""
        place = self.record.audit
        if b.AUDIT not in self._members:
            if self._deleted_audit(place.first.position):
                return "let go, with proof"
            raise Corrupt("audit.jsonl is missing and no proof says that it was let go")
        lines = self._content(b.AUDIT).split(b"\n")
        opening, entries = _canonical(lines[0], "the opening of audit.jsonl"), lines[1:-1]
        head, start = self._signed_head(opening), self._start(opening)
        if lines[-1] or start.count + len(entries) != head.head.count:
            raise Corrupt("audit.jsonl does not reach its signed head")
        links = {}
        for position, entry in enumerate(entries, start.count + 1):
            start = Head(position, next_link(start.link, entry))
            links[position] = (start.link.hex(), entry)
        if start.link != head.head.link:
            raise Corrupt("the entries do not lead to the signed head")
        for which in (place.first, place.last):
            link, entry = links.get(which.position, ("", b""))
            if link != which.link:
                raise Corrupt(f"position {which.position} is not the one of the record")
            if not names_call(entry, self.record.call):
                raise Corrupt(f"position {which.position} is about something else")
        return f"positions {place.first.position} to {place.last.position}"

    def _signed_head(self, opening: Any) -> SignedHead:
        try:
            said = opening["signed"]
        except (KeyError, TypeError):
            raise Corrupt("audit.jsonl has no signed head") from None
        if said is None:
            raise Corrupt("audit.jsonl has no signed head")
        head = from_json(said)
        head.check()
        if head.key.hex() != self.record.audit.key:
            raise Corrupt("the head is signed with another key than the record's audit key")
        if head.municipality_id != self.record.municipality.id:
            raise Corrupt("the head is that of another municipality")
        return head

    def _start(self, opening: Any) -> Head:
        try:
            first, before = opening["from"], _hex(opening["before"], 32)
        except (KeyError, TypeError):
            raise Corrupt("audit.jsonl does not begin as version 1 does") from None
        if first != self.record.audit.first.position:
            raise Corrupt("audit.jsonl begins elsewhere than the call")
        return Head(first - 1, before)

    def _deleted(self, kind: str, evidence_id: str | None = None) -> bool:
        return any(
            one.get("kind") == kind
            and one.get("call") == self.record.call
            and (evidence_id is None or evidence_id in one.get("ids", ()))
            for one in self._proofs
        )

    def _deleted_evidence(self, one: Evidence) -> bool:
        kinds = ("files", "stills", "recordings", "training")
        return any(self._deleted(kind, one.id) for kind in kinds)

    def _deleted_audit(self, position: int) -> bool:
        for one in self._proofs:
            if one.get("kind") == "audit":
                first, _, last = str((one.get("ids") or [""])[0]).partition("-")
                if first.isdecimal() and last.isdecimal() and int(first) <= position <= int(last):
                    return True
        return False

    def _basis(self, name: str, sha256: str) -> None:
        self._content(name)
        if self._members[name].sha256 != sha256:
            raise Corrupt(f"{name} is not the one of the record")

    def _content(self, name: str) -> bytes:
        member = self._members.get(name)
        if member is None or member.content is None:
            raise Corrupt(f"{name} is missing")
        return member.content


STEPS: dict[str, Callable[[Verifier], str | None]] = {
    "archive": Verifier.archive,
    "manifest": Verifier.manifest,
    "manifest signature": Verifier.manifest_signature,
    "key": Verifier.known,
    "members": Verifier.members,
    "record": Verifier.record_form,
    "record signature": Verifier.record_signature,
    "additions": Verifier.additions,
    "template and steps": Verifier.template,
    "policy": Verifier.policy,
    "outcome": Verifier.outcome,
    "deletions": Verifier.deletions,
    "chat": Verifier.chat,
    "evidence": Verifier.evidence,
    "audit log": Verifier.audit,
}


def names_call(entry: bytes, call_id: str) -> bool:
    """Tell whether an audit entry is about a call: its subject, or the call of its facts."""
    try:
        said = json.loads(entry)
        facts = said.get("facts", {})
        return call_id in (said.get("subject"), facts.get("call", {}).get("id"))
    except (ValueError, AttributeError, RecursionError):
        return False


def _canonical(content: bytes, what: str) -> Any:
    try:
        said = json.loads(content)
        if canonical(said) == content:
            return said
    except (ValueError, TypeError, RecursionError):
        pass
    raise Corrupt(f"{what} is not canonical JSON")


def _hex(text: Any, size: int) -> bytes:
    try:
        found = bytes.fromhex(text)
    except (ValueError, TypeError):
        found = b""
    if len(found) != size or found.hex() != text:
        raise Corrupt("a key, hash or signature is not in lower-case hexadecimal")
    return found
