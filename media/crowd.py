"""How many TCP connections may be open, and which goes when there are too many. Pure.

A connection is a *stranger* until a genuine check has come over it. Strangers are few, short-lived
and the first to go, so that a crowd of them keeps nobody out. `now` is monotonic seconds.
"""

import ipaddress
from collections import Counter, OrderedDict

from media.ice import Address

MAX_STRANGERS = 256
MAX_STRANGERS_PER_ADDRESS = 16
MAX_KNOWN = 1024
STRANGER_SECONDS = 5.0
STRANGER_FRAMES = 8
SILENT_SECONDS = 30.0
# Part of a packet that does not go on for so long will not.
TORN_SECONDS = 5.0


def neighbourhood(host: str) -> str:
    """Return what counts as one address: an IPv4 address, or the /64 of an IPv6 one."""
    address = ipaddress.ip_address(host.partition("%")[0])
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))


class Crowd:
    """Everybody who is connected, by address."""

    def __init__(self) -> None:
        self._strangers: OrderedDict[Address, float] = OrderedDict()
        self._frames: Counter[Address] = Counter()
        self._from: Counter[str] = Counter()
        self._known: OrderedDict[Address, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._strangers) + len(self._known)

    def enter(self, address: Address, now: float) -> Address | None:
        """Take in a connection; return the stranger that goes for it, if one does.

        That is the oldest from the same place when it has its share, else the oldest of all: who
        means it proves itself within a round trip. One that is there already begins anew.
        """
        self.leave(address)
        home = neighbourhood(address[0])
        crowded_out = None
        if self._from[home] >= MAX_STRANGERS_PER_ADDRESS:
            crowded_out = next((x for x in self._strangers if neighbourhood(x[0]) == home), None)
        elif len(self._strangers) >= MAX_STRANGERS:
            crowded_out = next(iter(self._strangers))
        if crowded_out is not None:
            self.leave(crowded_out)
        self._strangers[address] = now
        self._from[home] += 1
        return crowded_out

    def prove(self, address: Address, now: float) -> Address | None:
        """Note a genuine check; return the connection silent for longest if it goes for this."""
        if address in self._known:
            self.hear(address, now)
            return None
        self.leave(address)
        self._known[address] = now
        if len(self._known) <= MAX_KNOWN:
            return None
        silent = next(iter(self._known))
        self.leave(silent)
        return silent

    def hear(self, address: Address, now: float) -> bool:
        """Note that something came; False when a stranger has said more than it may."""
        if address in self._known:
            self._known[address] = now
            self._known.move_to_end(address)
            return True
        self._frames[address] += 1
        return self._frames[address] <= STRANGER_FRAMES

    def leave(self, address: Address) -> None:
        """Forget a connection."""
        self._known.pop(address, None)
        self._frames.pop(address, None)
        if self._strangers.pop(address, None) is not None:
            home = neighbourhood(address[0])
            self._from[home] -= 1
            if self._from[home] <= 0:
                del self._from[home]

    def overdue(self, now: float) -> list[Address]:
        """Return the connections whose time is over: strangers after 5 s, others silent for 30."""
        found = []
        for held, limit in (
            (self._strangers, STRANGER_SECONDS),
            (self._known, SILENT_SECONDS),
        ):
            for address, since in held.items():
                if now - since <= limit:
                    break
                found.append(address)
        return found
