"""What the service knows of a file sent during a call. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class FileState(StrEnum):
    """Where a file is on its way to the other side."""

    ARRIVING = "arriving"
    CHECKING = "checking"
    OFFERED = "offered"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file. Hashes are lower-case hex SHA-256; `reason` is an error code when refused.

    `scanned` is `clean`, `not` (wanted, but no scanner answered), or None: not asked for.
    `still`: it is a still picture that a step of the call asked for, and is kept and shown as one.
    `taken_by` names who has had its bytes: "counter", and ids of persons.
    """

    id: str
    municipality_id: str
    call_id: str
    party: str
    person_id: str
    name: str
    size_bytes: int
    sha256_sent: str
    at: datetime
    state: FileState = FileState.ARRIVING
    media_type: str | None = None
    offered_bytes: int | None = None
    sha256_offered: str | None = None
    reason: str | None = None
    scanned: str | None = None
    still: bool = False
    taken_by: tuple[str, ...] = ()
