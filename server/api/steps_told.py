"""Shows the steps of a call to its ends. Implements `Listeners` of server/call_steps.py."""

from server.api.hub import SENIOR, Hub, counter_key
from server.api.step_views import people_of, steps_view
from server.api.views import Json
from server.call_steps import CallSteps, day_of
from server.calls.call import Call
from server.calls.guests import joined


class StepsTold:
    """Draws the noun "steps" and sends it to whom it concerns."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

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

    async def draw(self, steps: CallSteps, call: Call, *, desk: bool) -> Json | None:
        """Return the noun "steps", None when the procedure is not in the list any more."""
        template, sheet = steps.template_of(call), await steps.of(call)
        lock = steps.lock(call, sheet)
        if template is None or lock is None:
            return None
        home, people = call.municipality_id, people_of(sheet) if desk else set()
        names = {one: await self._hub.directory.person(home, one) for one in sorted(people)}
        return steps_view(template, sheet, lock, day_of(call), names, desk=desk)
