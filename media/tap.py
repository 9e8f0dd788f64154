"""A copy of what a source passes on, for a recorder or a meter. Pure; rule 28 of media/path.py."""

from collections.abc import Iterator

from media.path import TAP_HEAD


class Tap:
    """Holds packets up to `size` bytes, heads included; what does not fit is lost and counted."""

    __slots__ = ("_lost", "_queue", "_size")

    def __init__(self, size: int) -> None:
        self._size = size
        self._queue = bytearray()
        self._lost = 0

    def put(self, packet: memoryview, size: int, now: float) -> None:
        """Add the first `size` bytes of `packet`."""
        if len(self._queue) + TAP_HEAD.size + size > self._size:
            self._lost += 1
            return
        self._queue += TAP_HEAD.pack(now, size)
        self._queue += packet[:size]

    def take(self) -> tuple[bytes, int]:
        """Return what is there and how many packets were lost since the last call."""
        taken, self._queue = bytes(self._queue), bytearray()
        lost, self._lost = self._lost, 0
        return taken, lost


def split(taken: bytes) -> Iterator[tuple[float, bytes]]:
    """Give each packet of a tap with its time."""
    position = 0
    while position < len(taken):
        now, size = TAP_HEAD.unpack_from(taken, position)
        position += TAP_HEAD.size
        yield now, taken[position : position + size]
        position += size
