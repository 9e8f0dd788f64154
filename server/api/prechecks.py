"""開始前点検: routes and the one message of a check. PROTOCOL.md section 5.4."""

import asyncio
import base64
import logging
from dataclasses import asdict, replace
from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field, StringConstraints

from files import tus
from files.entry import FileEntry, FileState
from security.errors import Conflict, Denied, NotFound
from security.gate import Permit
from security.ids import new_id
from security.people import Tablet
from security.policy.eligibility import precheck_is_current
from security.policy.facts import Facts
from server.api import messages as m
from server.api import nouns as n
from server.api.accounts import Body
from server.api.body import answer, read_body
from server.api.commands import Context, command
from server.api.eligibility import last_passed
from server.api.keys import PARTS
from server.api.speaker import Speaker, speaker_of
from server.api.tablet_proof import of_counter
from server.api.views import Json, dump, relay_view, time_view
from server.db.prechecks import Precheck
from server.parts import Parts
from server.policies import ZONE
from server.precheck import rules, server_side
from server.precheck.rules import Row
from server.precheck.run import BACK, OUT, Run

log = logging.getLogger(__name__)
routes = web.RouteTableDef()
FILE = "/api/v1/precheck/file"
SHOWN = 200
Signed = Annotated[int, Field(ge=-4_000_000_000_000, le=4_000_000_000_000)]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class BeginAnswer(n.Noun):
    """A check that has begun; `server_time` is what the tablet's clock is held against."""

    ends_at: n.Time
    server_time: n.Time
    relay: Json | None


class MediaBody(Body):
    """One end of the loop: `out` sends what the camera sees, `back` gets it again."""

    side: Literal["out", "back"]
    sdp: Annotated[str, StringConstraints(max_length=m.MAX_SDP_BYTES)]


class SdpAnswer(n.Noun):
    """The SDP answer."""

    sdp: str


class CameraPart(Body):
    """The picture that the camera gives."""

    width: m.Pixels
    height: m.Pixels
    fps: m.Rate | None


class PathPart(Body):
    """The way that the page's own connection says it takes."""

    protocol: Literal["udp", "tcp"]
    relayed: bool


class LightPart(Body):
    """How bright the picture is, and the share of it that is all white."""

    mean: m.Share
    white: m.Share


class ReportBody(Body):
    """What the tablet has measured; null is what it could not."""

    camera: CameraPart | None
    light: LightPart | None
    microphone: m.Share | None
    speaker: bool | None
    path: PathPart | None
    rtt_ms: m.Milliseconds | None
    loss: m.Share | None
    chat_ms: m.Milliseconds | None
    file_ms: m.Milliseconds | None
    file_sha256: Hash | None
    clock_ms: Signed | None


async def _counter(request: web.Request) -> tuple[Parts, Speaker, Tablet]:
    parts = request.app[PARTS]
    speaker = await speaker_of(parts, request)
    if speaker.page != "counter":
        raise NotFound("no such thing")
    return parts, speaker, of_counter(speaker.tablet)


async def _run(request: web.Request) -> tuple[Parts, Speaker, Run]:
    parts, speaker, tablet = await _counter(request)
    facts = speaker.facts(tablet.id, now=parts.clock())
    await parts.gate.ask("precheck.go_on", facts)
    return parts, speaker, parts.prechecks.of(tablet)


def _facts(parts: Parts, speaker: Speaker, run: Run, subject: str | None = None) -> Facts:
    facts = speaker.facts(subject or run.id, now=parts.clock())
    return replace(facts, call=run.as_call())


async def _ask(
    parts: Parts, speaker: Speaker, run: Run, action: str, subject: str | None = None
) -> Permit:
    """Ask the gate as in a call: a check is one that the tablet has with itself."""
    return await parts.gate.ask(action, _facts(parts, speaker, run, subject))


@routes.post("/api/v1/precheck")
async def begin(request: web.Request) -> web.Response:
    """Begin a check of the tablet, in the place of the one before."""
    parts, speaker, tablet = await _counter(request)
    permit = await parts.gate.ask("precheck.begin", speaker.facts(tablet.id, now=parts.clock()))
    if speaker.person is None:
        raise Denied("no clerk is signed in on the tablet", code="no_clerk")
    if parts.registry.of_tablet(tablet.id) is not None:
        raise Conflict("this tablet has an open call", code="already_in_call")
    run = await parts.prechecks.begin(permit, tablet, speaker.person.id)
    relay = relay_view(parts.relay_grant(run.municipality_id))
    begun = BeginAnswer(ends_at=run.ends_at, server_time=parts.clock(), relay=relay)
    return answer(dump(begun), status=201)


