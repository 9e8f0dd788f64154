"""What happens to a file that has arrived: hashed, looked at, made harmless, sealed as one blob.

Blocking and hungry: call it in a worker thread, one at a time.
"""

import hashlib
import hmac
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from files.blobs import Blobs
from files.kinds import HEAD_BYTES, MEDIA_TYPES, PDF, TAIL_BYTES, media_type_of
from files.parts import Parts, Place
from files.rebuild import rebuild
from security.crypto.keys import DataKey
from security.errors import ProtocolError


@dataclass(frozen=True, slots=True)
class Checked:
    """What is offered now; the hash is over its plaintext."""

    media_type: str
    offered_bytes: int
    sha256_offered: str


def check(
    blobs: Blobs,
    place: Place,
    key: DataKey,
    *,
    sha256_sent: str,
    allowed: Collection[str] = MEDIA_TYPES,
    training: bool = False,
) -> Checked:
    """Turn the parts of a file into the blob that is offered, and say what it is.

    1. The SHA-256 of the whole must be `sha256_sent`, or `ProtocolError` (`hash_mismatch`).
    2. The bytes must be a PDF, JPEG or PNG, and `allowed`, or `ProtocolError` (`wrong_type`).
    3. A picture is rebuilt without metadata (`TooMuch` when it has too many pixels), with the
       watermark of 研修モード when it is `training`; a PDF passes unchanged, piece by piece.
    4. The result is sealed as one blob, there in full or not at all (`Unavailable`, `disk_full`).

    The parts stay. Raises `Corrupt` when one of them does not verify.
    """
    parts = Parts(blobs, place)
    media_type = _looked_at(parts.read(key), sha256_sent)
    if media_type not in allowed:
        raise ProtocolError("files of this type are not taken here", code="wrong_type")
    if media_type == PDF:
        return _seal(blobs, place, key, media_type, parts.read(key), parts.received())
    picture = rebuild(b"".join(parts.read(key)), media_type, training=training)
    return _seal(blobs, place, key, media_type, [picture], len(picture))


def _looked_at(pieces: Iterator[bytes], sha256_sent: str) -> str:
    digest = hashlib.sha256()
    head = tail = b""
    for piece in pieces:
        digest.update(piece)
        head += piece[: HEAD_BYTES - len(head)]
        tail = (tail + piece)[-TAIL_BYTES:]
    if not hmac.compare_digest(digest.hexdigest(), sha256_sent):
        raise ProtocolError(
            "the file does not have the hash it was announced with", code="hash_mismatch"
        )
    return media_type_of(head, tail)


def _seal(
    blobs: Blobs,
    place: Place,
    key: DataKey,
    media_type: str,
    pieces: Iterable[bytes],
    size_bytes: int,
) -> Checked:
    sealer = key.sealer(*place.ids("file"))

    def write(file: BinaryIO) -> Checked:
        digest, size = hashlib.sha256(), 0
        file.write(sealer.header)
        for piece in pieces:
            digest.update(piece)
            size += len(piece)
            file.write(sealer.update(piece))
        file.write(sealer.finish())
        return Checked(media_type, size, digest.hexdigest())

    return blobs.put(place.offered, write, size_bytes=size_bytes)
