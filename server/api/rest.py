"""What other systems of the municipality read, by their tokens. PROTOCOL.md 5.6.

No cookie counts here and nothing is changed. Everything is scoped by the token's municipality.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from security.api_tokens import PREFIX, ApiToken
from security.errors import Denied, NotFound, ProtocolError
from security.policy.facts import Actor, Facts
from security.roles import SYSTEM_PAGE
from server.api.body import answer
from server.api.bundles import send_bundle, with_bundle
from server.api.keys import PARTS
from server.api.nouns import time_view
from server.api.reach import reach_of
from server.api.speaker import path_id
from server.count_months import Month
from server.counts import month_of, require_month
from server.db.counts import Closed
from server.parts import Parts
from server.policies import ZONE

routes = web.RouteTableDef()
DAYS = 31
LIMIT, MAX_LIMIT = 100, 500
START, END = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})",
    re.IGNORECASE,
)
CURSOR = re.compile(r"[0-9]{1,16}\.[A-Za-z0-9_-]{22}")


class Answer(BaseModel):
    """Base of every answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RestRecord(Answer):
    """A real call that is over, ids and codes alone; `record` is null while none was made."""

    call: str
    record: str | None
    number: str
    office: str
    procedure: str
    outcome: str
    clerk: str
    desk: str | None
    placed_at: str
    answered_at: str | None
    closed_at: str


class RestRecords(Answer):
    """Some of them, oldest first; `next` is given as `after` for more, null when there are none."""

    records: tuple[RestRecord, ...]
    next: str | None


class RestCount(Answer):
    """One count; `total` is `count` and what corrections added."""

    office: str
    procedure: str
    outcome: str
    count: int
    corrected: int
    total: int


class RestCounts(Answer):
    """The counts of a month; `sha256` of the closed statement, null while the month goes on."""

    month: str
    closed_at: str | None
    sha256: str | None
    counts: tuple[RestCount, ...]


async def system_of(request: web.Request, action: str) -> tuple[Parts, ApiToken]:
    """Return the token of a request, once the gate lets it do `action`. Raises `Denied`."""
    parts, found = await _token_of(request)
    await parts.gate.ask(action, _facts(parts, request, found, parts.clock()))
    await parts.api_tokens.used(found, parts.clock())
    return parts, found


async def _token_of(request: web.Request) -> tuple[Parts, ApiToken]:
    """Return the token of a request.

    Raises `Denied` `bad_token` for one that is unknown, expired or revoked; each is counted, and
    of one that was known once the log says so.
    """
    parts = request.app[PARTS]
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    found = None
    if kind.lower() == "bearer" and given.startswith(PREFIX) and len(given) < 100:
        found = await parts.api_tokens.known_by(given.strip())
    now = parts.clock()
    if found is None or not found.counts(now):
        count = parts.bad_tokens.refused(found.id if found else None, now)
        if found is not None and count:
            detail = {"count": count, "why": "revoked" if found.revoked_at else "expired"}
            home = found.municipality_id
            await parts.audit.note(home, "token:system:refused", found.id, detail, now=now)
        raise Denied("no token that counts", code="bad_token", http_status=401)
    return parts, found


def _facts(parts: Parts, request: web.Request, found: ApiToken, now: datetime) -> Facts:
    home = found.municipality_id
    in_force = parts.policies.of(home)
    return Facts(
        now=now,
        actor=Actor(
            SYSTEM_PAGE, home, token=found.id, scopes=found.scopes, networks=found.networks
        ),
        subject=home,
        subject_municipality_id=home,
        policy=in_force.policy,
        policy_number=in_force.number,
        line=reach_of(request).line(in_force.policy),
        today=now.astimezone(ZONE).date(),
        training=False,
    )


@routes.get("/api/v1/rest/records")
async def records(request: web.Request) -> web.Response:
    """List real calls that are over, by when they were closed."""
    parts, token = await system_of(request, "rest.records")
    since, until = _span(request.query, parts.clock())
    limit = _number(request.query.get("limit"), LIMIT, MAX_LIMIT)
    after = _cursor(request.query.get("after"))
    home = token.municipality_id
    found = await parts.counted.closed(home, since, until, after=after, limit=limit + 1)
    shown = found[:limit]
    more = _as_cursor(shown[-1]) if len(found) > limit else None
    views = [await _record(parts, home, one) for one in shown]
    return answer(RestRecords(records=tuple(views), next=more).model_dump(mode="json"))


