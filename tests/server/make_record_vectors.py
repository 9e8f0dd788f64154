"""Makes tests/server/records/*.zip: one good bundle, and copies with one failure each.

`python make_record_vectors.py` writes them anew. Keys are made from fixed seeds, so that everybody
can make them again; `insider` copies are signed again with the municipality's own record key.
"""

import json
import sys
import warnings
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chat.message import Message
from files.entry import FileEntry, FileState
from media.quality_sum import Summary
from security.audit.chain import Head, append, canonical, time_text
from security.audit.signed import sign as sign_head
from security.audit.signed import to_json
from security.deletions import Deletion, Kind, Proof, prove
from server.calls.call import Call, Outcome, State
from server.procedures.documents import Shown
from server.procedures.progress import Code, Progress
from server.procedures.sheet import Mark, Sheet
from server.procedures.template import Template
from server.records import bundle, zipped
from server.records.compose import Known, compose, template_bytes, transcript_bytes
from server.records.record import (
    ADDITION_LABEL,
    MANIFEST_LABEL,
    RECORD_LABEL,
    Addition,
    AuditPlace,
    Named,
    Position,
    Record,
    read_record,
    sign,
)

FOLDER = Path(__file__).parent / "records"
KEY = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
AUDIT_KEY = Ed25519PrivateKey.from_private_bytes(b"\x02" * 32)
STRANGE_KEY = Ed25519PrivateKey.from_private_bytes(b"\x03" * 32)
HOME, CALL = "home-1", "call-1"
STILLS = ("still-1", "still-2")
FILE = "file-1"
POLICY = '# 方針\n[chat]\nkeep = "keep"\n'.encode()
AT = datetime(2026, 11, 24, 0, 40, 2, tzinfo=UTC)
OUTCOMES = ["verified", "completed", "returned"]
Members = dict[str, bytes]


def _words(ja: str) -> dict[str, str]:
    return {"ja": ja, "en": ja}


TEMPLATE = Template.model_validate(
    {
        "id": "new-issue", "order": 1, "group": "card", "way": "at_application", "status": "open",
        "name": _words("新規発行"), "what": _words("カード"), "basis": _words("見本"),
        "resolution": "required", "documents": {"any_of": [{"a": 2}]},
        "outcomes": ["verified", "returned", "aborted"],
        "steps": [
            {"id": "purpose", "title": _words("目的"), "now": _words("お話しください"),
             "needs": [{"kind": "answer", "question": _words("ご用件は")}]},
            {"id": "code", "title": _words("口頭コード"), "now": _words("数字を"), "reopens": True,
             "needs": [{"kind": "code"}]},
            {"id": "papers", "title": _words("書類"), "now": _words("書類を"),
             "needs": [{"kind": "documents"},
                       {"kind": "still", "what": _words("表"), "at_least": 2},
                       {"kind": "tick", "by": "counter", "items": [_words("手触り")]}]},
        ],
    }
)  # fmt: skip
PROGRESS = Progress(
    answers={("purpose", 0): "カードを作りたい"},
    codes={("code", 0): Code("0000", 1, True)},
    bound={("papers", 1): STILLS},
    ticks={("papers", 2): frozenset({0})},
    documents=(Shown("driving-licence", date(2029, 3, 2)), Shown("passport", date(2031, 1, 9))),
)

SHEET = Sheet(CALL, HOME, 7, 3, PROGRESS, {("purpose", 0): Mark("desk-1", AT)})


def evidence() -> Members:
    """Return the bytes of stills and files."""
    return {each: each.encode() * 40 for each in (*STILLS, FILE)}


def _file(each: str) -> FileEntry:
    content = evidence()[each]
    sha256 = bundle.sha256_hex(content)
    return FileEntry(
        each, HOME, CALL, "counter", "clerk-1", "", len(content), sha256, AT, FileState.OFFERED,
        "image/jpeg", len(content), sha256,
    )  # fmt: skip


