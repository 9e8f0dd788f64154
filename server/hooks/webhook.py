"""Sends a fact by HTTP as the Standard Webhooks specification says: signed, once, never elsewhere.

Names are resolved once for each try; the connection goes to an address that was looked at
(address.py), and the certificate must bear the name. No redirect is followed, no cookie kept, no
proxy of the environment used, and of the answer nothing counts but its status.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from security.audit.chain import Json
from security.errors import NotFound
from security.sessions import Notes
from server.db.webhooks import DESTINATION, SqlWebhooks, Webhook
from server.hooks.address import Target, is_listed, reachable, target_of
from server.hooks.body import Bodies
from server.hooks.fact import Fact
from server.hooks.sender import TOLD, Sent
from server.hooks.signing import headers

SEND_SECONDS = 15.0
RESOLVE_SECONDS = 5.0
GONE = 410


class _Pinned(AbstractResolver):
    """Answers every question with the addresses that were looked at."""

    def __init__(self, addresses: list[str]) -> None:
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return them."""
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self._addresses
        ]

    async def close(self) -> None:
        """Hold nothing."""


def trusting(ca_file: Path | None) -> ssl.SSLContext:
    """Return how a receiver is known; `ca_file` vouches for certificates of the house.

    Reading the authorities of the system takes tens of milliseconds.
    """
    trust = ssl.create_default_context(cafile=ca_file)
    trust.minimum_version = ssl.TLSVersion.TLSv1_2
    return trust


class WebhookSender:
    """Sends facts to receivers that the policy lists, known by `trust`."""

    patient = False
    at_once = 8

    def __init__(
        self,
        hooks: SqlWebhooks,
        bodies: Bodies,
        notes: Notes,
        *,
        clock: Callable[[], datetime],
        trust: ssl.SSLContext,
        send_seconds: float = SEND_SECONDS,
    ) -> None:
        self._hooks = hooks
        self._bodies = bodies
        self._notes = notes
        self._clock = clock
        self._trust = trust
        self._send_seconds = send_seconds

    async def send(self, destination: str, fact: Fact) -> Sent:
        """Try once and return how it ended."""
        home, hook_id = fact.municipality_id, destination.removeprefix(DESTINATION)
        hook = await self._hooks.get(home, hook_id)
        if hook is None or hook.ended_at is not None:
            return Sent("ended", gone=True)
        try:
            async with asyncio.timeout(self._send_seconds):
                sent = await self._send(hook, fact)
        except TimeoutError:
            return Sent("timeout")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Sent(_code(error))
        if sent.gone:
            await self._end(hook)
        return sent

    async def _end(self, hook: Webhook) -> None:
        """End a webhook whose receiver says that it is gone, and note it in the audit log."""
        home, now = hook.municipality_id, self._clock()
        with contextlib.suppress(NotFound):  # of two answers at once the first has ended it
            await self._hooks.end(home, hook.id, "gone", now)
            detail: Json = {"host": target_of(hook.url).host, "status": GONE}
            await self._notes.note(home, "hook:webhook:gone", hook.id, detail, now=now)

    async def _send(self, hook: Webhook, fact: Fact) -> Sent:
        policy = self._bodies.policy_of(hook.municipality_id)
        target = target_of(hook.url)
        if not is_listed(target, policy):
            return Sent("not_listed")
        addresses = reachable(target, await _resolved(target), policy)
        if not addresses:
            return Sent("address_refused")
        body = await self._bodies.of(fact)
        now = self._clock()
        signed = headers(fact.id, now, body, await self._hooks.keys(hook, now))
        return await self._post(hook.url, addresses, body, dict(signed))

    async def _post(
        self, url: str, addresses: list[str], body: bytes, signed: dict[str, str]
    ) -> Sent:
        said = signed | {"Content-Type": "application/json", "User-Agent": "madoguchi"}
        connector = aiohttp.TCPConnector(
            resolver=_Pinned(addresses), ssl=self._trust, use_dns_cache=False, force_close=True
        )
        async with (
            aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=self._send_seconds),
                trust_env=False,
                auto_decompress=False,
            ) as session,
            session.post(
                URL(url, encoded=True), data=body, headers=said, allow_redirects=False
            ) as response,
        ):
            return _judged(response.status, response.headers.get("Retry-After"))


async def _resolved(target: Target) -> list[str]:
    """Return the addresses of a target, as they are now. Raises `OSError`, `TimeoutError`."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(RESOLVE_SECONDS):
        found = await loop.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def _judged(status: int, retry_after: str | None) -> Sent:
    """Return what a status means; only 2xx is success, a redirect is none."""
    if 200 <= status < 300:
        return TOLD
    waits = retry_after is not None and retry_after.isascii() and retry_after.isdigit()
    asked = timedelta(seconds=int((retry_after or "0")[:6])) if waits else None
    return Sent(f"status_{status}", asked, gone=status == GONE)


def _code(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
        return "tls"
    if isinstance(error, socket.gaierror | aiohttp.ClientConnectorDNSError):
        return "no_name"
    if isinstance(error, aiohttp.ClientConnectorError | ConnectionError):
        return "no_connection"
    return "broken_answer"
