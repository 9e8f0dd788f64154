"""HTTP routes of one's own second factors. PROTOCOL.md section 5.1.

They serve a page that is signed in, which gives the password once more, and half a sign-in that
sets up its first factor (or, by a recovery's link, a new one) and then goes on.
"""

import asyncio
from dataclasses import replace
from typing import Annotated, Any

import segno
from aiohttp import web
from pydantic import StringConstraints

from security.errors import ProtocolError
from security.factors import Enrolled
from security.gate import Permit
from security.people import Factor, Person
from security.recoveries import directory_again
from security.roles import HALF_PAGE
from security.second_factor import person_of
from server.api.accounts import begun, source_of
from server.api.admission import admission
from server.api.body import answer, read_body
from server.api.keys import PARTS
from server.api.passkey_place import passkeys_view, require_place
from server.api.second_step import Body, Code, DeskPage
from server.api.speaker import Speaker, half_speaker_of, page_of, speaker_of
from server.parts import Parts

routes = web.RouteTableDef()
ISSUER = "madoguchi"
Password = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
Credential = dict[str, Any]


class AgainBody(Body):
    """The password once more; null while the sign-in is half done."""

    password: Password | None = None


class RemoveBody(AgainBody):
    """The factor to take away."""

    factor: Annotated[str, StringConstraints(min_length=1, max_length=64)]


class FirstCodeBody(Body):
    """The first code of a new secret; `page`: where half a sign-in goes on."""

    code: Code
    page: DeskPage | None = None


class PasskeyBody(Body):
    """A passkey that the browser made, and what the person calls it."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    credential: Credential
    page: DeskPage | None = None


async def _owner(parts: Parts, request: web.Request, action: str) -> tuple[Speaker, Person, Permit]:
    """Return who asks about the own factors, and the permit for `action`."""
    half = page_of(request, half=True) == HALF_PAGE
    speaker = await (half_speaker_of if half else speaker_of)(parts, request)
    person = person_of(speaker.principal)
    facts = speaker.facts(person.id, now=parts.clock())
    has = await parts.factors.has_factor(person.municipality_id, person.id)
    facts = replace(facts, actor=replace(facts.actor, has_factor=has))
    return speaker, person, await parts.gate.ask(action, facts)


async def _confirm(
    parts: Parts, request: web.Request, speaker: Speaker, password: str | None
) -> None:
    """Ask for the password once more, but in half a sign-in, which has just had it.

    Who signs in by the directory is asked there anew instead. Raises `Denied` `directory_again`.
    """
    if speaker.page == HALF_PAGE:
        return
    if await _by_directory(parts, speaker):
        if not parts.fresh.holds(speaker.session.token_hash, parts.clock()):
            raise directory_again()
        return
    source = source_of(request, speaker.municipality.id)
    parts.sign_in.count_source(source)
    await parts.sign_in.confirm_password(person_of(speaker.principal), password or "")
    parts.sign_in.succeeded(source)


async def _by_directory(parts: Parts, speaker: Speaker) -> bool:
    return await parts.oidc.is_linked(speaker.municipality, person_of(speaker.principal))


@routes.get("/api/v1/factors")
async def factors(request: web.Request) -> web.Response:
    """Return one's own factors."""
    parts = request.app[PARTS]
    speaker, person, _ = await _owner(parts, request, "factor.read")
    return answer(await _view(parts, request, speaker, person))


async def _view(
    parts: Parts, request: web.Request, speaker: Speaker, person: Person
) -> dict[str, Any]:
    mine = await parts.second_factor.of(person)
    by_directory = await _by_directory(parts, speaker)
    totp = next((one for one in mine if one.kind is Factor.TOTP), None)
    return {
        "totp": totp and _one(totp),
        "passkeys": [_one(one) for one in mine if one.kind is Factor.PASSKEY],
        "possible": passkeys_view(parts, request),
        "required": _required(speaker, person),
        "directory": speaker.municipality.slug if by_directory else None,
        "fresh": parts.fresh.holds(speaker.session.token_hash, parts.clock()),
        "used": speaker.session.factor and speaker.session.factor.value,
    }