CHAT = transcript_bytes([Message(1, "a", "counter", "clerk-1", "よろしくお願いします。", AT)])


def segment() -> bundle.Segment:
    """Return the stretch of a log: two entries of the call with another between them."""
    head = before = Head(4711, b"\x07" * 32)
    entries = []
    for subject in (CALL, "call-2", CALL):
        stored, head = append(head, HOME, "gate:call:close", {"subject": subject}, at=AT)
        entries.append(stored)
    return bundle.Segment(before, entries, sign_head(AUDIT_KEY, HOME, head, at=AT))


def record() -> Record:
    """Return the record of the good bundle."""
    return compose(known())


def known() -> Known:
    """Return what that record is made from."""
    call = Call(
        CALL, "R-261124-0012", HOME, "office-1", "tablet-1", "clerk-1", "new-issue", False,
        f'{{"video":true,"text_version":"2","language":"ja","sha256":"{"0c" * 32}"}}',
        AT, state=State.CLOSED, desk_id="desk-1", answered_at=AT, closed_at=AT,
        outcome=Outcome.VERIFIED,
    )  # fmt: skip
    names = {
        HOME: "架空市", "office-1": "架空中央郵便局", "tablet-1": "T-01", "clerk-1": "窓口 花子",
        "desk-1": "例示 さくら",
    }  # fmt: skip
    log = segment()
    first, last = (
        Position(position=one.position, link=one.link.hex())
        for one in (log.entries[0], log.entries[-1])
    )
    key = AUDIT_KEY.public_key().public_bytes_raw().hex()
    return Known(
        "record-1", call, AT.date(), names, (), TEMPLATE, 3, SHEET,
        [_file(each) for each in (*STILLS, FILE)], CHAT, 1, POLICY, 14,
        {("counter", "sends"): Summary(seconds=60, good_seconds=60)},
        AuditPlace(first=first, last=last, key=key),
    )  # fmt: skip


def addition(number: int, previous: bytes) -> bytes:
    """Return a correction that follows `previous`."""
    return Addition(
        record="record-1",
        number=number,
        previous=bundle.sha256_hex(previous),
        at=time_text(AT),
        by=Named(id="desk-1", name="例示 さくら"),
        text=f"訂正 {number}",
    ).to_bytes()


def good() -> bytes:
    """Return the bundle that verifies."""
    said = record().to_bytes()
    one = addition(1, said)
    added = [
        bundle.Signed(each, sign(KEY, ADDITION_LABEL, each)) for each in (one, addition(2, one))
    ]
    contents = bundle.Contents(
        bundle.Signed(said, sign(KEY, RECORD_LABEL, said)),
        template_bytes(TEMPLATE), POLICY, CHAT, segment(), evidence(), added,
    )  # fmt: skip
    return bundle.make(contents, KEY, now=AT)


