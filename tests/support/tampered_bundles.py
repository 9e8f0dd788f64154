"""Tampered copies of a real bundle, each with the step at which it must be refused and why.

`tampered(bundle)` needs nothing but the bundle: what somebody can do who carries it. With the
municipality's record key it adds what somebody in the house can do who may sign. Both hold for
`madoguchi record verify COPY --key PUBLIC` with the key that the municipality has made known.
"""

import json
import zipfile
from collections.abc import Callable
from io import BytesIO
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from security.audit.chain import canonical
from server.records import zipped
from server.records.bundle import sha256_hex
from server.records.record import ADDITION_LABEL, MANIFEST_LABEL, RECORD_LABEL, sign

STRANGE_KEY = Ed25519PrivateKey.from_private_bytes(b"\x03" * 32)
Members = dict[str, bytes]
Json = dict[str, Any]
_APART = ("manifest.json", "manifest.sig")


class Tampered(NamedTuple):
    """A copy, the number of the step that must fail (FORMAT.md section 6), and words of why."""

    name: str
    content: bytes
    step: int
    why: str


def tampered(bundle: bytes, key: Ed25519PrivateKey | None = None) -> list[Tampered]:
    """Return at least 12 tampered copies of a bundle with evidence; more with the `key` it has.

    Raises `ValueError` for a bundle without evidence or chat.
    """
    members = opened(bundle)
    still = next((name for name in members if name.startswith("evidence/")), None)
    if still is None or "chat.json" not in members:
        raise ValueError("a bundle with evidence and a chat is needed")
    found = _carried(bundle, members, still) + _packed_badly(bundle, members)
    return found + (_of_the_house(members, still, key) if key is not None else [])


