"""A tablet's key in software, for simulated pages: signs as a browser does (PROTOCOL.md 1.1)."""

import base64
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from security.tablet_key import (
    Challenge,
    enrol_message,
    offer_message,
    page_message,
    socket_message,
)

Json = dict[str, Any]


def base64url(data: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


class SoftKey:
    """A fresh key pair. `asked` arguments are what the server says as `challenge`."""

    def __init__(self) -> None:
        self._private = ec.generate_private_key(ec.SECP256R1())
        spki = self._private.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )
        self.public = base64url(spki)

    def sign(self, message: bytes) -> str:
        """Return the signature of a message as it travels."""
        r, s = utils.decode_dss_signature(self._private.sign(message, ec.ECDSA(hashes.SHA256())))
        return base64url(r.to_bytes(32) + s.to_bytes(32))

    def claim(self, secret: str) -> Json:
        """Return the fields by which a code or link enrols a tablet with this key."""
        return {"key": self.public, "signature": self.sign(enrol_message(secret, self.public))}

    def page(self, asked: Json) -> Json:
        """Return the body that answers a page's challenge."""
        message = page_message(*_who(asked))
        return {"challenge": asked["challenge"], "signature": self.sign(message)}

    def socket(self, asked: Json, page_id: str) -> str:
        """Return the `proof` of a `hello`."""
        return self.sign(socket_message(*_who(asked), page_id))

    def offer(self, asked: Json, call_id: str, connection: int, sdp: str) -> str:
        """Return the `signature` of an `offer` on the socket that asked so."""
        return self.sign(offer_message(*_who(asked), call_id, connection, sdp))


def _who(asked: Json) -> tuple[str, str, Challenge]:
    challenge = Challenge(asked["challenge"], asked["issued_at"])
    return asked["municipality"], asked["tablet"], challenge
