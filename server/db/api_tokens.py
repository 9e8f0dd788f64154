"""Tokens of other systems on disk."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from security.api_tokens import ApiToken
from security.errors import NotFound
from security.tokens import token_hash
from server.db import schema as t
from server.db.engine import Database

_TOKEN = t.api_token.c
USED_EVERY = timedelta(minutes=1)


class SqlApiTokens:
    """Every query but that by the token itself is scoped by a municipality."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, item: ApiToken, token: str) -> None:
        """Store a new token, by its hash alone."""
        values = {
            "id": item.id,
            "municipality_id": item.municipality_id,
            "name": item.name,
            "token_hash": token_hash(token),
            "scopes": " ".join(item.scopes),
            "networks": " ".join(item.networks),
            "created_by": item.created_by,
            "created_at": item.created_at,
            "expires_at": item.expires_at,
        }
        async with self._database.writing() as connection:
            await connection.execute(sa.insert(t.api_token).values(values))

    async def every(self, municipality_id: str) -> list[ApiToken]:
        """Return the municipality's tokens, the newest first."""
        query = sa.select(t.api_token).where(_TOKEN.municipality_id == municipality_id)
        async with self._database.reading() as connection:
            rows = await connection.execute(query.order_by(_TOKEN.created_at.desc(), _TOKEN.id))
            return [_token(row) for row in rows]

    async def known_by(self, token: str) -> ApiToken | None:
        """Return the token that this is."""
        query = sa.select(t.api_token).where(_TOKEN.token_hash == token_hash(token))
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).one_or_none()
        return _token(row) if row is not None else None

    async def revoke(self, municipality_id: str, token_id: str, now: datetime) -> None:
        """Let it count no more, from the next request on. Raises `NotFound`."""
        this = (_TOKEN.municipality_id == municipality_id, _TOKEN.id == token_id)
        async with self._database.writing() as connection:
            if (await connection.execute(sa.select(_TOKEN.id).where(*this))).first() is None:
                raise NotFound("there is no such token")
            changing = sa.update(t.api_token).where(*this, _TOKEN.revoked_at.is_(None))
            await connection.execute(changing.values(revoked_at=now))

    async def used(self, item: ApiToken, now: datetime) -> None:
        """Remember that it was used, to the minute."""
        if item.used_at is not None and now - item.used_at < USED_EVERY:
            return
        async with self._database.writing() as connection:
            changing = sa.update(t.api_token).where(_TOKEN.id == item.id)
            await connection.execute(changing.values(used_at=now))


def _token(row: Any) -> ApiToken:
    return ApiToken(
        row.id,
        row.municipality_id,
        row.name,
        tuple(row.scopes.split()),
        tuple(row.networks.split()),
        row.created_at,
        row.expires_at,
        row.created_by,
        row.revoked_at,
        row.used_at,
    )
