"""Sealed blobs (FORMAT.md section 3): made piece by piece, read by range. Pure.

Salts come in from outside (security/crypto/keys.py draws them), so that nothing here is random.
"""

import io
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from security.errors import Conflict, Corrupt

MAGIC = b"mgs\x01"
LABEL = b"madoguchi seal 1\x00"
KEY_BYTES = 32
SALT_BYTES = 32
TAG_BYTES = 16
CHUNK_BYTES = 65_536
HEADER_BYTES = len(MAGIC) + SALT_BYTES
MAX_IDS = 16
MAX_ID_BYTES = 255
_SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES


def encode_ids(ids: tuple[str, ...]) -> bytes:
    """Return the ids in the one form of FORMAT.md section 2; no two lists share a form."""
    encoded = [name.encode() for name in ids]
    if not 1 <= len(encoded) <= MAX_IDS or not all(0 < len(e) <= MAX_ID_BYTES for e in encoded):
        raise ValueError("1 to 16 ids of 1 to 255 bytes each")
    return b"".join(len(e).to_bytes(2, "big") + e for e in encoded)


def derive_key(secret: bytes, salt: bytes, label: bytes, ids: bytes) -> bytes:
    """Return the 32-byte key of one blob: HKDF-SHA256 (RFC 5869) over `label` and `ids`."""
    if len(secret) != KEY_BYTES or len(salt) != SALT_BYTES:
        raise ValueError("keys and salts have 32 bytes")
    return HKDF(SHA256(), KEY_BYTES, salt, label + ids).derive(secret)


def chunk_nonce(index: int, *, last: bool) -> bytes:
    """Return the 12-byte nonce of chunk `index`: 11 bytes of counter, then the last flag."""
    return index.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def sealed_length(plain_bytes: int) -> int:
    """Return how many bytes a blob of `plain_bytes` has."""
    chunks = max(1, -(-plain_bytes // CHUNK_BYTES))
    return HEADER_BYTES + plain_bytes + TAG_BYTES * chunks


def plain_length(sealed_bytes: int) -> int:
    """Return how many bytes of plaintext a blob of `sealed_bytes` holds.

    Raises `Corrupt` when no blob has that length.
    """
    body = sealed_bytes - HEADER_BYTES
    chunks = -(-body // _SEALED_CHUNK_BYTES)
    plain = body - TAG_BYTES * chunks
    if body < TAG_BYTES or sealed_length(plain) != sealed_bytes:
        raise Corrupt("a sealed blob has an impossible length")
    return plain


class Sealer:
    """Seals one plaintext that arrives in pieces of any size.

    Write `header`, then what each `update` returns, then what `finish` returns. `salt` must be
    fresh: a sealer is for one plaintext and cannot be continued after it is gone.
    """

    def __init__(self, key: bytes, salt: bytes, ids: tuple[str, ...]) -> None:
        encoded = encode_ids(ids)
        self.header = MAGIC + salt
        self._cipher = AESGCM(derive_key(key, salt, LABEL, encoded))
        self._associated = MAGIC + encoded
        self._index = 0
        self._rest = b""
        self._finished = False

    def update(self, plaintext: bytes) -> bytes:
        """Take more plaintext and return the chunks that are complete and not the last."""
        if self._finished:
            raise Conflict("this sealer is finished")
        data = memoryview(self._rest + plaintext)
        sealed = []
        start = 0
        # A full chunk is held back until more follows: it could be the last one.
        while len(data) - start > CHUNK_BYTES:
            sealed.append(self._seal(data[start : start + CHUNK_BYTES], last=False))
            start += CHUNK_BYTES
        self._rest = bytes(data[start:])
        return b"".join(sealed)

    def finish(self) -> bytes:
        """Return the last chunk; the sealer takes nothing more."""
        if self._finished:
            raise Conflict("this sealer is finished")
        self._finished = True
        return self._seal(self._rest, last=True)

    def _seal(self, piece: bytes | memoryview, *, last: bool) -> bytes:
        nonce = chunk_nonce(self._index, last=last)
        self._index += 1
        return self._cipher.encrypt(nonce, piece, self._associated)


class SealedReader:
    """Reads a sealed blob by range from a seekable binary file; one thread at a time.

    The last chunk is opened first, so `length` is proven before a byte is given out.
    Raises `Corrupt` when anything does not verify.
    """

    def __init__(self, file: BinaryIO, key: bytes, ids: tuple[str, ...]) -> None:
        encoded = encode_ids(ids)
        self._file = file
        self.length = plain_length(file.seek(0, io.SEEK_END))
        file.seek(0)
        header = file.read(HEADER_BYTES)
        if len(header) != HEADER_BYTES or not header.startswith(MAGIC):
            raise Corrupt("not a sealed blob of a version that is known")
        self._cipher = AESGCM(derive_key(key, header[len(MAGIC) :], LABEL, encoded))
        self._associated = MAGIC + encoded
        self._last = max(0, (self.length - 1) // CHUNK_BYTES)
        self._held: tuple[int, bytes] = (-1, b"")
        self._chunk(self._last)

    def read_range(self, start: int, end: int) -> bytes:
        """Return the plaintext from `start` up to but not with `end`, cut to what is there."""
        start, end = max(0, start), min(end, self.length)
        if start >= end:
            return b""
        first = start // CHUNK_BYTES
        chunks = [self._chunk(index) for index in range(first, (end - 1) // CHUNK_BYTES + 1)]
        joined = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        skip = first * CHUNK_BYTES
        return joined[start - skip : end - skip]

    def _chunk(self, index: int) -> bytes:
        if self._held[0] == index:
            return self._held[1]
        plain = min(CHUNK_BYTES, self.length - index * CHUNK_BYTES)
        self._file.seek(HEADER_BYTES + index * _SEALED_CHUNK_BYTES)
        sealed = self._file.read(plain + TAG_BYTES)
        nonce = chunk_nonce(index, last=index == self._last)
        try:
            opened = self._cipher.decrypt(nonce, sealed, self._associated)
        except InvalidTag:
            raise Corrupt("a sealed blob does not verify") from None
        self._held = (index, opened)
        return opened


def seal(key: bytes, salt: bytes, plaintext: bytes, ids: tuple[str, ...]) -> bytes:
    """Return `plaintext` as one sealed blob."""
    sealer = Sealer(key, salt, ids)
    return sealer.header + sealer.update(plaintext) + sealer.finish()


def unseal(key: bytes, sealed: bytes, ids: tuple[str, ...]) -> bytes:
    """Return the plaintext of one sealed blob. Raises `Corrupt` when it does not verify."""
    reader = SealedReader(io.BytesIO(sealed), key, ids)
    return reader.read_range(0, reader.length)
