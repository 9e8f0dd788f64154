"""HTTP routes of signing in and of devices. PROTOCOL.md section 5."""

from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, StringConstraints

from security.errors import Denied, ProtocolError
from security.people import Factor, Principal, SessionKind, Tablet
from security.second_factor import person_of
from security.sign_in_rules import NewSession
from security.tablet_key import KeyClaim
from security.tokens import csrf_token, token_hash
from server.api import nouns as n
from server.api import seats
from server.api.admission import admission
from server.api.body import answer, read_body
from server.api.housekeeping import end_page
from server.api.keys import PARTS
from server.api.passkey_place import passkeys_view
from server.api.reach import counted_source, reach_of
from server.api.speaker import (
    COOKIES,
    Speaker,
    counter_of,
    new_speaker,
    note_refused,
    page_of,
    path_id,
    speaker_of,
    token_of,
)
from server.api.tablet_proof import key_of
from server.api.views import challenge_view, dump
from server.api.way_out import way_out
from server.parts import Parts

routes = web.RouteTableDef()
Text = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class Body(BaseModel):
    """Base of every request body."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class SignInBody(Body):
    """Name and password; `municipality` is a slug."""

    municipality: Text | None = None
    login: Text
    password: Annotated[str, StringConstraints(min_length=1, max_length=1024)]


class TokenBody(Body):
    """A one-time token."""

    token: Text


class PasswordBody(Body):
    """A one-time token and the password to set."""

    token: Text
    password: Annotated[str, StringConstraints(min_length=1, max_length=1024)]


class LinkBody(TokenBody):
    """A one-time sign-in link; with the key of a tablet that it may enrol."""

    key: Text | None = None
    signature: Text | None = None


class CodeBody(Body):
    """An enrolment code, and the key that the tablet is known by from then on."""

    code: Text
    key: Text
    signature: Text


class ProofBody(Body):
    """The answer to a challenge."""

    challenge: Text
    signature: Text


def source_of(request: web.Request, municipality_id: str | None = None) -> str:
    """Return the address that tries are counted by; behind trusted proxies that of the browser.

    Only the proxies of the municipality count. Where nothing but a secret says which one it is
    (one-time links and codes, passkeys), None, those count that any municipality trusts: all that
    such a proxy can claim is by which address a try is counted. The rules about networks are asked
    later, and of the one municipality's proxies alone.
    """
    trusted = request.app[PARTS].policies.trusted_proxies(municipality_id)
    return counted_source(reach_of(request), trusted)


async def source_in(request: web.Request, slug: str | None) -> str:
    """Return `source_of` for a sign-in that names its municipality, or needs not, of one alone."""
    every = await request.app[PARTS].people.municipalities()
    named = [one.id for one in every if one.slug == slug or (slug is None and len(every) == 1)]
    return source_of(request, named[0] if named else None)


def set_cookies(response: web.Response, begun: tuple[NewSession, ...], parts: Parts) -> None:
    """Put each new session's token into its cookie."""
    for new in begun:
        desk = ("desk", new.session.person_id or "")
        if new.session.kind is SessionKind.DESK and not parts.hub.seats.present(desk):
            parts.registry.desks.forget(desk[1])  # yesterday's 受付中 is not today's
        left = new.session.expires_at - parts.clock()
        response.set_cookie(
            COOKIES[new.session.kind],
            new.token,
            path="/",
            secure=True,
            httponly=True,
            samesite="Strict",
            max_age=max(0, int(left.total_seconds())),
        )


async def describe(parts: Parts, speaker: Speaker, shown: str | None = None) -> dict[str, Any]:
    """Return `you` and the CSRF token of a signed-in page; a counter gets its page token.

    `shown` is the good page token that it came with: it gets that again, none that lasts longer.
    """
    desk_open = parts.registry.desks.is_open(speaker.seat[1])
    you, token = speaker.you(desk_open=desk_open), speaker.token
    if speaker.page != "counter":
        return {"you": you, "csrf": csrf_token(token)}
    page_token = shown or parts.tablets.page_token(token, parts.clock())
    return {"you": you, "csrf": page_token, "ticket": parts.tablets.ticket(token, page_token)}


