"""The key of a tablet: what it signs, and how a signature is verified. Pure.

PROTOCOL.md section 1.1 holds the same. The private half never leaves the tablet's browser.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import load_der_public_key

from security.errors import Denied, ProtocolError

DOMAIN = "madoguchi tablet-key v1"
CHALLENGE_LIFETIME = timedelta(seconds=60)
MAX_KEY_BYTES = 128  # a P-256 key is 91
_HALF_BYTES = 32
_FINGERPRINT = re.compile(r"^a=fingerprint:(\S+)[ \t]+(\S+)[ \t]*\r?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a tablet is to sign. `value` is random; `issued_at` as PROTOCOL.md writes times."""

    value: str
    issued_at: str


@dataclass(frozen=True, slots=True)
class KeyClaim:
    """A public key that a browser wants to be known by, with the proof that it has the other half.

    `key` is SPKI in base64url, `signature` that of the message `enrol`.
    """

    key: str
    signature: str


def enrol_message(secret: str, key: str) -> bytes:
    """Return what is signed to enrol; `secret` is the code or token as it was sent."""
    return _message("enrol", secret, key)


def page_message(municipality_id: str, tablet_id: str, challenge: Challenge) -> bytes:
    """Return what a page signs as it starts."""
    return _message("page", municipality_id, tablet_id, challenge.value, challenge.issued_at)


def socket_message(
    municipality_id: str, tablet_id: str, challenge: Challenge, page_id: str
) -> bytes:
    """Return what a page signs in its `hello`."""
    place = (municipality_id, tablet_id, challenge.value, challenge.issued_at)
    return _message("socket", *place, page_id)


def offer_message(
    municipality_id: str,
    tablet_id: str,
    challenge: Challenge,
    call_id: str,
    connection: int,
    sdp: str,
) -> bytes:
    """Return what a page signs with an offer; `challenge` is that of its socket."""
    place = (municipality_id, tablet_id, challenge.value, challenge.issued_at)
    digest = hashlib.sha256(sdp.encode("utf-8", "surrogatepass")).hexdigest()
    return _message("offer", *place, call_id, str(connection), fingerprints_of(sdp), digest)


def fingerprints_of(sdp: str) -> str:
    """Return every certificate fingerprint of an SDP, each once, in order, comma between."""
    found = {f"{name.lower()} {value.upper()}" for name, value in _FINGERPRINT.findall(sdp)}
    return ",".join(sorted(found))


def _message(purpose: str, *fields: str) -> bytes:
    if any("\n" in field for field in fields):
        raise ProtocolError("a signed field holds a newline")
    return "\n".join((DOMAIN, purpose, *fields)).encode("utf-8", "surrogatepass")


def read_key(text: str) -> bytes:
    """Return the SPKI of a public key in base64url. Raises `ProtocolError` `bad_key`."""
    try:
        spki = _bytes_of(text)
        _public_key(spki)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ProtocolError("this is no public key on P-256", code="bad_key") from error
    return spki


def require_signature(public_key: bytes, message: bytes, signature: str) -> None:
    """Raise `Denied` `key_refused` unless `signature` is that of `message` by the key (SPKI)."""
    try:
        raw = _bytes_of(signature)
        if len(raw) != 2 * _HALF_BYTES:
            raise ValueError("a signature is 64 bytes")
        r, s = (int.from_bytes(half) for half in (raw[:_HALF_BYTES], raw[_HALF_BYTES:]))
        encoded = utils.encode_dss_signature(r, s)
        _public_key(public_key).verify(encoded, message, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError, UnsupportedAlgorithm) as error:
        raise key_refused() from error


def require_claim(claim: KeyClaim, secret: str) -> bytes:
    """Return the key (SPKI) of a browser that has shown to hold it.

    Raises `ProtocolError` `bad_key`, `Denied` `key_refused`.
    """
    spki = read_key(claim.key)
    require_signature(spki, enrol_message(secret, claim.key), claim.signature)
    return spki


def expired(challenge_at: datetime, now: datetime) -> bool:
    """Tell whether a challenge that was made at `challenge_at` is too old, or from the future."""
    return not timedelta(0) <= now - challenge_at < CHALLENGE_LIFETIME


def key_name(public_key: bytes) -> str:
    """Return what a key is called in lists and logs: 16 hex characters of its SHA-256."""
    return hashlib.sha256(public_key).hexdigest()[:16]


def key_required() -> Denied:
    """Return the answer to a tablet that shows no key where one is asked for."""
    return Denied("the tablet shows no key", code="key_required", http_status=401)


def key_missing() -> Denied:
    """Return the answer to a tablet that was enrolled before there were keys."""
    return Denied(
        "this tablet was enrolled without a key; enrol it again",
        code="key_missing",
        http_status=401,
    )


def key_refused() -> Denied:
    """Return the answer to a signature that is not the tablet's, or not of what it should be."""
    return Denied("the signature is not the tablet's", code="key_refused", http_status=401)


def offer_unsigned() -> Denied:
    """Return the answer to an offer whose fingerprint the tablet has not signed."""
    return Denied(
        "the offer is not signed by this tablet for this call",
        code="offer_unsigned",
    )


def _bytes_of(text: str) -> bytes:
    """Return the bytes of base64url without padding. Raises `ValueError`."""
    if len(text) > 2 * MAX_KEY_BYTES or not re.fullmatch(r"[A-Za-z0-9_-]*", text):
        raise ValueError("not base64url")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("not base64url") from error


def _public_key(spki: bytes) -> ec.EllipticCurvePublicKey:
    key = load_der_public_key(spki)
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("not a key on P-256")
    return key
