"""Signing out of the municipality's own directory as well, of whoever came by it."""

from aiohttp import web

from security.errors import Unavailable
from server.api.body import answer
from server.parts import Parts

OUT_COOKIE = "__Host-oidc-out"


async def way_out(parts: Parts, request: web.Request) -> web.Response:
    """Return the answer to a sign-out: where to sign out of the directory, else 204."""
    slug = request.cookies.get(OUT_COOKIE)
    if not slug:
        return web.Response(status=204)
    try:
        way = await parts.oidc.way_out(slug, f"{own_origin(request)}/sign-in")
    except Unavailable:
        way = None  # signed out here, whatever the directory does
    response = answer({"go": way}) if way else web.Response(status=204)
    response.del_cookie(OUT_COOKIE, path="/", secure=True, httponly=True, samesite="Strict")
    return response


def own_origin(request: web.Request) -> str:
    """Return the address of ours that the browser uses; the middleware has checked it."""
    return request.headers["Origin"]
