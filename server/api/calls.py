"""HTTP routes of calls and procedures. PROTOCOL.md section 5."""

import asyncio
from datetime import UTC, datetime, time

from aiohttp import web

from security.errors import NotFound
from server.api.body import answer
from server.api.eligibility import offered
from server.api.keys import PARTS
from server.api.speaker import Speaker, path_id, speaker_of
from server.api.views import Json, summary_views, total_view
from server.api.welcome import call_state
from server.calls.call import Call
from server.calls.registry import JAPAN
from server.parts import Parts
from server.procedures.card_files import read_documents
from server.training.residents import played_in, shipped, shown_to

routes = web.RouteTableDef()


async def find(parts: Parts, speaker: Speaker, call_id: str) -> Call:
    """Return a call of the speaker's municipality, open or closed. Raises `NotFound`."""
    home = speaker.municipality.id
    for call in parts.registry.open_calls(home):
        if call.id == call_id:
            return call
    call_or_none = await parts.calls.get(home, call_id)
    if call_or_none is None:
        raise NotFound("no such call")
    return call_or_none


@routes.get("/api/v1/procedures")
async def procedures(request: web.Request) -> web.Response:
    """List what the counter offers."""
    parts = request.app[PARTS]
    speaker = await speaker_of(parts, request)
    listed = [noun.model_dump(mode="json") for noun in await offered(parts, speaker)]
    return answer({"procedures": listed})


@routes.get("/api/v1/documents")
async def documents(request: web.Request) -> web.Response:
    """List the kinds of identity documents, each with its card (見本), to the desk."""
    parts = request.app[PARTS]
    speaker = await speaker_of(parts, request)
    if speaker.page != "desk":
        raise NotFound("no such thing")
    folder, slug = parts.settings.data.folder, speaker.municipality.slug
    listed = await asyncio.to_thread(read_documents, folder, slug)
    return answer(listed.model_dump(mode="json"))


@routes.get("/api/v1/calls")
async def calls_of_today(request: web.Request) -> web.Response:
    """List the person's own calls of today (in Japan), oldest first, with how good they were."""
    parts = request.app[PARTS]
    speaker = await speaker_of(parts, request)
    if speaker.page != "desk" or speaker.person is None:
        raise NotFound("no such thing")
    today = parts.clock().astimezone(JAPAN).date()
    since = datetime.combine(today, time(), JAPAN).astimezone(UTC)
    found = await parts.calls.of_desk(speaker.municipality.id, speaker.person.id, since)
    totals = {call.id: await _total(parts, call) for call in found}
    drawn = [await parts.hub.draw_call(call) for call in found]
    return answer({"calls": drawn, "quality": {key: x for key, x in totals.items() if x}})


async def _total(parts: Parts, call: Call) -> Json | None:
    return total_view(await parts.quality.of_call(call.municipality_id, call.id))


@routes.get("/api/v1/calls/{call}")
async def one_call(request: web.Request) -> web.Response:
    """Return a call with its chat and files to one of its parties."""
    parts = request.app[PARTS]
    speaker = await speaker_of(parts, request)
    call = await find(parts, speaker, path_id(request, "call"))
    state = await call_state(parts, speaker, call)
    kept = await parts.quality.of_call(call.municipality_id, call.id)
    shown = {key: state[key] for key in ("call", "chat", "files", "steps")}
    return answer({**shown, "quality": summary_views(kept)})


@routes.get("/api/v1/calls/{call}/resident")
async def resident(request: web.Request) -> web.Response:
    """Return the made-up resident of a training call, as far as the end that asks may know it."""
    parts = request.app[PARTS]
    speaker = await speaker_of(parts, request)
    call = await find(parts, speaker, path_id(request, "call"))
    await parts.gate.ask("call.read", speaker.facts(call.id, now=parts.clock(), call=call))
    if not call.training:
        raise NotFound("nobody is played in a real call")
    view = shown_to(speaker.page, call, played_in(call, shipped()))
    return answer({"resident": view.model_dump(mode="json", by_alias=True)})
