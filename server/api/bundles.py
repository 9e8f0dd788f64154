"""A record's bundle on its way out, to a person or to another system.

What it holds is told to the gate before: stills, and whether the taker had one of its files before.
"""

import logging
from dataclasses import replace

from aiohttp import web

from security.errors import Denied
from security.policy.facts import Facts
from security.roles import may, opens
from server.parts import Parts

log = logging.getLogger(__name__)


async def with_bundle(parts: Parts, facts: Facts, record_id: str, taker: str) -> Facts:
    """Return the facts with what the bundle of a record of the actor's municipality holds.

    Nothing is read for whom no role or scope opens bundles: the gate refuses without it.
    """
    actor = facts.actor
    if not (opens(actor.scopes, "rest.bundle") or may(actor.role, actor.page, "record.export")):
        return facts
    held = await parts.bundles.held(facts.actor.municipality_id, record_id, taker)
    return replace(facts, stills=held.stills, taken=held.taken)


async def send_bundle(
    parts: Parts, request: web.Request, home: str, record_id: str, taker: str
) -> web.StreamResponse:
    """Answer with the bundle; its files count as had by `taker`, unless the line breaks.

    Raises `Denied` `already_taken` for the second of two at once where each gets a file once.
    """
    record, content = await parts.bundles.make(home, record_id, parts.clock())
    new, all_new = await parts.bundles.take(record, taker, parts.clock())
    if not all_new and parts.uploads.limits_of(home).one_time:
        await parts.bundles.give_back(new, taker)
        raise Denied("each gets a file once", code="already_taken")
    response = web.StreamResponse(
        headers={
            "Content-Type": "application/zip",
            "Content-Length": str(len(content)),
            "Content-Disposition": f'attachment; filename="{record.number}.zip"',
        }
    )
    whole = False
    try:
        await response.prepare(request)
        await response.write(content)
        await response.write_eof()
        whole = True
    except ConnectionError as broken:
        log.info("a bundle broke off: %s", type(broken).__name__)
    finally:
        if not whole:
            await parts.bundles.give_back(new, taker)
    return response
