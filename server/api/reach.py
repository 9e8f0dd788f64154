"""How somebody reaches us: the address and TLS version that the rules are asked about.

The address is the socket's. `X-Forwarded-For` counts only from a proxy that the policy trusts,
and then from the right: the last address that is no trusted proxy is where it came from.
"""

import ssl
from dataclasses import dataclass

from aiohttp import web

from security.policy.facts import Line
from security.policy.model import Policy
from security.values import lies_in, plain_address

MAX_HOPS = 16
LOOPBACK = ("127.0.0.0/8", "::1/128")
NOWHERE = "nowhere"  # a socket without an address
_VERSIONS = {"TLSv1.2": "1.2", "TLSv1.3": "1.3"}


@dataclass(frozen=True, slots=True)
class Reach:
    """How a request came, before anybody says which proxies are to be believed."""

    direct: str | None
    forwarded: str
    tls: str | None
    https_before: bool

    def line(self, policy: Policy) -> Line:
        """Return the line as `policy` lets us believe it."""
        trusted = policy.network.trusted_proxies
        if not lies_in(self.direct, trusted):
            return Line(self.direct, self.tls)
        address = reached_from(self.direct, self.forwarded, trusted)
        return Line(address, "proxy" if self.https_before else self.tls)


def counted_source(reach: Reach, trusted: tuple[str, ...]) -> str:
    """Return what tries are counted by: an address, behind trusted proxies the one they say. Pure.

    A proxy on this machine is believed for this alone, trusted by a policy or not: else everybody
    behind it would share one count, or nobody would be counted. What says no address counts as
    the proxy itself.
    """
    believed = (*trusted, *LOOPBACK)
    if not lies_in(reach.direct, believed):
        return reach.direct or NOWHERE
    return reached_from(reach.direct, reach.forwarded, believed) or reach.direct or NOWHERE


def reach_of(request: web.Request) -> Reach:
    """Return how `request` came."""
    return Reach(
        _plain(request.remote),
        ",".join(request.headers.getall("X-Forwarded-For", [])),
        _tls(request),
        request.headers.get("X-Forwarded-Proto") == "https",
    )


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
