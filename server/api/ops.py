"""Routes for whoever runs the service: liveness and figures."""

from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from security.errors import NotFound
from server.api.body import answer
from server.api.keys import PARTS
from server.api.speaker import is_loopback
from server.calls.call import State
from server.parts import Parts

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
    text = generate_latest(_collect(request.app[PARTS]))
    return web.Response(body=text, headers={"Content-Type": "text/plain; version=0.0.4"})


def _collect(parts: Parts) -> CollectorRegistry:
    registry = CollectorRegistry()
    calls = Gauge("madoguchi_calls", "Open calls by state", ["state"], registry=registry)
    for state in State:
        if state is not State.CLOSED:
            calls.labels(state.value).set(0)
    for call in parts.registry.every_open_call():
        calls.labels(call.state.value).inc()
    pages = Gauge("madoguchi_pages", "Live pages", ["page"], registry=registry)
    for page in ("counter", "desk"):
        live = sum(key[0] == page for key, _ in parts.hub.seats.live())
        pages.labels(page).set(live)
    lag = Gauge(
        "madoguchi_loop_lag_seconds",
        "Longest delay of the event loop since the last look",
        registry=registry,
    )
    lag.set(parts.loop_lag.take())
    return registry
