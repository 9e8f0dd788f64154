"""HTTP routes of 連携: webhooks, their secrets, and what could not be told. PROTOCOL.md 5.5."""

from datetime import timedelta
from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from security.errors import Conflict, NotFound
from security.gate import Permit
from security.ids import new_id
from security.people import Person
from server.api.body import answer, read_body
from server.api.keys import PARTS
from server.api.nouns import time_view
from server.api.speaker import Speaker, path_id, speaker_of
from server.db import outbox
from server.db.outbox import Delivery
from server.db.webhooks import DESTINATION, Webhook
from server.hooks.address import is_listed, target_of
from server.hooks.fact import TYPES, Fact
from server.hooks.signing import new_secret, public_text
from server.hooks.worker import TEST
from server.parts import Parts

routes = web.RouteTableDef()
MAX_WEBHOOKS = 20
SENT = tuple(one for one in TYPES if one != TEST)
Name = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,80}$")]
Type = Annotated[str, StringConstraints(pattern=r"^[a-z_.]{3,64}$")]


class Body(BaseModel):
    """Base of every request body."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class WebhookBody(Body):
    """A destination, what it is told, and whether 研修モード is told too."""

    name: Name
    url: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    types: Annotated[tuple[Type, ...], Field(min_length=1, max_length=10)] = SENT
    training: bool = False


class RotateBody(Body):
    """For how many hours the secret of now counts beside the new one."""

    hours: Annotated[int, Field(ge=0, le=168)] = 24


async def asked(
    request: web.Request, action: str, subject: str | None = None
) -> tuple[Parts, Speaker, Permit]:
    """Return parts, speaker and the permit for `action` on the municipality or `subject`."""
    parts = request.app[PARTS]
    speaker = await speaker_of(parts, request)
    facts = speaker.facts(subject or speaker.municipality.id, now=parts.clock())
    return parts, speaker, await parts.gate.ask(action, facts)


def person_of(speaker: Speaker) -> Person:
    """Return who is signed in. Raises `NotFound`."""
    if speaker.person is None:
        raise NotFound("no such thing")
    return speaker.person


@routes.get("/api/v1/hooks")
async def hooks(request: web.Request) -> web.Response:
    """Return the destinations, how many facts wait for each, and what was tried in vain."""
    parts, speaker, _ = await asked(request, "hook.read")
    home = speaker.municipality.id
    every = await parts.webhooks.every(home)
    figures = await parts.outbox.figures(home)
    troubled = await parts.outbox.troubled(home)
    policy = parts.policies.of(home).policy.hooks
    return answer(
        {
            "webhooks": [await webhook_view(parts, one) for one in every],
            "standing": list(parts.settings.hooks.standing()),
            "figures": figures,
            "troubled": [delivery_view(one) for one in troubled],
            "types": list(SENT),
            "policy": {
                "destinations": list(policy.destinations),
                "private_networks": list(policy.private_networks),
                "content": policy.content,
            },
        }
    )


async def webhook_view(parts: Parts, hook: Webhook) -> dict[str, Any]:
    """Return a webhook without its secret."""
    now = parts.clock()
    keys = await parts.webhooks.keys(hook, now)
    policy = parts.policies.of(hook.municipality_id).policy.hooks
    until = hook.previous_until
    return {
        "id": hook.id,
        "name": hook.name,
        "url": hook.url,
        "types": list(hook.types),
        "training": hook.training,
        "created_at": time_view(hook.created_at),
        "public_key": public_text(keys[0].private),
        "previous_until": time_view(until) if until and until > now else None,
        "listed": is_listed(target_of(hook.url), policy),
    }


def delivery_view(one: Delivery) -> dict[str, Any]:
    """Return a delivery that was tried in vain; ids and codes alone."""
    return {
        "id": f"{one.position}@{one.destination}",
        "destination": one.destination,
        "message": one.fact.id,
        "type": one.fact.type,
        "subject": one.fact.subject,
        "number": one.fact.data.get("number"),
        "at": time_view(one.fact.at),
        "state": one.state,
        "tries": one.tries,
        "next_at": time_view(one.next_at) if one.state == "waiting" else None,
        "problem": one.problem,
        "held": one.held,
    }


@routes.post("/api/v1/hooks")
async def add(request: web.Request) -> web.Response:
    """Set a webhook up; its secret is shown this once."""
    body = await read_body(request, WebhookBody)
    parts, speaker, _ = await asked(request, "hook.change")
    hook = await new_webhook(parts, speaker.municipality.id, body, person_of(speaker).id)
    said = {"webhook": await webhook_view(parts, hook), "secret": hook.secret}
    return answer(said, status=201)


async def new_webhook(parts: Parts, home: str, body: WebhookBody, by: str | None) -> Webhook:
    """Store a webhook. Raises `ProtocolError` `bad_url`, `Conflict` when there are too many."""
    target_of(body.url)
    if unknown := set(body.types) - set(SENT):
        raise Conflict(f"there is no type {min(unknown)}", code="wrong_kind")
    if len(await parts.webhooks.every(home)) >= MAX_WEBHOOKS:
        raise Conflict(f"at most {MAX_WEBHOOKS} webhooks", code="too_many_webhooks")
    hook = Webhook(
        new_id(),
        home,
        body.name,
        body.url,
        tuple(dict.fromkeys(body.types)),
        body.training,
        new_secret(),
        1,
        parts.clock(),
        created_by=by,
    )
    await parts.webhooks.add(hook)
    await _note(parts, hook, "add", by)
    return hook


async def _note(parts: Parts, hook: Webhook, what: str, by: str | None, **more: Any) -> None:
    detail = {"by": by or "", "host": target_of(hook.url).host, **more}
    home, now = hook.municipality_id, parts.clock()
    await parts.audit.note(home, f"hook:webhook:{what}", hook.id, detail, now=now)


async def _own(request: web.Request) -> tuple[Parts, Person, Webhook]:
    """Return the webhook of the path, once the gate lets it be changed. Raises `NotFound`."""
    hook_id = path_id(request, "hook")
    parts, speaker, _ = await asked(request, "hook.change", hook_id)
    hook = await parts.webhooks.get(speaker.municipality.id, hook_id)
    if hook is None or hook.ended_at is not None:
        raise NotFound("there is no such webhook")
    return parts, person_of(speaker), hook


@routes.post("/api/v1/hooks/{hook}/rotate")
async def rotate(request: web.Request) -> web.Response:
    """Give a webhook a new secret, shown this once; the one of now counts on for a while."""
    body = await read_body(request, RotateBody)
    parts, person, hook = await _own(request)
    secret = new_secret()
    until = parts.clock() + timedelta(hours=body.hours)
    await parts.webhooks.rotate(hook, secret, until)
    await _note(parts, hook, "rotate", person.id, hours=body.hours)
    again = await parts.webhooks.get(hook.municipality_id, hook.id)
    if again is None:
        raise NotFound("there is no such webhook")
    return answer({"webhook": await webhook_view(parts, again), "secret": secret})


@routes.post("/api/v1/hooks/{hook}/test")
async def test(request: web.Request) -> web.Response:
    """Send a test message."""
    parts, person, hook = await _own(request)
    await _note(parts, hook, "test", person.id)
    fact = Fact(hook.municipality_id, TEST, hook.id, parts.clock(), {"webhook": hook.id})
    async with parts.database.writing() as connection:
        await outbox.add(connection, fact)
    parts.deliveries.wake()
    return answer({"message": fact.id}, status=202)


@routes.post("/api/v1/hooks/{hook}/remove")
async def remove(request: web.Request) -> web.Response:
    """Remove a webhook; what was on its way there is given up."""
    parts, person, hook = await _own(request)
    await parts.webhooks.end(hook.municipality_id, hook.id, "removed", parts.clock())
    await _note(parts, hook, "remove", person.id)
    return web.Response(status=204)


@routes.post("/api/v1/deliveries/{delivery}/retry")
async def retry(request: web.Request) -> web.Response:
    """Try one delivery again at once."""
    return await _deliver(request, "retry")


@routes.post("/api/v1/deliveries/{delivery}/give-up")
async def give_up(request: web.Request) -> web.Response:
    """Let one delivery go untold."""
    return await _deliver(request, "give-up")


async def _deliver(request: web.Request, what: str) -> web.Response:
    position, _, destination = request.match_info["delivery"].partition("@")
    if not (position.isascii() and position.isdigit() and len(position) < 16):
        raise NotFound("no such thing")
    parts, speaker, _ = await asked(request, "hook.change")
    home, now = speaker.municipality.id, parts.clock()
    if what == "retry":
        await parts.outbox.retry(home, int(position), destination, now)
    else:
        await parts.outbox.give_up(home, int(position), destination)
    detail = {"by": person_of(speaker).id, "position": int(position)}
    subject = destination.removeprefix(DESTINATION)
    await parts.audit.note(home, f"hook:delivery:{what}", subject, detail, now=now)
    parts.deliveries.wake()
    return web.Response(status=204)