@routes.post("/api/v1/precheck/media")
async def media(request: web.Request) -> web.Response:
    """Connect one end of the tablet's loop."""
    parts, speaker, run = await _run(request)
    body = await read_body(request, MediaBody)
    permit = await _ask(parts, speaker, run, "media.join")
    joined = await parts.prechecks.join(
        permit,
        run,
        OUT if body.side == "out" else BACK,
        body.sdp,
        only_from=parts.media_from(run.municipality_id),
    )
    return answer(dump(SdpAnswer(sdp=joined.sdp)))


@command("precheck.chat")
async def chat(context: Context, message: m.PrecheckChat) -> Json:
    """Say a message of a check back."""
    parts, speaker = context.parts, await context.speak()
    tablet = speaker.tablet
    facts = speaker.facts(tablet.id if tablet else speaker.seat[1], now=parts.clock())
    await parts.gate.ask("precheck.go_on", facts)
    run = parts.prechecks.of(of_counter(tablet))
    run.echoed = True
    return {"text": message.text, "at": time_view(parts.clock())}


def _file(run: Run) -> FileEntry:
    if run.file is None:
        raise Conflict("this check has no file", code="wrong_state")
    return run.file


def _tus(status: int, offset: int | None = None, location: str | None = None) -> web.Response:
    headers = {"Tus-Resumable": tus.VERSION, "Cache-Control": "no-store"}
    if offset is not None:
        headers["Upload-Offset"] = str(offset)
    if location is not None:
        headers["Location"] = location
    return web.Response(status=status, headers=headers)


@routes.post(FILE)
async def create(request: web.Request) -> web.Response:
    """Begin the check's one upload (tus creation)."""
    parts, speaker, run = await _run(request)
    files = parts.prechecks.files
    creation = tus.parse_creation(request.headers, max_bytes=files.max_bytes)
    permit = await _ask(parts, speaker, run, "file.send")
    now = parts.clock()
    run.file = await files.create(permit, run.id, "counter", run.person_id, creation, now=now)
    return _tus(201, location=f"{FILE}?page=counter")


@routes.patch(FILE)
async def append(request: web.Request) -> web.Response:
    """Append bytes; after the last ones the file is checked like any other."""
    parts, speaker, run = await _run(request)
    files, patch, entry = parts.prechecks.files, tus.parse_patch(request.headers), _file(run)
    permit = await _ask(parts, speaker, run, "file.send")
    offset = await files.append(
        permit,
        run.id,
        entry.id,
        "counter",
        patch.offset,
        request.content.iter_chunked(files.max_bytes),
        sha256=patch.sha256,
        body_bytes=request.content_length,
    )
    if offset == entry.size_bytes:
        run.file = await files.complete(permit, run.id, entry.id, "counter")
    return _tus(204, offset)


