"""上席確認: asking, the list of what is asked, answering. PROTOCOL.md section 3.5."""

from aiohttp import web

from security.errors import Denied, NotFound
from server.api import messages as m
from server.api.body import answer
from server.api.commands import Context, command, find_call
from server.api.keys import PARTS
from server.api.speaker import speaker_of
from server.api.views import Json
from server.call_steps import Detail, Turn
from server.procedures import lock
from server.procedures.sheet import Sheet

routes = web.RouteTableDef()


@routes.get("/api/v1/approvals")
async def asked(request: web.Request) -> web.Response:
    """List what seniors of the municipality are asked to confirm, the oldest first."""
    parts = request.app[PARTS]
    speaker = await speaker_of(parts, request)
    await parts.gate.ask("approval.read", speaker.facts(speaker.municipality.id, now=parts.clock()))
    found = await parts.steps_told.asked(parts.steps, speaker.municipality.id)
    return answer({"approvals": found})


@command("approval.ask")
async def ask(context: Context, message: m.ApprovalAsk) -> Json:
    """Ask a senior to confirm documents that are not enough, or the decision."""
    call, steps = context.own_call(), context.parts.steps
    await context.ask("approval.ask", call)
    person_id = context.speaker.seat[1]

    def change(turn: Turn) -> Sheet:
        return lock.ask(
            turn.template,
            turn.sheet,
            turn.day,
            steps.confirming(turn.call),
            message.about,
            reason=message.reason,
            person_id=person_id,
            now=turn.now,
        )

    said: Detail = {"about": message.about.value, "person": person_id}
    sheet = await steps.change(call, "approval-asked", said, change)
    return {"version": sheet.version}


@command("approval.answer")
async def answer_asked(context: Context, message: m.ApprovalAnswer) -> Json:
    """Confirm as a senior, or refuse and say why; in the call as a guest, or from the list."""
    parts, speaker = context.parts, context.speaker
    call = find_call(parts, speaker, message.call)
    if call is None:
        raise NotFound("no such call")
    await context.ask("approval.answer", call)
    if speaker.person is None:
        raise Denied("nobody is signed in", code="signed_out")
    person_id = speaker.person.id

    def change(turn: Turn) -> Sheet:
        return lock.answer(
            turn.sheet,
            message.about,
            approve=message.approve,
            reason=message.reason,
            person_id=person_id,
            now=turn.now,
        )

    said: Detail = {"about": message.about.value, "person": person_id, "yes": message.approve}
    sheet = await parts.steps.change(call, "approval-answered", said, change)
    return {"version": sheet.version}
