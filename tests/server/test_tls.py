"""The certificate files of the server are taken up again while it runs."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from security.errors import Unavailable
from server.demo.authority import issue
from server.tls import Certificate


def write(folder: Path, *, certificate: bool = True, key: bool = True) -> None:
    """Put a new certificate, a new key, or both into the folder."""
    issued = issue(("127.0.0.1",), now=datetime.now(UTC))
    for name, wanted, data in (
        ("leaf.pem", certificate, issued.chain),
        ("leaf.key", key, issued.key),
    ):
        file = folder / name
        before = file.stat().st_mtime_ns if file.exists() else 0
        if wanted:
            file.write_bytes(data)
            os.utime(file, ns=(before + 10**9, before + 10**9))


@asynccontextmanager
async def listening(own: Certificate) -> AsyncIterator[int]:
    """Serve with the certificate; gives the port."""

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0, ssl=own.context)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def shown(port: int) -> bytes:
    """Return the certificate that the server shows to a new connection."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting)
    found = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return bytes(found)


def certificate_in(folder: Path) -> Certificate:
    return Certificate(folder / "leaf.pem", folder / "leaf.key")


async def test_a_renewed_certificate_is_shown_to_the_next_connection(tmp_path: Path) -> None:
    write(tmp_path)
    own = certificate_in(tmp_path)
    async with listening(own) as port:
        before = await shown(port)
        assert not own.renew()
        assert await shown(port) == before
        write(tmp_path)
        assert own.renew()
        assert await shown(port) != before


async def test_a_certificate_that_does_not_fit_its_key_leaves_the_old_one_in_use(
    tmp_path: Path,
) -> None:
    write(tmp_path)
    own = certificate_in(tmp_path)
    async with listening(own) as port:
        before = await shown(port)
        write(tmp_path, key=False)  # the key comes a moment later
        assert not own.renew()
        assert await shown(port) == before
        (tmp_path / "leaf.key").unlink()
        assert not own.renew()
        assert await shown(port) == before
        write(tmp_path)
        assert own.renew()
        assert await shown(port) != before


def test_files_that_cannot_be_used_are_named_at_the_start(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "leaf.pem").write_text("nonsense")
    with pytest.raises(Unavailable, match=r"leaf\.pem and .*leaf\.key cannot be used for TLS"):
        certificate_in(tmp_path)


async def test_an_older_version_is_not_even_shaken_hands_with_once_every_policy_asks_so(
    tmp_path: Path,
) -> None:
    write(tmp_path)
    own = certificate_in(tmp_path)
    older = ssl.create_default_context()
    older.check_hostname, older.verify_mode = False, ssl.CERT_NONE
    older.maximum_version = ssl.TLSVersion.TLSv1_2
    async with listening(own) as port:
        for lowest, taken in (("1.2", True), ("1.3", False), ("1.2", True)):
            own.require(lowest)
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=older)
            except (ssl.SSLError, ConnectionResetError):
                assert not taken
            else:
                writer.close()
                assert taken


async def test_the_listener_takes_what_the_most_lenient_policy_does(world: Any) -> None:
    book, town = world.service.parts.policies, world.town.municipality.id
    assert book.tls_minimum([]) == book.tls_minimum([town]) == "1.2"
    world.enforce({"network.tls_minimum": "1.3"})
    assert book.tls_minimum([town]) == "1.3"
    assert book.tls_minimum([town, "another"]) == "1.2"
