"""HTTP routes of the second half of a sign-in: code or passkey. PROTOCOL.md section 5.1."""

from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, StringConstraints

from security.errors import Denied, ProtocolError
from security.people import Factor, SessionKind, may_sign_in
from security.second_factor import person_of
from security.tokens import csrf_token, token_hash
from server.api.accounts import begun, begun_half, half_view, source_of
from server.api.admission import admission
from server.api.body import answer, read_body
from server.api.keys import PARTS
from server.api.passkey_place import passkeys_view, require_place
from server.api.speaker import half_speaker_of, page_of, token_of
from server.parts import Parts

routes = web.RouteTableDef()
DeskPage = Literal["desk", "officer"]
Code = Annotated[str, StringConstraints(min_length=1, max_length=16)]


class Body(BaseModel):
    """Base of every request body."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class StepBody(Body):
    """A code of the authenticator app, and the page to go on to."""

    page: DeskPage
    code: Code


class CredentialBody(Body):
    """What the browser's WebAuthn gave, as JSON."""

    credential: dict[str, Any]


class RecoveryBody(Body):
    """The token of a recovery's link, and the password.

    Null: half a sign-in of this browser has just gone by the directory.
    """

    token: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=1024)] | None = None


@routes.get("/api/v1/half")
async def half(request: web.Request) -> web.Response:
    """Say how half a sign-in goes on."""
    parts = request.app[PARTS]
    speaker = await half_speaker_of(parts, request)
    person = person_of(speaker.principal)
    return answer(
        {
            "half": await half_view(parts, speaker.principal),
            "csrf": csrf_token(speaker.token),
            "person": {"name": person.name, "role": person.role.value},
            "page": "desk" if may_sign_in(person, "desk", None) else "officer",
            "passkeys": passkeys_view(parts, request),
        }
    )


@routes.post("/api/v1/sign-in/code")
async def by_code(request: web.Request) -> web.Response:
    """Go on by a code of the authenticator app."""
    parts = request.app[PARTS]
    speaker = await half_speaker_of(parts, request)
    body = await read_body(request, StepBody)
    new = await parts.second_factor.by_code(
        speaker.principal,
        speaker.token,
        body.code,
        page=body.page,
        source=source_of(request, speaker.municipality.id),
        admit=admission(parts, request, Factor.TOTP),
    )
    return await begun(parts, request, body.page, new)


@routes.post("/api/v1/sign-in/passkey/options")
async def passkey_options(request: web.Request) -> web.Response:
    """Return what the browser's WebAuthn is asked for."""
    parts = request.app[PARTS]
    return answer({"options": parts.second_factor.passkey_wanted(require_place(parts, request))})


@routes.post("/api/v1/sign-in/passkey")
async def by_passkey(request: web.Request) -> web.Response:
    """Sign in by a passkey alone."""
    parts, page = request.app[PARTS], page_of(request)
    body = await read_body(request, CredentialBody)
    if page == "counter":
        raise ProtocolError("passkeys are for page=desk and page=officer")
    half_token = token_of(request, SessionKind.HALF)
    begun_by = await _begun_by(parts, half_token)
    new = await parts.second_factor.by_passkey(
        body.credential,
        require_place(parts, request),
        page=page,
        source=source_of(request),
        admit=admission(parts, request, Factor.PASSKEY, local=True, begun_by=begun_by),
        half_token=half_token,
    )
    return await begun(parts, request, page, new)


async def _begun_by(parts: Parts, half_token: str | None) -> str | None:
    """Return whose sign-in is half done in this browser."""
    try:
        principal = await parts.sign_in.authenticate(half_token, SessionKind.HALF)
    except Denied:
        return None
    return person_of(principal).id


async def _proven(parts: Parts, request: web.Request) -> str | None:
    """Return who has just shown the directory who they are, and is half signed in here."""
    half_token = token_of(request, SessionKind.HALF)
    if half_token is None or not parts.fresh.holds(token_hash(half_token), parts.clock()):
        return None
    return await _begun_by(parts, half_token)


@routes.post("/api/v1/recovery")
async def ask_recovery(request: web.Request) -> web.Response:
    """Ask the administrators for a new beginning."""
    parts = request.app[PARTS]
    speaker = await half_speaker_of(parts, request)
    person = person_of(speaker.principal)
    permit = await parts.gate.ask("recovery.ask", speaker.facts(person.id, now=parts.clock()))
    await parts.recoveries.ask(permit, person)
    return web.Response(status=204)


@routes.post("/api/v1/recovery/link")
async def recovery_link(request: web.Request) -> web.Response:
    """Begin half a sign-in in which a new factor is set up."""
    parts = request.app[PARTS]
    body = await read_body(request, RecoveryBody)
    new = await parts.recoveries.open_link(
        body.token,
        body.password,
        source=source_of(request),
        admit=admission(parts, request, Factor.RECOVERY, local=True),
        proven=await _proven(parts, request),
    )
    return await begun_half(parts, new)