@routes.get("/api/v1/rest/records/{call}")
async def record(request: web.Request) -> web.Response:
    """Return one of them."""
    parts, token = await system_of(request, "rest.records")
    found = await _found(parts, token, path_id(request, "call"))
    return answer((await _record(parts, token.municipality_id, found)).model_dump(mode="json"))


@routes.get("/api/v1/rest/records/{call}/bundle")
async def bundle(request: web.Request) -> web.StreamResponse:
    """Return the signed bundle of its record, into the networks that the policy names."""
    parts, token = await _token_of(request)
    home, now = token.municipality_id, parts.clock()
    found = await parts.counted.one(home, path_id(request, "call"))
    record_id = await parts.records.store.id_of_call(home, found.id) if found else None
    facts = _facts(parts, request, token, now)
    if record_id is not None:
        facts = await with_bundle(parts, facts, record_id, token.id)
    await parts.gate.ask("rest.bundle", facts)
    await parts.api_tokens.used(token, now)
    if record_id is None:
        raise NotFound("there is no such call, or no record of it yet")
    detail = {"token": token.id}
    await parts.audit.note(home, "record:bundle:taken", record_id, detail, now=now)
    return await send_bundle(parts, request, home, record_id, token.id)


@routes.get("/api/v1/rest/counts")
async def counts(request: web.Request) -> web.Response:
    """Return the counts of a month."""
    parts, token = await system_of(request, "rest.counts")
    month = require_month(request.query.get("month", month_of(parts.clock())))
    (found,) = await parts.counts.of(token.municipality_id, [month])
    return answer(_counts(found).model_dump(mode="json"))


def _counts(found: Month) -> RestCounts:
    closed = found.closed
    return RestCounts(
        month=found.month,
        closed_at=time_view(closed.closed_at) if closed else None,
        sha256=closed.sha256.hex() if closed else None,
        counts=tuple(
            RestCount(
                office=one.office_id,
                procedure=one.procedure,
                outcome=one.outcome,
                count=one.count,
                corrected=more,
                total=one.count + more,
            )
            for one, more in found.rows
        ),
    )


async def _found(parts: Parts, token: ApiToken, call_id: str) -> Closed:
    found = await parts.counted.one(token.municipality_id, call_id)
    if found is None:
        raise NotFound("there is no such call")
    return found


async def _record(parts: Parts, home: str, one: Closed) -> RestRecord:
    return RestRecord(
        call=one.id,
        record=await parts.records.store.id_of_call(home, one.id),
        number=one.number,
        office=one.office_id,
        procedure=one.procedure,
        outcome=one.outcome,
        clerk=one.clerk_id,
        desk=one.desk_id,
        placed_at=time_view(one.placed_at),
        answered_at=time_view(one.answered_at) if one.answered_at else None,
        closed_at=time_view(one.closed_at),
    )


def _span(query: Mapping[str, str], now: datetime) -> tuple[datetime, datetime]:
    until = _time(query.get("to"), now + timedelta(seconds=1))
    return _time(query.get("from"), until - timedelta(days=DAYS)), until


def _time(text: str | None, otherwise: datetime) -> datetime:
    """Return a time as RFC 3339 writes it (section 5.6); one beyond our years as their end."""
    if text is None:
        return otherwise
    if TIME.fullmatch(text) is None:
        raise _odd_time()
    try:
        # A leap second is the end of the one before.
        found = datetime.fromisoformat(re.sub(r"(T\d\d:\d\d):60", r"\1:59", text.upper()))
    except ValueError:
        raise _odd_time() from None
    if not START.year < found.year < END.year:
        return START if found.year <= START.year else END
    return found.astimezone(UTC)


def _odd_time() -> ProtocolError:
    return ProtocolError("from and to are times with a zone, as 2026-11-24T09:00:00+09:00")


def _number(text: str | None, otherwise: int, most: int) -> int:
    if text is None:
        return otherwise
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= most):
        raise ProtocolError(f"limit is a number from 1 to {most}")
    return int(text)


def _as_cursor(one: Closed) -> str:
    micros = (one.closed_at - START) // timedelta(microseconds=1)
    return f"{micros}.{one.id}"


def _cursor(text: str | None) -> tuple[datetime, str] | None:
    if text is None:
        return None
    if CURSOR.fullmatch(text) is None:
        raise ProtocolError("after is what `next` was")
    micros, _, call_id = text.partition(".")
    return START + timedelta(microseconds=int(micros)), call_id
