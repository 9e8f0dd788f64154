"""Puts what tells other systems together, from the settings and the stores."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from security.errors import NotFound
from security.sessions import Notes
from server.db.calls import SqlCalls
from server.db.outbox import SqlOutbox
from server.db.people import SqlPeople
from server.db.webhooks import SqlWebhooks
from server.hooks.body import Bodies, names_of
from server.hooks.fact import Fact, call_closed
from server.hooks.folder import Bundle, FolderSender
from server.hooks.plugins import PluginSender
from server.hooks.sender import Sender
from server.hooks.settings import HookSettings
from server.hooks.webhook import WebhookSender, trusting
from server.hooks.worker import Deliveries
from server.policies import PolicyBook
from server.record_bundles import RecordBundles


async def deliveries_of(
    settings: HookSettings,
    box: SqlOutbox,
    hooks: SqlWebhooks,
    calls: SqlCalls,
    people: SqlPeople,
    book: PolicyBook,
    bundles: RecordBundles,
    audit: Notes,
    clock: Callable[[], datetime],
) -> Deliveries:
    """Return what tells facts to webhooks, plug-ins and the folder."""
    more = names_of(calls, people)
    bodies = Bodies(lambda home: book.of(home).policy.hooks, more)

    async def slug_of(municipality_id: str) -> str:
        for home in await people.municipalities():
            if home.id == municipality_id:
                return home.slug
        raise NotFound("there is no such municipality")

    async def bundle_of(fact: Fact) -> Bundle:
        home = fact.municipality_id
        call = await calls.get(home, fact.subject)
        closed = call_closed(call) if call is not None else None
        if closed is None:
            raise NotFound("there is no such call any more")
        _, data = await bundles.make(home, str(fact.data.get("record")), clock())
        return Bundle(".zip", data, closed.data)

    trust = await asyncio.to_thread(trusting, settings.ca_file)
    senders: dict[str, Sender] = {
        "webhook": WebhookSender(hooks, bodies, audit, clock=clock, trust=trust),
        "plugin": PluginSender(bodies, slug_of, seconds=settings.plugin_seconds),
    }
    if settings.outbox_dir is not None:
        senders["folder"] = FolderSender(settings.outbox_dir, bundle_of, slug_of)
    return Deliveries(box, hooks, senders, settings.standing(), clock=clock)
