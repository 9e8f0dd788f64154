"""What the files of a call may be: how large, how many, of which types."""

from dataclasses import dataclass

from files.kinds import MEDIA_TYPES


@dataclass(frozen=True, slots=True)
class FileLimits:
    """Limits of one municipality; `media_types` are those of files/kinds.py.

    `one_time`: each party gets the bytes of a file once.
    """

    max_bytes: int
    max_per_call: int
    media_types: tuple[str, ...] = MEDIA_TYPES
    one_time: bool = False
