"""HTTP routes of files: tus 1.0 in, the offered bytes out. PROTOCOL.md section 5."""

import base64
import logging
from dataclasses import replace
from urllib.parse import quote

from aiohttp import web

from files import tus
from files.entry import FileState
from files.uploads import OpenedFile
from security.errors import MadoguchiError
from security.gate import Permit
from server.api.calls import find
from server.api.commands import writer_id
from server.api.keys import PARTS
from server.api.speaker import Speaker, path_id, speaker_of
from server.calls.call import Call
from server.parts import Parts
from server.procedures.still_names import is_still

log = logging.getLogger(__name__)
routes = web.RouteTableDef()
COLLECTION = "/api/v1/calls/{call}/files"
ITEM = "/api/v1/calls/{call}/files/{file}"
UNFINISHED = frozenset({FileState.ARRIVING, FileState.CHECKING})
READ_BYTES = 256 * 1024


async def _speaker_and_call(request: web.Request) -> tuple[Parts, Speaker, Call]:
    parts = request.app[PARTS]
    speaker = await speaker_of(parts, request)
    return parts, speaker, await find(parts, speaker, path_id(request, "call"))


async def _ask(
    parts: Parts, speaker: Speaker, action: str, subject: str, call: Call, *, taken: bool = False
) -> Permit:
    facts = speaker.facts(subject, now=parts.clock(), call=call)
    return await parts.gate.ask(action, replace(facts, taken=taken))


def _tus_headers(**more: str) -> dict[str, str]:
    headers = {"Tus-Resumable": tus.VERSION, "Cache-Control": "no-store"}
    return headers | {name.replace("_", "-"): value for name, value in more.items()}


@routes.options(COLLECTION)
async def options(request: web.Request) -> web.Response:
    """Say what the server speaks."""
    uploads = request.app[PARTS].uploads
    headers = _tus_headers(
        Tus_Version=tus.VERSION,
        Tus_Extension=tus.EXTENSIONS,
        Tus_Max_Size=str(uploads.max_bytes),
        Tus_Checksum_Algorithm=tus.CHECKSUM_ALGORITHM,
    )
    return web.Response(status=204, headers=headers)


@routes.post(COLLECTION)
async def create(request: web.Request) -> web.Response:
    """Begin an upload."""
    parts, speaker, call = await _speaker_and_call(request)
    permit = await _ask(parts, speaker, "file.send", call.id, call)
    limits = parts.uploads.limits_of(speaker.municipality.id)
    creation = tus.parse_creation(request.headers, max_bytes=limits.max_bytes)
    entry = await parts.uploads.create(
        permit,
        call.id,
        speaker.party_in(call).value,
        writer_id(speaker, call),
        creation,
        now=parts.clock(),
        still=_is_still(parts, speaker, call, creation.name),
    )
    location = f"/api/v1/calls/{call.id}/files/{entry.id}?page={speaker.page}"
    return web.Response(status=201, headers=_tus_headers(Location=location))


def _is_still(parts: Parts, speaker: Speaker, call: Call, name: str) -> bool:
    """Tell whether a file is the still that a step has asked the counter for."""
    template = parts.steps.template_of(call) if speaker.page == "counter" else None
    return template is not None and is_still(template, name)


@routes.head(ITEM)
async def head(request: web.Request) -> web.Response:
    """Say how much is durable; what has arrived in full is checked, if nobody did yet."""
    parts, speaker, call = await _speaker_and_call(request)
    tus.check_version(request.headers)
    permit = await _ask(parts, speaker, "file.send", call.id, call)
    file_id, party = path_id(request, "file"), speaker.party_in(call).value
    entry, offset = await parts.uploads.offset(permit, call.id, file_id, party)
    if entry.state in UNFINISHED and offset == entry.size_bytes:
        await parts.uploads.complete(permit, call.id, file_id, party)
    headers = _tus_headers(Upload_Offset=str(offset), Upload_Length=str(entry.size_bytes))
    return web.Response(status=200, headers=headers)


@routes.patch(ITEM)
async def append(request: web.Request) -> web.Response:
    """Append bytes; after the last ones the file is checked, and both ends are told."""
    parts, speaker, call = await _speaker_and_call(request)
    patch = tus.parse_patch(request.headers)
    permit = await _ask(parts, speaker, "file.send", call.id, call)
    file_id, party = path_id(request, "file"), speaker.party_in(call).value
    offset = await parts.uploads.append(
        permit,
        call.id,
        file_id,
        party,
        patch.offset,
        request.content.iter_chunked(READ_BYTES),
        sha256=patch.sha256,
        body_bytes=request.content_length,
    )
    entry, _ = await parts.uploads.offset(permit, call.id, file_id, party)
    if offset == entry.size_bytes:
        await parts.uploads.complete(permit, call.id, file_id, party)
    return web.Response(status=204, headers=_tus_headers(Upload_Offset=str(offset)))


@routes.delete(ITEM)
async def withdraw(request: web.Request) -> web.Response:
    """Throw an unfinished upload away."""
    parts, speaker, call = await _speaker_and_call(request)
    tus.check_version(request.headers)
    file_id = path_id(request, "file")
    permit = await _ask(parts, speaker, "file.withdraw", file_id, call)
    await parts.uploads.withdraw(permit, call.id, file_id, speaker.party_in(call).value)
    return web.Response(status=204, headers=_tus_headers())


def _taker(speaker: Speaker) -> str:
    kind, key = speaker.seat
    return kind if kind == "counter" else key


@routes.get(ITEM + "/content")
async def content(request: web.Request) -> web.StreamResponse:
    """Return the offered bytes to a party of the call; of a still to who may view stills."""
    parts, speaker, call = await _speaker_and_call(request)
    file_id = path_id(request, "file")
    uploads, taker = parts.uploads, _taker(speaker)
    if await uploads.is_still(call.municipality_id, file_id):
        await _ask(parts, speaker, "still.view", file_id, call)
    taken = await uploads.had(call.municipality_id, file_id, taker)
    permit = await _ask(parts, speaker, "file.read", file_id, call, taken=taken)
    whole = False
    async with await uploads.open(permit, call.id, file_id, taker, now=parts.clock()) as opened:
        response = web.StreamResponse(headers=_content_headers(request, opened))
        await response.prepare(request)
        try:
            async for piece in opened.pieces():
                await response.write(piece)
            await response.write_eof()
            whole = True
        except (MadoguchiError, ConnectionError) as broken:
            # The status is sent already: a body that breaks off is all that can still be said.
            log.warning("file %s broke off: %s", file_id, type(broken).__name__)
            if request.transport is not None:
                request.transport.abort()
        finally:
            await uploads.settle(opened, taker, whole=whole)
        return response


def _content_headers(request: web.Request, opened: OpenedFile) -> dict[str, str]:
    entry = opened.entry
    media_type = entry.media_type or "application/octet-stream"
    inline = request.query.get("inline") == "1" and media_type.startswith("image/")
    digest = base64.b64encode(bytes.fromhex(entry.sha256_offered or "")).decode()
    kind = "inline" if inline else "attachment"
    return {
        "Content-Type": media_type,
        "Content-Length": str(opened.length),
        "Content-Disposition": f"{kind}; filename*=UTF-8''{quote(entry.name)}",
        "Digest": f"sha-256={digest}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
