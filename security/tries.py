"""How often one network address may try to sign in. Pure; counted in memory, before any write."""

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from security.errors import TooMuch

MAX_TRIES = 30
WITHIN = timedelta(seconds=60)
MAX_SOURCES = 10_000
_HOUSEHOLD_BITS = 64  # of an IPv6 address; whoever has one has all of the rest


def too_many_tries(limit: int, unit: str) -> TooMuch:
    """Return the answer to tries at signing in that are over a limit."""
    return TooMuch(
        "too many tries at signing in",
        limit=limit,
        unit=unit,
        code="too_many_tries",
        http_status=429,
    )


@dataclass(slots=True)
class _Window:
    """What one source has tried since `begun`."""

    begun: datetime
    tries: int = 0


class SourceTries:
    """Failed tries by source. The table is bounded: the source that began first is forgotten."""

    def __init__(
        self, *, limit: int = MAX_TRIES, within: timedelta = WITHIN, sources: int = MAX_SOURCES
    ) -> None:
        self._limit = limit
        self._within = within
        self._sources = sources
        self._windows: OrderedDict[str, _Window] = OrderedDict()

    def count(self, address: str, now: datetime) -> None:
        """Count a try. Raises `TooMuch` (`too_many_tries`) above the limit until time has passed.

        A try that turns out well is given back by `succeeded`.
        """
        source = source_of(address)
        window = self._windows.get(source)
        if window is None or now - window.begun >= self._within:
            window = self._windows[source] = _Window(now)
            self._windows.move_to_end(source)
        while len(self._windows) > self._sources:
            self._windows.popitem(last=False)
        if window.tries >= self._limit:
            seconds = int(self._within.total_seconds())
            raise too_many_tries(self._limit, f"tries in {seconds} seconds")
        window.tries += 1

    def succeeded(self, address: str) -> None:
        """Take back one try: an office full of people behind one address is no attack."""
        window = self._windows.get(source_of(address))
        if window is not None and window.tries > 0:
            window.tries -= 1


def source_of(address: str) -> str:
    """Return what counts as one source: an IPv4 address, or the /64 network of an IPv6 one."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((ip, _HOUSEHOLD_BITS), strict=False))
    return str(ip)
