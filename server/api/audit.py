"""HTTP routes of the audit log: search, export, and whether the chain is whole."""

import asyncio
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from aiohttp import web

from security.audit.chain import Stored, gate_tag, time_text
from security.errors import Corrupt, ProtocolError
from security.policy.baseline import BASELINE
from server.api.body import answer
from server.api.keys import PARTS
from server.api.speaker import Speaker, speaker_of
from server.csv_text import encoded, table
from server.parts import Parts

routes = web.RouteTableDef()
DAYS = 30
MAX_DAYS = 400
MAX_ROWS = 200
MAX_EXPORTED = 50_000
BATCH = 2_000
COLUMNS = (
    "position",
    "at",
    "tag",
    "subject",
    "allowed",
    "reasons",
    "page",
    "person",
    "role",
    "office",
    "tablet",
    "address",
    "policy",
    "detail",
    "link",
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is searched for; None means anything. `words` are matched against the tag."""

    since: datetime
    until: datetime
    before: int | None
    words: str
    person: str
    office: str
    call: str
    setting: str
    refused: bool

    @classmethod
    def parse(cls, query: Any, now: datetime) -> "Wanted":
        """Return what a query string asks for. Raises `ProtocolError`."""
        since = _time(query.get("from")) or now - timedelta(days=DAYS)
        until = _time(query.get("to")) or now
        if not timedelta(0) <= until - since <= timedelta(days=MAX_DAYS):
            raise ProtocolError(f"the time asked for spans 0 to {MAX_DAYS} days")
        before = query.get("before")
        if before is not None and not (before.isascii() and before.isdigit() and len(before) < 16):
            raise ProtocolError("before is a position")
        texts = {key: query.get(key, "")[:64] for key in ("person", "office", "call", "setting")}
        return cls(
            since,
            until,
            int(before) if before else None,
            query.get("action", "")[:80].replace(".", ":"),
            refused=query.get("refused") == "1",
            **texts,
        )

    def holds(self, one: Stored, entry: dict[str, Any]) -> bool:
        """Tell whether an entry is one that is searched for."""
        facts = entry.get("facts", {})
        actor, call = facts.get("actor", {}), facts.get("call", {})
        named = {entry.get("subject"), *_ids(entry.get("detail", {}))}
        return (
            (not self.words or self.words in one.tag)
            and (not self.refused or entry.get("allowed") is False)
            and (not self.person or self.person in named | {actor.get("person")})
            and (not self.office or self.office in named | {actor.get("office")})
            and (not self.call or self.call in named | {call.get("id")})
            and (not self.setting or self._refused_by_setting(one.tag, entry.get("reasons", ())))
        )

    def _refused_by_setting(self, tag: str, reasons: Iterable[str]) -> bool:
        return not _codes(self.setting).isdisjoint((tag, code) for code in reasons)


def _ids(detail: Any) -> Iterator[str]:
    """Yield every text of an event's detail, however deep it stands."""
    if isinstance(detail, str):
        yield detail
    elif isinstance(detail, dict | list):
        for each in detail.values() if isinstance(detail, dict) else detail:
            yield from _ids(each)


@lru_cache(maxsize=256)
def _codes(setting: str) -> frozenset[tuple[str, str]]:
    """Return the tags and codes of a setting's refusals: other rules may share a code."""
    return frozenset(
        (gate_tag(rule.action), term.reason.code)
        for rule in BASELINE.values()
        for term in rule.terms
        if setting in term.settings
    )


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ProtocolError("from and to are times with a zone") from None
    if found.tzinfo is None:
        raise ProtocolError("from and to are times with a zone")
    return found.astimezone(UTC)


async def _found(
    request: web.Request, most: int
) -> tuple[Parts, Speaker, Wanted, list[dict[str, Any]]]:
    parts = request.app[PARTS]
    speaker = await speaker_of(parts, request)
    home = speaker.municipality.id
    await parts.gate.ask("audit.read", speaker.facts(home, now=parts.clock()))
    wanted = Wanted.parse(request.query, parts.clock())
    rows: list[dict[str, Any]] = []
    before = wanted.before
    while len(rows) <= most:
        stored = await parts.audit.between(
            home, wanted.since, wanted.until, before=before, limit=BATCH
        )
        rows += await asyncio.to_thread(list, _rows(stored, wanted))
        if len(stored) < BATCH:
            break
        before = stored[-1].position
    return parts, speaker, wanted, rows


def _rows(stored: Iterable[Stored], wanted: Wanted) -> Iterable[dict[str, Any]]:
    for one in stored:
        entry = _entry(one)
        if wanted.holds(one, entry):
            yield row_view(one, entry)


def _entry(one: Stored) -> dict[str, Any]:
    try:
        entry = json.loads(one.entry)
    except ValueError as error:
        raise Corrupt(f"position {one.position}: the entry is not JSON") from error
    return entry if isinstance(entry, dict) else {}


def row_view(one: Stored, entry: dict[str, Any]) -> dict[str, Any]:
    """Return one entry flat, ids and codes only. Pure."""
    facts = entry.get("facts", {})
    actor, line = facts.get("actor", {}), facts.get("line", {})
    detail = entry.get("detail", {})
    by = detail.get("by") or detail.get("person") or ""  # of an event, which no gate was asked of
    return {
        "position": one.position,
        "at": time_text(one.at),
        "tag": one.tag,
        "subject": entry.get("subject", ""),
        "allowed": entry.get("allowed"),
        "reasons": entry.get("reasons", []),
        "page": actor.get("page", ""),
        "person": actor.get("person") or by,
        "role": actor.get("role", ""),
        "office": actor.get("office") or detail.get("office") or "",
        "tablet": actor.get("tablet", ""),
        "address": line.get("address", ""),
        "policy": facts.get("policy", 0),
        "detail": detail,
        "link": one.link.hex(),
    }


@routes.get("/api/v1/audit")
async def search(request: web.Request) -> web.Response:
    """Return entries, newest first, with the names of the persons and offices in them."""
    parts, speaker, _, rows = await _found(request, MAX_ROWS)
    home = speaker.municipality.id
    names = {person.id: person.name for person in await parts.people.people(home)}
    names |= {office.id: office.name for office in await parts.people.offices(home)}
    used = {row[key] for row in rows[:MAX_ROWS] for key in ("person", "office", "subject")}
    return answer(
        {
            "entries": rows[:MAX_ROWS],
            "more": len(rows) > MAX_ROWS,
            "names": {key: name for key, name in names.items() if key in used},
        }
    )


@routes.get("/api/v1/audit/export")
async def export(request: web.Request) -> web.Response:
    """Return entries as CSV (UTF-8 with BOM), oldest first; nothing in it is a formula."""
    parts, speaker, wanted, rows = await _found(request, MAX_EXPORTED)
    if len(rows) > MAX_EXPORTED:
        raise ProtocolError(f"more than {MAX_EXPORTED} entries fit: ask for a shorter time")
    text = await asyncio.to_thread(as_csv, reversed(rows))
    home = speaker.municipality
    detail = {"rows": len(rows), "from": time_text(wanted.since), "to": time_text(wanted.until)}
    person = speaker.person.id if speaker.person else ""
    await parts.audit.note(home.id, "audit:log:export", person, detail, now=parts.clock())
    name = f"audit-{home.slug}-{wanted.until:%Y%m%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return web.Response(
        body=encoded(text), content_type="text/csv", charset="utf-8", headers=headers
    )


