"""A network namespace of Linux: a machine of its own as far as the network goes.

Needs root. Sockets and processes belong to the namespace in which they were made, wherever they
are used from.
"""

import ctypes
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = Path("/run/netns")
CLONE_NEWNET = 0x40000000
NEEDS_ROOT = (
    "this needs root, for network namespaces and TUN devices: run it as root on a machine with "
    "iproute2, nftables and /dev/net/tun"
)
_libc = ctypes.CDLL(None, use_errno=True)


class NotPossible(RuntimeError):
    """Namespaces cannot be made here; the message says why in one sentence."""


def require_root() -> None:
    """Raise `NotPossible` where namespaces cannot be made."""
    if os.geteuid() != 0 or not Path("/dev/net/tun").exists():
        raise NotPossible(NEEDS_ROOT)


def run(*command: str, text: str | None = None) -> str:
    """Return what a command prints. Raises `NotPossible` with its complaint when it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, input=text, check=False)
    except FileNotFoundError as error:
        raise NotPossible(f"{command[0]} is missing: {NEEDS_ROOT}") from error
    if done.returncode != 0:
        raise NotPossible(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


class Namespace:
    """One namespace, with its loopback up. `name` must be new on this machine."""

    def __init__(self, name: str) -> None:
        require_root()
        self.name = name
        run("ip", "netns", "add", name)
        self.ip("link", "set", "lo", "up")

    @property
    def command(self) -> tuple[str, ...]:
        """What to put before a command so that it runs inside."""
        return ("nsenter", f"--net={FOLDER / self.name}")

    def ip(self, *arguments: str) -> str:
        """Run `ip` on this namespace."""
        return run("ip", "-n", self.name, *arguments)

    def nft(self, rules: str) -> None:
        """Replace the packet filter by `rules` (nftables); the empty text lets all through."""
        run(*self.command, "nft", "-f", "-", text=f"flush ruleset\n{rules}")

    def socket_of(self, family: socket.AddressFamily, kind: socket.SocketKind) -> socket.socket:
        """Return a socket made inside."""
        with self.inside():
            return socket.socket(family, kind)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Have this thread make its sockets and start its processes inside.

        Threads that are started meanwhile stay inside for good, so do not let an executor start
        its first ones here; other tasks of the loop are inside too while the block awaits.
        """
        with _open_of_thread() as before, (FOLDER / self.name).open("rb") as there:
            _enter(there.fileno())
            try:
                yield
            finally:
                _enter(before)

    def delete(self) -> None:
        """Remove it with its devices; it goes when the last process inside has ended."""
        subprocess.run(["ip", "netns", "del", self.name], check=False, capture_output=True)


@contextmanager
def _open_of_thread() -> Iterator[int]:
    with Path(f"/proc/self/task/{threading.get_native_id()}/ns/net").open("rb") as opened:
        yield opened.fileno()


def _enter(descriptor: int) -> None:
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise NotPossible(f"setns: {os.strerror(ctypes.get_errno())}: {NEEDS_ROOT}")
