"""Signed heads (FORMAT.md section 4): what is signed, by which key, and their file."""

import fcntl
import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from security.audit.chain import Head, Json, canonical, time_text
from security.errors import Corrupt, Unavailable

FILE_NAME = "audit.signed"
KEY_BYTES = 32
SIGNATURE_BYTES = 64
_LABEL = b"madoguchi audit head 1\x00"


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A head with the signature over it; `at` as it stands in entries."""

    municipality_id: str
    head: Head
    at: str
    key: bytes
    signature: bytes

    def check(self) -> None:
        """Raise `Corrupt` unless the signature is that of `key` over exactly this head."""
        try:
            public = Ed25519PublicKey.from_public_bytes(self.key)
            public.verify(self.signature, statement(self.municipality_id, self.head, self.at))
        except (InvalidSignature, ValueError):
            raise Corrupt("the signature of a head does not verify") from None


def statement(municipality_id: str, head: Head, at: str) -> bytes:
    """Return the bytes that are signed."""
    said = {
        "v": 1,
        "municipality": municipality_id,
        "count": head.count,
        "link": head.link.hex(),
        "at": at,
    }
    return _LABEL + canonical(said)


def sign(key: Ed25519PrivateKey, municipality_id: str, head: Head, *, at: datetime) -> SignedHead:
    """Return `head` signed."""
    said = time_text(at)
    signature = key.sign(statement(municipality_id, head, said))
    return SignedHead(municipality_id, head, said, key.public_key().public_bytes_raw(), signature)


class SignedHeadsFile:
    """The file of signed heads beside the database; only ever appended to. Blocking."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> list[SignedHead]:
        """Return all, in the order in which they were signed. Raises `Corrupt`.

        What a crash left of the last line does not count.
        """
        try:
            text = self._path.read_text("utf-8")
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise Corrupt(f"{self._path.name} cannot be read") from error
        whole = text[: text.rfind("\n") + 1]
        return [_parse(line, self._path.name) for line in whole.split("\n")[:-1]]

    def append(self, signed: SignedHead) -> None:
        """Write one more, durably. Raises `Unavailable`."""
        line = json.dumps(to_json(signed))
        try:
            with self._path.open("a+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                os.fchmod(file.fileno(), 0o600)
                _drop_torn_line(file.fileno())
                file.write(line.encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise Unavailable(f"{self._path.name} cannot be written: {error.strerror}") from error


def _drop_torn_line(descriptor: int) -> None:
    content = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
    whole = content.rfind(b"\n") + 1
    if whole != len(content):
        os.ftruncate(descriptor, whole)


def _parse(line: str, name: str) -> SignedHead:
    try:
        return from_json(json.loads(line))
    except (ValueError, Corrupt):
        raise Corrupt(f"{name} holds a line that is not a signed head") from None


def to_json(signed: SignedHead) -> Json:
    """Return a signed head as it stands in files."""
    return {
        "municipality": signed.municipality_id,
        "count": signed.head.count,
        "link": signed.head.link.hex(),
        "at": signed.at,
        "key": signed.key.hex(),
        "signature": signed.signature.hex(),
    }


def from_json(said: Any) -> SignedHead:
    """Return what `to_json` wrote. Raises `Corrupt`; the signature is not checked here."""
    try:
        link, key, signature = (bytes.fromhex(said[n]) for n in ("link", "key", "signature"))
        texts = isinstance(said["municipality"], str) and isinstance(said["at"], str)
        lengths = (len(link), len(key), len(signature)) == (32, KEY_BYTES, SIGNATURE_BYTES)
        if texts and lengths and type(said["count"]) is int:
            head = Head(said["count"], link)
            return SignedHead(said["municipality"], head, said["at"], key, signature)
    except (ValueError, TypeError, KeyError):
        pass
    raise Corrupt("not a signed head")
