"""What pages are told of our TURN relay: whether to use it, and credentials that expire. Pure.

The relay is coturn with a secret that it shares with us (TURN REST: the user name begins with
the time at which it expires, the password is its HMAC-SHA1). server/relay_conf.py says how it is
set up, so that it carries nothing but media to our own address.
"""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from security.ids import new_id

URL_PATTERN = re.compile(
    r"(?P<scheme>turns?):(?P<host>[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:]{2,39}\])"
    r"(?::(?P<port>[0-9]{1,5}))?(?:\?transport=(?P<transport>udp|tcp))?"
)
PORTS = {"turn": 3478, "turns": 5349}


class RelayUse(StrEnum):
    """How pages use the relay."""

    NONE = "none"
    FALLBACK = "fallback"  # where nothing else gets through
    ONLY = "only"  # no media but by the relay


@dataclass(frozen=True, slots=True)
class Relay:
    """Our relay: the URLs at which pages reach it, and the secret that it shares with us.

    `enforces_networks`: its operator answers for it that only the networks of the policy reach it.
    """

    urls: tuple[str, ...]
    secret: str
    lifetime: timedelta
    enforces_networks: bool = False
    addresses: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Relay({self.urls!r})"

    @property
    def hosts(self) -> tuple[str, ...]:
        """Return the names and addresses from which it sends, as far as they are known."""
        found = (URL_PATTERN.fullmatch(url) for url in self.urls)
        named = (match["host"].strip("[]") for match in found if match)
        return tuple(dict.fromkeys([*named, *self.addresses]))


@dataclass(frozen=True, slots=True)
class Grant:
    """Leave to use the relay until `expires_at`; nobody's name is in it."""

    use: RelayUse
    urls: tuple[str, ...]
    username: str
    credential: str
    expires_at: datetime


def grant(relay: Relay | None, use: RelayUse, *, now: datetime) -> Grant | None:
    """Return what a page needs for the relay under the rule `use`, None when it may not use it."""
    if relay is None or use is RelayUse.NONE:
        return None
    expires_at = (now + relay.lifetime).replace(microsecond=0)
    username = f"{int(expires_at.timestamp())}:{new_id()}"
    return Grant(use, relay.urls, username, credential(relay.secret, username), expires_at)


def new_secret() -> str:
    """Return a fresh secret to share with coturn."""
    return secrets.token_urlsafe(32)


def credential(secret: str, username: str) -> str:
    """Return the password of a user name (TURN REST API, section 2.2)."""
    # The scheme's own hash; an HMAC does not suffer from SHA-1's collisions.
    mac = hmac.new(secret.encode(), username.encode(), hashlib.sha1)
    return base64.b64encode(mac.digest()).decode()
