"""The headers of tus 1.0 (https://tus.io/protocols/resumable-upload) as values. Pure.

Core, creation, checksum and termination. Whatever a peer writes becomes a value or a
`ProtocolError` of PROTOCOL.md section 6.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass

from files.names import clean_name
from security.errors import ProtocolError, TooMuch

VERSION = "1.0.0"
EXTENSIONS = "creation,checksum,termination"
CHECKSUM_ALGORITHM = "sha256"
PATCH_TYPE = "application/offset+octet-stream"
CHECKSUM_MISMATCH_STATUS = 460
MAX_METADATA_CHARACTERS = 4096
_NUMBER = re.compile(r"[0-9]{1,15}")
_KEY = re.compile(r"[!-+\--~]{1,64}")  # visible ASCII without the comma
_SHA256_HEX = re.compile(r"[0-9a-f]{64}")
_SHA256_BYTES = 32


@dataclass(frozen=True, slots=True)
class Creation:
    """What a creation says of the file to come; `sha256` is lower-case hex of the whole."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Patch:
    """What a PATCH says of its body; `sha256` is the raw digest of the body, if it was given."""

    offset: int
    sha256: bytes | None


def check_version(headers: Mapping[str, str]) -> None:
    """Raise `ProtocolError` with status 412 unless the peer speaks tus 1.0.0."""
    if headers.get("Tus-Resumable") != VERSION:
        raise ProtocolError(f"Tus-Resumable must be {VERSION}", http_status=412)


def parse_creation(headers: Mapping[str, str], *, max_bytes: int) -> Creation:
    """Return what the headers of a creation say; `headers` must ignore case, as aiohttp's do.

    Raises `TooMuch` (`too_large`) when the file would be over `max_bytes`, `ProtocolError`
    (`bad_metadata`, `wrong_type` for an empty file) for what is missing or malformed.
    """
    check_version(headers)
    if "Upload-Defer-Length" in headers:
        raise ProtocolError("Upload-Defer-Length is not offered", code="bad_metadata")
    size = parse_number("Upload-Length", headers.get("Upload-Length"), code="bad_metadata")
    if size > max_bytes:
        raise TooMuch("the file is too large", limit=max_bytes, unit="bytes")
    if size == 0:
        raise ProtocolError("an empty file is of no type that is taken", code="wrong_type")
    metadata = parse_metadata(headers.get("Upload-Metadata", ""))
    return Creation(_name(metadata), size, _sha256_hex(metadata))


def parse_patch(headers: Mapping[str, str]) -> Patch:
    """Return what the headers of a PATCH say.

    Raises `ProtocolError`, with status 415 when the body is of another type than tus asks for.
    """
    check_version(headers)
    if headers.get("Content-Type", "").strip().lower() != PATCH_TYPE:
        raise ProtocolError(f"the body of a PATCH is {PATCH_TYPE}", http_status=415)
    offset = parse_number("Upload-Offset", headers.get("Upload-Offset"))
    checksum = headers.get("Upload-Checksum")
    return Patch(offset, None if checksum is None else parse_checksum(checksum))


def parse_number(name: str, text: str | None, *, code: str = "protocol") -> int:
    """Return a header's number of bytes, 0 to 15 digits of ASCII. Raises `ProtocolError`."""
    if text is None or _NUMBER.fullmatch(text) is None:
        raise ProtocolError(f"{name} must be a number of bytes", code=code)
    return int(text)


def parse_metadata(text: str) -> dict[str, bytes]:
    """Return the pairs of Upload-Metadata; a key without a value has the value b"".

    Raises `ProtocolError` (`bad_metadata`) when it is longer than 4,096 characters or malformed,
    or a key stands twice.
    """
    if len(text) > MAX_METADATA_CHARACTERS:
        raise ProtocolError("Upload-Metadata is too long", code="bad_metadata")
    pairs: dict[str, bytes] = {}
    for part in text.split(",") if text else ():
        key, _, value = part.strip(" ").partition(" ")
        if _KEY.fullmatch(key) is None or key in pairs:
            raise ProtocolError("Upload-Metadata has a bad or doubled key", code="bad_metadata")
        pairs[key] = _from_base64("Upload-Metadata", value, code="bad_metadata")
    return pairs


def encode_metadata(pairs: Mapping[str, bytes]) -> str:
    """Return Upload-Metadata for `pairs`, as a client sends it."""
    return ",".join(f"{key} {base64.b64encode(value).decode()}" for key, value in pairs.items())


def creation_metadata(name: str, sha256: str) -> str:
    """Return the Upload-Metadata that PROTOCOL.md section 5 asks a client for."""
    return encode_metadata({"filename": name.encode(), "sha256": sha256.encode()})


def parse_checksum(text: str) -> bytes:
    """Return the 32 bytes of an Upload-Checksum; raises `ProtocolError` for any other algorithm."""
    algorithm, _, value = text.partition(" ")
    digest = _from_base64("Upload-Checksum", value)
    if algorithm != CHECKSUM_ALGORITHM or len(digest) != _SHA256_BYTES:
        raise ProtocolError("Upload-Checksum must be sha256 and 32 bytes in base64")
    return digest


def encode_checksum(digest: bytes) -> str:
    """Return the Upload-Checksum of a body with this SHA-256, as a client sends it."""
    return f"{CHECKSUM_ALGORITHM} {base64.b64encode(digest).decode()}"


def _name(metadata: Mapping[str, bytes]) -> str:
    try:
        return clean_name(metadata["filename"].decode())
    except (KeyError, UnicodeDecodeError):
        raise ProtocolError(
            "Upload-Metadata must hold filename, in UTF-8", code="bad_metadata"
        ) from None


def _sha256_hex(metadata: Mapping[str, bytes]) -> str:
    text = metadata.get("sha256", b"").decode("ascii", errors="replace")
    if _SHA256_HEX.fullmatch(text) is None:
        raise ProtocolError(
            "Upload-Metadata must hold sha256, 64 lower-case hex characters", code="bad_metadata"
        )
    return text


def _from_base64(name: str, text: str, *, code: str = "protocol") -> bytes:
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise ProtocolError(f"{name} is not valid base64", code=code) from None
