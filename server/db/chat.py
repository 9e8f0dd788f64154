"""Chat lines on disk; the texts come sealed and stay so."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from chat.store import SealedMessage
from server.db import schema as t
from server.db.engine import Database

_LINE = t.chat_message.c
_READ = t.chat_read.c


class SqlChat:
    """Implements `ChatStore` of chat/store.py."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, message: SealedMessage) -> tuple[SealedMessage, bool]:
        """Store `message` and return it with its number and True, or the line that was there."""
        here = _of_call(_LINE, message.municipality_id, message.call_id)
        same = (*here, _LINE.party == message.party, _LINE.client_id == message.client_id)
        async with self._database.writing() as connection:
            query = sa.select(t.chat_message).where(*same)
            before = (await connection.execute(query)).one_or_none()
            if before is not None:
                return _message(before), False
            number = await _newest(connection, message.municipality_id, message.call_id) + 1
            values = {c.name: getattr(message, c.name) for c in _LINE} | {"number": number}
            await connection.execute(sa.insert(t.chat_message).values(values))
        return SealedMessage(**values), True

    async def list_after(
        self, municipality_id: str, call_id: str, number: int
    ) -> list[SealedMessage]:
        """Return the lines of the call with a larger number, in order."""
        here = _of_call(_LINE, municipality_id, call_id)
        query = sa.select(t.chat_message).where(*here, _LINE.number > number)
        async with self._database.reading() as connection:
            rows = await connection.execute(query.order_by(_LINE.number))
            return [_message(row) for row in rows]

    async def last_number(self, municipality_id: str, call_id: str) -> int:
        """Return the number of the call's newest line, 0 when it has none."""
        async with self._database.reading() as connection:
            return await _newest(connection, municipality_id, call_id)

    async def set_read(self, municipality_id: str, call_id: str, party: str, number: int) -> int:
        """Remember that `party` has read up to `number`; never moves back. Return what holds."""
        this = (*_of_call(_READ, municipality_id, call_id), _READ.party == party)
        async with self._database.writing() as connection:
            query = sa.select(_READ.number).where(*this)
            before = (await connection.execute(query)).scalar_one_or_none()
            if before is None:
                new = {
                    "municipality_id": municipality_id,
                    "call_id": call_id,
                    "party": party,
                    "number": number,
                }
                await connection.execute(sa.insert(t.chat_read).values(new))
                return number
            if number > before:
                await connection.execute(sa.update(t.chat_read).where(*this).values(number=number))
            return max(number, int(before))

    async def get_read(self, municipality_id: str, call_id: str) -> dict[str, int]:
        """Return the last number read, per party; a party that has read nothing is left out."""
        query = sa.select(_READ.party, _READ.number).where(
            *_of_call(_READ, municipality_id, call_id)
        )
        async with self._database.reading() as connection:
            return {row.party: row.number for row in await connection.execute(query)}


async def _newest(connection: AsyncConnection, municipality_id: str, call_id: str) -> int:
    query = sa.select(sa.func.max(_LINE.number)).where(*_of_call(_LINE, municipality_id, call_id))
    return int((await connection.execute(query)).scalar_one() or 0)


def _of_call(columns: Any, municipality_id: str, call_id: str) -> tuple[Any, ...]:
    return (columns.municipality_id == municipality_id, columns.call_id == call_id)


def _message(row: Any) -> SealedMessage:
    return SealedMessage(**{c.name: getattr(row, c.name) for c in _LINE})
