"""Where passkeys are used: the address of the page that asks, and the domain they belong to."""

from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from security.passkeys import Place, no_passkeys_here, place_of
from server.parts import Parts


def passkey_place(parts: Parts, request: web.Request) -> Place | str:
    """Return the place of the page that sends `request`, or the code of why it has none.

    The middleware has compared `Origin` with our own addresses wherever something is changed; a
    page that only looks sends none, and is where it was loaded from.
    """
    server = parts.settings.server
    own = server.public_url or f"{request.scheme}://{request.host}"
    origin = request.headers.get("Origin") or _origin_of(request, own)
    return place_of(origin, server.public_url, server.origins)


def _origin_of(request: web.Request, own: str) -> str:
    host = urlsplit(f"//{request.host}").hostname
    return f"{request.scheme}://{request.host}" if host == "localhost" else own


def require_place(parts: Parts, request: web.Request) -> Place:
    """Return the place. Raises `Conflict` `no_passkeys_here`."""
    found = passkey_place(parts, request)
    if isinstance(found, str):
        raise no_passkeys_here(found)
    return found


def passkeys_view(parts: Parts, request: web.Request) -> dict[str, Any]:
    """Return `passkeys` of PROTOCOL.md section 5.1."""
    found = passkey_place(parts, request)
    why = found if isinstance(found, str) else None
    return {"possible": why is None, "why": why}
