"""Which addresses a webhook may go to: names that the policy lists, and no inner network. Pure.

What a name resolves to is looked at as well, once, and the connection goes to what was looked at.
An IPv4 address inside an IPv6 one (mapped, 6to4, NAT64, Teredo) is judged too.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from security.errors import ProtocolError
from security.policy.sections.hooks import Hooks
from security.values import IpAddress, lies_in, plain_address

MAX_URL = 500
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_PLAIN = re.compile(r"[\x21-\x7e]+")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_LOCAL_NAT64 = ipaddress.IPv6Network("64:ff9b:1::/48")
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Target:
    """A destination: `host` in lower case, without brackets."""

    url: str
    scheme: str
    host: str
    port: int


def target_of(url: str) -> Target:
    """Return what an address says. Raises `ProtocolError` `bad_url` for what is none of ours."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise _bad() from None
    named = _HOST.fullmatch(host) is not None or plain_address(host) is not None
    odd = parts.fragment or "@" in parts.netloc or "\\" in url or "%" in parts.netloc
    if len(url) > MAX_URL or _PLAIN.fullmatch(url) is None or odd or not named or port == 0:
        raise _bad()
    if parts.scheme not in _PORTS or f"{parts.scheme}:" != url[: len(parts.scheme) + 1]:
        raise _bad()
    return Target(url, parts.scheme, host, port or _PORTS[parts.scheme])


def _bad() -> ProtocolError:
    return ProtocolError(
        "a destination is https://HOST/PATH, without name, password or fragment", code="bad_url"
    )


def is_listed(target: Target, hooks: Hooks) -> bool:
    """Tell whether the policy lists the destination, by its host or by host and port."""
    host = f"[{target.host}]" if ":" in target.host else target.host
    return not {target.host, host, f"{host}:{target.port}"}.isdisjoint(hooks.destinations)


def reachable(target: Target, resolved: Iterable[str], hooks: Hooks) -> list[str]:
    """Return those of the addresses that may be connected to, in order.

    Without TLS only networks of the house that the policy lists, and then with ids alone.
    """
    listed = hooks.private_networks
    found = [text for text in resolved if may_reach(text, listed)]
    if target.scheme == "http":
        return [x for x in found if lies_in(x, listed) and hooks.content == "ids"]
    return found


def may_reach(text: str, listed: tuple[str, ...]) -> bool:
    """Tell whether an address is public, or lies in a network that is listed."""
    address = plain_address(text)
    if address is None or "%" in text:
        return False
    return lies_in(text, listed) or all(_is_public(one) for one in (address, *_inside(address)))


def _is_public(address: IpAddress) -> bool:
    inner = address.is_private or address.is_link_local or address.is_loopback
    odd = address.is_multicast or address.is_reserved or address.is_unspecified
    return address.is_global and not (inner or odd)


def _inside(address: IpAddress) -> list[IpAddress]:
    """Return the IPv4 addresses that an IPv6 one leads to."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    found: list[IpAddress] = []
    if address.sixtofour is not None:
        found.append(address.sixtofour)
    if address.teredo is not None:
        found += address.teredo
    if address in _NAT64:
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    if address in _LOCAL_NAT64 or int(address) >> 32 == 0:
        found.append(ipaddress.IPv4Address("127.0.0.1"))
    return found
