"""A WebAuthn authenticator in software, with a browser around it, that does wrong when told to.

It follows WebAuthn Level 3 sections 6.1 (authenticator data) and 5.8.1 (client data): ES256 keys,
no attestation, discoverable credentials.
"""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

Json = dict[str, Any]
PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def to_text(raw: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def to_bytes(text: str) -> bytes:
    """Return what base64url stands for."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Key:
    """One credential."""

    credential_id: bytes
    rp_id: str
    handle: str
    private: ec.EllipticCurvePrivateKey
    count: int = 0


@dataclass
class Authenticator:
    """Keys of one person at pages of `origin`; `counts` false is one that never counts."""

    origin: str
    counts: bool = True
    keys: list[Key] = field(default_factory=list)

    def make(
        self, options: Json, *, origin: str | None = None, rp_id: str | None = None, flags: int = 5
    ) -> Json:
        """Return the answer of `navigator.credentials.create`."""
        key = Key(
            secrets.token_bytes(16),
            options["rp"]["id"],
            options["user"]["id"],
            ec.generate_private_key(ec.SECP256R1()),
        )
        self.keys.append(key)
        numbers = key.private.public_key().public_numbers()
        x, y = (n.to_bytes(32, "big") for n in (numbers.x, numbers.y))
        public = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        length = len(key.credential_id).to_bytes(2, "big")
        attested = bytes(16) + length + key.credential_id + public
        data = self._data(key, rp_id, flags | ATTESTED) + attested
        made = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", options["challenge"], origin)
        response = {"clientDataJSON": to_text(client), "attestationObject": to_text(made)}
        return _credential(key, response)

    def use(
        self,
        options: Json,
        *,
        origin: str | None = None,
        rp_id: str | None = None,
        flags: int = PRESENT | VERIFIED,
        count: int | None = None,
        handle: str | None = None,
    ) -> Json:
        """Return the answer of `navigator.credentials.get` by the newest key."""
        key = self.keys[-1]
        key.count += self.counts
        data = self._data(key, rp_id, flags, count)
        client = self._client("webauthn.get", options["challenge"], origin)
        signed = data + hashlib.sha256(client).digest()
        response = {
            "clientDataJSON": to_text(client),
            "authenticatorData": to_text(data),
            "signature": to_text(key.private.sign(signed, ec.ECDSA(SHA256()))),
            "userHandle": key.handle if handle is None else handle,
        }
        return _credential(key, response)

    def _data(self, key: Key, rp_id: str | None, flags: int, count: int | None = None) -> bytes:
        place = hashlib.sha256((rp_id or key.rp_id).encode()).digest()
        number = key.count if count is None else count
        return place + bytes([flags]) + number.to_bytes(4, "big")

    def _client(self, kind: str, challenge: str, origin: str | None) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": origin or self.origin}
        return json.dumps({**said, "crossOrigin": False}).encode()


def _credential(key: Key, response: Json) -> Json:
    name = to_text(key.credential_id)
    return {"id": name, "rawId": name, "type": "public-key", "response": response}
