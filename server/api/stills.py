"""A still for a step: the desk asks, the tablet takes a picture (PROTOCOL.md section 3.4)."""

import secrets

from aiohttp import web

from security.errors import Conflict
from server.api import messages as m
from server.api.commands import Context, command
from server.api.hub import counter_key
from server.api.views import Json
from server.call_steps import day_of
from server.calls.call import Call, Device, State
from server.procedures.progress import is_open, need_at
from server.procedures.still_names import still_name
from server.procedures.template import StillNeed

routes = web.RouteTableDef()
NAME_BYTES = 4


@command("step.still")
async def ask_still(context: Context, message: m.StepStill) -> Json:
    """Have the tablet take a picture for a step; `name` is that of the file to come.

    Asked of the tablet once: a picture that a lost line swallowed is asked for anew by the desk.
    """
    call = context.own_call()
    await context.ask("step.lead", call)
    need = await _open_need(context, call, message)
    before = await _taken(context, call, f"{message.step}-{message.need}-")
    await context.ask("still.take", call, tries=max(1, before + 2 - need.at_least))
    if call.state not in (State.TALKING, State.DECIDING):
        raise Conflict("the counter is not there", code="line_lost")
    if call.veiled or call.counter.camera is not Device.ON:
        raise Conflict("the counter gives no picture", code="no_picture")
    name = still_name(message.step, message.need, secrets.token_hex(NAME_BYTES))
    told = {"call": call.id, "step": message.step, "need": message.need, "name": name}
    context.parts.hub.seats.show(counter_key(call), {"type": "still", **told})
    return {"name": name}


async def _open_need(context: Context, call: Call, message: m.StepStill) -> StillNeed:
    """Return the need whose turn has come. Raises `Conflict`, `NotFound`."""
    steps = context.parts.steps
    template = steps.template_of(call)
    place = (message.step, message.need)
    need = None if template is None else need_at(template, place)
    if template is None or not isinstance(need, StillNeed):
        raise Conflict("no still is asked for here", code="wrong_kind")
    step = next(one for one in template.steps if one.id == message.step)
    sheet = await steps.of(call)
    if not is_open(template, sheet.progress, step, day_of(call)):
        raise Conflict("an earlier step is not done", code="step_locked")
    return need


async def _taken(context: Context, call: Call, prefix: str) -> int:
    """Return how many pictures were sent for a need so far, whatever became of them."""
    permit = await context.ask("call.read", call)
    entries = await context.parts.uploads.list_of_call(permit, call.id)
    return sum(entry.name.startswith(prefix) for entry in entries)
