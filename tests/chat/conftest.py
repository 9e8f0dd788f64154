"""A chat with a real gate that allows everything and a store in memory."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from chat.log import ChatLog
from chat.message import Message
from chat.store import SealedMessage
from security.crypto.keys import DataKey
from security.errors import Reason
from security.gate import Gate, Permit
from security.policy.decide import Decision, Rule, Term
from security.policy.facts import Actor, Facts

T0 = datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC)


class NoAudit:
    async def write(self, decision: Decision, facts: Facts) -> None:
        return None


class MemoryChat:
    """`ChatStore` in memory."""

    def __init__(self) -> None:
        self.lines: list[SealedMessage] = []
        self.read: dict[tuple[str, str, str], int] = {}

    async def append(self, message: SealedMessage) -> tuple[SealedMessage, bool]:
        of_call = await self.list_after(message.municipality_id, message.call_id, 0)
        for line in of_call:
            if (line.party, line.client_id) == (message.party, message.client_id):
                return line, False
        numbered = replace(message, number=len(of_call) + 1)
        self.lines.append(numbered)
        return numbered, True

    async def list_after(
        self, municipality_id: str, call_id: str, number: int
    ) -> list[SealedMessage]:
        return [
            line
            for line in self.lines
            if (line.municipality_id, line.call_id) == (municipality_id, call_id)
            and line.number > number
        ]

    async def last_number(self, municipality_id: str, call_id: str) -> int:
        return len(await self.list_after(municipality_id, call_id, 0))

    async def set_read(self, municipality_id: str, call_id: str, party: str, number: int) -> int:
        place = (municipality_id, call_id, party)
        self.read[place] = max(self.read.get(place, 0), number)
        return self.read[place]

    async def get_read(self, municipality_id: str, call_id: str) -> dict[str, int]:
        return {
            party: number
            for (municipality, call, party), number in self.read.items()
            if (municipality, call) == (municipality_id, call_id)
        }


@dataclass
class Talk:
    """One call's chat, and permits at hand."""

    store: MemoryChat
    log: ChatLog
    key: DataKey
    call_id: str = "call-1"

    async def permit(self, action: str, subject: str = "call-1", municipality: str = "m") -> Permit:
        always = Term(lambda facts: True, Reason("never", "never"))
        gate = Gate({action: Rule(action, (always,))}, NoAudit())
        actor = Actor(page="desk", municipality_id=municipality)
        return await gate.ask(action, Facts(T0, actor, subject, municipality))

    async def post(
        self, text: str, client_id: str, party: str = "desk", seconds: int = 0
    ) -> tuple[Message, bool]:
        permit = await self.permit("chat.send")
        now = T0 + timedelta(seconds=seconds)
        return await self.log.post(
            permit, self.call_id, party, "person", client_id, text, key=self.key, now=now
        )

    async def since(self, number: int = 0) -> list[Message]:
        permit = await self.permit("chat.read")
        return await self.log.since(permit, self.call_id, number, key=self.key)

    async def mark_read(self, party: str, number: int) -> int:
        return await self.log.mark_read(await self.permit("chat.read"), self.call_id, party, number)


@pytest.fixture
def talk() -> Talk:
    store = MemoryChat()
    return Talk(store, ChatLog(store), DataKey(bytes(32)))