def opened(bundle: bytes) -> Members:
    """Return the members of a bundle, in order."""
    with zipfile.ZipFile(BytesIO(bundle)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def resigned(members: Members, by: Ed25519PrivateKey, /, **said: Any) -> bytes:
    """Return the members with a manifest that fits them, says `said` and is signed by `by`."""
    manifest = canonical({**_fitting(members), **said})
    own = dict(zip(_APART, (manifest, sign(by, MANIFEST_LABEL, manifest)), strict=True))
    return zipped.write([*own.items(), *_rest(members)])


def _carried(bundle: bytes, members: Members, still: str) -> list[Tampered]:
    """Return what somebody can do who has the bundle and no key of the municipality."""
    other = b"\xff\xd8another picture"
    head = canonical({**_opening(members), "signed": None})
    no_head = b"\n".join([head, *members["audit.jsonl"].split(b"\n")[1:]])
    fitted = canonical(_fitting({**members, still: other}))
    spaced = members["manifest.json"][:-1] + b" }"
    turned = _turned(members["record.json"])
    audit, fits_not = "audit.jsonl", "is not what the manifest says"
    return [
        _of("still-replaced", {**members, still: other}, 5, f"{still} {fits_not}"),
        _of("still-removed", _without(members, still), 5, f"{still} is missing"),
        _of("chat-removed", _without(members, "chat.json"), 5, "chat.json is missing"),
        _of("file-added", {**members, "evidence/zzz": b"x"}, 5, "does not belong to the bundle"),
        _of("outcome-turned", {**members, "record.json": turned}, 5, f"record.json {fits_not}"),
        _of("audit-head-missing", {**members, audit: no_head}, 5, f"{audit} {fits_not}"),
        _of("manifest-spaced", {**members, "manifest.json": spaced}, 2, "not canonical"),
        _of(
            "still-replaced-and-manifest-fitted",
            {**members, still: other, "manifest.json": fitted}, 3, "does not verify",
        ),
        _of(
            "manifest-signature-changed",
            {**members, "manifest.sig": _flipped(members["manifest.sig"])}, 3, "does not verify",
        ),
        Tampered(
            "all-signed-by-another-municipality",
            resigned(_every_signature(members, STRANGE_KEY), STRANGE_KEY, key=_public(STRANGE_KEY)),
            4, "another key than the one given",
        ),
    ]  # fmt: skip


def _packed_badly(bundle: bytes, members: Members) -> list[Tampered]:
    """Return archives of another form."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return [
        Tampered("cut-short", bundle[:-30], 1, ""),
        Tampered("something-behind", bundle + b"x", 1, "not their directory"),
        Tampered("something-before", b"#!/bin/sh\n" + bundle, 1, "does not begin with a member"),
        Tampered("compressed", out.getvalue(), 1, "is compressed"),
    ]


def _of_the_house(members: Members, still: str, key: Ed25519PrivateKey) -> list[Tampered]:
    """Return what somebody can do who signs with the record key and has nothing else."""

    def of(name: str, changed: Members, step: int, why: str, **said: Any) -> Tampered:
        return Tampered(f"insider-{name}", resigned(changed, key, **said), step, why)

    def recorded(name: str, change: Callable[[Json], object], step: int, why: str) -> Tampered:
        return of(name, _recorded(members, change, key), step, why)

    turned = {**members, "record.json": _turned(members["record.json"])}
    lines = members["audit.jsonl"].split(b"\n")
    proof = {"statement": "{}", "key": "00" * 32, "signature": "00" * 64}
    forged = canonical({"v": 1, "deletions": [proof]})
    deleted = {**_without(members, still), "deletions.json": forged}
    no_head = [canonical({**_opening(members), "signed": None}), *lines[1:]]
    return [
        of("another-record", members, 6, "that of another record", record="another"),
        of("outcome-turned", turned, 7, "does not verify"),
        of("addition-unsigned", {**members, **_addition(members)}, 8, "does not verify"),
        recorded("step-removed", lambda x: x["steps"].pop(), 9, "is not in the record"),
        of("policy-changed", {**members, "policy.toml": b"\n"}, 10, "policy.toml is not the one"),
        recorded("something-missing", _missing, 11, "were missing"),
        of("deletion-forged", deleted, 12, "proof of deletion"),
        of("chat-changed", {**members, "chat.json": b"{}"}, 13, "chat.json is not the one"),
        of("still-replaced", {**members, still: b"x"}, 14, "is not the one of the record"),
        of("still-removed", _without(members, still), 14, "no proof says it was deleted"),
        of("audit-head-missing", _audit(members, no_head), 15, "no signed head"),
        of("audit-entry-removed", _audit(members, [*lines[:1], *lines[2:]]), 15, "signed head"),
    ]  # fmt: skip


def _of(name: str, members: Members, step: int, why: str) -> Tampered:
    return Tampered(name, zipped.write(members.items()), step, why)


def _without(members: Members, name: str) -> Members:
    return {each: content for each, content in members.items() if each != name}


def _rest(members: Members) -> list[tuple[str, bytes]]:
    return sorted((name, content) for name, content in members.items() if name not in _APART)


def _fitting(members: Members) -> Json:
    said: Json = json.loads(members["manifest.json"])
    said["members"] = [
        {"name": name, "bytes": len(content), "sha256": sha256_hex(content)}
        for name, content in _rest(members)
    ]
    return said


def _turned(record: bytes) -> bytes:
    """Return the record with another outcome that needs nothing else changed."""
    said: Json = json.loads(record)
    said["outcome"] = "aborted" if said["outcome"] != "aborted" else "returned"
    said["reason"] = said["reason"] or "x"
    return canonical(said)


def _recorded(
    members: Members, change: Callable[[Json], object], key: Ed25519PrivateKey
) -> Members:
    said: Json = json.loads(members["record.json"])
    change(said)
    content = canonical(said)
    kept = {k: v for k, v in members.items() if not k.startswith("additions/")}
    return {**kept, "record.json": content, "record.sig": sign(key, RECORD_LABEL, content)}


def _missing(said: Json) -> None:
    said["outcome"], said["approvals"] = "verified", []
    said["steps"][0]["needs"][0]["left"] = 1


def _addition(members: Members) -> Members:
    """Return an addition that follows, signed by a stranger."""
    record: Json = json.loads(members["record.json"])
    before = [name for name in sorted(members) if name.startswith("additions/")]
    number = len(before) // 2 + 1
    previous = members[before[-2]] if before else members["record.json"]
    said = {
        "v": 1, "record": record["id"], "number": number, "previous": sha256_hex(previous),
        "at": record["times"]["closed"], "by": record["people"]["clerk"], "text": "x",
    }  # fmt: skip
    content, name = canonical(said), f"additions/{number:04}"
    return {f"{name}.json": content, f"{name}.sig": sign(STRANGE_KEY, ADDITION_LABEL, content)}


def _every_signature(members: Members, key: Ed25519PrivateKey) -> Members:
    changed = {**members, "record.sig": sign(key, RECORD_LABEL, members["record.json"])}
    for name in members:
        if name.startswith("additions/") and name.endswith(".json"):
            changed[f"{name[:-5]}.sig"] = sign(key, ADDITION_LABEL, members[name])
    return changed


def _opening(members: Members) -> Json:
    found: Json = json.loads(members["audit.jsonl"].split(b"\n")[0])
    return found


def _audit(members: Members, lines: list[bytes]) -> Members:
    return {**members, "audit.jsonl": b"\n".join(lines)}


def _public(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes_raw().hex()


def _flipped(content: bytes) -> bytes:
    return bytes([content[0] ^ 1]) + content[1:]
