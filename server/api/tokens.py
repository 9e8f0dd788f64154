"""HTTP routes of the tokens by which other systems read (security/api_tokens.py)."""

from typing import Annotated, Any

from aiohttp import web
from pydantic import Field, StringConstraints

from security.api_tokens import ApiToken
from security.roles import SCOPES
from server.api.administration import hand_of
from server.api.body import answer, read_body
from server.api.hooks import Body, Name, asked
from server.api.nouns import time_view
from server.api.speaker import path_id
from server.parts import Parts
from server.system_tokens import make_token, revoke_token

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
    """List the municipality's tokens, the newest first, and from where bundles are fetched."""
    parts, speaker, _ = await asked(request, "token.read")
    home = speaker.municipality.id
    found = await parts.api_tokens.every(home)
    return answer(
        {
            "tokens": [token_view(parts, one) for one in found],
            "scopes": list(SCOPES),
            "bundle_networks": list(parts.policies.of(home).policy.hooks.bundle_networks),
        }
    )


@routes.post("/api/v1/tokens")
async def make(request: web.Request) -> web.Response:
    """Make a token; it is shown this once."""
    body = await read_body(request, TokenTermsBody)
    parts, speaker, _ = await asked(request, "token.change")
    terms = (body.name, body.scopes, body.networks, body.days)
    hand, now = hand_of(parts, speaker), parts.clock()
    item, token = await make_token(parts.api_tokens, hand, *terms, now=now)
    return answer({"item": token_view(parts, item), "token": token}, status=201)


@routes.post("/api/v1/tokens/{token}/revoke")
async def revoke(request: web.Request) -> web.Response:
    """Revoke a token: the next request with it is refused."""
    token_id = path_id(request, "token")
    parts, speaker, _ = await asked(request, "token.change", token_id)
    await revoke_token(parts.api_tokens, hand_of(parts, speaker), token_id, now=parts.clock())
    return web.Response(status=204)
