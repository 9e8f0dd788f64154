"""HTTP routes of signing in by a municipality's own directory. PROTOCOL.md section 5.

The directory sends the browser to a page of ours (`/signed-in/SLUG`), which asks `finish` itself: a
navigation that begins at another site carries no `SameSite=Strict` cookie, a request of our own
page carries all. So sessions stay Strict, and what a try rests on lies in a Lax cookie for 10
minutes.
"""

from typing import Annotated

from aiohttp import web
from pydantic import StringConstraints

from security.oidc.flow import LIFETIME, try_of
from security.people import Factor, SessionKind
from server.api.accounts import Body, Text, set_cookies, source_in
from server.api.admission import admission
from server.api.body import answer, read_body
from server.api.keys import PARTS
from server.api.way_out import OUT_COOKIE, own_origin
from server.oidc.settings import redirect_path
from server.oidc.sign_in import Answer

routes = web.RouteTableDef()
TRY_COOKIE = "__Host-oidc"
Long = Annotated[str, StringConstraints(min_length=1, max_length=4096)]


class BeginBody(Body):
    """The municipality's slug; may be left out when one alone has a directory.

    `anew`: the directory asks who it is, whoever is signed in there.
    """

    municipality: Text | None = None
    anew: bool = False


class FinishBody(Body):
    """What the directory put into the address: RFC 6749 section 4.1.2, RFC 9207."""

    municipality: Text
    state: Long
    code: Long | None = None
    iss: Long | None = None


@routes.post("/api/v1/oidc/begin")
async def begin(request: web.Request) -> web.Response:
    """Begin a try and say where the browser goes."""
    body = await read_body(request, BeginBody)
    attempt, way = await request.app[PARTS].oidc.begin(
        body.municipality, lambda slug: _back(request, slug), anew=body.anew
    )
    response = answer({"go": way})
    response.set_cookie(
        TRY_COOKIE,
        attempt.cookie(),
        path="/",
        secure=True,
        httponly=True,
        samesite="Lax",
        max_age=int(LIFETIME.total_seconds()),
    )
    return response


@routes.post("/api/v1/oidc/finish")
async def finish(request: web.Request) -> web.Response:
    """Sign in whoever comes back from the directory; a try serves once."""
    parts = request.app[PARTS]
    body = await read_body(request, FinishBody)
    back = Answer(body.municipality, body.state, body.code, body.iss)
    person, known = await parts.oidc.finish(
        try_of(request.cookies.get(TRY_COOKIE)),
        back,
        _back(request, body.municipality),
        source=await source_in(request, body.municipality),
    )
    shown = Factor.DIRECTORY if known.second_factor else None
    admit = admission(parts, request, shown)
    page, new = await parts.sign_in.begin_proven(person, shown, admit=admit)
    if known.fresh:
        now = parts.clock()
        parts.fresh.note(new.session.token_hash, now)
        await parts.audit.note(person.municipality_id, "sign-in:oidc:anew", person.id, {}, now=now)
    half = new.session.kind is SessionKind.HALF
    response = answer({"page": f"/sign-in?page={page}#half" if half else f"/{page}"})
    set_cookies(response, (new,), parts)
    response.del_cookie(TRY_COOKIE, path="/", secure=True, httponly=True, samesite="Lax")
    response.set_cookie(
        OUT_COOKIE, body.municipality, path="/", secure=True, httponly=True, samesite="Strict"
    )
    return response


def _back(request: web.Request, slug: str) -> str:
    return own_origin(request) + redirect_path(slug)