@routes.get("/api/v1/me")
async def me(request: web.Request) -> web.Response:
    """Say who is signed in."""
    parts = request.app[PARTS]
    speaker = await speaker_of(parts, request)
    return answer(await describe(parts, speaker, request.headers.get("X-CSRF-Token")))


@routes.get("/api/v1/municipalities")
async def municipalities(request: web.Request) -> web.Response:
    """List the municipalities that this server works for."""
    parts = request.app[PARTS]
    nouns = []
    for one in await parts.people.municipalities():
        found = parts.oidc.directory(one.slug)
        directory = n.DirectoryNoun(name=found.name) if found else None
        nouns.append(n.MunicipalityNoun(slug=one.slug, name=one.name, directory=directory))
    passkeys = n.PasskeysNoun.model_validate(passkeys_view(parts, request))
    return answer(dump(n.MunicipalitiesAnswer(municipalities=tuple(nouns), passkeys=passkeys)))


@routes.post("/api/v1/sign-in")
async def sign_in(request: web.Request) -> web.Response:
    """Sign staff in at a desk or the officer's page; a clerk signs in by PIN (clerks.py)."""
    parts, page = request.app[PARTS], page_of(request)
    body = await read_body(request, SignInBody)
    if page == "counter":
        raise ProtocolError("a clerk signs in with a PIN")
    new = await parts.sign_in.sign_in(
        body.municipality,
        body.login,
        body.password,
        page=page,
        source=await source_in(request, body.municipality),
        admit=admission(parts, request, local=True),
    )
    if new.session.kind is SessionKind.HALF:
        return await begun_half(parts, new)
    return await begun(parts, request, page, new)


async def begun(parts: Parts, request: web.Request, page: str, new: NewSession) -> web.Response:
    """Answer a sign-in that is whole, with its cookie; what was half of it goes."""
    principal = await parts.sign_in.authenticate(new.token, new.session.kind)
    speaker = new_speaker(parts, request, page, principal, new.token)
    response = answer(await describe(parts, speaker))
    set_cookies(response, (new,), parts)
    if half := token_of(request, SessionKind.HALF):
        parts.fresh.pass_on(token_hash(half), new.session.token_hash)
        drop_cookie(response, SessionKind.HALF)
    return response


async def begun_half(parts: Parts, new: NewSession) -> web.Response:
    """Answer a sign-in that is half done, with the cookie of its half."""
    half = await half_view(parts, await parts.sign_in.authenticate(new.token, new.session.kind))
    response = answer({"half": half, "csrf": csrf_token(new.token)})
    set_cookies(response, (new,), parts)
    return response


async def half_view(parts: Parts, principal: Principal) -> dict[str, Any]:
    """Return `half` of PROTOCOL.md section 5.1."""
    person, recovering = person_of(principal), principal.session.factor is Factor.RECOVERY
    ways = sorted({one.kind.value for one in await parts.second_factor.of(person)})
    recovery = await parts.factors.recovery(person.municipality_id, person.id)
    asked = recovery is not None and recovery.state(parts.clock()) != "none"
    return {
        "ways": ways,
        "enrol": recovering or not ways,
        "recovering": recovering,
        "asked": asked,
    }


def drop_cookie(response: web.Response, kind: SessionKind) -> None:
    """Take a cookie back."""
    response.del_cookie(COOKIES[kind], path="/", secure=True, httponly=True, samesite="Strict")


async def leave_counter(parts: Parts, speaker: Speaker) -> None:
    """Note that a clerk has left a tablet, and show it to the tablet's page."""
    person, tablet = speaker.person, speaker.tablet
    if person is not None and tablet is not None:
        detail, now = {"tablet": tablet.id}, parts.clock()
        home = tablet.municipality_id
        await parts.audit.note(home, "sign-in:clerk:end", person.id, detail, now=now)
    await parts.shifts.change(speaker.seat, None)


@routes.post("/api/v1/sign-out")
async def sign_out(request: web.Request) -> web.Response:
    """Sign the clerk out, or the person at the desk; the tablet stays enrolled."""
    parts, page = request.app[PARTS], page_of(request)
    kind = SessionKind.CLERK if page == "counter" else SessionKind.DESK
    token = token_of(request, kind)
    if token:
        speaker = await speaker_of(parts, request)
        if page != "counter":
            await end_page(parts, speaker.seat)
        await parts.sign_in.sign_out(token)
        if page == "counter":
            await leave_counter(parts, speaker)
    response = await way_out(parts, request) if page != "counter" else web.Response(status=204)
    drop_cookie(response, kind)
    return response


