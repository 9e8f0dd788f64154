"""Routes for whoever runs the service: liveness and figures."""

from aiohttp import web
from prometheus_client import generate_latest

from security.errors import NotFound
from server.api.body import answer
from server.api.keys import PARTS
from server.api.speaker import is_loopback
from server.metrics import collected

routes = web.RouteTableDef()


@routes.get("/healthz")
async def healthz(request: web.Request) -> web.Response:
    """Say that the process answers; nothing else."""
    return answer({"status": "ok"})


@routes.get("/metrics")
async def metrics(request: web.Request) -> web.Response:
    """Return figures for Prometheus, to this machine only."""
    # A proxy on this machine asks for others: whoever it asks for is not this machine.
    if not is_loopback(request.remote) or "X-Forwarded-For" in request.headers:
        raise NotFound("no such thing")
    text = generate_latest(collected(request.app[PARTS]))
    return web.Response(body=text, headers={"Content-Type": "text/plain; version=0.0.4"})
