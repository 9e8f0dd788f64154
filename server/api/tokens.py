"""HTTP routes of the tokens by which other systems read (security/api_tokens.py)."""

from datetime import timedelta
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field, StringConstraints

from security.api_tokens import ApiToken, check_token, new_api_token
from security.ids import new_id
from security.roles import SCOPES
from server.api.body import answer, read_body
from server.api.hooks import Body, Name, asked, person_of
from server.api.nouns import time_view
from server.api.speaker import path_id
from server.parts import Parts

routes = web.RouteTableDef()
Scope = Annotated[str, StringConstraints(pattern=r"^[a-z]{1,20}$")]
Network = Annotated[str, StringConstraints(min_length=1, max_length=60)]


class TokenTermsBody(Body):
    """What a token opens, from where, for how many days."""

    name: Name
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1, max_length=10)]
    networks: Annotated[tuple[Network, ...], Field(min_length=1, max_length=20)]
    days: Annotated[int, Field(ge=1, le=400)] = 365


def token_view(parts: Parts, item: ApiToken) -> dict[str, Any]:
    """Return a token without that by which it is known."""
    return {
        "id": item.id,
        "name": item.name,
        "scopes": list(item.scopes),
        "networks": list(item.networks),
        "created_at": time_view(item.created_at),
        "expires_at": time_view(item.expires_at),
        "revoked_at": time_view(item.revoked_at) if item.revoked_at else None,
        "used_at": time_view(item.used_at) if item.used_at else None,
        "counts": item.counts(parts.clock()),
    }


@routes.get("/api/v1/tokens")
async def every(request: web.Request) -> web.Response:
    """List the municipality's tokens, the newest first."""
    parts, speaker, _ = await asked(request, "token.read")
    found = await parts.api_tokens.every(speaker.municipality.id)
    return answer({"tokens": [token_view(parts, one) for one in found], "scopes": list(SCOPES)})


@routes.post("/api/v1/tokens")
async def make(request: web.Request) -> web.Response:
    """Make a token; it is shown this once."""
    body = await read_body(request, TokenTermsBody)
    parts, speaker, _ = await asked(request, "token.change")
    by = person_of(speaker).id
    item, token = await new_api_token_of(parts, speaker.municipality.id, body, by)
    return answer({"item": token_view(parts, item), "token": token}, status=201)


async def new_api_token_of(
    parts: Parts, home: str, body: TokenTermsBody, by: str | None
) -> tuple[ApiToken, str]:
    """Store a token. Raises `ProtocolError` `bad_key_terms`."""
    now = parts.clock()
    until = now + timedelta(days=body.days)
    check_token(body.scopes, body.networks, until, now)
    item = ApiToken(new_id(), home, body.name, body.scopes, body.networks, now, until, by)
    token = new_api_token()
    await parts.api_tokens.add(item, token)
    detail = {"by": by or "", "scopes": list(body.scopes), "networks": list(body.networks)}
    await parts.audit.note(home, "token:system:make", item.id, detail, now=now)
    return item, token


@routes.post("/api/v1/tokens/{token}/revoke")
async def revoke(request: web.Request) -> web.Response:
    """Revoke a token: the next request with it is refused."""
    token_id = path_id(request, "token")
    parts, speaker, _ = await asked(request, "token.change", token_id)
    home, now = speaker.municipality.id, parts.clock()
    await parts.api_tokens.revoke(home, token_id, now)
    detail = {"by": person_of(speaker).id}
    await parts.audit.note(home, "token:system:revoke", token_id, detail, now=now)
    return web.Response(status=204)