@routes.post("/api/v1/links")
async def links(request: web.Request) -> web.Response:
    """Use up a one-time link and begin its sessions."""
    parts = request.app[PARTS]
    body = await read_body(request, LinkBody)
    claim = KeyClaim(body.key, body.signature) if body.key and body.signature else None
    exchanged = await parts.sign_in.exchange_link(
        body.token, claim=claim, source=source_of(request), admit=admission(parts, request)
    )
    page = f"/sign-in?page={exchanged.page}#half" if exchanged.half else f"/{exchanged.page}"
    response = answer({"page": page})
    set_cookies(response, exchanged.sessions, parts)
    return response


@routes.post("/api/v1/password")
async def password(request: web.Request) -> web.Response:
    """Set a password by a one-time link."""
    body = await read_body(request, PasswordBody)
    await request.app[PARTS].sign_in.set_password(
        body.token, body.password, source=source_of(request)
    )
    return web.Response(status=204)


@routes.post("/api/v1/enrol")
async def enrol(request: web.Request) -> web.Response:
    """Enrol a tablet by its one-time code."""
    parts = request.app[PARTS]
    body = await read_body(request, CodeBody)
    new = await parts.sign_in.enrol(
        body.code,
        KeyClaim(body.key, body.signature),
        source=source_of(request),
        admit=admission(parts, request),
    )
    principal = await parts.sign_in.authenticate(new.token, SessionKind.TABLET)
    speaker = new_speaker(parts, request, "counter", principal, new.token)
    response = answer(await describe(parts, speaker))
    set_cookies(response, (new,), parts)
    return response


@routes.post("/api/v1/tablet/challenge")
async def tablet_challenge(request: web.Request) -> web.Response:
    """Ask a tablet to show its key."""
    parts = request.app[PARTS]
    tablet, _ = await _enrolled(request)
    challenge = parts.tablets.ask(tablet, parts.clock())
    return answer(challenge_view(tablet, challenge))


@routes.post("/api/v1/tablet/proof")
async def tablet_proof(request: web.Request) -> web.Response:
    """Take the tablet's signature; the page carries its token from now on."""
    parts = request.app[PARTS]
    tablet, token = await _enrolled(request)
    body = await read_body(request, ProofBody)
    try:
        parts.tablets.answer(tablet, body.challenge, body.signature, parts.clock())
    except Denied as refused:
        await note_refused(parts, tablet, "page", refused.code)
        raise
    principal = await counter_of(parts, request, token_of(request, SessionKind.CLERK))
    return answer(await describe(parts, new_speaker(parts, request, "counter", principal, token)))


async def _enrolled(request: web.Request) -> tuple[Tablet, str]:
    """Return the tablet whose cookie this is, and the cookie. Raises `Denied`."""
    token = token_of(request, SessionKind.TABLET)
    principal = await request.app[PARTS].sign_in.authenticate(token, SessionKind.TABLET)
    if principal.tablet is None or token is None or page_of(request) != "counter":
        raise Denied("this tablet is not enrolled", code="not_enrolled", http_status=401)
    key_of(principal.tablet)
    return principal.tablet, token


@routes.post("/api/v1/tablets/{tablet}/revoke")
async def revoke(request: web.Request) -> web.Response:
    """Revoke a tablet; its call ends at once."""
    parts = request.app[PARTS]
    speaker = await speaker_of(parts, request)
    tablet_id = path_id(request, "tablet")
    home = speaker.municipality.id
    mine = await parts.people.tablet(home, tablet_id)
    facts = speaker.facts(
        tablet_id, now=parts.clock(), subject_municipality_id=home if mine else "another"
    )
    await parts.gate.ask("tablet.revoke", facts)
    await parts.sign_in.revoke_tablet(home, tablet_id)
    key: seats.SeatKey = ("counter", tablet_id)
    await end_page(parts, key)
    return web.Response(status=204)
