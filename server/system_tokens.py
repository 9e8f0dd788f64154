"""Making and revoking tokens of other systems: the page and the commands do it by these alone."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from security.api_tokens import ApiToken, check_token, new_api_token
from security.ids import new_id
from server.administration import Hand
from server.db.api_tokens import SqlApiTokens


async def make_token(
    store: SqlApiTokens,
    hand: Hand,
    name: str,
    scopes: Sequence[str],
    networks: Sequence[str],
    days: int,
    *,
    now: datetime,
) -> tuple[ApiToken, str]:
    """Return a new token, stored, and that by which it is known, which is told this once.

    Raises `ProtocolError` `bad_key_terms`.
    """
    until = now + timedelta(days=days)
    check_token(scopes, networks, until, now)
    home = hand.municipality_id
    item = ApiToken(
        new_id(), home, name, tuple(scopes), tuple(networks), now, until, hand.person_id
    )
    token = new_api_token()
    await store.add(item, token)
    detail = {"scopes": list(item.scopes), "networks": list(item.networks)}
    await hand.note("token:make", item.id, {**detail, "until": until.isoformat()})
    return item, token


async def revoke_token(store: SqlApiTokens, hand: Hand, token_id: str, *, now: datetime) -> None:
    """Revoke a token: the next request with it is refused. Raises `NotFound`."""
    await store.revoke(hand.municipality_id, token_id, now)
    await hand.note("token:revoke", token_id, {})
