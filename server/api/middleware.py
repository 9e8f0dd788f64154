"""What every request passes: a request id, errors in one shape, headers, Origin and CSRF."""

import json
import logging
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

from security.errors import Denied, MadoguchiError, NotFound, ProtocolError, TooMuch
from security.ids import new_id
from security.people import SessionKind
from security.roles import HALF_PAGE
from security.tokens import csrf_matches
from server.api.errors import error_body
from server.api.keys import PARTS
from server.api.speaker import SOCKET_PATH, page_of, require_page_token, token_of

log = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# These begin a sign-in: there is no session yet whose token could be shown. Origin still counts.
BEFORE_SIGN_IN = frozenset(
    {
        "/api/v1/sign-in",
        "/api/v1/links",
        "/api/v1/password",
        "/api/v1/enrol",
        "/api/v1/oidc/begin",
        "/api/v1/oidc/finish",
        "/api/v1/tablet/challenge",
        "/api/v1/tablet/proof",
        "/api/v1/sign-in/passkey",
        "/api/v1/sign-in/passkey/options",
        "/api/v1/recovery/link",
    }
)
CSP = (
    "default-src 'self'; img-src 'self' blob:; media-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(self), geolocation=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
LOOPBACK = ("localhost", "127.0.0.1", "::1")
HSTS = "max-age=31536000"


def error_response(exc: MadoguchiError, request_id: str) -> web.Response:
    """Return the HTTP form of an error."""
    body = json.dumps(error_body(exc, request_id=request_id), ensure_ascii=False)
    return web.Response(status=exc.status, text=body, content_type="application/json")


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every failure into the one shape of PROTOCOL.md section 6."""
    request_id = new_id()
    try:
        return await handler(request)
    except MadoguchiError as exc:
        log.info("%s %s: %s", request.method, exc.code, request_id)
        return error_response(exc, request_id)
    except web.HTTPRequestEntityTooLarge:
        limit = TooMuch("the body is too large", limit=request.client_max_size, unit="bytes")
        return error_response(limit, request_id)
    except web.HTTPNotFound:
        return error_response(NotFound("no such thing"), request_id)
    except web.HTTPMethodNotAllowed as exc:
        response = error_response(
            ProtocolError(f"{request.method} is not offered here"), request_id
        )
        response.set_status(405)
        response.headers["Allow"] = ", ".join(sorted(exc.allowed_methods))
        return response
    except web.HTTPException:
        raise
    except Exception:
        log.exception("request %s failed", request_id)
        return error_response(MadoguchiError("something broke"), request_id)


@web.middleware
async def same_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what another site's page may have sent: Origin, and the CSRF token after sign-in.

    Raises `Denied` `origin` or `csrf`.
    """
    if request.path == SOCKET_PATH:
        check_origin(request)
    elif request.method not in SAFE_METHODS:
        check_origin(request)
        if request.path not in BEFORE_SIGN_IN:
            check_csrf(request)
    return await handler(request)


def check_origin(request: web.Request) -> None:
    """Raise `Denied` unless the request comes from a page of this server."""
    origin = request.headers.get("Origin", "")
    if origin in request.app[PARTS].settings.server.origins:
        return
    if not _is_own_loopback(origin, request.host):
        raise Denied("the request comes from another site", code="origin")


def _is_own_loopback(origin: str, host: str) -> bool:
    try:
        split = urlsplit(origin)
        own = split.scheme in ("http", "https") and split.netloc == host
        return own and split.hostname in LOOPBACK
    except ValueError:
        return False


def check_csrf(request: web.Request) -> None:
    """Raise `Denied` unless the header's token belongs to the page's cookie."""
    page = page_of(request, half=True)
    if page == "counter":
        tablet = token_of(request, SessionKind.TABLET)
        require_page_token(request.app[PARTS], request, tablet or "")
        return
    token = token_of(request, SessionKind.HALF if page == HALF_PAGE else SessionKind.DESK)
    given = request.headers.get("X-CSRF-Token", "")
    if not token or not csrf_matches(token, given):
        raise Denied("the CSRF token is missing or wrong", code="csrf")


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Add the security headers to every response. An `on_response_prepare` signal."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.path.startswith("/api/"):
        response.headers.setdefault("Cache-Control", "no-store")
    if request.app[PARTS].settings.server.tls_certificate is not None:
        response.headers.setdefault("Strict-Transport-Security", HSTS)