@routes.get(FILE)
async def content(request: web.Request) -> web.Response:
    """Return the bytes as they are offered after the check."""
    parts, speaker, run = await _run(request)
    entry = _file(run)
    permit = await _ask(parts, speaker, run, "file.read", entry.id)
    opened = await parts.prechecks.files.open(
        permit, run.id, entry.id, "counter", now=parts.clock()
    )
    async with opened:
        data = b"".join([piece async for piece in opened.pieces()])
    run.came_back = True
    digest = base64.b64encode(bytes.fromhex(opened.entry.sha256_offered or "")).decode()
    headers = {
        "Digest": f"sha-256={digest}",
        "Cache-Control": "no-store",
        "Content-Disposition": "attachment",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return web.Response(body=data, content_type="application/octet-stream", headers=headers)


@routes.post("/api/v1/precheck/result")
async def result(request: web.Request) -> web.Response:
    """End the check: judge it, keep it, tell the audit log, and answer with what came of it."""
    parts, speaker, run = await _run(request)
    body = await read_body(request, ReportBody)
    rows = await _judged(parts, speaker, run, body)
    await parts.prechecks.end(run)
    found = Precheck(
        new_id(),
        run.municipality_id,
        run.office_id,
        run.tablet_id,
        run.person_id,
        parts.clock(),
        rules.outcome(rows),
        tuple(rows),
    )
    await parts.precheck_store.add(found)
    await _note(parts, found)
    return answer(dump(n.PrecheckAnswer(precheck=await _noun(parts, found))))


async def _note(parts: Parts, found: Precheck) -> None:
    word = "passed" if rules.passed(found.outcome) else "failed"
    detail = {
        "precheck": found.id,
        "office": found.office_id,
        "person": found.person_id,
        "outcome": found.outcome.value,
        "not_good": [f"{x.name}:{x.code}" for x in found.rows if x.grade is not rules.Grade.GOOD],
    }
    home = found.municipality_id
    await parts.audit.note(home, f"precheck:tablet:{word}", found.tablet_id, detail, now=found.at)


async def _judged(parts: Parts, speaker: Speaker, run: Run, body: ReportBody) -> list[Row]:
    policy = speaker.in_force.policy
    refused = [
        await parts.paths.refusal(_facts(parts, speaker, run), host)
        for host in sorted(parts.prechecks.hosts(run))
    ]
    carried = await parts.prechecks.carried(run, next((x for x in refused if x), None))
    wanted = rules.Wanted(policy.calls.minimum_height_px, policy.calls.minimum_frames_per_second)
    picture, way, file = body.camera, body.path, run.file
    size = (picture.width, picture.height) if picture else None
    relay_wanted = parts.relay_use(run.municipality_id).value == "only"
    same = file is not None and body.file_sha256 == file.sha256_sent == file.sha256_offered
    now, newest = parts.clock(), await parts.audit.newest()
    return [
        rules.camera(size, picture.fps if picture else None, wanted),
        rules.light(body.light.mean, body.light.white) if body.light else rules.light(None, None),
        rules.microphone(body.microphone),
        rules.speaker(body.speaker),
        rules.path(
            way.protocol if way else None,
            relayed=way.relayed if way else False,
            relay_wanted=relay_wanted,
            carried=carried,
        ),
        rules.line(body.rtt_ms, body.loss, carried),
        rules.chat(body.chat_ms, echoed=run.echoed),
        rules.file(body.file_ms, _reason(file), came_back=run.came_back, same=same),
        rules.clock(body.clock_ms),
        server_side.media(parts.media),
        *await asyncio.gather(
            server_side.database(parts.database),
            server_side.disk(parts.settings),
            server_side.scanner(parts.settings, policy),
        ),
        server_side.clock(now, newest),
    ]


def _reason(file: FileEntry | None) -> str | None:
    return file.reason if file is not None and file.state is FileState.REFUSED else None


async def _noun(parts: Parts, found: Precheck) -> n.PrecheckNoun:
    names = parts.hub.directory
    home = found.municipality_id
    return n.PrecheckNoun(
        id=found.id,
        at=found.at,
        office=n.Place(id=found.office_id, name=await names.office(home, found.office_id)),
        tablet=n.Place(id=found.tablet_id, name=await names.tablet(home, found.tablet_id)),
        person=n.Named(name=await names.person(home, found.person_id)),
        outcome=found.outcome.value,
        rows=tuple(n.PrecheckRow(**asdict(row)) for row in found.rows),
    )


@routes.get("/api/v1/prechecks")
async def prechecks(request: web.Request) -> web.Response:
    """List results: a counter its own, the others those of the municipality."""
    parts = request.app[PARTS]
    speaker = await speaker_of(parts, request)
    tablet, home = speaker.tablet, speaker.municipality.id
    facts = speaker.facts(tablet.id if tablet else home, now=parts.clock())
    await parts.gate.ask("precheck.read", facts)
    found = await parts.precheck_store.recent(
        home, tablet_id=tablet.id if tablet else None, limit=20 if tablet else SHOWN
    )
    shown = n.PrechecksAnswer(
        prechecks=tuple([await _noun(parts, one) for one in found]),
        asked=speaker.in_force.policy.calls.precheck,
        current=await _current(parts, speaker, tablet) if tablet else None,
    )
    return answer(dump(shown))


async def _current(parts: Parts, speaker: Speaker, tablet: Tablet) -> bool:
    """Tell whether the check that the policy asks for before real calls was passed here."""
    office_on, tablet_on = await last_passed(parts, tablet)
    return precheck_is_current(
        speaker.in_force.policy.calls.precheck,
        parts.clock().astimezone(ZONE).date(),
        office_on=office_on,
        tablet_on=tablet_on,
    )
