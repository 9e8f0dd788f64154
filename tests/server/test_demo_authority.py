"""The demo's certificates: trusted by whoever installs the authority, and by nobody else."""

import asyncio
import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from server.demo.authority import LIFETIME, Issued, fingerprint, issue, server_context

NOW = datetime.now(UTC).replace(microsecond=0)
ADDRESS = "127.0.0.1"


async def shake_hands(issued: Issued, client: ssl.SSLContext, folder: Path) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    context = server_context(issued, folder)
    server = await asyncio.start_server(hang_up, ADDRESS, 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        _, writer = await asyncio.open_connection(ADDRESS, port, ssl=client)
        writer.close()
        await writer.wait_closed()


async def test_a_device_with_the_authority_trusts_the_address(tmp_path: Path) -> None:
    issued = issue((ADDRESS, "192.0.2.7"), now=NOW)
    client = ssl.create_default_context(cadata=issued.authority.decode())
    await shake_hands(issued, client, tmp_path)


async def test_a_device_without_it_does_not(tmp_path: Path) -> None:
    issued, other = issue((ADDRESS,), now=NOW), issue((ADDRESS,), now=NOW)
    client = ssl.create_default_context(cadata=other.authority.decode())
    with pytest.raises(ssl.SSLCertVerificationError):
        await shake_hands(issued, client, tmp_path)


async def test_it_does_not_speak_for_another_address(tmp_path: Path) -> None:
    issued = issue(("192.0.2.7",), now=NOW)
    client = ssl.create_default_context(cadata=issued.authority.decode())
    with pytest.raises(ssl.SSLCertVerificationError):
        await shake_hands(issued, client, tmp_path)


def test_the_authority_may_not_make_further_authorities() -> None:
    authority = x509.load_pem_x509_certificate(issue((ADDRESS,), now=NOW).authority)
    limits = authority.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (limits.ca, limits.path_length) == (True, 0)


def test_it_ends_after_a_week() -> None:
    authority = x509.load_pem_x509_certificate(issue((ADDRESS,), now=NOW).authority)
    assert authority.not_valid_after_utc == NOW + LIFETIME
    assert timedelta(days=7) == LIFETIME


def test_the_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    server_context(issue((ADDRESS,), now=NOW), tmp_path)
    mode = (tmp_path / "demo-key.pem").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_the_fingerprint_is_shown_in_pairs() -> None:
    mark = fingerprint(issue((ADDRESS,), now=NOW).authority)
    assert len(mark.split(":")) == 32
    assert mark == mark.upper()
