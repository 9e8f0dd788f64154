"""Values that settings and policies are made of, checked, and how what is wrong is said. Pure."""

import ipaddress
import json
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Strict
from pydantic_core import PydanticCustomError

_SHOWN = 60
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def wrong(found: str, allowed: str) -> PydanticCustomError:
    """Return the error of a value that breaks a rule of its own; for validators of a model."""
    return PydanticCustomError(
        "rule", "found {found}, allowed {allowed}", {"found": found, "allowed": allowed}
    )


def show(value: object) -> str:
    """Return a value as TOML would write it, cut to a length that can be read."""
    if isinstance(value, dict):
        return "a table"
    plain = isinstance(value, str | bool)
    text = json.dumps(value, ensure_ascii=False) if plain else str(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _network(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value))
    except ValueError:
        allowed = "an IPv4 or IPv6 network without host bits, as 192.0.2.0/24"
        raise wrong(show(value), allowed) from None


Cidr = Annotated[str, Strict(), AfterValidator(_network)]


class Section(BaseModel):
    """One table of a file: no unknown key, no silent change of a value's kind."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_default=True)


def plain_network(text: str) -> IpNetwork | None:
    """Return a network without host bits; None if it is none."""
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        return None


def plain_address(text: str) -> IpAddress | None:
    """Return an address, an IPv4 one that is written as IPv6 in its own form; None if it is none.

    A zone (`%eth0`) is left out: rules know networks, not interfaces.
    """
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def lies_in(text: str | None, networks: tuple[str, ...]) -> bool:
    """Tell whether an address lies in one of the networks; what is no address lies nowhere."""
    address = plain_address(text) if text else None
    return address is not None and any(address in one for one in _networks(networks))


def covers_everything(networks: tuple[str, ...]) -> bool:
    """Tell whether networks, taken together, hold every address of IPv4 or of IPv6."""
    every = _networks(networks)
    fours = [one for one in every if isinstance(one, ipaddress.IPv4Network)]
    sixes = [one for one in every if isinstance(one, ipaddress.IPv6Network)]
    return any(one.prefixlen == 0 for one in ipaddress.collapse_addresses(fours)) or any(
        one.prefixlen == 0 for one in ipaddress.collapse_addresses(sixes)
    )


@lru_cache(maxsize=1024)
def _networks(texts: tuple[str, ...]) -> tuple[IpNetwork, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)
