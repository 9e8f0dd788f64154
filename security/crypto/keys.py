"""The keys of the house (FORMAT.md sections 1 and 4): loaded, made, wrapped. Draws the salts."""

import base64
import binascii
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from security.crypto.stream import (
    KEY_BYTES,
    SALT_BYTES,
    TAG_BYTES,
    SealedReader,
    Sealer,
    chunk_nonce,
    derive_key,
    encode_ids,
    seal,
    unseal,
)
from security.errors import Corrupt, Unavailable
from security.secret_file import read_secret, write_secret

ENVIRONMENT_NAME = "MADOGUCHI_KEK"
_WRAP_MAGIC = b"mgw\x01"
_WRAP_LABEL = b"madoguchi wrap 1\x00"
_SIGN_LABEL = b"madoguchi sign 1\x00"
_MAC_LABEL = b"madoguchi mac 1\x00"
_KEY_ID_INFO = b"madoguchi key id 1"
_KEY_ID_BYTES = 8
_HEAD_BYTES = len(_WRAP_MAGIC) + _KEY_ID_BYTES
_WRAPPED_BYTES = _HEAD_BYTES + SALT_BYTES + KEY_BYTES + TAG_BYTES
_KEY_TEXT = re.compile(r"mgk1-([A-Za-z0-9_-]{43})")


class DataKey:
    """Seals and opens what belongs to one call, or the names of one municipality.

    Each sealing has its own salt and so its own key; `ids` say what is sealed (section 2).
    """

    __slots__ = ("_raw",)

    def __init__(self, raw: bytes) -> None:
        if len(raw) != KEY_BYTES:
            raise ValueError("a data key has 32 bytes")
        self._raw = raw

    def __repr__(self) -> str:
        return "DataKey(…)"

    def seal(self, plaintext: bytes, *ids: str) -> bytes:
        """Return `plaintext` as one sealed blob."""
        return seal(self._raw, secrets.token_bytes(SALT_BYTES), plaintext, ids)

    def open(self, sealed: bytes, *ids: str) -> bytes:
        """Return the plaintext. Raises `Corrupt` when it does not verify for these ids."""
        return unseal(self._raw, sealed, ids)

    def sealer(self, *ids: str) -> Sealer:
        """Return a sealer for one plaintext that comes in pieces."""
        return Sealer(self._raw, secrets.token_bytes(SALT_BYTES), ids)

    def reader(self, file: BinaryIO, *ids: str) -> SealedReader:
        """Return a reader by range over a sealed file. Raises `Corrupt` when it does not verify."""
        return SealedReader(file, self._raw, ids)

    def signing_key(self, *ids: str) -> Ed25519PrivateKey:
        """Return the signing key for `ids`: always the same one (section 5)."""
        info = _SIGN_LABEL + encode_ids(ids)
        return Ed25519PrivateKey.from_private_bytes(
            HKDF(SHA256(), KEY_BYTES, None, info).derive(self._raw)
        )


