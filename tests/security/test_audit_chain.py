"""The chain as FORMAT.md says: what was changed after the fact is found, with its position."""

import contextlib
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security.audit.chain import (
    GENESIS,
    Head,
    Stored,
    Walk,
    append,
    canonical,
    next_link,
    verify,
)
from security.audit.heads import HeadsFile
from security.errors import Corrupt

START = datetime(2026, 11, 23, 1, 2, 3, 456789, tzinfo=UTC)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(max_codepoint=127), max_size=8), inner, max_size=4)
    ),
    max_leaves=10,
)


def chain_of(count: int, municipality: str = "m") -> tuple[list[Stored], Head]:
    """Return a good chain."""
    head, entries = Head(), []
    for number in range(count):
        at = START + timedelta(seconds=number)
        body = {"subject": f"call-{number}", "allowed": number % 2 == 0}
        stored, head = append(head, municipality, "gate:call:accept", body, at=at)
        entries.append(stored)
    return entries, head


def test_a_good_chain_verifies_up_to_its_head() -> None:
    entries, head = chain_of(5)
    assert verify("m", entries, head) == head
    assert head.count == 5


def test_an_empty_chain_verifies() -> None:
    assert verify("m", [], None) == Head()


def test_a_log_may_be_ahead_of_its_heads_after_a_crash() -> None:
    entries, head = chain_of(5)
    assert verify("m", entries, Head(3, entries[2].link)) == head


def test_the_link_is_what_the_format_says() -> None:
    (first, second), _ = chain_of(2)
    assert first.link == hashlib.sha256(b"\x01" + bytes(32) + first.entry).digest()
    assert second.link == hashlib.sha256(b"\x01" + first.link + second.entry).digest()
    assert json.loads(first.entry) == {
        "v": 1,
        "municipality": "m",
        "position": 1,
        "tag": "gate:call:accept",
        "at": "2026-11-23T01:02:03.456789Z",
        "subject": "call-0",
        "allowed": True,
    }


def _edited(entries: list[Stored]) -> list[Stored]:
    changed = entries[2].entry.replace(b"call-2", b"call-9")
    return [*entries[:2], replace(entries[2], entry=changed), *entries[3:]]


def _edited_with_link(entries: list[Stored]) -> list[Stored]:
    changed = entries[2].entry.replace(b"call-2", b"call-9")
    link = next_link(entries[1].link, changed)
    return [*entries[:2], replace(entries[2], entry=changed, link=link), *entries[3:]]


def _rewritten_to_the_end(entries: list[Stored]) -> list[Stored]:
    head, out = Head(2, entries[1].link), entries[:2]
    for old in entries[2:]:
        body = {"subject": "forged", "allowed": True}
        stored, head = append(head, "m", old.tag, body, at=old.at)
        out.append(stored)
    return out


def _swapped(entries: list[Stored]) -> list[Stored]:
    a, b = entries[1], entries[2]
    return [entries[0], replace(b, position=2), replace(a, position=3), *entries[3:]]


BREAKS: list[tuple[str, Callable[[list[Stored]], list[Stored]], int]] = [
    ("edited", _edited, 3),
    ("edited with its link", _edited_with_link, 4),
    ("rewritten to the end", _rewritten_to_the_end, 5),
    ("first removed", lambda e: e[1:], 1),
    ("middle removed", lambda e: [*e[:2], *e[3:]], 3),
    ("tail removed", lambda e: e[:3], 4),
    ("all removed", lambda e: [], 1),
    ("swapped", _swapped, 2),
    ("twice", lambda e: [*e[:2], e[1], *e[2:]], 3),
    ("tag of the row changed", lambda e: [replace(e[0], tag="gate:call:close"), *e[1:]], 1),
    ("time of the row changed", lambda e: [replace(e[0], at=START - timedelta(1)), *e[1:]], 1),
    ("white space", lambda e: [replace(e[0], entry=e[0].entry + b" "), *e[1:]], 1),
    ("no JSON", lambda e: [replace(e[0], entry=b"\xff"), *e[1:]], 1),
    ("nested without end", lambda e: [replace(e[0], entry=b"[" * 100_000), *e[1:]], 1),
]


@pytest.mark.parametrize(("what", "breaks", "position"), BREAKS, ids=[b[0] for b in BREAKS])
def test_a_broken_chain_is_refused_at_its_position(
    what: str, breaks: Callable[[list[Stored]], list[Stored]], position: int
) -> None:
    entries, head = chain_of(5)
    with pytest.raises(Corrupt, match=f"position {position}:"):
        verify("m", breaks(entries), head)


def test_an_entry_of_another_municipality_does_not_pass_for_ours() -> None:
    entries, head = chain_of(3, "other")
    with pytest.raises(Corrupt, match="position 1:"):
        verify("m", entries, head)


def test_a_chain_without_a_head_is_refused() -> None:
    entries, _ = chain_of(2)
    with pytest.raises(Corrupt, match="file of heads"):
        verify("m", entries, None)


@given(st.dictionaries(st.text(st.characters(max_codepoint=127)), PLAIN))
def test_canonical_bytes_are_a_fixed_point(entry: dict[str, Any]) -> None:
    once = canonical(entry)
    assert canonical(json.loads(once)) == once
    assert json.loads(once) == entry


@pytest.mark.parametrize("value", [1.5, b"x", {"a": {1, 2}}, {"é": 1}, {1: 2}, START])
def test_what_has_no_single_form_cannot_be_logged(value: object) -> None:
    with pytest.raises(TypeError):
        canonical({"value": value})


@given(st.lists(st.integers(0, 4), min_size=1, max_size=3, unique=True), st.data())
def test_no_changed_byte_goes_unseen(positions: list[int], data: st.DataObject) -> None:
    entries, head = chain_of(5)
    for position in positions:
        old = entries[position]
        index = data.draw(st.integers(0, len(old.entry) - 1))
        flipped = bytearray(old.entry)
        flipped[index] ^= data.draw(st.integers(1, 255))
        entries[position] = replace(old, entry=bytes(flipped))
    with pytest.raises(Corrupt):
        verify("m", entries, head)


def test_the_file_of_heads_never_goes_back(tmp_path: Path) -> None:
    file = HeadsFile(tmp_path / "audit.heads")
    assert file.read() == {}
    file.advance({"m": Head(2, b"\x02" * 32)})
    file.advance({"n": Head(1, b"\x01" * 32)})
    file.advance({"m": Head(1, b"\x01" * 32)})
    assert file.read() == {"m": Head(2, b"\x02" * 32), "n": Head(1, b"\x01" * 32)}
    assert (tmp_path / "audit.heads").stat().st_mode & 0o777 == 0o600


@given(st.binary())
def test_any_bytes_in_the_file_of_heads_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("heads") / "audit.heads"
    path.write_bytes(content)
    with contextlib.suppress(Corrupt):
        assert all(len(head.link) == len(GENESIS) for head in HeadsFile(path).read().values())


@pytest.mark.parametrize(("seconds", "found"), [(-3600, 4), (-31, 4), (-5, None), (60, None)])
def test_a_clock_that_was_set_back_is_found_and_breaks_no_chain(
    seconds: int, found: int | None
) -> None:
    entries, head = chain_of(3)
    for number in range(2):
        at = START + timedelta(seconds=2 + seconds + number)
        stored, head = append(head, "m", "gate:call:accept", {"subject": "c"}, at=at)
        entries.append(stored)
    walk = Walk("m", head)
    for stored in entries:
        walk.take(stored)
    assert walk.finish() == head
    assert walk.set_back == found
