"""One party's connection inside the packet path: keys, addresses, what came. Rules 3 to 7, 22."""

from collections.abc import Iterator

from media.bucket import Bucket
from media.ice import MAX_ADDRESSES, Address
from media.libs import SrtpSession
from media.path import MAX_SENT, MEASURE_BYTES, NOBODY, STREAM, LegState
from media.rtp import Table
from media.source import Source
from media.transport_cc import Arrivals

# A route: table, cc, stamp, mid, repairs, carries.
Way = tuple[Source, Table, int, int, int, int, int]


class PathLeg:
    """Read and written by the path. `live` is the address in use once heard from, else None."""

    __slots__ = (
        "_heard_from",
        "_sent",
        "_told",
        "_until",
        "address",
        "alone",
        "arrivals",
        "bytes_forwarded",
        "bytes_received",
        "handle",
        "heard_at",
        "inbound",
        "live",
        "measure",
        "moved",
        "outbound",
        "packets_forwarded",
        "packets_received",
        "refused",
        "routes",
        "sent_number",
        "ssrcs",
        "stream",
        "tells_as",
        "told_at",
        "until",
    )

    def __init__(self, handle: int) -> None:
        self.handle = handle
        self.inbound: SrtpSession | None = None
        self.outbound: SrtpSession | None = None
        self.routes: dict[int, Way] = {}
        self.ssrcs: set[int] = set()
        self.arrivals: list[tuple[int, float]] = []
        self.tells_as = NOBODY  # the SSRC of feedback about arrivals
        self.told_at = 0.0
        self._told = Arrivals()
        self._sent: dict[int, tuple[int, float, int]] = {}  # by number mod MAX_SENT
        self.sent_number = 0
        self.measure = Bucket(MEASURE_BYTES, MEASURE_BYTES)
        self.address: Address | None = None
        self.live: Address | None = None
        self.alone = False  # messages of several datagrams were refused on this line
        self.until = 0.0  # of the address in use
        self.stream = False
        self.moved = False  # by media, since the last look
        self.heard_at = 0.0
        self.packets_received = self.bytes_received = 0
        self.packets_forwarded = self.bytes_forwarded = 0
        self.refused = 0
        self._heard_from: Address | None = None
        self._until: dict[Address, float] = {}

    def __iter__(self) -> Iterator[Address]:
        return iter(tuple(self._until))

    def set_keys(self, profile: int, inbound: bytes, outbound: bytes) -> None:
        """Make a pair of sessions of the path's own."""
        self.inbound = SrtpSession(inbound, profile, inbound=True)
        self.outbound = SrtpSession(outbound, profile, inbound=False)

    def allow(self, address: Address, until: float) -> None:
        """Know `address`. A ninth is not taken."""
        if address not in self._until and len(self._until) >= MAX_ADDRESSES:
            return
        self._until[address] = until
        if self.address is None or address == self.address:
            self.use(address)

    def forbid(self, address: Address) -> None:
        """Forget `address`."""
        self._until.pop(address, None)
        if address == self.address:
            self.address = self.live = None
            self.until = 0.0

    def use(self, address: Address) -> None:
        """Send to `address` if it is known."""
        if address in self._until:
            self.alone = self.alone and address == self.address
            self.address = address
            self.until = self._until[address]
            self.stream = address[-1] == STREAM
            self.live = address if address == self._heard_from else None

    def follow(self, address: Address) -> None:
        """Note that media authenticated from another address than the live one."""
        if address in self._until:
            self._heard_from = address
            self.moved |= address != self.address
            self.use(address)

    def note_sent(self, number: int, size: int, now: float) -> None:
        """Note that a datagram of `size` bytes left under a transport-wide number."""
        self.sent_number = (number + 1) & 0xFFFF
        self._sent[number & MAX_SENT - 1] = number, now, size

    def take_sent(self, first: int, count: int) -> list[tuple[int, float, int]]:
        """Return what was sent under so many numbers from `first` on, each once."""
        found = []
        for number in range(first, first + min(count, MAX_SENT)):
            held = self._sent.get(number & MAX_SENT - 1)
            if held is not None and (held[0] - first) & 0xFFFF < count:
                found.append(held)
                del self._sent[number & MAX_SENT - 1]
        return found

    def may_send(self, now: float) -> bool:
        """Tell whether there are keys, and an address that may be sent to."""
        return self.outbound is not None and now <= self.until

    def tell(self, media: int, now: float) -> list[bytes]:
        """Return feedback about what arrived of the connection of `media` (rule 31)."""
        self.told_at = now
        taken, self.arrivals = self.arrivals, []
        for number, at in taken:
            self._told.note(number, at)
        return self._told.report(self.tells_as, media) if len(self._told) else []

    def media(self) -> int:
        """Return the SSRC that feedback is about: of pictures, else of sound; 0 for none yet."""
        found = 0
        for source, *_ in self.routes.values():
            if source.ssrc != NOBODY and (found == 0 or source.pictures):
                found = source.ssrc
        return found

    def state(self) -> LegState:
        """Return how it does."""
        return LegState(
            self.heard_at,
            self._heard_from,
            self.address,
            self.packets_received,
            self.bytes_received,
            self.packets_forwarded,
            self.bytes_forwarded,
            self.refused,
        )
