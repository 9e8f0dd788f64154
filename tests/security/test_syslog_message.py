"""Audit entries as syslog messages (RFC 5424, RFC 5425)."""

from datetime import UTC, datetime

import pytest

from security.audit.chain import Head, Stored, append
from security.audit.syslog import Sender, framed, message

AT = datetime(2026, 11, 23, 1, 2, 3, 4, tzinfo=UTC)
SENDER = Sender("madoguchi.example.lg.jp", 32473)


def stored(tag: str = "gate:call:place", **body: object) -> Stored:
    return append(Head(), "m", tag, dict(body), at=AT)[0]


def test_a_message_is_as_the_standard_writes_it() -> None:
    entry = stored(subject="x")
    assert message(SENDER, "m", entry).decode() == (
        "<110>1 2026-11-23T01:02:03.000004Z madoguchi.example.lg.jp madoguchi - gate:call:place "
        f'[audit@32473 municipality="m" position="1" link="{entry.link.hex()}" '
        'tag="gate:call:place"] \ufeff' + entry.entry.decode()
    )


@pytest.mark.parametrize(("allowed", "priority"), [(True, b"<110>1"), (False, b"<108>1")])
def test_a_refusal_is_a_warning(allowed: bool, priority: bytes) -> None:
    assert message(SENDER, "m", stored(allowed=allowed)).startswith(priority)


def test_structured_data_escapes_what_would_end_it() -> None:
    sent = message(SENDER, 'a"b]c\\d', stored()).decode()
    assert r'municipality="a\"b\]c\\d"' in sent


def test_a_frame_counts_bytes_and_not_characters() -> None:
    assert framed("架空".encode()) == b"6 " + "架空".encode()


def test_a_long_or_foreign_tag_is_cut_where_only_ascii_may_stand_and_whole_beside() -> None:
    tag = "command:" + "長" * 40
    sent = message(SENDER, "m", stored(tag)).decode()
    assert " - command:" + "?" * 24 + " [audit" in sent
    assert f'tag="{tag}"' in sent


def test_an_entry_stays_as_it_is_to_the_byte() -> None:
    entry = stored(subject='改行\n"と]\\')
    assert message(SENDER, "m", entry).endswith(b"\xef\xbb\xbf" + entry.entry)
