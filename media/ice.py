"""The ICE-lite side of a connection (RFC 8445 section 2.5, RFC 7675). Pure.

The browser checks, we answer: nobody gets a byte from us before a check with the right password
has come from that address, and no answer is longer than its question. `now` is monotonic seconds.
"""

import ipaddress
import secrets
import string
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from media.libs import stun

Address = tuple[Any, ...]  # as the socket gives it: (host, port) or (host, port, flow, scope)

HEADER_BYTES = 20
COOKIE = b"\x21\x12\xa4\x42"
MAX_STUN_BYTES = 576
MAX_ADDRESSES = 8
CONSENT_SECONDS = 30.0
QUIET_SECONDS = 1.0
_USERNAME = b"\x00\x06"
_LETTERS = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class Credentials:
    """One side's ICE user name fragment and password."""

    ufrag: str
    password: str


@dataclass(frozen=True, slots=True)
class Check:
    """A binding request that may be answered: its reply, and whether it nominates."""

    reply: bytes
    nominates: bool


def new_credentials() -> Credentials:
    """Return fresh credentials: 8 characters (47 bits) and 24 (142 bits)."""
    return Credentials(_random_text(8), _random_text(24))


def _random_text(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def addressed_ufrag(data: bytes | bytearray | memoryview) -> str | None:
    """Return our ufrag that a binding request is addressed to, at little cost, or None.

    Strangers' datagrams end here, before anything is parsed or hashed.
    """
    size = len(data)
    if not HEADER_BYTES <= size <= MAX_STUN_BYTES or bytes(data[:2]) != b"\x00\x01":
        return None
    if bytes(data[4:8]) != COOKIE or int.from_bytes(data[2:4], "big") != size - HEADER_BYTES:
        return None
    position = HEADER_BYTES
    while position + 4 <= size:
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        if bytes(data[position : position + 2]) == _USERNAME:
            name = bytes(data[position + 4 : position + 4 + length])
            local, colon, _ = name.partition(b":")
            return local.decode("ascii", "replace") if colon and len(local) <= 256 else None
        position += 4 + length + (-length % 4)
    return None


def transaction_id(data: bytes) -> bytes:
    """Return the transaction id of a binding request that `addressed_ufrag` has let through."""
    return data[8:HEADER_BYTES]


def answer_check(data: bytes, local: Credentials, source: Address) -> Check | None:
    """Return what to say to the binding request `data`, or None when it is not genuine.

    Genuine: well formed, for our user name, signed with our password (RFC 8445 section 7.3).
    """
    try:
        message = stun.parse_message(data)
        if message.message_class is not stun.Class.REQUEST:
            return None
        if message.message_method is not stun.Method.BINDING:
            return None
        if not message.attributes["USERNAME"].startswith(local.ufrag + ":"):
            return None
        if not message.check_message_integrity(local.password.encode()):
            return None
        reply = _reply(message, local, source)
    except Exception:  # the parser raises ValueError, struct.error, KeyError, UnicodeDecodeError
        return None
    if len(reply) > len(data):
        return None
    return Check(reply, "USE-CANDIDATE" in message.attributes)


def _reply(request: stun.Message, local: Credentials, source: Address) -> bytes:
    response = stun.Message(
        message_method=stun.Method.BINDING,
        message_class=stun.Class.RESPONSE,
        transaction_id=request.transaction_id,
    )
    response.attributes["XOR-MAPPED-ADDRESS"] = (plain_host(source[0]), source[1])
    response.add_message_integrity(local.password.encode())
    return bytes(response)


def plain_host(host: str) -> str:
    """Return an IPv4 address that a dual-stack socket shows as IPv6 in its own form."""
    if not host.startswith("::ffff:"):
        return host.partition("%")[0]
    mapped = ipaddress.IPv6Address(host.partition("%")[0]).ipv4_mapped
    return host if mapped is None else str(mapped)


class Addresses:
    """Where a party can be reached: addresses that passed a check, and the one in use.

    The first that passes is used at once. Later, media that authenticates from a known address
    moves it at once (waiting for a nomination costs seconds after a change of NAT). A nominating
    check moves it only when nothing has authenticated from the address in use for a second: a check
    may be somebody else's copy, SRTP never comes twice.
    """

    __slots__ = ("_checked_at", "_heard_at", "_heard_from", "_proven", "current")

    def __init__(self) -> None:
        self.current: Address | None = None
        self._checked_at: OrderedDict[Address, float] = OrderedDict()
        self._proven: set[Address] = set()
        self._heard_from: Address | None = None
        self._heard_at = 0.0

    def __contains__(self, address: Address) -> bool:
        return address in self._checked_at

    def __iter__(self) -> Any:
        return iter(tuple(self._checked_at))

    def passed(self, address: Address, *, nominates: bool, now: float) -> Address | None:
        """Note a genuine check from `address`; return the address forgotten for it, if any."""
        self._checked_at[address] = now
        self._checked_at.move_to_end(address)
        if self.current is None or (nominates and self._is_quiet(now)):
            self.current = address
        return self._forget_one(address) if len(self._checked_at) > MAX_ADDRESSES else None

    def _is_quiet(self, now: float) -> bool:
        return self.current != self._heard_from or now - self._heard_at >= QUIET_SECONDS

    def _forget_one(self, newest: Address) -> Address:
        """Forget the oldest address, one from which nothing ever authenticated before others."""
        kept = (newest, self.current, self._heard_from)
        rest = [x for x in self._checked_at if x not in kept]
        forgotten = next((x for x in rest if x not in self._proven), rest[0])
        del self._checked_at[forgotten]
        self._proven.discard(forgotten)
        return forgotten

    def forget(self, address: Address) -> None:
        """Forget an address that is gone; the newest other one is in use instead, if any."""
        self._checked_at.pop(address, None)
        self._proven.discard(address)
        if self._heard_from == address:
            self._heard_from = None
        if self.current == address:
            self.current = next(reversed(self._checked_at), None)

    def heard(self, address: Address, now: float) -> None:
        """Note that media authenticated from `address`: it is in use from now on."""
        if address != self._heard_from or address != self.current:
            if address not in self._checked_at:
                return
            self._proven.add(address)
            self._heard_from = self.current = address
        self._heard_at = now

    def checked_at(self, address: Address) -> float:
        """Return when the last genuine check came from `address`, which is known."""
        return self._checked_at[address]

    def proven(self, address: Address) -> bool:
        """Tell whether media has authenticated from `address`."""
        return address in self._proven

    def consented(self, now: float) -> bool:
        """Tell whether we may send to the current address (RFC 7675: 30 s after the last check)."""
        if self.current is None:
            return False
        return now - self._checked_at[self.current] <= CONSENT_SECONDS
