"""The body of a message: ids alone, or with names and reasons where the policy allows that."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from security.errors import MadoguchiError, NotFound
from security.policy.sections.hooks import Hooks
from server.calls.call import Call
from server.db.calls import SqlCalls
from server.db.people import SqlPeople
from server.hooks.fact import Fact, payload

log = logging.getLogger(__name__)
MAX_BODY_BYTES = 20_000
More = Callable[[Fact], Awaitable[dict[str, Any]]]


class Bodies:
    """`policy_of` gives what a municipality's policy says of hooks; `more` what `full` adds."""

    def __init__(self, policy_of: Callable[[str], Hooks], more: More) -> None:
        self.policy_of = policy_of
        self._more = more

    async def of(self, fact: Fact) -> bytes:
        """Return the body of a fact."""
        if self.policy_of(fact.municipality_id).content == "full":
            try:
                body = payload(fact, await self._more(fact))
            except MadoguchiError as error:
                # Deleted meanwhile: its ids are still true.
                log.info("fact %s goes out with ids alone: %s", fact.id, error.code)
            else:
                if len(body) <= MAX_BODY_BYTES:
                    return body
        return payload(fact)


def names_of(calls: SqlCalls, people: SqlPeople) -> More:
    """Return what looks up names and the reason of a fact's call."""

    async def more(fact: Fact) -> dict[str, Any]:
        call: Call | None = await calls.get(fact.municipality_id, fact.subject)
        if call is None:
            raise NotFound("there is no such call any more")
        home = call.municipality_id
        office = await people.office(home, call.office_id)
        clerk = await people.person(home, call.clerk_id)
        desk = await people.person(home, call.desk_id) if call.desk_id else None
        return {
            "office_name": office and office.name,
            "clerk_name": clerk and clerk.name,
            "desk_name": desk and desk.name,
            "reason": call.reason,
        }

    return more
