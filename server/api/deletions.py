"""HTTP route of proofs of deletion (削除証明): what was deleted by its period, each verified."""

import asyncio
from collections.abc import Iterable
from typing import Any

from aiohttp import web

from security.errors import Corrupt
from server.api.body import answer
from server.api.keys import PARTS
from server.api.nouns import time_view
from server.api.speaker import speaker_of
from server.db.deletions import KeptProof, SqlDeletions
from server.retention import readable

routes = web.RouteTableDef()
MAX_ROWS = 200
SAID = ("kind", "call", "count", "because", "policy")


@routes.get("/api/v1/deletions")
async def deletions(request: web.Request) -> web.Response:
    """Return proofs of deletion, newest first, each with whether it verifies with our key."""
    parts = request.app[PARTS]
    speaker = await speaker_of(parts, request)
    home = speaker.municipality.id
    await parts.gate.ask("audit.read", speaker.facts(home, now=parts.clock()))
    store = SqlDeletions(parts.database)
    found = await store.newest(home, before=request.query.get("before"), limit=MAX_ROWS + 1)
    key = await parts.signing.public_key(home)
    rows = await asyncio.to_thread(_views, found[:MAX_ROWS], key)
    return answer({"deletions": rows, "more": len(found) > MAX_ROWS})


def _views(every: Iterable[KeptProof], key: bytes) -> list[dict[str, Any]]:
    return [proof_view(kept, key) for kept in every]


def proof_view(kept: KeptProof, key: bytes) -> dict[str, Any]:
    """Return what a proof says; nothing of what it says when it does not verify with `key`."""
    shown: dict[str, Any] = {"id": kept.id, "at": time_view(kept.at)}
    try:
        said = readable(kept.proof)
        if kept.proof.key != key or said["id"] != kept.id:
            raise Corrupt("signed with a key that is not ours, or for another deletion")
    except Corrupt:
        return {**shown, "verified": False, **dict.fromkeys((*SAID, "statement", "signature"))}
    proof = {"statement": kept.proof.statement.decode(), "signature": kept.proof.signature.hex()}
    return {**shown, "verified": True, **{name: said[name] for name in SAID}, **proof}