class KeyEncryptionKey:
    """The one key that wraps all data keys."""

    __slots__ = ("_raw", "key_id")

    def __init__(self, raw: bytes) -> None:
        if len(raw) != KEY_BYTES:
            raise ValueError("a key-encryption key has 32 bytes")
        self._raw = raw
        self.key_id = HKDF(SHA256(), _KEY_ID_BYTES, None, _KEY_ID_INFO).derive(raw)

    def mac_key(self, purpose: str) -> bytes:
        """Return the 32 bytes that tokens of a purpose are made with (section 5)."""
        info = _MAC_LABEL + encode_ids((purpose,))
        return HKDF(SHA256(), KEY_BYTES, None, info).derive(self._raw)

    def __repr__(self) -> str:
        return f"KeyEncryptionKey({self.key_id.hex()})"

    @classmethod
    def generate(cls) -> Self:
        """Return a fresh key."""
        return cls(secrets.token_bytes(KEY_BYTES))

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return the key written as `mgk1-…`. Raises `Corrupt` when it is not one."""
        match = _KEY_TEXT.fullmatch(text.strip())
        if match is None:
            raise Corrupt("the key-encryption key is not of the form mgk1- and 43 characters")
        try:
            return cls(base64.b64decode(match[1] + "=", altchars=b"-_", validate=True))
        except binascii.Error:
            raise Corrupt("the key-encryption key is not valid base64url") from None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], name: str = ENVIRONMENT_NAME) -> Self:
        """Return the key of an environment variable. Raises `Unavailable` when it is not set."""
        text = environment.get(name)
        if not text:
            raise Unavailable(f"the environment variable {name} is not set")
        return cls.from_text(text)

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Return the key in the file at `path`, which nobody but its owner may open.

        Raises `Unavailable` when the file cannot be read or its mode is laxer than 0600,
        `Corrupt` when it does not hold a key.
        """
        return cls.from_text(read_secret(path))

    def to_text(self) -> str:
        """Return the key as one line of text, without the line's end."""
        return "mgk1-" + base64.urlsafe_b64encode(self._raw).decode().rstrip("=")

    def write_file(self, path: Path) -> None:
        """Write the key to a new file of mode 0600 and make it durable.

        Raises `Unavailable` when a file is there already (a key is never overwritten) or cannot
        be made.
        """
        write_secret(path, self.to_text())

    def new_key(self, owner: str) -> tuple[DataKey, bytes]:
        """Return a fresh data key, and the same wrapped for `owner` ("call:<id>") to be stored."""
        raw = secrets.token_bytes(KEY_BYTES)
        return DataKey(raw), self._wrap(owner, raw)

    def wrap_again(self, owner: str, wrapped: bytes, old: "KeyEncryptionKey") -> bytes:
        """Return a data key wrapped by us that `old` wrapped. Raises `Corrupt`."""
        return self._wrap(owner, old._unwrap(owner, wrapped))

    def wrapped_by_us(self) -> bytes:
        """Return how each key begins that we wrapped."""
        return _WRAP_MAGIC + self.key_id

    @staticmethod
    def key_id_of(wrapped: bytes) -> bytes:
        """Return the id of the key that wrapped this. Raises `Corrupt` when nothing did."""
        if len(wrapped) != _WRAPPED_BYTES or not wrapped.startswith(_WRAP_MAGIC):
            raise Corrupt("not a wrapped key of a version that is known")
        return wrapped[len(_WRAP_MAGIC) : _HEAD_BYTES]

    def unwrap(self, owner: str, wrapped: bytes) -> DataKey:
        """Return the data key that was wrapped for `owner`. Raises `Corrupt` when it is not."""
        return DataKey(self._unwrap(owner, wrapped))

    def _wrap(self, owner: str, raw: bytes) -> bytes:
        salt = secrets.token_bytes(SALT_BYTES)
        head = self.wrapped_by_us()
        cipher, nonce, associated = self._wrapping(head, salt, owner)
        return head + salt + cipher.encrypt(nonce, raw, associated)

    def _unwrap(self, owner: str, wrapped: bytes) -> bytes:
        key_id = self.key_id_of(wrapped)
        head, salt, sealed = (
            wrapped[:_HEAD_BYTES],
            wrapped[_HEAD_BYTES : _HEAD_BYTES + SALT_BYTES],
            wrapped[_HEAD_BYTES + SALT_BYTES :],
        )
        if key_id != self.key_id:
            raise Corrupt("a data key was wrapped by another key-encryption key than ours")
        cipher, nonce, associated = self._wrapping(head, salt, owner)
        try:
            return cipher.decrypt(nonce, sealed, associated)
        except InvalidTag:
            raise Corrupt("a wrapped key does not verify") from None

    def _wrapping(self, head: bytes, salt: bytes, owner: str) -> tuple[AESGCM, bytes, bytes]:
        ids = encode_ids((owner,))
        key = derive_key(self._raw, salt, _WRAP_LABEL, ids)
        return AESGCM(key), chunk_nonce(0, last=True), head + ids
