"""Webhooks on disk: addresses and secrets are sealed with the municipality's house key."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from security.crypto.keys import DataKey
from security.errors import NotFound
from server.db import schema as t
from server.db.engine import Database, one_row
from server.db.people import SqlPeople
from server.hooks.signing import SigningKeys

_HOOK = t.webhook.c
DESTINATION = "webhook:"


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where facts of `types` are sent. `secret` before `previous` is the one of now."""

    id: str
    municipality_id: str
    name: str
    url: str
    types: tuple[str, ...]
    training: bool
    secret: str
    generation: int
    created_at: datetime
    previous: str | None = None
    previous_until: datetime | None = None
    created_by: str | None = None
    ended_at: datetime | None = None
    ended_why: str | None = None

    def __repr__(self) -> str:
        return f"Webhook({self.id})"

    @property
    def destination(self) -> str:
        """Return what deliveries to it are addressed to."""
        return DESTINATION + self.id


class SqlWebhooks:
    """Every query but that of the worker is scoped by a municipality."""

    def __init__(self, database: Database, people: SqlPeople) -> None:
        self._database = database
        self._people = people

    async def add(self, hook: Webhook) -> None:
        """Store a new webhook."""
        house = await self._people.house_key(hook.municipality_id)
        values = {
            "id": hook.id,
            "municipality_id": hook.municipality_id,
            "name": hook.name,
            "url_sealed": house.seal(hook.url.encode(), *_ids("url", hook)),
            "types": " ".join(hook.types),
            "training": hook.training,
            "secret_sealed": house.seal(hook.secret.encode(), *_ids("secret", hook)),
            "generation": hook.generation,
            "created_by": hook.created_by,
            "created_at": hook.created_at,
        }
        async with self._database.writing() as connection:
            await connection.execute(sa.insert(t.webhook).values(values))

    async def every(self, municipality_id: str) -> list[Webhook]:
        """Return the municipality's webhooks that are in use, oldest first."""
        return await self._read(
            municipality_id, _HOOK.municipality_id == municipality_id, _HOOK.ended_at.is_(None)
        )

    async def get(self, municipality_id: str, hook_id: str) -> Webhook | None:
        """Return one webhook of the municipality, also one that has ended."""
        found = await self._read(
            municipality_id, _HOOK.municipality_id == municipality_id, _HOOK.id == hook_id
        )
        return found[0] if found else None

    async def rotate(self, hook: Webhook, secret: str, until: datetime) -> None:
        """Give it a new secret; the one of now counts until then beside it."""
        house = await self._people.house_key(hook.municipality_id)
        values = {
            "secret_sealed": house.seal(secret.encode(), *_ids("secret", hook)),
            "previous_sealed": house.seal(hook.secret.encode(), *_ids("previous", hook)),
            "previous_until": until,
            "generation": hook.generation + 1,
        }
        this = (_HOOK.id == hook.id, _HOOK.generation == hook.generation)
        async with self._database.writing() as connection:
            changing = sa.update(t.webhook).where(*this, _HOOK.ended_at.is_(None))
            if not one_row(await connection.execute(changing.values(values))):
                raise NotFound("there is no such webhook")

    async def end(self, municipality_id: str, hook_id: str, why: str, now: datetime) -> None:
        """End it, and give up what was on its way there. Raises `NotFound`."""
        this = (_HOOK.municipality_id == municipality_id, _HOOK.id == hook_id)
        waiting = (
            t.delivery.c.destination == DESTINATION + hook_id,
            t.delivery.c.state.in_(("waiting", "dead")),
        )
        async with self._database.writing() as connection:
            ending = sa.update(t.webhook).where(*this, _HOOK.ended_at.is_(None))
            values = {"ended_at": now, "ended_why": why}
            if not one_row(await connection.execute(ending.values(values))):
                raise NotFound("there is no such webhook")
            letting_go = sa.update(t.delivery).where(*waiting)
            await connection.execute(letting_go.values(state="given_up"))

    async def wanting(self, municipality_id: str) -> list[tuple[str, frozenset[str], bool]]:
        """Return id, types and whether 研修モード is wanted of each webhook in use."""
        mine = (_HOOK.municipality_id == municipality_id, _HOOK.ended_at.is_(None))
        query = sa.select(_HOOK.id, _HOOK.types, _HOOK.training).where(*mine)
        async with self._database.reading() as connection:
            rows = await connection.execute(query.order_by(_HOOK.created_at, _HOOK.id))
            return [(row.id, frozenset(row.types.split()), row.training) for row in rows]

    async def keys(self, hook: Webhook, now: datetime) -> list[SigningKeys]:
        """Return what messages are signed with now, the newest first."""
        house = await self._people.house_key(hook.municipality_id)
        keys = [_signing(house, hook, hook.secret, hook.generation)]
        until = hook.previous_until
        if hook.previous is not None and until is not None and now < until:
            keys.append(_signing(house, hook, hook.previous, hook.generation - 1))
        return keys

    async def _read(self, municipality_id: str, *which: Any) -> list[Webhook]:
        query = sa.select(t.webhook).where(*which).order_by(_HOOK.created_at, _HOOK.id)
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        if not rows:
            return []
        house = await self._people.house_key(municipality_id)
        return [_webhook(row, house) for row in rows]


def _signing(house: DataKey, hook: Webhook, secret: str, generation: int) -> SigningKeys:
    ids = ("webhook", hook.municipality_id, hook.id, str(generation))
    return SigningKeys(secret, house.signing_key(*ids))


def _ids(what: str, hook: Any) -> tuple[str, str, str]:
    return (f"webhook-{what}", hook.municipality_id, hook.id)


def _webhook(row: Any, house: DataKey) -> Webhook:
    def opened(what: str, sealed: bytes) -> str:
        return house.open(sealed, *_ids(what, row)).decode()

    previous = row.previous_sealed
    return Webhook(
        row.id,
        row.municipality_id,
        row.name,
        opened("url", row.url_sealed),
        tuple(row.types.split()),
        row.training,
        opened("secret", row.secret_sealed),
        row.generation,
        row.created_at,
        opened("previous", previous) if previous is not None else None,
        row.previous_until,
        row.created_by,
        row.ended_at,
        row.ended_why,
    )
