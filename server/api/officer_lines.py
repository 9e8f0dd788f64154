"""The line by which each officer last came: what a change of the network rule is tried on."""

import json
from collections.abc import Iterable

from security.policy.facts import Line
from security.policy.lockout import Seen
from security.policy.model import Policy
from security.policy.replay import line_of
from server.api.reach import Reach
from server.db.audit import SqlAudit


class OfficerLines:
    """Kept in memory at every request; from before this process ran, the log's last sign-in."""

    def __init__(self, log: SqlAudit) -> None:
        self._log = log
        self._came: dict[str, Reach] = {}

    def came(self, person_id: str, reach: Reach) -> None:
        """Note how an officer has just come."""
        self._came[person_id] = reach

    async def seen(self, home: str, people: Iterable[str], policy: Policy) -> list[Seen]:
        """Return the last lines of `people` as `policy` lets them be believed; none: left out."""
        found = []
        for person_id in people:
            reach = self._came.get(person_id)
            line = reach.line(policy) if reach else await self._signed_in(home, person_id)
            if line is not None:
                found.append(Seen(person_id, line))
        return found

    async def _signed_in(self, home: str, person_id: str) -> Line | None:
        stored = await self._log.newest_of_subject(home, "gate:session:begin", person_id)
        return None if stored is None else line_of(json.loads(stored.entry))
