"""Signatures of the Standard Webhooks specification: v1 (HMAC-SHA256) and v1a (Ed25519). Pure.

The signed content is `id.timestamp.body`; the header lists every signature, those of the keys
before a rotation as well, so that a receiver verifies with the one that it has.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SECRET_PREFIX, PUBLIC_PREFIX = "whsec_", "whpk_"
SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """What one generation of a webhook signs with."""

    secret: str
    private: Ed25519PrivateKey

    def __repr__(self) -> str:
        return "SigningKeys(…)"


def new_secret() -> str:
    """Return a fresh secret: `whsec_` and 32 random bytes in base64."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def public_text(private: Ed25519PrivateKey) -> str:
    """Return the public key as receivers are given it: `whpk_` and 32 bytes in base64."""
    return PUBLIC_PREFIX + base64.b64encode(private.public_key().public_bytes_raw()).decode()


def headers(
    message_id: str, at: datetime, body: bytes, keys: Sequence[SigningKeys]
) -> Mapping[str, str]:
    """Return the three headers of a message that is sent at `at`."""
    seconds = int(at.timestamp())
    content = f"{message_id}.{seconds}.".encode() + body
    signatures = [f"v1,{_text(_hmac(one.secret, content))}" for one in keys]
    signatures += [f"v1a,{_text(one.private.sign(content))}" for one in keys]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(signatures),
    }


def _hmac(secret: str, content: bytes) -> bytes:
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    return hmac.new(key, content, hashlib.sha256).digest()


def _text(signature: bytes) -> str:
    return base64.b64encode(signature).decode()
