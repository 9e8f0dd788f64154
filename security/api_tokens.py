"""Tokens by which other systems of the municipality read records and counts. Pure.

A token is `mdt_` and 32 random bytes; only its SHA-256 is stored. It opens its scopes alone, from
its networks alone, until it expires or is revoked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from security.errors import ProtocolError
from security.roles import SCOPES
from security.tokens import new_token
from security.values import plain_network

PREFIX = "mdt_"
LONGEST = timedelta(days=400)
MAX_NETWORKS = 20


@dataclass(frozen=True, slots=True)
class ApiToken:
    """One token, without that by which it is known."""

    id: str
    municipality_id: str
    name: str
    scopes: tuple[str, ...]
    networks: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    created_by: str | None = None
    revoked_at: datetime | None = None
    used_at: datetime | None = None

    def counts(self, now: datetime) -> bool:
        """Tell whether it is neither expired nor revoked."""
        return self.revoked_at is None and now < self.expires_at


def new_api_token() -> str:
    """Return a fresh token as it is shown once."""
    return PREFIX + new_token()


def check_token(
    scopes: Sequence[str], networks: Sequence[str], expires_at: datetime, now: datetime
) -> None:
    """Raise `ProtocolError` `bad_key_terms` for scopes, networks or a term that cannot be."""
    if not scopes or not set(scopes) <= set(SCOPES):
        raise _bad(f"scopes are of {', '.join(SCOPES)}")
    if not 1 <= len(networks) <= MAX_NETWORKS:
        raise _bad(f"1 to {MAX_NETWORKS} networks")
    for text in networks:
        if plain_network(text) is None:
            raise _bad("a network is written as 192.0.2.0/24, without host bits")
    if not now < expires_at <= now + LONGEST:
        raise _bad(f"it expires within {LONGEST.days} days")


def _bad(what: str) -> ProtocolError:
    return ProtocolError(what, code="bad_key_terms")
