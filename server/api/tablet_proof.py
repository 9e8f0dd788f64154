"""Challenges to tablets, and the tokens of pages that have answered one. PROTOCOL.md section 1.1.

Challenges live in memory, for one run of the server; tokens outlive it.
"""

import base64
import hashlib
import hmac
import secrets
from collections import OrderedDict
from datetime import UTC, datetime, timedelta

from security.errors import Denied
from security.people import Tablet
from security.tablet_key import (
    Challenge,
    expired,
    key_missing,
    key_refused,
    offer_message,
    offer_unsigned,
    page_message,
    require_signature,
    socket_message,
)
from security.tries import SourceTries
from server.api.views import time_view

PAGE_LIFETIME = timedelta(hours=12)
MAX_CHALLENGES = 10_000
MAX_OF_TABLET = 16


def new_challenge(now: datetime) -> Challenge:
    """Return a fresh challenge."""
    return Challenge(secrets.token_urlsafe(32), time_view(now) or "")


def key_of(tablet: Tablet) -> bytes:
    """Return the key that a tablet is known by. Raises `Denied` `key_missing`."""
    if tablet.public_key is None:
        raise key_missing()
    return tablet.public_key


def of_counter(tablet: Tablet | None) -> Tablet:
    """Return the tablet of a counter's speaker. Raises `Denied` for any other page."""
    if tablet is None:
        raise Denied("this is no counter", code="not_enrolled", http_status=401)
    return tablet


class TabletProof:
    """What is asked of tablets and what they have shown."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._open: OrderedDict[str, tuple[str, Challenge, datetime]] = OrderedDict()
        self.refused = SourceTries()

    # By HTTP

    def ask(self, tablet: Tablet, now: datetime) -> Challenge:
        """Return a challenge for a page of `tablet`. Raises `Denied` `key_missing`.

        A tablet has few at once, the server a bounded number: the oldest goes.
        """
        key_of(tablet)
        challenge = new_challenge(now)
        mine = [value for value, (owner, _, _) in self._open.items() if owner == tablet.id]
        for value in mine[: len(mine) - MAX_OF_TABLET + 1]:
            del self._open[value]
        self._open[challenge.value] = (tablet.id, challenge, now)
        while len(self._open) > MAX_CHALLENGES:
            self._open.popitem(last=False)
        return challenge

    def answer(self, tablet: Tablet, value: str, signature: str, now: datetime) -> None:
        """Take the answer to a challenge, which is used up by it. Raises `Denied` `key_refused`."""
        owner, challenge, at = self._open.get(value, ("", None, now))
        if challenge is None or owner != tablet.id:
            raise key_refused()
        del self._open[value]
        if expired(at, now):
            raise key_refused()
        message = page_message(tablet.municipality_id, tablet.id, challenge)
        require_signature(key_of(tablet), message, signature)

    def page_token(self, token: str, now: datetime, *, purpose: str = "page") -> str:
        """Return what a page that has shown the key carries; `token` is the tablet's cookie."""
        since = str(int(now.timestamp()))
        return f"{since}.{self._mac(purpose, token, since)}"

    def ticket(self, token: str, page_token: str) -> str:
        """Return what shows the content of files by address, for as long as a good page token."""
        since = page_token.partition(".")[0]
        return f"{since}.{self._mac('ticket', token, since)}"

    def is_page_token(self, token: str, given: str, now: datetime, *, purpose: str) -> bool:
        """Tell whether `given` was made for this cookie by us, and not too long ago."""
        since, _, mac = given.partition(".")
        if not since.isascii() or not since.isdigit() or len(since) > 12:
            return False
        if not hmac.compare_digest(
            self._mac(purpose, token, since).encode(), mac.encode("utf-8", "surrogatepass")
        ):
            return False
        return now - datetime.fromtimestamp(int(since), UTC) < PAGE_LIFETIME

    def _mac(self, purpose: str, token: str, since: str) -> str:
        text = f"{purpose}\n{since}\n{token}".encode("utf-8", "surrogatepass")
        digest = hmac.new(self._secret, text, hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def require_socket_proof(tablet: Tablet, challenge: Challenge, page_id: str, proof: str) -> None:
    """Raise `Denied` `key_refused` unless the socket's page has the tablet's key."""
    message = socket_message(tablet.municipality_id, tablet.id, challenge, page_id)
    require_signature(key_of(tablet), message, proof)


def require_signed_offer(
    tablet: Tablet,
    challenge: Challenge | None,
    call_id: str,
    connection: int,
    sdp: str,
    signature: str | None,
) -> None:
    """Raise `Denied` `offer_unsigned` unless the tablet signed this very SDP for this call."""
    if challenge is None or signature is None:
        raise offer_unsigned()
    home = tablet.municipality_id
    message = offer_message(home, tablet.id, challenge, call_id, connection, sdp)
    try:
        require_signature(key_of(tablet), message, signature)
    except Denied as refused:
        raise offer_unsigned() from refused
