"""The server's own certificate: loaded at the start, and again when its files have changed."""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

from security.errors import Unavailable

log = logging.getLogger(__name__)
LOOK_SECONDS = 10.0
# Of TLS 1.2: forward secrecy and authenticated encryption alone; TLS 1.3 has nothing else.
SUITES = "ECDHE+AESGCM:ECDHE+CHACHA20"
VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
Stamp = tuple[int, int]
Lowest = Callable[[], Awaitable[str]]


class Certificate:
    """The TLS context of a certificate and its key (PEM); TLS 1.2 or newer.

    Raises `Unavailable` when the files cannot be used.
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        self._files = (certificate, key)
        self._stamps = self._look()
        self.context = self._load()

    async def watch(self, lowest: Lowest | None = None) -> None:
        """Take up changed files until cancelled; what was in use stays while they do not fit.

        `lowest` says which TLS version the policies in force ask for: "1.2" or "1.3".
        """
        while True:
            if lowest is not None:
                try:
                    self.require(await lowest())
                except Exception:
                    # A database that is away for a moment must not end the watch.
                    log.exception("the lowest TLS version is not known")
            await asyncio.sleep(LOOK_SECONDS)
            await asyncio.to_thread(self.renew)

    def require(self, lowest: str) -> None:
        """Take connections from now on of this TLS version or newer alone."""
        version = VERSIONS[lowest]
        if self.context.minimum_version != version:
            self.context.minimum_version = version
            log.info("connections of TLS %s or newer are taken", lowest)

    def renew(self) -> bool:
        """Load the files if they have changed, for connections from now on; tell whether it did.

        A certificate that does not fit its key yet, or cannot be read, is logged and left alone.
        """
        stamps = self._look()
        if stamps == self._stamps:
            return False
        self._stamps = stamps
        try:
            # Tried apart first: a pair that does not fit would leave the context without a key.
            self._load()
            self.context.load_cert_chain(*self._files, password="")
        except (Unavailable, OSError) as error:
            log.warning("the changed certificate is not used: %s", error)
            return False
        log.info("the changed certificate is in use")
        return True

    def _look(self) -> tuple[Stamp | None, ...]:
        return tuple(_stamp(file) for file in self._files)

    def _load(self) -> ssl.SSLContext:
        certificate, key = self._files
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(SUITES)
        try:
            # An empty password: a locked key fails instead of asking on the terminal.
            context.load_cert_chain(certificate, key, password="")
        except OSError as error:
            why = getattr(error, "reason", None) or error.strerror or "not PEM"
            raise Unavailable(f"{certificate} and {key} cannot be used for TLS: {why}") from error
        return context


def _stamp(file: Path) -> Stamp | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
