"""Ends the calls that have waited or lasted as long as the policy lets them, and says so before.

Looked at anew each second and not by timers: so a policy that takes force during a call, a clock
that is set and a restart of the server all count at once.
"""

import contextlib
import logging
from collections.abc import Callable
from datetime import datetime

from security.errors import Conflict, Denied, NotFound
from security.gate import Gate
from security.policy.facts import Actor, Facts
from server.api.hub import Hub
from server.calls import events as ev
from server.calls.call import Call
from server.calls.facts import call_facts
from server.calls.times import end_of, talked_seconds, waited_seconds
from server.policies import PolicyBook

log = logging.getLogger(__name__)


class CallTimes:
    """Watches every open call of this server."""

    def __init__(
        self, hub: Hub, gate: Gate, book: PolicyBook, *, clock: Callable[[], datetime]
    ) -> None:
        self._hub = hub
        self._gate = gate
        self._book = book
        self._clock = clock

    async def look(self) -> None:
        """End what is due, and tell both ends of a call whose end has moved."""
        for call in self._hub.registry.every_open_call():
            end = end_of(call, self._hub.registry.limits_of(call.municipality_id))
            if end is not None and end.at <= self._clock():
                await self._end(call)
            elif end is not None:
                await self._hub.tell_end(call, end.at)

    async def _end(self, call: Call) -> None:
        try:
            await self._gate.ask("call.continue", self.facts(call))
        except Denied as denied:
            log.info("call %s ends: %s", call.id, denied.code)
            with contextlib.suppress(Conflict, NotFound):
                await self._hub.registry.apply(call.id, ev.TimeUp(denied.code))

    def facts(self, call: Call) -> Facts:
        """Return the facts by which a call goes on or ends."""
        now, in_force = self._clock(), self._book.of(call.municipality_id)
        return Facts(
            now=now,
            actor=Actor(
                page="counter",
                municipality_id=call.municipality_id,
                tablet_id=call.tablet_id,
                tablet_live=True,
                office_id=call.office_id,
            ),
            subject=call.id,
            subject_municipality_id=call.municipality_id,
            call=call_facts(call),
            policy=in_force.policy,
            policy_number=in_force.number,
            training=call.training,
            waited_seconds=waited_seconds(call, now),
            talked_seconds=talked_seconds(call, now),
        )
