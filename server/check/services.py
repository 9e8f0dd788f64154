"""What the service leans on: scanner, relay, directories, syslog receiver. Asked, not changed."""

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

from aioice import stun

from files.scan import Clamd, Verdict
from security.errors import MadoguchiError
from security.policy.model import Policy
from security.secret_file import read_secret
from server.api.reach import Reach
from server.check.finding import Finding, fault, ok, warning
from server.oidc.provider import Provider
from server.oidc.settings import redirect_path
from server.relay import PORTS, URL_PATTERN, RelayUse
from server.settings import Settings
from server.syslog_link import SyslogLink

SECONDS = 4.0


async def scanner(settings: Settings, policies: dict[str, Policy]) -> AsyncIterator[Finding]:
    """Tell whether the malware scanner looks at bytes."""
    socket_file = settings.files.scanner
    needed = [slug for slug, one in policies.items() if one.files.scan == "required"]
    if socket_file is None:
        text = "none is set ([files] scanner)"
        if needed:
            yield fault("scanner", f"{text}, and {', '.join(needed)} asks for one")
        else:
            yield ok("scanner", text)
        return
    try:
        async with asyncio.timeout(SECONDS):
            verdict = await Clamd(socket_file).scan(iter([b"madoguchi check"]))
    except (MadoguchiError, TimeoutError) as error:
        yield fault("scanner", f"{socket_file}: {error or 'no answer'}")
        return
    if verdict is Verdict.CLEAN:
        yield ok("scanner", f"{socket_file} answers")
    else:
        yield fault("scanner", f"{socket_file} finds something in harmless text")


async def relay(settings: Settings) -> AsyncIterator[Finding]:
    """Tell whether our TURN relay answers at each of its addresses."""
    found = settings.relay
    if not found.urls or found.use == RelayUse.NONE:
        yield ok("relay", "none is used")
        return
    try:
        read_secret(found.secret_file)
    except MadoguchiError as error:
        yield fault("relay", error.message)
    for url in found.urls:
        try:
            await asyncio.to_thread(_ask_relay, url)
        except (OSError, ValueError) as error:
            yield fault("relay", f"{url} does not answer: {error}")
        else:
            yield ok("relay", f"{url} answers")


async def directories(settings: Settings, slugs: list[str] | None) -> AsyncIterator[Finding]:
    """Tell whether each municipality's directory answers; `slugs` are those that there are."""
    for slug, one in settings.oidc.items():
        if slugs is not None and slug not in slugs:
            yield fault("oidc", f"[oidc.{slug}]: there is no such municipality")
        provider: Provider | None = None
        try:
            secret = read_secret(one.client_secret_file) if one.client_secret_file else None
            provider = Provider(one, secret)
            await provider.discovery()
        except MadoguchiError as error:
            yield fault("oidc", f"[oidc.{slug}] {one.issuer}: {error.message}")
        else:
            back = f"{settings.server.public_url or 'PUBLIC_URL'}{redirect_path(slug)}"
            yield ok("oidc", f"[oidc.{slug}] {one.issuer} answers; it must send browsers to {back}")
        finally:
            if provider is not None:
                await provider.close()
    if not settings.oidc:
        yield ok("oidc", "no municipality signs in by a directory")


async def syslog(settings: Settings, policies: dict[str, Policy]) -> AsyncIterator[Finding]:
    """Tell whether the syslog receiver takes connections and proves its name."""
    receiver = settings.syslog.receiver()
    wanted = [slug for slug, one in policies.items() if one.audit.export == "syslog"]
    if receiver is None:
        if wanted:
            text = f"{', '.join(wanted)} asks for it (audit.export), and [syslog] names no host"
            yield fault("syslog", text)
        else:
            yield ok("syslog", "the audit log goes nowhere else")
        return
    try:
        link = await asyncio.to_thread(SyslogLink, receiver)
    except MadoguchiError as error:
        yield fault("syslog", f"{receiver.host} port {receiver.port}: {error.message}")
        return
    await asyncio.to_thread(link.close)
    if wanted:
        yield ok("syslog", f"{receiver.host} port {receiver.port} answers, for {', '.join(wanted)}")
    else:
        text = f"{receiver.host} port {receiver.port} answers; no policy sends anything there"
        yield warning("syslog", text)


def addresses(
    settings: Settings, policies: dict[str, Policy], example: Reach | None = None
) -> Iterator[Finding]:
    """Tell what address the server takes a request to come from; of `example` in particular."""
    for slug, policy in policies.items():
        if example is not None:
            seen = example.line(policy).address or "nowhere that can be read"
            forwarded = f" with X-Forwarded-For {example.forwarded}" if example.forwarded else ""
            text = f"{slug}: a request from {example.direct}{forwarded} comes from {seen}"
            yield ok("address", text)
        trusted = ", ".join(policy.network.trusted_proxies)
        if trusted:
            text = f"that of the socket, or of X-Forwarded-For when the socket's is in {trusted}"
            yield ok("address", f"{slug}: {text}")
            continue
        text = f"{slug}: that of the socket; X-Forwarded-For is never read"
        public = settings.server.public_url
        proxied = public and urlsplit(public).scheme == "https"
        if proxied and settings.server.tls_certificate is None:
            why = "so everybody seems to come from the proxy (network.trusted_proxies)"
            yield warning("address", f"{text}, {why}")
        else:
            yield ok("address", text)


def _ask_relay(url: str) -> None:
    """Raise `OSError` unless the relay is there: by a STUN question over UDP, else a connection."""
    match = URL_PATTERN.fullmatch(url)
    if match is None:
        raise ValueError("not an address of a relay")
    host = match["host"].strip("[]")
    port = int(match["port"] or PORTS[match["scheme"]])
    if match["scheme"] == "turns" or match["transport"] == "tcp":
        socket.create_connection((host, port), timeout=SECONDS).close()
        return
    question = stun.Message(
        message_method=stun.Method.BINDING,
        message_class=stun.Class.REQUEST,
        transaction_id=secrets.token_bytes(12),
    )
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind) as asking:
        asking.settimeout(SECONDS)
        asking.connect(address)
        asking.send(bytes(question))
        answered = stun.parse_message(asking.recv(1500))
    if answered.transaction_id != question.transaction_id:
        raise OSError("another answer than to our question")
