"""Challenges of WebAuthn: each serves once, for five minutes, for one purpose and one holder. Pure.

A challenge carries its time and a code (HMAC) over itself, its purpose and its holder, so that
asking for many fills no memory; only what was used is remembered until it would have expired.
The key is of one run of the server: nothing from before a restart is taken.
"""

import hashlib
import hmac
from collections import OrderedDict
from datetime import UTC, datetime, timedelta

from security.errors import Denied

LIFETIME = timedelta(minutes=5)
RANDOM_BYTES = 16
_TIME_BYTES = 8
_CODE_BYTES = 32
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def bad_passkey() -> Denied:
    """Return the one answer to a passkey that does not open."""
    return Denied("the passkey was not accepted", code="bad_passkey", http_status=401)


class Challenges:
    """Makes and takes challenges; `key` is 32 random bytes."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._used: OrderedDict[bytes, datetime] = OrderedDict()
        self._latest = _EPOCH

    def make(self, purpose: str, holder: str, random: bytes, *, now: datetime) -> bytes:
        """Return a challenge for `purpose` and `holder` (a person, or "" for whoever comes)."""
        if len(random) != RANDOM_BYTES:
            raise ValueError(f"a challenge needs {RANDOM_BYTES} random bytes")
        head = random + _milliseconds(self._forward(now)).to_bytes(_TIME_BYTES, "big")
        return head + self._code(head, purpose, holder)

    def take(self, challenge: bytes, purpose: str, holder: str, *, now: datetime) -> None:
        """Use a challenge up.

        Raises `Denied` `bad_passkey` when it is not ours, for something or somebody else, used,
        or older than five minutes; a clock that is set back does not make it younger.
        """
        head, code = challenge[:-_CODE_BYTES], challenge[-_CODE_BYTES:]
        whole = len(head) == RANDOM_BYTES + _TIME_BYTES
        if not whole or not hmac.compare_digest(code, self._code(head, purpose, holder)):
            raise bad_passkey()
        made_at = _EPOCH + timedelta(milliseconds=int.from_bytes(head[RANDOM_BYTES:], "big"))
        now = self._forward(now)
        while self._used and next(iter(self._used.values())) <= now:
            self._used.popitem(last=False)
        if challenge in self._used or now - made_at >= LIFETIME:
            raise bad_passkey()
        self._used[challenge] = made_at + LIFETIME

    def _forward(self, now: datetime) -> datetime:
        self._latest = max(self._latest, now)
        return self._latest

    def _code(self, head: bytes, purpose: str, holder: str) -> bytes:
        said = b"\x00".join((head.hex().encode(), purpose.encode(), holder.encode()))
        return hmac.new(self._key, said, hashlib.sha256).digest()


def _milliseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(milliseconds=1)
