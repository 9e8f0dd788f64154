"""A stranger's verifier of a bundle, written from server/procedures/FORMAT.md alone.

`python record_stranger.py BUNDLE.zip [PUBLIC_KEY_HEX]`: the step that fails, or `sound`.
"""

import hashlib
import json
import re
import struct
import sys
import tomllib
import zlib
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

NAME = re.compile(r"[a-z0-9][A-Za-z0-9._-]{0,79}(/[A-Za-z0-9][A-Za-z0-9._-]{0,79})?")
FIELDS = {
    "v", "id", "call", "number", "earlier", "training", "municipality", "office", "tablet",
    "procedure", "times", "people", "outcome", "reason", "consent", "steps", "documents", "pin",
    "notice", "approvals", "chips", "evidence", "chat", "policy", "quality", "audit",
}  # fmt: skip
ABOUT = ("documents", "decision")
Json = dict[str, Any]


class Wrong(Exception):
    """A step failed."""


def claim(step: int, holds: bool) -> None:
    """Stop unless it holds."""
    if not holds:
        raise Wrong(step)


def sha(content: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


def canonical(said: Any) -> bytes:
    """Section 2."""
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def parsed(step: int, content: bytes) -> Any:
    """Return canonical JSON."""
    try:
        said = json.loads(content)
    except ValueError:
        raise Wrong(step) from None
    claim(step, canonical(said) == content)
    return said


def signed(step: int, key: str, label: bytes, content: bytes, signature: bytes) -> None:
    """Ed25519 over label, 00 and content."""
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
        public.verify(signature, label + b"\0" + content)
    except (InvalidSignature, ValueError):
        raise Wrong(step) from None


def members_of(data: bytes) -> dict[str, bytes]:
    """Section 5."""
    found: dict[str, bytes] = {}
    at, rows = 0, b""
    while data[at : at + 4] == b"PK\3\4":
        claim(1, len(data) >= at + 30)
        crc, packed, size, name_size, extra = struct.unpack_from("<3I2H", data, at + 14)
        name = data[at + 30 : at + 30 + name_size]
        content = data[at + 30 + name_size : at + 30 + name_size + size]
        head = struct.pack("<5H", 20, 0, 0, 0, 0x21)
        claim(1, data[at + 4 : at + 14] == head and packed == size and extra == 0)
        claim(1, len(content) == size and zlib.crc32(content) == crc)
        text = name.decode("ascii", "replace")
        claim(1, NAME.fullmatch(text) is not None and text not in found)
        found[text] = content
        middle = struct.pack("<3I5H2I", crc, size, size, name_size, 0, 0, 0, 0, 0, at)
        rows += b"PK\1\2" + struct.pack("<H", 20) + head + middle + name
        at += 30 + name_size + size
    count = len(found)
    end = b"PK\5\6" + struct.pack("<4H2IH", 0, 0, count, count, len(rows), at, 0)
    claim(1, count > 0 and data[at:] == rows + end)
    return found


def verify(data: bytes, known: str | None) -> Json:
    """Section 6: return the record, or raise `Wrong` with the number of the step."""
    files = members_of(data)
    manifest = parsed(2, files.get("manifest.json", b""))
    key = manifest["key"]
    claim(2, (manifest["v"], manifest["bundle"]) == (1, "madoguchi record"))
    seal = files.get("manifest.sig", b"")
    signed(3, key, b"madoguchi record bundle 1", files["manifest.json"], seal)
    claim(4, known in (None, key))
    listed = {one["name"]: (one["bytes"], one["sha256"]) for one in manifest["members"]}
    there = {n: (len(c), sha(c)) for n, c in files.items() if not n.startswith("manifest.")}
    claim(5, listed == there)
    record: Json = parsed(6, files["record.json"])
    claim(6, set(record) == FIELDS)
    home = record["municipality"]["id"]
    claim(6, (record["v"], record["id"], home) == (1, manifest["record"], manifest["municipality"]))
    signed(7, key, b"madoguchi record 1", files["record.json"], files["record.sig"])
    additions(key, record, files)
    template = parsed(9, files["template.json"])
    claim(9, there["template.json"][1] == record["procedure"]["template"]["sha256"])
    asked = [(s["id"], [n["kind"] for n in s["needs"]]) for s in template["steps"]]
    claim(9, asked == [(s["id"], [n["kind"] for n in s["needs"]]) for s in record["steps"]])
    claim(9, record["outcome"] in template["outcomes"])
    claim(10, there["policy.toml"][1] == record["policy"]["sha256"])
    outcome(record, files["policy.toml"])
    proofs = deletions(record, files)
    mine = [one for one in proofs if one["call"] == record["call"]]
    if "chat.json" in files:
        claim(13, there["chat.json"][1] == record["chat"]["sha256"])
    else:
        claim(13, not record["chat"]["messages"] or any(x["kind"] == "chat" for x in mine))
    kept = {one["id"]: one for one in record["evidence"] if one["state"] == "offered"}
    gone = {each for one in mine if one["kind"] != "chat" for each in one["ids"]}
    for each, one in kept.items():
        said = there.get(f"evidence/{each}")
        claim(14, said == (one["size_bytes"], one["sha256"]) or (said is None and each in gone))
    claim(14, {n for n in files if n.startswith("evidence/")} <= {f"evidence/{x}" for x in kept})
    audit(record, files, proofs)
    return record


def outcome(record: Json, policy: bytes) -> None:
    """Section 6 step 11."""
    try:
        said = tomllib.loads(policy.decode()).get("people", {})
    except ValueError:
        raise Wrong(11) from None
    wanted, verifier = said.get("senior_approval", "override"), record["people"]["verifier"]
    passed = [one for one in record["approvals"] if one["approved"]]
    claim(11, all(x["answered_by"] != x["asked_by"] for x in passed))
    if record["outcome"] not in ("verified", "completed"):
        claim(11, record["reason"] is not None)
        return
    claim(11, all(x["answered_by"] is not None or wanted == "never" for x in passed))
    by = {about: [x["answered_by"] for x in passed if x["about"] == about] for about in ABOUT}
    let_pass = any(one != verifier for one in by["documents"])
    needs = [need for step in record["steps"] for need in step["needs"]]
    claim(11, not any(x["left"] for x in needs if not (let_pass and x["kind"] == "documents")))
    claim(11, wanted not in ("always", "sample") or verifier not in by["decision"])
    claim(11, wanted != "always" or len(by["decision"]) > 0)


def additions(key: str, record: Json, files: dict[str, bytes]) -> None:
    """Section 6 step 8."""
    names = [name for name in files if name.startswith("additions/")]
    claim(8, len(names) % 2 == 0)
    before = sha(files["record.json"])
    for number in range(1, len(names) // 2 + 1):
        name = f"additions/{number:04}"
        claim(8, f"{name}.json" in files and f"{name}.sig" in files)
        content = files[f"{name}.json"]
        said = parsed(8, content)
        named = (said["record"], said["number"], said["previous"])
        claim(8, named == (record["id"], number, before))
        signed(8, key, b"madoguchi record addition 1", content, files[f"{name}.sig"])
        before = sha(content)


def deletions(record: Json, files: dict[str, bytes]) -> list[Json]:
    """Section 6 step 12."""
    found = []
    for one in parsed(12, files.get("deletions.json", b'{"deletions":[]}'))["deletions"]:
        statement = one["statement"].encode()
        claim(12, one["key"] == record["audit"]["key"])
        signed(12, one["key"], b"madoguchi deletion 1", statement, bytes.fromhex(one["signature"]))
        found.append(json.loads(statement))
        claim(12, found[-1]["municipality"] == record["municipality"]["id"])
    return found


def audit(record: Json, files: dict[str, bytes], proofs: list[Json]) -> None:
    """Section 6 step 15."""
    place, home = record["audit"], record["municipality"]["id"]
    if "audit.jsonl" not in files:
        spans = [one["ids"][0].split("-") for one in proofs if one["kind"] == "audit"]
        first = place["first"]["position"]
        claim(15, any(int(a) <= first <= int(b) for a, b in spans))
        return
    lines = files["audit.jsonl"].split(b"\n")
    opening = parsed(15, lines[0])
    head = opening["signed"]
    claim(15, lines[-1] == b"" and head is not None)
    claim(15, (head["municipality"], head["key"]) == (home, place["key"]))
    said = {n: head[n] for n in ("municipality", "count", "link", "at")} | {"v": 1}
    seal = bytes.fromhex(head["signature"])
    signed(15, head["key"], b"madoguchi audit head 1", canonical(said), seal)
    position, link = opening["from"] - 1, bytes.fromhex(opening["before"])
    wanted = {place["first"]["position"]: place["first"], place["last"]["position"]: place["last"]}
    claim(15, opening["from"] == min(wanted))
    for line in lines[1:-1]:
        position, link = position + 1, hashlib.sha256(b"\1" + link + line).digest()
        if position in wanted:
            claim(15, wanted.pop(position)["link"] == link.hex())
            entry = json.loads(line)
            of_facts = entry.get("facts", {}).get("call", {}).get("id")
            claim(15, record["call"] in (entry["subject"], of_facts))
    claim(15, not wanted and (position, link.hex()) == (head["count"], head["link"]))


if __name__ == "__main__":
    try:
        verify(Path(sys.argv[1]).read_bytes(), sys.argv[2] if sys.argv[2:] else None)
    except Wrong as wrong:
        sys.exit(f"step {wrong}")
    print("sound")
