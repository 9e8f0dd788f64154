"""How somebody reaches us: the address and TLS version that the rules are asked about.

The address is the socket's. `X-Forwarded-For` counts only from a proxy that the policy trusts,
and then from the right: the last address that is no trusted proxy is where it came from.
"""

import ssl

from aiohttp import web

from security.policy.facts import Line
from security.policy.model import Policy
from security.values import lies_in, plain_address

MAX_HOPS = 16
_VERSIONS = {"TLSv1.2": "1.2", "TLSv1.3": "1.3"}


def line_of(request: web.Request, policy: Policy) -> Line:
    """Return how `request` came, as `policy` lets us believe it."""
    trusted = policy.network.trusted_proxies
    direct = _plain(request.remote)
    if not lies_in(direct, trusted):
        return Line(direct, _tls(request))
    forwarded = ",".join(request.headers.getall("X-Forwarded-For", []))
    return Line(reached_from(direct, forwarded, trusted), _tls_before(request))


def reached_from(direct: str | None, forwarded: str, trusted: tuple[str, ...]) -> str | None:
    """Return the address behind trusted proxies; None when what they say is no address. Pure."""
    hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
    if len(hops) > MAX_HOPS:
        return None
    for hop in reversed(hops):
        address = _plain(hop)
        if address is None or not lies_in(address, trusted):
            return address
    return _plain(hops[0]) if hops else direct


def _plain(text: str | None) -> str | None:
    address = plain_address(text) if text else None
    return None if address is None else str(address)


def _tls(request: web.Request) -> str | None:
    found = request.transport.get_extra_info("ssl_object") if request.transport else None
    if not isinstance(found, ssl.SSLObject):
        return None
    return _VERSIONS.get(found.version() or "")


def _tls_before(request: web.Request) -> str | None:
    return "proxy" if request.headers.get("X-Forwarded-Proto") == "https" else _tls(request)
