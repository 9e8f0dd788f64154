"""A record as one page of paper, HTML for a PDF: A4, black, no meaning by colour. Pure.

It says what static/app/parts/record-sheet.js draws, in the same words, with the whole hash. No
picture and no address of one: names and hashes of the evidence only.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from html import escape
from typing import Any, Literal
from zoneinfo import ZoneInfo

from server.procedures.documents import KINDS
from server.records.compose import ZONE
from server.records.record import Addition, Approval, Basis, Document, Named, Need, Record, Step

EMPTY = "―"
WEEKDAYS = {"ja": "月火水木金土日", "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
# Of 1 rem in points: the largest at which all fits on one page is taken.
SIZES = (10.5, 9.5, 8.5, 7.5)
_SLOT = re.compile(r"\{(\w+)\}")
_UNITS = ((1e6, "MB"), (1e3, "KB"))


@dataclass(frozen=True, slots=True)
class Paper:
    """What a page is drawn from: the record and its proof, and in which words. `key` is public."""

    record: Record
    sha256: str
    signature: bytes
    key: bytes
    additions: Sequence[Addition]
    template: Mapping[str, Any]
    words: Mapping[str, str]
    language: Literal["ja", "en"]


def html_of(paper: Paper, *, made_at: datetime, by: str) -> str:
    """Return the page. `by` is who has it made."""
    record = paper.record
    body = "".join(
        (
            f'<p class="training">{_t(paper, "record.training")}</p>' if record.training else "",
            _top(paper),
            _outcome(paper),
            _facts(paper),
            _steps(paper),
            _documents(paper),
            _approvals(paper),
            _evidence(paper),
            _proof(paper),
            _additions(paper),
        )
    )
    made = _t(paper, "record.made", at=_moment(paper, made_at), by=by)
    title = f"{paper.words['record.title']} {record.number}"
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    foot = f'<p class="foot">{_t(paper, "record.copy")}<br>{made}</p>'
    running = f'<p class="number">{escape(record.number)}</p>'
    return (
        f'<!doctype html><html lang="{paper.language}"><head>{head}</head>'
        f"<body>{foot}{running}{body}</body></html>"
    )


def _t(paper: Paper, key: str, **values: object) -> str:
    """Return a text, escaped, with its values filled in."""
    return escape(_SLOT.sub(lambda slot: str(values.get(slot[1], slot[0])), paper.words[key]))


def _of(paper: Paper, words: Mapping[str, str], otherwise: str) -> str:
    return escape(words.get(paper.language, otherwise))


def _moment(paper: Paper, at: datetime | str) -> str:
    local = _local(at)
    weekday = WEEKDAYS[paper.language][local.weekday()]
    day = _day(paper, local.date().isoformat())
    day = f"{day}({weekday})" if paper.language == "ja" else f"{weekday} {day}"
    return f"{day} {local:%H:%M}"


def _day(paper: Paper, iso: str | None) -> str:
    if iso is None:
        return EMPTY
    day = date.fromisoformat(iso)
    if paper.language == "ja":
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def _local(at: datetime | str) -> datetime:
    return (datetime.fromisoformat(at) if isinstance(at, str) else at).astimezone(ZoneInfo(ZONE))


def _time(at: str | None) -> str:
    return f"{_local(at):%H:%M}" if at else EMPTY


def _names(persons: Iterable[Named]) -> str:
    return escape("、".join(one.name for one in persons)) or EMPTY


def _top(paper: Paper) -> str:
    record = paper.record
    return (
        '<table class="top"><tr>'
        f"<td><p>{escape(record.municipality.name)}</p><h1>{_t(paper, 'record.title')}</h1></td>"
        f"<td><p>{_t(paper, 'records.number')}</p>"
        f'<p class="no">{escape(record.number)}</p></td></tr></table>'
    )


def _outcome(paper: Paper) -> str:
    record = paper.record
    code = f"reason.code.{record.reason}"
    reason = _t(paper, code) if code in paper.words else escape(record.reason or "")
    who = f"{_moment(paper, record.times.closed)}　{escape(record.people.verifier.name)}"
    return (
        f'<table class="outcome"><tr><td>{_t(paper, "record.outcome")}</td>'
        f"<td><b>{_t(paper, f'outcome.{record.outcome}')}</b></td>"
        f"<td>{who}{f'<br>{reason}' if reason else ''}</td></tr></table>"
    )


def _section(paper: Paper, name: str, inner: str) -> str:
    return f"<section><h2>{_t(paper, f'record.{name}')}</h2>{inner}</section>"


def _table(paper: Paper, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; cells are HTML already."""
    head = "".join(f"<th>{_t(paper, f'record.{name}')}</th>" for name in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _pairs(paper: Paper, pairs: Sequence[tuple[str, str]]) -> str:
    """Return pairs of a name and a value, two in a row; values are HTML already."""
    cells = [f"<th>{_t(paper, f'record.{name}')}</th><td>{value}</td>" for name, value in pairs]
    rows = ["".join(cells[at : at + 2]) for at in range(0, len(cells), 2)]
    return f'<table class="pairs">{"".join(f"<tr>{row}</tr>" for row in rows)}</table>'


def _facts(paper: Paper) -> str:
    record = paper.record
    people, consent = record.people, record.consent
    version = _t(paper, "record.consent.version", version=consent.version)
    pairs = [
        ("procedure", _of(paper, paper.template.get("name", {}), record.procedure.name)),
        ("office", escape(record.office.name)),
        ("clerk", _names([*people.clerks_before, people.clerk])),
        ("tablet", escape(record.tablet.name)),
        ("verifier", escape(people.verifier.name)),
        ("seniors", _names(people.seniors)),
        ("from", f"{_time(record.times.answered)}–{_time(record.times.closed)}"),
        ("consent", f"{_time(consent.at)} {version}"),
    ]
    if people.verifiers_before:
        pairs.append(("verifiers_before", _names(people.verifiers_before)))
    if record.earlier is not None:
        pairs.append(("earlier", escape(record.earlier.number)))
    return _section(paper, "facts", _pairs(paper, pairs))


def _steps(paper: Paper) -> str:
    titles = {step["id"]: step["title"] for step in paper.template.get("steps", ())}
    rows = [
        (
            f"{number} {_of(paper, titles.get(step.id, {}), step.id)}",
            _time(_last(step)),
            _by(step),
            _comma(paper).join(_said(paper, need) for need in step.needs),
        )
        for number, step in enumerate(paper.record.steps, 1)
    ]
    return _section(paper, "steps", _table(paper, ("step", "time", "by", "result"), rows))


def _last(step: Step) -> str | None:
    return max((need.at for need in step.needs if need.at), default=None)


def _by(step: Step) -> str:
    """Return who did something of a step, each once."""
    return _names(dict.fromkeys(need.by for need in step.needs if need.by is not None))


def _comma(paper: Paper) -> str:
    return "、" if paper.language == "ja" else ", "


def _said(paper: Paper, need: Need) -> str:
    if need.answer:
        return _t(paper, "record.answer", text=need.answer)
    if need.left and need.kind == "documents" and paper.record.documents_let_pass:
        return _t(paper, "record.let_pass")
    if need.left:
        return _t(paper, f"record.left.{need.kind}", count=need.left)
    count = len(need.bound) or len(need.ticked)
    return _t(paper, f"record.done.{need.kind}", count=count, tries=need.tries)


def _documents(paper: Paper) -> str:
    rows = [_document(paper, one) for one in paper.record.documents]
    heads = ("class", "document", "expires", "chip")
    none = [(_t(paper, "record.none"), "", "", "")]
    return _section(paper, "documents", _table(paper, heads, rows or none))


def _document(paper: Paper, one: Document) -> tuple[str, ...]:
    kinds = {kind: words for of_class in KINDS.values() for kind, words in of_class.items()}
    words = kinds[one.kind].model_dump() if one.kind in kinds else {}
    chip = next((x for x in paper.record.chips if x.document == one.kind), None)
    read = f"{_t(paper, f'record.chip.{chip.result}')} {escape(chip.tool)}" if chip else None
    expired = "" if one.counts else f" {_t(paper, 'record.expired')}"
    return (
        one.document_class.upper(),
        _of(paper, words, one.kind),
        f"{_day(paper, one.expires)}{expired}",
        read or _t(paper, "record.chip.none"),
    )


def _approvals(paper: Paper) -> str:
    approvals = paper.record.approvals
    if not approvals:
        return ""
    lines = "".join(f"<p>{_approval(paper, one)}</p>" for one in approvals)
    return _section(paper, "approvals", lines)


def _approval(paper: Paper, one: Approval) -> str:
    said = {True: "true", False: "false", None: "null"}[one.approved]
    alone = one.approved and one.answered_by is None
    parts = [
        _t(paper, f"record.about.{one.about}"),
        _t(paper, "record.approved.alone" if alone else f"record.approved.{said}"),
        escape(one.answered_by.name) if one.answered_by else "",
        _time(one.answered_at) if one.answered_at else "",
        _t(paper, "record.because", reason=one.reason),
        _t(paper, "record.answered", answer=one.answer) if one.answer else "",
    ]
    return "　".join(part for part in parts if part)


def _evidence(paper: Paper) -> str:
    record = paper.record
    rows = [
        (
            _t(paper, f"record.kind.{one.kind}"),
            f"{escape(one.media_type or '')} {_bytes(one.size_bytes)}",
            _mono(short(one.sha256)),
        )
        for one in record.evidence
        if one.state == "offered"
    ]
    chat = _t(paper, "record.messages", count=record.chat.messages)
    rows.append((_t(paper, "record.kind.chat"), chat, _mono(short(record.chat.sha256))))
    return _section(paper, "evidence", _table(paper, ("kind", "content", "hash"), rows))


def _proof(paper: Paper) -> str:
    record = paper.record
    place = record.audit
    positions = {"first": place.first.position, "last": place.last.position}
    pairs = [
        ("policy", _version(paper, record.policy)),
        ("template", _version(paper, record.procedure.template)),
        ("audit", _t(paper, "record.positions", **positions)),
        ("signature", _mono(short(paper.signature.hex()))),
    ]
    whole = "".join(
        f"<tr><th>{_t(paper, f'record.{name}')}</th><td colspan=3>{_mono(_eights(value))}</td></tr>"
        for name, value in (("sha256", paper.sha256), ("key", paper.key.hex()))
    )
    table = _pairs(paper, pairs).removesuffix("</table>")
    return _section(paper, "proof", f"{table}{whole}</table>")


def _version(paper: Paper, basis: Basis) -> str:
    if basis.version == 0:
        return _t(paper, "record.version.shipped")
    return _t(paper, "record.version", version=basis.version)


def _additions(paper: Paper) -> str:
    if not paper.additions:
        return ""
    rows = "".join(
        f"<li>{_moment(paper, one.at)} {escape(one.by.name)}：{escape(one.text)}</li>"
        for one in paper.additions
    )
    return _section(paper, "additions", f"<ol>{rows}</ol>")


def short(hex_text: str) -> str:
    """Return first and last of a hash, in fours."""
    ends = (hex_text[:4], hex_text[4:8], "…", hex_text[-8:-4], hex_text[-4:])
    return " ".join(ends)


def _eights(hex_text: str) -> str:
    return " ".join(hex_text[at : at + 8] for at in range(0, len(hex_text), 8))


def _mono(text: str) -> str:
    return f'<span class="mono">{escape(text)}</span>'


def _bytes(count: int) -> str:
    """Return a size in decimal units, as static/app/lib/format.js says it."""
    for size, unit in _UNITS:
        if count >= size * 0.9995:
            value = count / size
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
    return f"{count} B"


_STYLE = """
@page { size: A4; margin: 12mm 16mm 18mm;
  @bottom-left { content: element(foot); width: 80%; }
  @bottom-right { content: string(number) "　" counter(page) " / " counter(pages); font-size: 8pt;
    font-family: "Noto Sans CJK JP", "IPAexGothic", "IPAGothic", sans-serif; } }
body { margin: 0; font-family: "Noto Sans CJK JP", "IPAexGothic", "IPAGothic", sans-serif;
  font-size: 1rem; line-height: 1.3; color: #000; }
p, h1, h2, ol { margin: 0; }
.foot { position: running(foot); font-size: 8pt; }
.number { string-set: number content(); position: absolute; visibility: hidden; height: 0; }
h1 { font-size: 1.75rem; }
h2 { font-size: 1.05rem; border-bottom: 1.5pt solid #000; margin-bottom: 1mm; }
section { margin-top: 2.5mm; break-inside: avoid; }
table { width: 100%; border-collapse: collapse; }
th, td { border: 0.5pt solid #444; padding: 0.4mm 2mm; text-align: left; vertical-align: top;
  font-weight: normal; overflow-wrap: anywhere; }
thead th:first-child { width: 26%; }
thead th, .pairs th { background: #eee; white-space: nowrap; }
.pairs th { width: 1%; }
.pairs td { width: 49%; }
.top td { border: 0; padding: 0; vertical-align: bottom; }
.top td:last-child { text-align: right; }
.no { font-size: 1.35rem; font-weight: bold; }
.outcome { margin-top: 2mm; border: 2pt solid #000; }
.outcome td { border: 0; padding: 1.5mm 4mm; vertical-align: middle; white-space: nowrap; }
.outcome td:last-child { width: 99%; white-space: normal; }
.outcome b { font-size: 1.9rem; line-height: 1.1; }
.mono { font-family: "DejaVu Sans Mono", "Noto Sans Mono CJK JP", monospace; font-size: 0.8em; }
.training { border: 1.5pt dashed #000; padding: 1mm 4mm; text-align: center; font-weight: bold;
  margin-bottom: 2mm; }
ol { padding-left: 5mm; }
"""
