"""A whole log as lines of JSON, to be kept and verified elsewhere (FORMAT.md section 6). Pure."""

import json
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from security.audit.chain import Head, Json, Stored, Walk, time_text
from security.audit.signatures import Signatures, Verified
from security.audit.signed import SignedHead, from_json, to_json
from security.errors import Corrupt

_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"


def opening(municipality_id: str, head: Head, signed: Iterable[SignedHead]) -> str:
    """Return the line that begins a chain."""
    heads = sorted(signed, key=lambda one: one.head.count)
    return _line(
        {
            "chain": municipality_id,
            "v": 1,
            "count": head.count,
            "link": head.link.hex(),
            "signed": [to_json(one) for one in heads],
        }
    )


def entry_line(stored: Stored) -> str:
    """Return the line of one entry; `entry` is the canonical bytes as text."""
    return _line(
        {
            "position": stored.position,
            "tag": stored.tag,
            "at": time_text(stored.at),
            "entry": stored.entry.decode(),
            "link": stored.link.hex(),
        }
    )


def verify_lines(
    lines: Iterable[str], keys: Collection[bytes] | None
) -> Iterator[tuple[str, Verified | Corrupt]]:
    """Return each chain's municipality with what was found; `keys` as in `Signatures`.

    Raises `Corrupt` for a file that is no export at all.
    """
    chain: _Chain | None = None
    for number, line in enumerate(lines, 1):
        said = _parsed(line)
        if "chain" in said:
            if chain is not None:
                yield chain.municipality_id, chain.finish()
            chain = _Chain(said, keys, number)
        elif chain is None:
            raise Corrupt(f"line {number}: an export begins with the line of a chain")
        else:
            chain.take(said)
    if chain is None:
        raise Corrupt("the export is empty")
    yield chain.municipality_id, chain.finish()


class _Chain:
    """One chain of an export; after the first thing wrong the rest of it is passed over."""

    def __init__(self, said: Json, keys: Collection[bytes] | None, number: int) -> None:
        try:
            head = Head(int(said["count"]), bytes.fromhex(said["link"]))
            signed = [from_json(one) for one in said["signed"]]
        except (KeyError, TypeError, ValueError, Corrupt):
            raise Corrupt(f"line {number}: not the line of a chain") from None
        self.municipality_id = str(said["chain"])
        mine = [one for one in signed if one.municipality_id == self.municipality_id]
        self._known = head if head.count else None
        self._walk = Walk(self.municipality_id, self._known)
        self._begun = False
        self._signatures = Signatures(mine, keys)
        self._wrong: Corrupt | None = None

    def take(self, said: Json) -> None:
        """Verify one entry."""
        if self._wrong is None:
            try:
                self._take(self._stored(said))
            except Corrupt as error:
                self._wrong = error

    def _take(self, stored: Stored) -> None:
        if not self._begun:
            first = stored.position if type(stored.position) is int else 1
            start = self._signatures.begin(first)
            self._walk = Walk(self.municipality_id, self._known, start)
            self._begun = True
        self._walk.take(stored)
        self._signatures.take(self._walk.head)

    def finish(self) -> Verified | Corrupt:
        """Return what was found."""
        if self._wrong is not None:
            return self._wrong
        try:
            self._walk.require_trim()
            self._signatures.finish(self._walk.finish())
        except Corrupt as error:
            return error
        signed = self._signatures
        return Verified(self._walk.head, signed.count, signed.key, self._walk.set_back)

    def _stored(self, said: Json) -> Stored:
        try:
            return Stored(
                said["position"],
                said["tag"],
                datetime.strptime(said["at"], _TIME).replace(tzinfo=UTC),
                said["entry"].encode(),
                bytes.fromhex(said["link"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            position = self._walk.head.count + 1
            raise Corrupt(f"position {position}: the line is not an entry") from None


def _line(said: Json) -> str:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")) + "\n"


def _parsed(line: str) -> dict[str, Any]:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        said = None
    # A line cut in two is an entry that is missing, and named as such.
    return said if isinstance(said, dict) else {}
