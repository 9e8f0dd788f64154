"""What each message about the steps does (PROTOCOL.md section 3.4): asks, changes the sheet."""

import contextlib
from collections.abc import Callable
from typing import Any

from aiohttp import web

from files.entry import FileEntry, FileState
from security.errors import Conflict, Denied, NotFound
from server.api import messages as m
from server.api.commands import Context, command
from server.api.views import Json
from server.call_steps import Detail, Turn, draw
from server.calls.call import Call, PartyName, State
from server.procedures import earlier, lock
from server.procedures import progress as p
from server.procedures.documents import CLASS_OF
from server.procedures.sheet import Chip, Mark, Sheet
from server.procedures.template import By, PromptsNeed, StillNeed

routes = web.RouteTableDef()  # none: all of it is live
PICTURES = frozenset({"image/jpeg", "image/png"})
MakeAct = Callable[[Turn], p.Act]


def _place(message: m.StepCommand) -> p.Place:
    return (message.step, message.need)


def _by(context: Context) -> By:
    return "counter" if context.speaker.page == "counter" else "desk"


async def _who_ticks(context: Context, call: Call) -> str:
    """Return the person who ticks: at a counter the clerk who is signed in now. Raises `Denied`."""
    speaker = await context.speak()
    facts = speaker.facts(call.id, now=context.parts.clock(), call=call)
    await context.parts.gate.ask("step.tick", facts)
    if speaker.person is None:
        raise Denied("no clerk is signed in on the tablet", code="no_clerk")
    return speaker.person.id


async def _do(
    context: Context, message: m.StepCommand, tag: str, make: MakeAct, **detail: Any
) -> Json:
    """Carry out an act at a place of the template; both ends are shown what stands then."""
    call, place = context.own_call(), _place(message)
    if isinstance(message, m.StepTick):
        person_id = await _who_ticks(context, call)
    else:
        await context.ask("step.lead", call)
        person_id = context.speaker.seat[1]

    def change(turn: Turn) -> Sheet:
        progress = turn.sheet.progress
        after = p.act(
            turn.template,
            progress,
            place,
            make(turn),
            by=_by(context),
            day=turn.day,
            line_lost=turn.call.state is State.INTERRUPTED,
        )
        mark = {place: Mark(person_id, turn.now)}
        return lock.changed(turn.sheet, after, mark if after != progress else None)

    said: Detail = {"step": message.step, "need": message.need, "person": person_id, **detail}
    sheet = await context.parts.steps.change(call, tag, said, change)
    return {"version": sheet.version}


@command("step.tick")
async def tick(context: Context, message: m.StepTick) -> Json:
    """Tick a line of a list, or take that back: each end its own."""
    act = p.Ticked(message.item, message.on)
    return await _do(context, message, "ticked", lambda _: act, item=message.item, on=message.on)


@command("step.answer")
async def answer(context: Context, message: m.StepAnswer) -> Json:
    """Write down what the resident said."""
    act = p.Answered(message.text)
    return await _do(context, message, "answered", lambda _: act)


@command("step.draw")
async def draw_prompts(context: Context, message: m.StepDraw) -> Json:
    """Draw prompts at random, or others in their place."""

    def make(turn: Turn) -> p.Act:
        need = p.need_at(turn.template, _place(message))
        if not isinstance(need, PromptsNeed):
            raise Conflict(f"{need.kind} is not drawn", code="wrong_kind")
        return p.Drawn(draw(need.draw, len(need.prompts)))

    return await _do(context, message, "drawn", make)


@command("step.bind")
async def bind(context: Context, message: m.StepBind) -> Json:
    """Say that a file of the call is what a step asks for, or is not any more."""
    call = context.own_call()
    entry = await _file(context, call, message.file) if message.on else None
    serves_as_still = False

    def make(turn: Turn) -> p.Act:
        nonlocal serves_as_still
        need = p.need_at(turn.template, _place(message))
        if entry is not None and isinstance(need, StillNeed):
            _require_still(entry)
            serves_as_still = not entry.still
        return p.Bound(message.file, message.on)

    said = await _do(context, message, "bound", make, file=message.file, on=message.on)
    if serves_as_still:
        await context.parts.uploads.mark_still(call.municipality_id, message.file)
    return said