def opened(content: bytes) -> Members:
    """Return the members of a bundle, in order."""
    with zipfile.ZipFile(BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(members: Members) -> bytes:
    """Return members as an archive, whatever they say."""
    return zipped.write(members.items())


def insider(members: Members, key: Ed25519PrivateKey = KEY, **more: Any) -> bytes:
    """Return members with a manifest that fits them, says `more` and is signed by `key`."""
    said: dict[str, Any] = json.loads(members["manifest.json"])
    said["key"] = key.public_key().public_bytes_raw().hex()
    said["members"] = [
        {"name": name, "bytes": len(content), "sha256": bundle.sha256_hex(content)}
        for name, content in sorted(members.items())
        if name not in ("manifest.json", "manifest.sig")
    ]
    manifest = canonical({**said, **more})
    own = {"manifest.json": manifest, "manifest.sig": sign(key, MANIFEST_LABEL, manifest)}
    return packed({**own, **{k: v for k, v in sorted(members.items()) if k not in own}})


def _recorded(members: Members, change: Callable[[dict[str, Any]], object], *, by: Any) -> Members:
    """Return members with another record, signed again by `by` or, when None, not at all."""
    said = json.loads(members["record.json"])
    change(said)
    content = canonical(said)
    signature = members["record.sig"] if by is None else sign(by, RECORD_LABEL, content)
    kept = {k: v for k, v in members.items() if not k.startswith("additions/")}
    return {**kept, "record.json": content, "record.sig": signature}


def _every_signature(members: Members, key: Ed25519PrivateKey) -> bytes:
    changed = dict(members)
    changed["record.sig"] = sign(key, RECORD_LABEL, members["record.json"])
    for name in ("additions/0001", "additions/0002"):
        changed[f"{name}.sig"] = sign(key, ADDITION_LABEL, members[f"{name}.json"])
    return insider(changed, key)


def _zipped(members: Members, change: Callable[[zipfile.ZipFile], None]) -> bytes:
    """Return what a usual program would pack, and something more."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
        change(archive)
    return out.getvalue()


def _audit(members: Members, change: Callable[[list[bytes]], list[bytes]]) -> Members:
    return {**members, "audit.jsonl": b"\n".join(change(members["audit.jsonl"].split(b"\n")))}


def _no_head(lines: list[bytes]) -> list[bytes]:
    return [canonical({**json.loads(lines[0]), "signed": None}), *lines[1:]]


def _replaced(members: Members, name: str, old: str, new: str) -> Members:
    return {**members, name: members[name].replace(old.encode(), new.encode())}


def _flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def vectors() -> dict[str, tuple[bytes, int]]:
    """Return each bundle by name with the step at which it is refused; 0: never."""
    whole = good()
    m = opened(whole)
    still = {**m, "evidence/still-1": b"x" * len(m["evidence/still-1"])}

    def no_step(said: dict[str, Any]) -> None:
        said["steps"].pop(1)

    def version(said: dict[str, Any]) -> None:
        said["policy"]["version"] = 15

    def missing(said: dict[str, Any]) -> None:
        said["steps"][2]["needs"][1]["left"] = 1

    def own_approval(said: dict[str, Any]) -> None:
        said["steps"][2]["needs"][0]["left"] = 1
        senior = {"id": "senior-1", "name": "見本 一郎"}
        said["approvals"] = [
            {"about": "documents", "reason": "x", "asked_by": senior, "asked_at": time_text(AT),
             "approved": True, "answer": None, "answered_by": senior, "answered_at": time_text(AT)}
        ]  # fmt: skip

    def approved(said: dict[str, Any]) -> None:
        own_approval(said)
        said["approvals"][0]["asked_by"] = {"id": "desk-1", "name": "例示 さくら"}

    def refused(said: dict[str, Any]) -> None:
        said.update(outcome="refused", reason="x")

    def other_call(said: dict[str, Any]) -> None:
        said["audit"]["first"] = said["audit"]["last"]

    def strange_audit(said: dict[str, Any]) -> None:
        said["audit"]["key"] = STRANGE_KEY.public_key().public_bytes_raw().hex()

    without = {k: v for k, v in m.items() if not k.startswith("additions/0001")}
    renamed = {k.replace("0002", "0001"): v for k, v in without.items()}
    made: dict[str, tuple[bytes, int]] = {
        "good": (whole, 0),
        "still-replaced": (packed(still), 5),
        "still-replaced-insider": (insider(still), 14),
        "still-missing-insider": (
            insider({k: v for k, v in m.items() if k != "evidence/still-1"}), 14,
        ),
        "file-added-insider": (insider({**m, "evidence/file-9": b"x"}), 14),
        "step-removed": (insider(_recorded(m, no_step, by=None)), 7),
        "step-removed-insider": (insider(_recorded(m, no_step, by=KEY)), 9),
        "signature-of-another-municipality": (_every_signature(m, STRANGE_KEY), 4),
        "record-of-another-municipality": (
            insider({**m, "record.sig": sign(STRANGE_KEY, RECORD_LABEL, m["record.json"])}), 7,
        ),
        "policy-version-changed": (insider(_recorded(m, version, by=None)), 7),
        "policy-text-changed": (insider({**m, "policy.toml": POLICY + b"\n"}), 10),
        "template-changed": (
            insider(_replaced(m, "template.json", "目的", "用件")), 9,
        ),
        "outcome-not-allowed": (insider(_recorded(m, refused, by=KEY)), 9),
        "verified-with-something-missing": (insider(_recorded(m, missing, by=KEY)), 11),
        "approved-by-who-asked": (insider(_recorded(m, own_approval, by=KEY)), 11),
        "good-with-an-override": (insider(_recorded(m, approved, by=KEY)), 0),
        "chat-changed": (insider(_replaced(m, "chat.json", "よろしく", "さようなら")), 13),
        "addition-removed": (insider(renamed), 8),
        "addition-changed": (
            insider(_replaced(m, "additions/0002.json", " 2", " 3")), 8,
        ),
        "audit-head-missing": (insider(_audit(m, _no_head)), 15),
        "audit-segment-missing": (
            insider({k: v for k, v in m.items() if k != "audit.jsonl"}), 15,
        ),
        "audit-entry-removed": (insider(_audit(m, lambda x: [*x[:2], *x[3:]])), 15),
        "audit-entry-changed": (
            insider(_audit(m, lambda x: [*x[:2], x[2].replace(b"call-2", b"call-3"), *x[3:]])), 15,
        ),
        "audit-key-of-another": (insider(_recorded(m, strange_audit, by=KEY)), 15),
        "audit-begins-later": (insider(_recorded(m, other_call, by=KEY)), 15),
        "manifest-changed": (packed({**m, "manifest.json": m["manifest.json"][:-1] + b" }"}), 2),
        "manifest-time-changed": (
            packed(_replaced(m, "manifest.json", "2026-11-24", "2026-11-25")), 3,
        ),
        "manifest-signature-changed": (
            packed({**m, "manifest.sig": _flipped(m["manifest.sig"], 9)}), 3,
        ),
        "member-added": (packed({**m, "readme.txt": b"x"}), 5),
        "member-missing": (packed({k: v for k, v in m.items() if k != "chat.json"}), 5),
    }  # fmt: skip
    return made | _more(m) | _decided(m) | _deleted(m) | _hostile(whole, m)


def _more(m: Members) -> dict[str, tuple[bytes, int]]:
    """Return what a form, an order or a signature gives away."""

    def swapped(said: dict[str, Any]) -> None:
        said["steps"] = [said["steps"][1], said["steps"][0], said["steps"][2]]

    def added(said: dict[str, Any]) -> None:
        said["steps"].append({**said["steps"][0], "id": "more"})

    def other_need(said: dict[str, Any]) -> None:
        said["steps"][1]["needs"][0]["kind"] = "tick"

    def extra(said: dict[str, Any]) -> None:
        said["my_number"] = "x"

    def other_home(lines: list[bytes]) -> list[bytes]:
        opening = json.loads(lines[0])
        link = bytes.fromhex(opening["signed"]["link"])
        head = Head(opening["signed"]["count"], link)
        signed = to_json(sign_head(AUDIT_KEY, "home-2", head, at=AT))
        return [canonical({**opening, "signed": signed}), *lines[1:]]

    def other_signature(lines: list[bytes]) -> list[bytes]:
        opening = json.loads(lines[0])
        flipped = _flipped(bytes.fromhex(opening["signed"]["signature"]), 0).hex()
        return [canonical({**opening, "signed": {**opening["signed"], "signature": flipped}}),
                *lines[1:]]  # fmt: skip

    unsigned = sign(STRANGE_KEY, ADDITION_LABEL, m["additions/0002.json"])
    spaced = m["record.json"][:-1] + b" }"
    return {
        "record-not-canonical": (
            insider({**m, "record.json": spaced, "record.sig": sign(KEY, RECORD_LABEL, spaced)}), 6,
        ),
        "record-with-a-field-more": (insider(_recorded(m, extra, by=KEY)), 6),
        "manifest-of-another-record": (insider(m, record="record-2"), 6),
        "addition-signed-by-another": (insider({**m, "additions/0002.sig": unsigned}), 8),
        "steps-in-another-order": (insider(_recorded(m, swapped, by=KEY)), 9),
        "step-added": (insider(_recorded(m, added, by=KEY)), 9),
        "need-of-another-kind": (insider(_recorded(m, other_need, by=KEY)), 9),
        "audit-head-of-another-municipality": (insider(_audit(m, other_home)), 15),
        "audit-head-signature-changed": (insider(_audit(m, other_signature)), 15),
        "audit-tail-missing": (insider(_audit(m, lambda x: [*x[:-2], b""])), 15),
    }  # fmt: skip


def _decided(m: Members) -> dict[str, tuple[bytes, int]]:
    """Return decisions under a policy about seniors, with whom it asks and without."""
    desk = {"id": "desk-1", "name": "例示 さくら"}
    senior = {"id": "senior-1", "name": "見本 一郎"}

    def of(
        when: str, by: dict[str, str] | None, *, about: str = "documents", asked: Any = desk,
        outcome: str = "verified", left: int = 1, approved: bool = True,
    ) -> bytes:  # fmt: skip
        policy = f'[people]\nsenior_approval = "{when}"\n'.encode()
        approval = {
            "about": about, "reason": "x", "asked_by": asked, "asked_at": time_text(AT),
            "approved": True, "answer": None, "answered_by": by,
            "answered_at": time_text(AT) if by else None,
        }  # fmt: skip

        def change(said: dict[str, Any]) -> None:
            said.update(outcome=outcome, reason="x" if outcome == "returned" else None)
            said["steps"][2]["needs"][0]["left"] = left
            said["approvals"] = [approval] if approved else []
            said["policy"]["sha256"] = bundle.sha256_hex(policy)
            template = {**json.loads(m["template.json"]), "outcomes": OUTCOMES}
            said["procedure"]["template"]["sha256"] = bundle.sha256_hex(canonical(template))

        template = {**json.loads(m["template.json"]), "outcomes": OUTCOMES}
        basis = {"policy.toml": policy, "template.json": canonical(template)}
        return insider({**_recorded(m, change, by=KEY), **basis})

    def no_reason(said: dict[str, Any]) -> None:
        said.update(outcome="returned", reason=None)

    decision: dict[str, Any] = {"about": "decision", "left": 0}
    return {
        "good-without-a-senior-where-none-is-wanted": (of("never", None), 0),
        "good-returned-after-the-policy-was-tightened": (
            of("override", None, outcome="returned"), 0,
        ),
        "let-pass-by-nobody": (of("override", None), 11),
        "let-pass-by-who-decided": (of("override", desk, asked=senior), 11),
        "good-with-a-decision-confirmed": (of("always", senior, **decision), 0),
        "decision-confirmed-by-who-decided": (of("sample", desk, asked=senior, **decision), 11),
        "decision-confirmed-by-nobody-though-always": (
            of("always", None, **decision, approved=False), 11,
        ),
        "completed-with-something-missing": (
            of("override", None, outcome="completed", approved=False), 11,
        ),
        "returned-without-a-reason": (insider(_recorded(m, no_reason, by=KEY)), 11),
    }  # fmt: skip


def _deleted(m: Members) -> dict[str, tuple[bytes, int]]:
    """Return bundles of which something was deleted, with proof and without."""

    def proof(
        kind: Kind, *ids: str, call: str | None = CALL, home: str = HOME, key: Any = AUDIT_KEY
    ) -> Proof:
        said = Deletion("d", home, kind, call, ids, len(ids), AT, "retention.x", 1)
        return prove(key, said)

    def of(*proofs: Proof, without: tuple[str, ...], change: Any = lambda x: x) -> bytes:
        said = [
            {"statement": x.statement.decode(), "key": x.key.hex(), "signature": x.signature.hex()}
            for x in proofs
        ]
        kept = {name: content for name, content in m.items() if name not in without}
        text = canonical({"v": 1, "deletions": said})
        return insider({**kept, "deletions.json": change(text)})

    chat, still = ("chat.json",), ("evidence/still-1",)
    strange_chat = proof(Kind.CHAT, "1", call="call-2")
    every = (*chat, *still, "audit.jsonl")
    gone = (
        proof(Kind.CHAT, "1"),
        proof(Kind.FILES, "still-1"),
        proof(Kind.AUDIT, "1-4800", call=None),
    )
    kept = proof(Kind.FILES, "still-1", "still-2")
    return {
        "good-with-deletions": (of(*gone, without=every), 0),
        "chat-missing-insider": (of(gone[1], without=chat), 13),
        "chat-deleted-of-another-call": (of(strange_chat, without=chat), 13),
        "still-deleted-of-another-call": (
            of(proof(Kind.FILES, "still-1", call="call-2"), without=still), 14,
        ),
        "deletion-of-another-file": (of(proof(Kind.FILES, "still-9"), without=still), 14),
        "deletion-signed-by-another": (
            of(proof(Kind.FILES, "still-1", key=STRANGE_KEY), without=still), 12,
        ),
        "deletion-of-another-municipality": (
            of(proof(Kind.FILES, "still-1", home="home-2"), without=still), 12,
        ),
        "deletion-changed": (
            of(kept, without=still, change=lambda x: x.replace(b"still-2", b"still-3")), 12,
        ),
        "audit-let-go-elsewhere": (
            of(proof(Kind.AUDIT, "1-4700", call=None), without=("audit.jsonl",)), 15,
        ),
    }  # fmt: skip


def _hostile(whole: bytes, m: Members) -> dict[str, tuple[bytes, int]]:
    def twice(archive: zipfile.ZipFile) -> None:
        archive.writestr(zipfile.ZipInfo("record.json"), b"{}")

    def absolute(archive: zipfile.ZipFile) -> None:
        archive.writestr(zipfile.ZipInfo("/etc/cron.d/x"), b"x")

    def upward(archive: zipfile.ZipFile) -> None:
        archive.writestr(zipfile.ZipInfo("../x"), b"x")

    def bomb(archive: zipfile.ZipFile) -> None:
        info = zipfile.ZipInfo("evidence/bomb")
        archive.writestr(info, bytes(10_000_000), zipfile.ZIP_DEFLATED)

    # The directory at the end says another name than the member itself.
    at = whole.rindex(b"evidence/still-1")
    mismatch = whole[:at] + b"evidence/still-9" + whole[at + 16 :]
    return {
        "zip-name-twice": (_zipped_quietly(m, twice), 1),
        "zip-absolute-name": (_zipped(m, absolute), 1),
        "zip-name-upward": (_zipped(m, upward), 1),
        "zip-bomb": (_zipped(m, bomb), 1),
        "zip-directory-says-otherwise": (mismatch, 1),
        "zip-something-before": (b"#!/bin/sh\n" + whole, 1),
        "zip-something-behind": (whole + b"x", 1),
        "zip-cut-short": (whole[:-30], 1),
        "zip-checksum-wrong": (_flipped(whole, whole.index(b"still-1still-1") + 9), 1),
    }


def _zipped_quietly(members: Members, change: Callable[[zipfile.ZipFile], None]) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _zipped(members, change)


def main() -> None:
    """Write all."""
    read_record(record().to_bytes())
    FOLDER.mkdir(exist_ok=True)
    expected = {}
    for name, (content, step) in vectors().items():
        (FOLDER / f"{name}.zip").write_bytes(content)
        expected[name] = step
    text = json.dumps({"key": public_key().hex(), "refused_at_step": expected}, indent=1)
    (FOLDER / "expect.json").write_text(text + "\n", "utf-8")


def public_key() -> bytes:
    """Return the key that the municipality has noted down."""
    return KEY.public_key().public_bytes_raw()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    main()
