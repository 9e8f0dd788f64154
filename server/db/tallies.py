"""How often each action was asked of the gate and refused, and for which reason, by the hour.

The gate's quiet rules write no entry when they allow something, so the audit log alone could not
say how often a setting was asked. Counts gather in memory and go to disk every few seconds and at
the stop; after a crash those of the last seconds are missing. The log stays the proof.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from security.policy.decide import Decision
from security.policy.facts import Facts
from server.db import schema as t
from server.db.engine import Database

KEPT = timedelta(days=31)
ASKED = ""  # the code under which every question counts, allowed or not
_HOUR = timedelta(hours=1)
_TALLY = t.gate_tally.c
Key = tuple[str, datetime, str, str]


class SqlTallies:
    """Implements `Tally` of security/gate.py."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: Counter[Key] = Counter()

    def count(self, decision: Decision, facts: Facts) -> None:
        """Count a decision, and once each code of its refusal."""
        where = (facts.actor.municipality_id, hour_of(facts.now), decision.action)
        for code in {ASKED, *(reason.code for reason in decision.reasons)}:
            self._waiting[*where, code] += 1

    async def flush(self) -> None:
        """Write what has gathered; what cannot be written now waits on."""
        if not self._waiting:
            return
        taken, self._waiting = self._waiting, Counter()
        rows = [
            {"municipality_id": home, "hour": hour, "action": action, "code": code, "count": count}
            for (home, hour, action, code), count in taken.items()
        ]
        adding = insert(t.gate_tally)
        adding = adding.on_conflict_do_update(
            index_elements=[_TALLY.municipality_id, _TALLY.hour, _TALLY.action, _TALLY.code],
            set_={"count": _TALLY.count + adding.excluded.count},
        )
        try:
            async with self._database.writing() as connection:
                await connection.execute(adding, rows)
        except BaseException:
            self._waiting.update(taken)
            raise

    async def since(self, municipality_id: str, at: datetime) -> Mapping[tuple[str, str], int]:
        """Return counts by action and code from the beginning of that hour on."""
        await self.flush()
        query = (
            sa.select(_TALLY.action, _TALLY.code, sa.func.sum(_TALLY.count))
            .where(_TALLY.municipality_id == municipality_id, _TALLY.hour >= hour_of(at))
            .group_by(_TALLY.action, _TALLY.code)
        )
        async with self._database.reading() as connection:
            return {(action, code): n for action, code, n in await connection.execute(query)}

    async def sweep(self, now: datetime) -> None:
        """Forget what nobody asks for any more."""
        old = sa.delete(t.gate_tally).where(_TALLY.hour < hour_of(now) - KEPT)
        async with self._database.writing() as connection:
            await connection.execute(old)


def hour_of(at: datetime) -> datetime:
    """Return the beginning of the hour."""
    at = at.astimezone(UTC)
    return at - (at - datetime(1970, 1, 1, tzinfo=UTC)) % _HOUR