async def _file(context: Context, call: Call, file_id: str) -> FileEntry:
    """Return a file that was offered in this call. Raises `NotFound`, `Conflict`."""
    permit = await context.ask("call.read", call)
    entries = await context.parts.uploads.list_of_call(permit, call.id)
    found = next((one for one in entries if one.id == file_id), None)
    if found is None:
        raise NotFound("the call has no such file")
    if found.state is not FileState.OFFERED:
        raise Conflict("the file is not there to be seen", code="wrong_state")
    return found


def _require_still(entry: FileEntry) -> None:
    """Raise `Conflict` unless the file can be a still: a picture from the counter."""
    if entry.party != PartyName.COUNTER or entry.media_type not in PICTURES:
        raise Conflict("a still is a picture taken at the counter", code="wrong_kind")


@command("step.document")
async def document(context: Context, message: m.StepDocument) -> Json:
    """Note a document that was shown, or take it off the list."""
    act = p.Documented(message.kind, message.expires, message.on)
    return await _do(context, message, "documented", lambda _: act, on=message.on)


@command("step.grant")
async def grant(context: Context, message: m.StepGrant) -> Json:
    """Note that PIN entry or the letter of notice goes with the documents."""
    act = p.Granted(message.what, message.on)
    return await _do(context, message, "granted", lambda _: act, what=message.what, on=message.on)


@command("step.code")
async def enter_code(context: Context, message: m.StepCode) -> Json:
    """Compare what the desk heard with the code on the tablet."""
    act = p.CodeEntered(message.code)
    answer = await _do(context, message, "code-entered", lambda _: act)
    call = context.own_call()
    sheet = await context.parts.steps.of(call)
    code = sheet.progress.codes.get(_place(message))
    return {**answer, "agreed": code is not None and code.agreed}


@command("step.chip")
async def chip(context: Context, message: m.StepChip) -> Json:
    """Note what the IC chip of a document said, read by whoever says so."""
    call = context.own_call()
    person_id = await _who_ticks(context, call)
    if message.document not in CLASS_OF:
        raise NotFound("no such kind of document")

    def change(turn: Turn) -> Sheet:
        read = Chip(message.document, message.tool, message.result, person_id, turn.now)
        return lock.with_chip(turn.sheet, read)

    said: Detail = {"person": person_id, "result": message.result}
    sheet = await context.parts.steps.change(call, "chip-read", said, change)
    return {"version": sheet.version}


@command("step.take-over")
async def take_over(context: Context, message: m.StepTakeOver) -> Json:
    """Take over what the tablet's call before has left: not face and code, which are done again."""
    parts, call = context.parts, context.own_call()
    found = await parts.steps_told.earlier.of(call)
    fits = found is not None and found.call_id == message.call
    may_take = await context.ask("step.take_over", call, takes_up=fits)
    if found is None:
        raise NotFound("there is nothing to take over")
    if (await parts.steps.of(call)).earlier is not None:
        raise Conflict("it was taken over already", code="wrong_state")
    may_send = await context.ask("file.send", call)
    files: dict[str, str] = {}
    try:
        for file_id in found.files:
            with contextlib.suppress(NotFound):
                source = (found.call_id, file_id)
                now = parts.clock()
                made = await parts.copies.copy(may_take, may_send, source, call.id, now=now)
                if made.state is FileState.OFFERED:
                    files[file_id] = made.id
        said: Detail = {"earlier": found.call_id, "files": files, "person": context.speaker.seat[1]}
        sheet = await parts.steps.change(
            call, "taken-over", said, lambda turn: earlier.taken_over(turn.sheet, found, files)
        )
    except BaseException:
        await parts.copies.undo(may_take, call.id, files.values())
        raise
    return {"version": sheet.version}
