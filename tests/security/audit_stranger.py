"""A stranger's verifier of the audit log, written from security/audit/FORMAT.md alone.

`python audit_stranger.py DIR [PUBLIC_KEY_HEX...]`: a line per chain; exits 1 if one is broken.
"""

import hashlib
import json
import sqlite3
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Row = dict[str, Any]
TRIM = "retention:audit:trim"


def canonical(value: Row) -> bytes:
    """Section 2."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def time_of(micros: int) -> str:
    """Section 1."""
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def lines(path: Path) -> list[Row]:
    """Return what stands in a file, without a torn last line."""
    whole = path.read_text("utf-8").split("\n")[:-1] if path.exists() else []
    return [json.loads(line) for line in whole]


def signed_well(head: Row) -> bool:
    """Section 4."""
    said = {name: head[name] for name in ("municipality", "count", "link", "at")} | {"v": 1}
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(head["key"])).verify(
            bytes.fromhex(head["signature"]), b"madoguchi audit head 1\0" + canonical(said)
        )
    except InvalidSignature:
        return False
    return True


def verify(home: str, rows: list[Row], head: Row | None, signed: list[Row], keys: set[str]) -> str:
    """Section 5: return what is wrong, with the number of the step, or nothing."""
    link, first = bytes(32), rows[0]["position"] if rows else 1
    keys = keys or {one["key"] for one in signed[:1]}
    if first > 1:
        anchor = next((one for one in signed if one["count"] == first - 1), None)
        if not (anchor and signed_well(anchor) and anchor["key"] in keys):
            return "position 1: section 9, step 1"
        named = {"count": anchor["count"], "link": anchor["link"]}
        trims = [json.loads(x["entry"])["detail"] for x in rows if x["tag"] == TRIM]
        if not any({name: one.get(name) for name in named} == named for one in trims):
            return "position 1: section 9, step 2"
        link = bytes.fromhex(anchor["link"])
    for n, row in enumerate(rows, first):
        if row["position"] != n:
            return f"position {n}: step 1"
        try:
            entry = json.loads(row["entry"])
        except ValueError:
            return f"position {n}: step 2"
        if canonical(entry) != row["entry"]:
            return f"position {n}: step 2"
        said = [entry.get(name) for name in ("municipality", "position", "tag", "at")]
        if said != [home, n, row["tag"], time_of(row["at"])]:
            return f"position {n}: step 3"
        link = hashlib.sha256(b"\1" + link + row["entry"]).digest()
        if link != row["link"]:
            return f"position {n}: step 4"
        if head and head["count"] == n and head["link"] != link.hex():
            return f"position {n}: step 5"
        for one in (one for one in signed if one["count"] == n):
            if not (signed_well(one) and one["key"] in keys and one["link"] == link.hex()):
                return f"position {n}: step 6"
    most = max([one["count"] for one in signed] + [head["count"] if head else 0])
    last = first - 1 + len(rows)
    if most > last or (rows and not head):
        return f"position {last + 1}: step 7"
    return "step 8" if keys and not signed else ""


def main(folder: Path, keys: set[str]) -> int:
    """Verify every chain."""
    database = sqlite3.connect(folder / "madoguchi.sqlite")
    database.row_factory = sqlite3.Row
    heads = {one["municipality"]: one for one in lines(folder / "audit.heads")}
    signed = lines(folder / "audit.signed")
    for row in map(dict, database.execute("SELECT * FROM audit_head")):
        texts = {name: row[name].hex() for name in ("link", "signature")}
        names = {"municipality": row["municipality_id"], "key": row["public_key"].hex()}
        signed.append({**names, **texts, "count": row["count"], "at": time_of(row["at"])})
    query = "SELECT * FROM audit_entry ORDER BY municipality_id, position"
    rows = [dict(row) for row in database.execute(query)]
    database.close()
    broken = 0
    for home in sorted({*heads, *(row["municipality_id"] for row in rows)}):
        chain = [row for row in rows if row["municipality_id"] == home]
        mine = [one for one in signed if one["municipality"] == home]
        wrong = verify(home, chain, heads.get(home), mine, keys)
        print(home, len(chain), wrong or "whole")
        broken += bool(wrong)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), set(sys.argv[2:])))
