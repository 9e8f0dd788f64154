"""The chat of a call: seals, stores in order, gives back. Takes permits, knows no sockets."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from chat.message import MAX_MESSAGES, Message, check_client_id, clean_text
from chat.store import ChatStore, SealedMessage
from security.crypto.keys import DataKey
from security.errors import Conflict, TooMuch
from security.gate import Permit

__all__ = ["ChatLog", "ChatStore", "SealedMessage", "open_lines"]


class ChatLog:
    """Posts and reads lines; every text is sealed by the call's key before the store sees it."""

    def __init__(self, store: ChatStore) -> None:
        self._store = store

    async def post(
        self,
        permit: Permit,
        call_id: str,
        party: str,
        person_id: str,
        client_id: str,
        text: str,
        *,
        key: DataKey,
        now: datetime,
    ) -> tuple[Message, bool]:
        """Store one line and return it with its number, and whether it is new.

        `permit` is for "chat.send" on the call. The line is durable when this returns. The same
        `client_id` of the same party with the same text returns the first line and False.

        Raises `Conflict` when that id was used for another text; `TooMuch` and `ProtocolError`
        as `chat.message.clean_text` does.
        """
        permit.require("chat.send", call_id)
        check_client_id(client_id)
        text = clean_text(text)
        if await self._store.last_number(permit.municipality_id, call_id) >= MAX_MESSAGES:
            raise TooMuch(
                "this call has too many messages",
                limit=MAX_MESSAGES,
                unit="messages",
                code="too_many_messages",
                http_status=429,
            )
        ids = _ids(permit.municipality_id, call_id, party, client_id)
        stored, is_new = await self._store.append(
            SealedMessage(
                municipality_id=permit.municipality_id,
                call_id=call_id,
                party=party,
                person_id=person_id,
                client_id=client_id,
                text_sealed=key.seal(text.encode(), *ids),
                at=now,
            )
        )
        message = _opened(stored, key)
        if message.text != text:
            raise Conflict("this message id was used for another text")
        return message, is_new

    async def since(
        self, permit: Permit, call_id: str, number: int, *, key: DataKey
    ) -> list[Message]:
        """Return every line after `number` (0: all), in order.

        `permit` is for "chat.read" on the call. Raises `Corrupt` when a line does not verify.
        """
        permit.require("chat.read", call_id)
        stored = await self._store.list_after(permit.municipality_id, call_id, number)
        # A thousand lines take longer than the loop may be kept.
        return await asyncio.to_thread(open_lines, stored, key)

    async def mark_read(self, permit: Permit, call_id: str, party: str, number: int) -> int:
        """Remember that `party` has read up to `number` and return what holds now.

        Never moves back and never goes beyond the newest line. `permit` is for "chat.read".
        """
        permit.require("chat.read", call_id)
        last = await self._store.last_number(permit.municipality_id, call_id)
        number = max(0, min(number, last))
        return await self._store.set_read(permit.municipality_id, call_id, party, number)

    async def read_by(self, permit: Permit, call_id: str) -> Mapping[str, int]:
        """Return the last number that each party has read; a party is left out before that."""
        permit.require("chat.read", call_id)
        return MappingProxyType(await self._store.get_read(permit.municipality_id, call_id))


def open_lines(stored: Sequence[SealedMessage], key: DataKey) -> list[Message]:
    """Return stored lines with their texts. Raises `Corrupt`. Blocking: some 50 µs a line."""
    return [_opened(line, key) for line in stored]


def _ids(municipality_id: str, call_id: str, party: str, client_id: str) -> tuple[str, ...]:
    return ("chat", municipality_id, call_id, party, client_id)


def _opened(line: SealedMessage, key: DataKey) -> Message:
    ids = _ids(line.municipality_id, line.call_id, line.party, line.client_id)
    return Message(
        number=line.number,
        client_id=line.client_id,
        party=line.party,
        person_id=line.person_id,
        text=key.open(line.text_sealed, *ids).decode(),
        at=line.at,
    )
