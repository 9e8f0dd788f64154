"""How much of the disk the files that are on their way will still take. Pure."""

from files.entry import FileEntry, FileState

_ON_THEIR_WAY = frozenset({FileState.ARRIVING, FileState.CHECKING})


def needed_bytes(size_bytes: int, received_bytes: int = 0) -> int:
    """Return what a file still takes at most: the rest of its parts, and all of it once offered."""
    return 2 * size_bytes - received_bytes


class Space:
    """What has been promised to files of this process that are not finished."""

    def __init__(self) -> None:
        self._needed: dict[str, int] = {}

    def note(self, entry: FileEntry, received_bytes: int) -> None:
        """Take down how far a file is; one that is finished needs nothing any more."""
        if entry.state in _ON_THEIR_WAY:
            self._needed[entry.id] = needed_bytes(entry.size_bytes, received_bytes)
        else:
            self._needed.pop(entry.id, None)

    @property
    def promised_bytes(self) -> int:
        """Return what all of them may still take."""
        return sum(self._needed.values())