def _one(item: Enrolled) -> dict[str, Any]:
    return {
        "id": item.id,
        "name": item.name,
        "added_at": item.added_at and item.added_at.isoformat(),
        "used_at": item.used_at and item.used_at.isoformat(),
    }


def _required(speaker: Speaker, person: Person) -> bool:
    return person.role in speaker.in_force.policy.people.factor_roles


@routes.post("/api/v1/factors/totp")
async def offer_totp(request: web.Request) -> web.Response:
    """Return a fresh secret with its QR code; it waits for its first code."""
    parts = request.app[PARTS]
    speaker, person, permit = await _owner(parts, request, "factor.enrol")
    body = await read_body(request, AgainBody)
    await _confirm(parts, request, speaker, body.password)
    issuer = f"{ISSUER} {speaker.municipality.slug}"
    secret, uri = await parts.second_factor.offer_totp(permit, person, issuer)
    return answer({"secret": secret, "uri": uri, "qr": await asyncio.to_thread(_qr, uri)})


def _qr(text: str) -> list[str]:
    """Return a QR code row by row, 1 for dark."""
    return ["".join(str(dark) for dark in row) for row in segno.make(text, error="m").matrix]


@routes.post("/api/v1/factors/totp/confirm")
async def take_totp(request: web.Request) -> web.Response:
    """Take the offered secret into use by its first code."""
    parts = request.app[PARTS]
    speaker, person, permit = await _owner(parts, request, "factor.enrol")
    body = await read_body(request, FirstCodeBody)
    _require_page(speaker, body.page)
    made = await parts.second_factor.take_totp(permit, person, body.code)
    return await _enrolled(parts, request, speaker, made, body.page)


@routes.post("/api/v1/factors/passkeys/options")
async def offer_passkey(request: web.Request) -> web.Response:
    """Return what the browser's WebAuthn is asked to make."""
    parts = request.app[PARTS]
    speaker, person, permit = await _owner(parts, request, "factor.enrol")
    body = await read_body(request, AgainBody)
    await _confirm(parts, request, speaker, body.password)
    place = require_place(parts, request)
    options = await parts.second_factor.offer_passkey(permit, person, place, ISSUER)
    return answer({"options": options})


@routes.post("/api/v1/factors/passkeys")
async def add_passkey(request: web.Request) -> web.Response:
    """Enrol a passkey that the browser made."""
    parts = request.app[PARTS]
    speaker, person, permit = await _owner(parts, request, "factor.enrol")
    body = await read_body(request, PasskeyBody)
    _require_page(speaker, body.page)
    place = require_place(parts, request)
    made = await parts.second_factor.add_passkey(permit, person, body.name, body.credential, place)
    return await _enrolled(parts, request, speaker, made, body.page)


def _require_page(speaker: Speaker, page: str | None) -> None:
    if speaker.page == HALF_PAGE and page is None:
        raise ProtocolError("page: desk or officer, where the sign-in goes on")


async def _enrolled(
    parts: Parts, request: web.Request, speaker: Speaker, made: Enrolled, page: str | None
) -> web.Response:
    """Answer with the factors; half a sign-in goes on by the one just made."""
    person = person_of(speaker.principal)
    await parts.second_factor.enrolled(speaker.principal, made)
    if speaker.page != HALF_PAGE or page is None:
        speaker = await speaker_of(parts, request)
        return answer(await _view(parts, request, speaker, person))
    admit = admission(parts, request, made.kind)
    new = await parts.second_factor.go_on(
        person, page, made.kind, admit=admit, half_token=speaker.token
    )
    return await begun(parts, request, page, new)


@routes.post("/api/v1/factors/remove")
async def remove(request: web.Request) -> web.Response:
    """Take one of the own factors away."""
    parts = request.app[PARTS]
    speaker, person, permit = await _owner(parts, request, "factor.remove")
    body = await read_body(request, RemoveBody)
    await _confirm(parts, request, speaker, body.password)
    required = _required(speaker, person)
    await parts.second_factor.remove(permit, person, body.factor, required=required)
    return answer(await _view(parts, request, speaker, person))