def as_csv(rows: Iterable[dict[str, Any]]) -> str:
    """Return rows as CSV by RFC 4180. Pure."""
    return table([COLUMNS, *([row[name] for name in COLUMNS] for row in rows)])


@routes.get("/api/v1/audit/chain")
async def chain(request: web.Request) -> web.Response:
    """Verify the municipality's chain from its beginning and say whether it is whole."""
    parts = request.app[PARTS]
    speaker = await speaker_of(parts, request)
    home = speaker.municipality.id
    await parts.gate.ask("audit.read", speaker.facts(home, now=parts.clock()))
    newest = await parts.audit.signed.newest(home)
    signed_at = newest.at if newest else None
    try:
        found = await parts.audit.verified(home)
        if found.key not in (None, await parts.signing.public_key(home)):
            raise Corrupt("the heads are signed with a key that is not ours")
    except Corrupt as error:
        return answer(
            {
                "whole": False,
                "problem": error.message,
                "entries": None,
                "head": None,
                "signed": None,
                "signed_at": signed_at,
                "set_back": None,
            }
        )
    said: dict[str, Any] = {"set_back": found.set_back}
    said |= {"entries": found.head.count, "head": found.head.link.hex(), "signed": found.signed}
    return answer({"whole": True, "problem": None, **said, "signed_at": signed_at})
