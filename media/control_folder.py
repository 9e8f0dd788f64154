"""The folder in which media processes listen, and who is at the other end of a socket."""

import contextlib
import fcntl
import os
import socket
import stat
import struct
from pathlib import Path

from security.errors import Unavailable


class ControlFolder:
    """An open descriptor of a folder that only this user can enter.

    Paths through it keep their meaning whatever happens to the names above it, and are short
    enough for a Unix socket (108 bytes) however deep the folder lies.
    """

    def __init__(self, path: Path) -> None:
        """Make the folder if need be. Raises `Unavailable` when it is not ours alone."""
        try:
            with contextlib.suppress(FileExistsError):
                path.mkdir(mode=0o700, parents=True)
            self._descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError as error:
            raise Unavailable(f"{path} cannot be used: {error.strerror}") from error
        found = os.fstat(self._descriptor)
        if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
            self.close()
            raise Unavailable(f"{path} must belong to this user, with mode 0700")

    def socket(self, index: int) -> str:
        """Return the path of a node's socket."""
        return f"/proc/self/fd/{self._descriptor}/node-{index}.sock"

    def lock(self) -> None:
        """Be the one server of this folder until it is closed, or this process ends.

        Two would take each other's processes away. Raises `Unavailable` when there is one.
        """
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Unavailable("another server runs on the same data folder") from error

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self._descriptor)


def peer_of(connected: socket.socket) -> tuple[int, int]:
    """Return process id and user id of the other end (unix(7), SO_PEERCRED)."""
    raw = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid, uid, _ = struct.unpack("3i", raw)
    return int(pid), int(uid)


def is_ours(uid: int) -> bool:
    """Tell whether that user may speak with this process."""
    return uid in (0, os.geteuid())
