"""HTTP routes of 件数: counts by month, as JSON and CSV, and corrections of closed months."""

from typing import Annotated, Any

from aiohttp import web
from pydantic import Field, StringConstraints

from security.errors import Conflict, ProtocolError
from security.ids import new_id
from server.api.body import answer, read_body
from server.api.hooks import Body, asked, person_of
from server.api.nouns import time_view
from server.calls.call import Outcome
from server.count_months import Month
from server.counts import Correction, month_of, months_between, require_month
from server.csv_text import encoded, table
from server.parts import Parts

routes = web.RouteTableDef()
MAX_MONTHS = 36
# A file for a spreadsheet says both languages at once: nobody is asked which.
COLUMNS = (
    "月 month",
    "郵便局 office",
    "事務 procedure",
    "判定 outcome",
    "件数 count",
    "訂正 corrected",
    "合計 total",
    "状態 state",
)
STATES = {True: "確定 closed", False: "集計中 open"}
OUTCOMES = {
    Outcome.VERIFIED: "確認済み",
    Outcome.COMPLETED: "対応済み",
    Outcome.RETURNED: "差戻し",
    Outcome.REFUSED: "不可",
    Outcome.ABORTED: "中断",
}


class CorrectionBody(Body):
    """What is added to a count of a closed month, and why."""

    month: Annotated[str, StringConstraints(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")]
    office: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    procedure: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,64}$")]
    outcome: Outcome
    difference: Annotated[int, Field(ge=-9999, le=9999)]
    reason: Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,400}$")]


@routes.get("/api/v1/counts")
async def counts(request: web.Request) -> web.Response:
    """Return the counts of a month, and which months there are."""
    parts, speaker, _ = await asked(request, "count.read")
    home = speaker.municipality.id
    month = require_month(request.query.get("month", month_of(parts.clock())))
    (found,) = await parts.counts.of(home, [month])
    offices = {one.id: one.name for one in await parts.people.offices(home)}
    names = {one.id: one.name for one in await parts.people.people(home)}
    closed = found.closed
    return answer(
        {
            "months": list(reversed(await parts.counts.months(home))),
            "month": month,
            "closed_at": time_view(closed.closed_at) if closed else None,
            "sha256": closed.sha256.hex() if closed else None,
            "rows": rows_view(found),
            "corrections": [_correction(one, names) for one in found.corrections],
            "offices": offices,
        }
    )


def rows_view(found: Month) -> list[dict[str, Any]]:
    """Return the counts with their corrections."""
    return [
        {
            "office": one.office_id,
            "procedure": one.procedure,
            "outcome": one.outcome,
            "count": one.count,
            "corrected": more,
            "total": one.count + more,
        }
        for one, more in found.rows
    ]


def _correction(one: Correction, names: dict[str, str]) -> dict[str, Any]:
    return {
        "id": one.id,
        "office": one.office_id,
        "procedure": one.procedure,
        "outcome": one.outcome,
        "difference": one.difference,
        "reason": one.reason,
        "by": names.get(one.person_id, "?"),
        "at": time_view(one.at),
    }


@routes.get("/api/v1/counts/export")
async def export(request: web.Request) -> web.Response:
    """Return the counts of months as CSV (UTF-8 with BOM); nothing in it is a formula."""
    parts, speaker, _ = await asked(request, "count.read")
    home = speaker.municipality
    last = require_month(request.query.get("to", month_of(parts.clock())))
    first = require_month(request.query.get("from", last))
    months = months_between(first, last)
    if not 1 <= len(months) <= MAX_MONTHS:
        raise ProtocolError(f"1 to {MAX_MONTHS} months, the earlier one first")
    rows: list[tuple[Any, ...]] = [COLUMNS]
    offices = {one.id: one.name for one in await parts.people.offices(home.id)}
    for found in await parts.counts.of(home.id, months):
        rows += _lines(parts, found, offices)
    name = f"counts-{home.slug}-{first}-{last}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    body = encoded(table(rows))
    return web.Response(body=body, content_type="text/csv", charset="utf-8", headers=headers)


def _lines(parts: Parts, found: Month, offices: dict[str, str]) -> list[tuple[Any, ...]]:
    def procedure(name: str) -> str:
        template = parts.catalog.get(name)
        return template.name.ja if template else name

    return [
        (
            found.month,
            offices.get(one.office_id, one.office_id),
            procedure(one.procedure),
            OUTCOMES[Outcome(one.outcome)],
            one.count,
            more,
            one.count + more,
            STATES[found.closed is not None],
        )
        for one, more in found.rows
    ]


@routes.post("/api/v1/counts/corrections")
async def correct(request: web.Request) -> web.Response:
    """Add a correction to a closed month."""
    body = await read_body(request, CorrectionBody)
    month = require_month(body.month)
    parts, speaker, permit = await asked(request, "count.correct", month)
    home = speaker.municipality.id
    if await parts.people.office(home, body.office) is None:
        raise Conflict("there is no such office", code="not_counted")
    if parts.catalog.get(body.procedure) is None:
        raise Conflict("there is no such procedure", code="not_counted")
    if body.difference == 0:
        raise ProtocolError("a difference is not 0")
    item = Correction(
        new_id(),
        month,
        body.office,
        body.procedure,
        body.outcome.value,
        body.difference,
        body.reason,
        person_of(speaker).id,
        parts.clock(),
    )
    await parts.counts.correct(permit, item)
    return answer(_correction(item, {item.person_id: person_of(speaker).name}), status=201)
