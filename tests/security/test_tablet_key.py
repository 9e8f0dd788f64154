"""What a tablet signs, and what is taken for its signature."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from security.errors import Denied, ProtocolError
from security.tablet_key import (
    CHALLENGE_LIFETIME,
    Challenge,
    KeyClaim,
    enrol_message,
    expired,
    fingerprints_of,
    key_name,
    offer_message,
    page_message,
    read_key,
    require_claim,
    require_signature,
    socket_message,
)
from server.demo.soft_key import SoftKey, base64url

AT = datetime(2026, 11, 23, tzinfo=UTC)
ASKED = Challenge("c" * 43, "2026-11-23T00:00:00.000Z")
SDP = "v=0\r\na=fingerprint:sha-256 AA:BB\r\nm=audio 9 X 0\r\n"


def test_every_purpose_and_every_field_gives_another_message() -> None:
    messages = [
        enrol_message("code", "key"),
        page_message("m", "t", ASKED),
        socket_message("m", "t", ASKED, "p"),
        socket_message("m", "t", ASKED, "q"),
        socket_message("m", "u", ASKED, "p"),
        socket_message("n", "t", ASKED, "p"),
        socket_message("m", "t", Challenge("d" * 43, ASKED.issued_at), "p"),
        socket_message("m", "t", Challenge(ASKED.value, "2026-11-23T00:00:01.000Z"), "p"),
        offer_message("m", "t", ASKED, "call", 1, SDP),
        offer_message("m", "t", ASKED, "other", 1, SDP),
        offer_message("m", "t", ASKED, "call", 2, SDP),
        offer_message("m", "t", ASKED, "call", 1, SDP.replace("AA", "AB")),
        offer_message("m", "t", ASKED, "call", 1, SDP + "a=x\r\n"),
    ]
    assert len(set(messages)) == len(messages)
    assert all(message.startswith(b"madoguchi tablet-key v1\n") for message in messages)


def test_no_field_can_reach_into_the_next() -> None:
    with pytest.raises(ProtocolError):
        enrol_message("code\nkey", "x")


def test_the_fingerprints_of_all_lines_are_named_each_once_in_order() -> None:
    sdp = (
        "a=fingerprint:SHA-256 bb:cc\r\nm=audio\r\na=fingerprint:sha-256 BB:CC\r\n"
        "a=fingerprint:sha-1 01:02\nm=video\r\na=fingerprint: none\r\n"
    )
    assert fingerprints_of(sdp) == "sha-1 01:02,sha-256 BB:CC"


def test_a_signature_holds_for_its_message_and_key_alone() -> None:
    key, other = SoftKey(), SoftKey()
    spki = read_key(key.public)
    signature = key.sign(b"message")
    require_signature(spki, b"message", signature)
    for public, message, given_signature in (
        (spki, b"massage", signature),
        (read_key(other.public), b"message", signature),
        (spki, b"message", other.sign(b"message")),
        (spki, b"message", signature[:-2]),
        (spki, b"message", signature + "AA"),
        (spki, b"message", "A" * 86),
        (spki, b"message", ""),
        (spki, b"message", "é"),
    ):
        with pytest.raises(Denied) as caught:
            require_signature(public, message, given_signature)
        assert caught.value.code == "key_refused"


@given(st.text(max_size=300))
def test_any_text_is_a_refused_signature(text: str) -> None:
    with pytest.raises(Denied):
        require_signature(read_key(KEY.public), b"message", text)


KEY = SoftKey()


def _spki(key: object) -> str:
    public = key.public_key()  # type: ignore[attr-defined]
    return base64url(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "AAAA",
        "é",
        "A" * 5000,
        base64.b64encode(b"\xff" * 91).decode(),
        _spki(ec.generate_private_key(ec.SECP384R1())),
        _spki(ed25519.Ed25519PrivateKey.generate()),
        KEY.public[:-4],
    ],
    ids=["empty", "short", "no-base64", "long", "no-key", "p384", "ed25519", "cut"],
)
def test_only_a_key_on_p256_is_taken(text: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        read_key(text)
    assert caught.value.code == "bad_key"


def test_a_key_is_claimed_by_who_holds_it_and_for_this_code() -> None:
    claim = KeyClaim(**KEY.claim("ABCD-EFGH"))
    assert require_claim(claim, "ABCD-EFGH") == read_key(KEY.public)
    for wrong, code in (
        (claim, "ABCD-EFGJ"),
        (KeyClaim(SoftKey().public, claim.signature), "ABCD-EFGH"),
    ):
        with pytest.raises(Denied):
            require_claim(wrong, code)


def test_a_challenge_ends_after_a_minute_and_none_comes_from_the_future() -> None:
    last = AT + CHALLENGE_LIFETIME - timedelta(milliseconds=1)
    assert not expired(AT, AT)
    assert not expired(AT, last)
    assert expired(AT, AT + CHALLENGE_LIFETIME)
    assert expired(AT, AT - timedelta(milliseconds=1))


def test_keys_are_called_by_a_short_name_of_their_own() -> None:
    names = {key_name(read_key(SoftKey().public)) for _ in range(8)}
    assert len(names) == 8
    assert {len(name) for name in names} == {16}
