"""A TLS connection to a syslog receiver, that knows what the other machine has taken.

Syslog says nothing back. What counts as delivered is therefore what the other machine's TCP has
acknowledged while the connection went on; the caller waits a little longer before it relies on it.
Blocking: call in a thread.
"""

import contextlib
import fcntl
import socket
import ssl
import struct
import sys
import termios
import time
from dataclasses import dataclass
from pathlib import Path

from security.errors import Unavailable

CONNECT_SECONDS = 5.0
SEND_SECONDS = 20.0
_LOOK_SECONDS = 0.002


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where messages go: name, port, the authority that vouches for it, our own certificate."""

    host: str
    port: int
    ca_file: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


class SyslogLink:
    """One connection; raises `Unavailable` for whatever is wrong with it."""

    def __init__(self, receiver: Receiver) -> None:
        """Connect; the receiver's certificate must bear its name."""
        try:
            self._socket = _connected(receiver)
            self._socket.settimeout(SEND_SECONDS)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        except OSError as error:
            raise _unavailable(error) from error

    def send(self, frames: bytes) -> None:
        """Return once the other machine has acknowledged every byte."""
        try:
            self._socket.sendall(frames)
            until = time.monotonic() + SEND_SECONDS
            while _unacknowledged(self._socket):
                if time.monotonic() > until:
                    raise TimeoutError("the receiver takes nothing")
                self._require_open()
                time.sleep(_LOOK_SECONDS)
            self._require_open()
        except OSError as error:
            raise _unavailable(error) from error

    def require_open(self) -> None:
        """Raise `Unavailable` when the receiver has gone away."""
        try:
            self._require_open()
        except OSError as error:
            raise _unavailable(error) from error

    def abort(self) -> None:
        """End at once, from any thread: whoever sends fails."""
        with contextlib.suppress(OSError):
            # The plain socket's own: the one of TLS would change what the other thread works on.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        """Say goodbye, if anybody is there."""
        with contextlib.suppress(OSError, ValueError):
            self._socket.settimeout(1.0)
            self._socket.unwrap()
        self._socket.close()

    def _require_open(self) -> None:
        self._socket.setblocking(False)
        try:
            if not self._socket.recv(4096):
                raise ConnectionResetError("the receiver closed the connection")
        except ssl.SSLWantReadError:
            pass  # nothing was said, as it should be
        finally:
            self._socket.settimeout(SEND_SECONDS)


def _connected(receiver: Receiver) -> ssl.SSLSocket:
    """Return a connection whose handshake is done; every address of the name is tried."""
    context = _trust(receiver)
    failed: OSError = OSError("the name has no address")
    kind = socket.SOCK_STREAM
    for family, _, _, _, address in socket.getaddrinfo(receiver.host, receiver.port, type=kind):
        # Wrapped first: a connection that breaks at once would else be left open by the library.
        plain = socket.socket(family, kind)
        connection = context.wrap_socket(plain, server_hostname=receiver.host)
        connection.settimeout(CONNECT_SECONDS)
        try:
            connection.connect(address)
        except OSError as error:
            connection.close()
            failed = error
        else:
            return connection
    raise failed


def _unacknowledged(connection: socket.socket) -> int:
    """Return how many bytes the other machine has not acknowledged; Linux alone can tell."""
    if sys.platform != "linux":
        return 0
    raw = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, struct.pack("i", 0))
    return int(struct.unpack("i", raw)[0])


def _trust(receiver: Receiver) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=receiver.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if receiver.certificate is not None:
        context.load_cert_chain(receiver.certificate, receiver.key, password="")
    return context


def _unavailable(error: OSError) -> Unavailable:
    why = getattr(error, "verify_message", "") or error.strerror or str(error)
    return Unavailable(f"the syslog receiver cannot be reached: {why}")
