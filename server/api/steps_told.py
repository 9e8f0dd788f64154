"""Shows the steps of a call to its ends. Implements `Listeners` of server/call_steps.py."""

import logging
from typing import Protocol

from security.errors import Corrupt
from security.people import Person, Role
from server.api.hub import SENIOR, Hub, counter_key
from server.api.step_views import asked_view, people_of, steps_view
from server.api.views import Json
from server.call_steps import CallSteps, day_of
from server.calls.call import Call
from server.calls.guests import joined
from server.calls.registry import UNDER_WAY
from server.earlier import EarlierCalls
from server.procedures.sheet import Sheet

log = logging.getLogger(__name__)


class PersonStore(Protocol):
    """Where people stand."""

    async def person(self, municipality_id: str, person_id: str) -> Person | None:
        """Return a person of the municipality."""


class StepsTold:
    """Draws the noun "steps" and sends it to whom it concerns."""

    def __init__(self, hub: Hub, people: PersonStore, earlier: EarlierCalls) -> None:
        self._hub = hub
        self._people = people
        self.earlier = earlier
        self._asked: dict[str, list[Json]] = {}  # by municipality, as seniors were told last

    def open_call(self, call_id: str) -> Call:
        """Return an open call; raises `NotFound`."""
        return self._hub.registry.get(call_id)

    async def tell_steps(self, steps: CallSteps, call: Call) -> None:
        """Show the steps to the counter, to the desk and to a senior who is in the call."""
        for_desk = {"type": "steps", "steps": await self.draw(steps, call, desk=True)}
        for_counter = {"type": "steps", "steps": await self.draw(steps, call, desk=False)}
        self._hub.seats.send(counter_key(call), for_counter)
        if call.desk_id is not None:
            self._hub.seats.send(("desk", call.desk_id), for_desk)
        for guest in joined(call):
            if guest.kind == SENIOR:
                self._hub.seats.send(("desk", guest.person_id), for_desk)
        await self._tell_seniors(steps, call.municipality_id)

    async def _tell_seniors(self, steps: CallSteps, home: str) -> None:
        """Show the seniors at their desks what they are asked, when that has changed."""
        asked = await self.asked(steps, home)
        if asked == self._asked.get(home, []):
            return
        self._asked[home] = asked
        for desk in self._hub.registry.desks.of(home):
            person = await self._people.person(home, desk.person_id)
            if person is not None and person.role is Role.SENIOR:
                message = {"type": "approvals", "approvals": asked}
                self._hub.seats.show(("desk", desk.person_id), message)

    async def asked(self, steps: CallSteps, home: str) -> list[Json]:
        """Return what seniors of a municipality are asked to confirm, the oldest first."""
        found = []
        for call in self._hub.registry.open_calls(home):
            if call.state not in UNDER_WAY:
                continue
            sheet = await self._sheet(steps, call)
            if sheet is None:
                continue
            names = await self._hub.directory.names(call)
            for one in sheet.approvals:
                if one.approved is None:
                    found.append(asked_view(call, names, sheet, one, day_of(call)))
        return sorted(found, key=lambda one: str(one["asked_at"]))

    async def _sheet(self, steps: CallSteps, call: Call) -> Sheet | None:
        """Return the sheet of a call; one that does not verify keeps no other from being shown."""
        try:
            return await steps.of(call)
        except Corrupt:
            log.error("call %s: its steps do not verify", call.id)
            return None

    async def draw(self, steps: CallSteps, call: Call, *, desk: bool) -> Json | None:
        """Return the noun "steps".

        None when the procedure is not in the list any more, or what was written does not verify:
        the call goes on to its end, and whatever is asked of its steps answers `corrupt`.
        """
        template = steps.template_of(call)
        sheet = await self._sheet(steps, call)
        if sheet is None:
            return None
        lock = steps.lock(call, sheet)
        if template is None or lock is None:
            return None
        home, people = call.municipality_id, people_of(sheet) if desk else set()
        names = {one: await self._hub.directory.person(home, one) for one in sorted(people)}
        earlier = await self.earlier.of(call) if desk else None
        day = day_of(call)
        return steps_view(template, sheet, lock, day, names, desk=desk, earlier=earlier)
