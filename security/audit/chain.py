"""The hash chain of the audit log (FORMAT.md): canonical bytes, links, verification. Pure."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from security.errors import Corrupt

VERSION = b"\x01"
GENESIS = bytes(32)
TRIM_TAG = "retention:audit:trim"
Json = dict[str, Any]


SET_BACK = timedelta(seconds=30)


def gate_tag(action: str) -> str:
    """Return the tag of the gate's decisions over an action: `gate:call:place`."""
    return f"gate:{action.replace('.', ':')}"


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain: how many entries it has and the last link."""

    count: int = 0
    link: bytes = GENESIS


GENESIS_HEAD = Head()


@dataclass(frozen=True, slots=True)
class Stored:
    """One entry as it lies in a table: `tag` and `at` repeat what the entry says, for searching."""

    position: int
    tag: str
    at: datetime
    entry: bytes
    link: bytes


def canonical(entry: Json) -> bytes:
    """Return the canonical bytes of an entry (FORMAT.md section 2).

    Raises `TypeError` for anything but text, whole numbers, booleans, null, lists and objects.
    """
    _check_plain(entry)
    text = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def time_text(at: datetime) -> str:
    """Return a time as it stands in an entry: UTC with microseconds and a Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def next_link(previous: bytes, entry: bytes) -> bytes:
    """Return SHA-256 over 0x01, the previous link and the canonical bytes of the entry."""
    return hashlib.sha256(VERSION + previous + entry).digest()


def append(
    head: Head, municipality_id: str, tag: str, body: Json, *, at: datetime
) -> tuple[Stored, Head]:
    """Return the next entry of a chain and the chain's new head."""
    position = head.count + 1
    entry = canonical(
        {
            **body,
            "v": 1,
            "municipality": municipality_id,
            "position": position,
            "tag": tag,
            "at": time_text(at),
        }
    )
    link = next_link(head.link, entry)
    return Stored(position, tag, at, entry, link), Head(position, link)


class Walk:
    """Verifies one municipality's chain, entry by entry, in the steps of FORMAT.md section 5.

    `set_back` is the first position whose time lies before that of an earlier entry by more than
    entries that wait together may differ: the clock was set back. That breaks no chain.
    """

    def __init__(
        self, municipality_id: str, known: Head | None, start: Head = GENESIS_HEAD
    ) -> None:
        """Begin after `start`, which must be known to be good; `known` is a head to meet."""
        self._municipality_id = municipality_id
        self._known = known
        self._start = start
        self._trims: set[tuple[int, str]] = set()
        self.head = start
        self.set_back: int | None = None
        self._latest: datetime | None = None

    def take(self, stored: Stored) -> None:
        """Verify the next entry; raises `Corrupt` naming the position."""
        position = self.head.count + 1
        if stored.position != position:
            raise _broken(position, "the entry is missing")
        entry = self._parsed(stored)
        said = (entry.get("municipality"), entry.get("position"), entry.get("tag"), entry.get("at"))
        row = (self._municipality_id, position, stored.tag, time_text(stored.at))
        if said != row:
            raise _broken(position, "the entry does not belong here")
        if next_link(self.head.link, stored.entry) != stored.link:
            raise _broken(position, "the link does not follow from the entry and the one before")
        if self._known and self._known.count == position and self._known.link != stored.link:
            raise _broken(position, "the link is not the one in the file of heads")
        detail = entry.get("detail")
        if stored.tag == TRIM_TAG and isinstance(detail, dict):
            self._trims.add((detail.get("count", 0), detail.get("link", "")))
        self.head = Head(position, stored.link)
        self._look_at_clock(position, stored.at)

    def _look_at_clock(self, position: int, at: datetime) -> None:
        if self._latest is None or at > self._latest:
            self._latest = at
        elif self.set_back is None and self._latest - at > SET_BACK:
            self.set_back = position

    def require_trim(self) -> None:
        """Verify that an entry tells of what was let go before the start (FORMAT.md section 9)."""
        start = self._start
        if start.count and (start.count, start.link.hex()) not in self._trims:
            raise _broken(1, "the entry is missing")

    def finish(self) -> Head:
        """Verify the end and return the head; raises `Corrupt` when the tail was cut off."""
        known = self._known
        if known is None and self.head.count:
            raise _broken(self.head.count, "the file of heads does not know this chain")
        if known is not None and known.count > self.head.count:
            raise _broken(self.head.count + 1, f"cut off: {known.count} entries were written")
        return self.head

    def _parsed(self, stored: Stored) -> Json:
        try:
            entry = json.loads(stored.entry)
            if isinstance(entry, dict) and canonical(entry) == stored.entry:
                return entry
        except (ValueError, TypeError, RecursionError):
            pass
        raise _broken(stored.position, "the entry is not canonical JSON")


def verify(municipality_id: str, entries: Iterable[Stored], known: Head | None) -> Head:
    """Verify a whole chain against the head that is known of it; return its head.

    Raises `Corrupt` naming the first broken position.
    """
    walk = Walk(municipality_id, known)
    for stored in entries:
        walk.take(stored)
    return walk.finish()


def _broken(position: int, what: str) -> Corrupt:
    return Corrupt(f"position {position}: {what}")


def _check_plain(value: object) -> None:
    if isinstance(value, dict):
        if not all(isinstance(key, str) and key.isascii() for key in value):
            raise TypeError("keys of an audit entry are ASCII text")
        for item in value.values():
            _check_plain(item)
    elif isinstance(value, list):
        for item in value:
            _check_plain(item)
    elif value is not None and not isinstance(value, str | int):
        raise TypeError(f"an audit entry cannot hold {type(value).__name__}")
