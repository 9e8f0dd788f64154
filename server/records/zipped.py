"""The one form of zip in which a bundle travels (FORMAT.md section 5). Pure but for its file.

Members are stored and never compressed, one after another from byte 0; time, attributes and
everything else that a zip could say are fixed. So the directory at the end follows from the
members, and a file whose end is not exactly that is refused: nothing hides between or behind.
"""

import hashlib
import io
import re
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

from security.errors import Corrupt

MAX_BYTES = 2**31 - 1
MAX_MEMBERS = 4_000
MAX_HELD_BYTES = 64 * 1024 * 1024
NAME = re.compile(r"[a-z0-9][A-Za-z0-9._-]{0,79}(/[A-Za-z0-9][A-Za-z0-9._-]{0,79})?")
HASHED_ONLY = "evidence/"
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_VERSION, _DATE = 20, 0x21  # 1980-01-01, the first day that a zip knows
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Member:
    """What is known of a member once its bytes have been read; `content` of what is held."""

    name: str
    size: int
    crc: int
    sha256: str
    content: bytes | None = None


def write(members: Iterable[tuple[str, bytes]]) -> bytes:
    """Return the archive of `members`, in their order. Raises `ValueError` over a limit."""
    out, written, names = io.BytesIO(), list[tuple[Member, int]](), set[str]()
    for name, content in members:
        if NAME.fullmatch(name) is None or name in names:
            raise ValueError(f"no name for a member: {name}")
        names.add(name)
        member = Member(name, len(content), zlib.crc32(content), "")
        written.append((member, out.tell()))
        out.write(_local(member) + content)
    if out.tell() > MAX_BYTES or len(written) > MAX_MEMBERS:
        raise ValueError("a bundle has less than 2 GiB")
    out.write(_directory(written, out.tell()))
    return out.getvalue()


def read(file: BinaryIO) -> dict[str, Member]:
    """Return the members of an archive by name; only small ones are held, evidence is hashed.

    Raises `Corrupt` for any archive that `write` would not have written.
    """
    size = file.seek(0, io.SEEK_END)
    if size > MAX_BYTES:
        raise Corrupt("the archive has more than 2 GiB")
    found: list[tuple[Member, int]] = []
    names: set[str] = set()
    held = offset = 0
    while True:
        file.seek(offset)
        head = file.read(_LOCAL.size)
        if not head.startswith(b"PK\x03\x04"):
            break
        member, end = _member(file, head, offset, size)
        if member.name in names:
            raise Corrupt(f"the name {member.name} stands there twice")
        held += len(member.content or b"")
        if held > MAX_HELD_BYTES or len(found) >= MAX_MEMBERS:
            raise Corrupt("the archive holds more than a bundle may")
        names.add(member.name)
        found.append((member, offset))
        offset = end
    if not found:
        raise Corrupt("the file does not begin with a member")
    file.seek(offset)
    directory = _directory(found, offset)
    if file.read(len(directory) + 1) != directory:
        raise Corrupt("what follows the members is not their directory")
    return {member.name: member for member, _ in found}


def _member(file: BinaryIO, head: bytes, offset: int, end: int) -> tuple[Member, int]:
    if len(head) < _LOCAL.size:
        raise Corrupt("the archive ends within a member")
    _, version, flags, method, time, date, crc, packed, size, name_size, extra = _LOCAL.unpack(head)
    name = file.read(name_size).decode("ascii", "replace")
    if NAME.fullmatch(name) is None:
        raise Corrupt("a member has a name that no bundle has")
    if method != 0 or packed != size:
        raise Corrupt(f"{name} is compressed")
    if (version, flags, time, date, extra) != (_VERSION, 0, 0, _DATE, 0):
        raise Corrupt(f"the header of {name} says more than a bundle's")
    start = offset + _LOCAL.size + name_size
    if start + size > end:
        raise Corrupt("the archive ends within a member")
    member = _hashed(file, name, size)
    if member.crc != crc:
        raise Corrupt(f"the check sum of {name} is wrong")
    return member, start + size


def _hashed(file: BinaryIO, name: str, size: int) -> Member:
    sha256, crc, kept, left = hashlib.sha256(), 0, list[bytes](), size
    hold = not name.startswith(HASHED_ONLY)
    if hold and size > MAX_HELD_BYTES:
        raise Corrupt("the archive holds more than a bundle may")
    while left:
        piece = file.read(min(_PIECE, left))
        if not piece:
            raise Corrupt("the archive ends within a member")
        sha256.update(piece)
        crc = zlib.crc32(piece, crc)
        left -= len(piece)
        if hold:
            kept.append(piece)
    return Member(name, size, crc, sha256.hexdigest(), b"".join(kept) if hold else None)


def _local(one: Member) -> bytes:
    name = one.name.encode()
    sizes = (one.crc, one.size, one.size, len(name), 0)
    return _LOCAL.pack(b"PK\x03\x04", _VERSION, 0, 0, 0, _DATE, *sizes) + name


def _directory(members: list[tuple[Member, int]], start: int) -> bytes:
    rows = []
    for one, offset in members:
        name = one.name.encode()
        sizes = (one.crc, one.size, one.size, len(name), 0, 0, 0, 0, 0, offset)
        rows.append(_CENTRAL.pack(b"PK\x01\x02", _VERSION, _VERSION, 0, 0, 0, _DATE, *sizes) + name)
    body, count = b"".join(rows), len(rows)
    return body + _END.pack(b"PK\x05\x06", 0, 0, count, count, len(body), start, 0)
