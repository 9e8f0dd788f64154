"""Tables as CSV that a spreadsheet opens rightly and runs nothing of. Pure."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

BOM = "\ufeff"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def table(rows: Iterable[Sequence[Any]]) -> str:
    """Return rows as CSV by RFC 4180, without the mark at the beginning."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerows([cell(value) for value in row] for row in rows)
    return out.getvalue()


def encoded(text: str) -> bytes:
    """Return a table as the bytes of a file: UTF-8 with the mark that spreadsheets look for."""
    return (BOM + text).encode()


def cell(value: Any) -> str:
    """Return a value as text that no spreadsheet takes for a formula; numbers stay numbers."""
    if isinstance(value, list | dict):
        value = json.dumps(value, ensure_ascii=False) if value else ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    text = "" if value is None else str(value)
    return "'" + text if text.startswith(_FORMULA) else text
