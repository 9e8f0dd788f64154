"""What this machine gives the service: addresses, certificate, folder, key file, clock."""

import ctypes
import os
import shutil
import socket
import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509

from security.errors import MadoguchiError
from server.check.finding import Finding, State, fault, ok, warning
from server.keys import load_kek
from server.settings import Settings
from server.settings_notes import notes
from server.tls import Certificate

DAYS_LEFT = 30
LITTLE_SPACE, NO_SPACE = 5 * 1024**3, 512 * 1024**2
_TIME_ERROR = 5  # of adjtimex(2): not synchronised
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def listening(settings: Settings) -> Iterator[Finding]:
    """Tell where the service listens and what it tells browsers of media."""
    server, media = settings.server, settings.media
    scheme = "https" if server.tls_certificate else "http"
    running = _answers(server.host, server.port)
    state = "in use now, by this service if it runs" if running else "free"
    yield ok("listening", f"{scheme} on {server.host} port {server.port} ({state})")
    if scheme == "http" and server.host not in ("127.0.0.1", "::1", "localhost"):
        text = "pages go over plain http; set tls_certificate, or a proxy that does TLS before it"
        yield warning("listening", text)
    last = media.port + max(media.processes, 1) - 1
    ports = str(media.port) if last == media.port else f"{media.port} to {last}"
    ways = "UDP and TCP" if media.tcp else "UDP"
    told = ", ".join(media.announce)
    yield ok("listening", f"media on {media.host} {ways} port {ports}; browsers are told {told}")


def certificate(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Tell for which names the certificate is and how long it lasts."""
    file, key = settings.server.tls_certificate, settings.server.tls_key
    if file is None or key is None:
        yield ok("certificate", "none of our own: a proxy does TLS, or there is none")
        return
    try:
        Certificate(file, key)
        found = x509.load_pem_x509_certificate(file.read_bytes())
    except (MadoguchiError, OSError, ValueError) as error:
        yield fault("certificate", f"cannot be used: {error}")
        return
    names = _names(found)
    days = (found.not_valid_after_utc - now).days
    text = f"for {', '.join(names) or 'no name'}; {days} days left"
    if now < found.not_valid_before_utc or found.not_valid_after_utc <= now:
        yield fault("certificate", f"{text}: not valid now")
    else:
        yield (warning if days < DAYS_LEFT else ok)("certificate", text)
    public = _host(settings.server.public_url)
    if public and not any(_covers(name, public) for name in names):
        yield fault("certificate", f"it is not for {public}, by which browsers reach the service")


def passkeys(settings: Settings) -> Iterator[Finding]:
    """Tell whether passkeys work at the address by which browsers come."""
    left_out = notes(settings)
    for japanese, english in left_out:
        yield warning("passkeys", f"{japanese} / {english}")
    if not left_out:
        yield ok("passkeys", f"work at {settings.server.public_url}")


def folder(settings: Settings) -> Iterator[Finding]:
    """Tell who may reach the data folder and how much room there is."""
    path = settings.data.folder
    try:
        found = path.stat()
        space, free = disk_space(path)
    except OSError as error:
        yield fault("data", f"{path}: {error.strerror}; make it with: madoguchi init DIR")
        return
    mode = stat.S_IMODE(found.st_mode)
    text = f"{path} (mode {mode:04o}, owner {found.st_uid}), {free / 1024**3:.1f} GiB free"
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        yield fault("data", f"{text}: not ours to read and write")
    elif mode & _OTHERS_WRITE:
        yield fault("data", f"{text}: others may write into it; set it to 0700")
    elif space is State.FAULT:
        yield fault("data", f"{text}: too little room")
    elif mode & _OTHERS or space is State.WARNING:
        why = "others may look into it; set it to 0700" if mode & _OTHERS else "little room"
        yield warning("data", f"{text}: {why}")
    else:
        yield ok("data", text)


def disk_space(path: Path) -> tuple[State, int]:
    """Return whether the disk of `path` has room, and its free bytes. Raises `OSError`."""
    free = shutil.disk_usage(path).free
    if free < NO_SPACE:
        return State.FAULT, free
    return (State.WARNING if free < LITTLE_SPACE else State.OK), free


def key(settings: Settings) -> Iterator[Finding]:
    """Tell whether the key-encryption key is there."""
    try:
        load_kek(settings.keys.kek_file, os.environ)
    except MadoguchiError as error:
        yield fault("key", error.message)
    else:
        yield ok("key", "the key-encryption key is there")


def clock(now: datetime, newest: datetime | None) -> Iterator[Finding]:
    """Tell what the clock says, also against the newest entry of the audit log."""
    text = now.strftime("%Y-%m-%d %H:%M:%S UTC")
    if newest is not None and newest > now:
        written = newest.strftime("%Y-%m-%d %H:%M:%S")
        yield fault("clock", f"{text}, before the newest audit entry ({written}): it was set back")
    elif not _synchronised():
        yield warning("clock", f"{text}, not kept by a time server (NTP)")
    else:
        yield ok("clock", text)


def _answers(host: str, port: int) -> bool:
    target = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # to ask it
    try:
        with socket.create_connection((target, port), timeout=1.0):
            return True
    except OSError:
        return False


def _names(found: x509.Certificate) -> list[str]:
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    addresses = [str(one) for one in names.get_values_for_type(x509.IPAddress)]
    return [*names.get_values_for_type(x509.DNSName), *addresses]


def _covers(name: str, host: str) -> bool:
    if name.startswith("*."):
        return host.partition(".")[2].lower() == name[2:].lower()
    return name.lower() == host


def _host(url: str | None) -> str | None:
    return urlsplit(url).hostname if url else None


def _synchronised() -> bool:
    """Ask the kernel (adjtimex(2), which changes nothing with modes 0)."""
    try:
        asked = ctypes.create_string_buffer(512)
        return int(ctypes.CDLL(None).adjtimex(asked)) != _TIME_ERROR
    except (OSError, AttributeError):
        return True  # no such call here: nothing is known
