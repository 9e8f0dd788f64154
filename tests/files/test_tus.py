"""The headers of tus: a value or a `ProtocolError`, whatever a peer writes."""

import base64
import contextlib
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from files.tus import (
    check_version,
    creation_metadata,
    encode_checksum,
    encode_metadata,
    parse_checksum,
    parse_creation,
    parse_metadata,
    parse_number,
    parse_patch,
)
from security.errors import ProtocolError, TooMuch

DIGEST = hashlib.sha256(b"x").hexdigest()
GOOD = {
    "Tus-Resumable": "1.0.0",
    "Upload-Length": "81234",
    "Upload-Metadata": creation_metadata("申請書.pdf", DIGEST),
}
PATCH = {
    "Tus-Resumable": "1.0.0",
    "Content-Type": "application/offset+octet-stream",
    "Upload-Offset": "12",
}
HeaderText = st.text(st.characters(codec="latin-1"), max_size=200)


def test_a_creation_says_name_size_and_hash_whatever_the_case_of_its_headers() -> None:
    headers = CIMultiDict({name.lower(): value for name, value in GOOD.items()})
    creation = parse_creation(headers, max_bytes=100_000)
    assert (creation.name, creation.size_bytes, creation.sha256) == ("申請書.pdf", 81234, DIGEST)


def test_a_creation_may_be_as_large_as_the_limit_and_no_larger() -> None:
    assert parse_creation(GOOD, max_bytes=81_234).size_bytes == 81_234
    with pytest.raises(TooMuch) as caught:
        parse_creation(GOOD, max_bytes=81_233)
    assert (caught.value.code, caught.value.limit, caught.value.unit) == (
        "too_large",
        81_233,
        "bytes",
    )


def _metadata(**values: bytes) -> str:
    return encode_metadata({"filename": b"a.pdf", "sha256": DIGEST.encode(), **values})


@pytest.mark.parametrize(
    ("change", "code", "status"),
    [
        ({"Tus-Resumable": "0.2.2"}, "protocol", 412),
        ({"Tus-Resumable": None}, "protocol", 412),
        ({"Upload-Length": None}, "bad_metadata", 400),
        ({"Upload-Length": "-1"}, "bad_metadata", 400),
        ({"Upload-Length": "1e3"}, "bad_metadata", 400),
        ({"Upload-Length": " 1"}, "bad_metadata", 400),
        ({"Upload-Length": "１"}, "bad_metadata", 400),
        ({"Upload-Length": "9" * 16}, "bad_metadata", 400),
        ({"Upload-Length": "0"}, "wrong_type", 400),
        ({"Upload-Defer-Length": "1"}, "bad_metadata", 400),
        ({"Upload-Metadata": None}, "bad_metadata", 400),
        ({"Upload-Metadata": "filename YS5wZGY="}, "bad_metadata", 400),
        ({"Upload-Metadata": _metadata(filename=b"\xff")}, "bad_metadata", 400),
        ({"Upload-Metadata": _metadata(sha256=b"")}, "bad_metadata", 400),
        ({"Upload-Metadata": _metadata(sha256=DIGEST.upper().encode())}, "bad_metadata", 400),
        ({"Upload-Metadata": _metadata(sha256=DIGEST.encode() + b"0")}, "bad_metadata", 400),
        ({"Upload-Metadata": _metadata(more=b"x" * 4096)}, "bad_metadata", 400),
    ],
    ids=str,
)
def test_a_creation_with_one_thing_wrong_is_refused(
    change: dict[str, str | None], code: str, status: int
) -> None:
    headers = {name: value for name, value in {**GOOD, **change}.items() if value is not None}
    with pytest.raises(ProtocolError) as caught:
        parse_creation(headers, max_bytes=100_000)
    assert (caught.value.code, caught.value.status) == (code, status)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"Tus-Resumable": "2.0.0"}, 412),
        ({"Content-Type": "application/octet-stream"}, 415),
        ({"Upload-Offset": "x"}, 400),
        ({"Upload-Checksum": "md5 " + base64.b64encode(bytes(16)).decode()}, 400),
        ({"Upload-Checksum": "sha256 " + base64.b64encode(bytes(16)).decode()}, 400),
        ({"Upload-Checksum": "sha256 !!!!"}, 400),
        ({"Upload-Checksum": "sha256"}, 400),
    ],
    ids=str,
)
def test_a_patch_with_one_thing_wrong_is_refused(change: dict[str, str], status: int) -> None:
    with pytest.raises(ProtocolError) as caught:
        parse_patch({**PATCH, **change})
    assert caught.value.status == status


def test_a_patch_says_where_it_begins_and_may_give_a_checksum() -> None:
    assert parse_patch(PATCH).offset == 12
    assert parse_patch(PATCH).sha256 is None
    digest = hashlib.sha256(b"body").digest()
    patch = parse_patch({**PATCH, "Upload-Checksum": encode_checksum(digest)})
    assert patch.sha256 == digest


@pytest.mark.parametrize(
    "text",
    ["a,", ",", "a b c", "a !", "a YQ", "a YQ==,a YQ==", " ", "é YQ==", "a あ", "a\tYQ=="],
)
def test_malformed_metadata_is_refused(text: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        parse_metadata(text)
    assert caught.value.code == "bad_metadata"


def test_metadata_may_stand_with_blanks_after_its_commas_and_keys_without_a_value() -> None:
    assert parse_metadata("a YQ==, b Yg==,flag") == {"a": b"a", "b": b"b", "flag": b""}


@given(
    st.dictionaries(
        st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters=","))
        .filter(bool)
        .map(lambda key: key[:64]),
        st.binary(max_size=80),
        max_size=6,
    )
)
def test_metadata_survives_being_written_and_read(pairs: dict[str, bytes]) -> None:
    assert parse_metadata(encode_metadata(pairs)) == pairs


@given(st.binary(min_size=32, max_size=32))
def test_a_checksum_survives_being_written_and_read(digest: bytes) -> None:
    assert parse_checksum(encode_checksum(digest)) == digest


@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: st.one_of(HeaderText, st.just(value))
            for name, value in {**GOOD, **PATCH, "Upload-Checksum": "sha256 x"}.items()
        },
    )
)
def test_any_headers_give_a_value_or_a_named_error(headers: dict[str, str]) -> None:
    for parse in (
        check_version,
        parse_patch,
        lambda headers: parse_creation(headers, max_bytes=10),
    ):
        with contextlib.suppress(ProtocolError, TooMuch):
            parse(headers)


@given(st.text(st.characters(), max_size=60))
def test_any_text_gives_a_value_or_a_protocol_error(text: str) -> None:
    for parse in (parse_metadata, parse_checksum, lambda text: parse_number("n", text)):
        with contextlib.suppress(ProtocolError):
            parse(text)
