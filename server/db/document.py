"""Prints SCHEMA.md from the schema: `python -m server.db.document > server/db/SCHEMA.md`."""

import sys
from pathlib import Path

import sqlalchemy as sa

from server.db.schema import UtcTime, metadata

FILE = Path(__file__).with_name("SCHEMA.md")
_HEAD = """# SCHEMA: the tables

Printed from `server/db/schema.py` by `python -m server.db.document`; do not edit here.
Times are whole microseconds since 1970 in UTC. `*_sealed` holds personal text, sealed
(`security/crypto/FORMAT.md`). Ids are 22 characters of base64url. Every table with
`municipality_id` is read only within that municipality.
"""
_FOOT = """Revise this (by printing it again) when the schema changes; a change needs a migration in
`server/db/migrations/versions`.
"""


def document() -> str:
    """Return the text of SCHEMA.md."""
    tables = [_table(table) for table in metadata.sorted_tables]
    return "\n".join([_HEAD, *tables, _FOOT])


def _table(table: sa.Table) -> str:
    lines = [f"## {table.name}", "", table.comment or "", ""]
    lines += ["| column | kind | may be null | what |", "|---|---|---|---|"]
    lines += [_column(column) for column in table.columns]
    unique = [c for c in table.constraints if isinstance(c, sa.UniqueConstraint)]
    rules = [f"Unique: {', '.join(rule.columns.keys())}" for rule in unique]
    rules += [f"Index: {', '.join(index.columns.keys())}" for index in table.indexes]
    for rule in sorted(rules):
        lines += ["", rule]
    return "\n".join([*lines, ""])


def _column(column: sa.Column[object]) -> str:
    notes = [column.comment] if column.comment else []
    notes += [f"→ {key.target_fullname}" for key in column.foreign_keys]
    name = f"**{column.name}**" if column.primary_key else column.name
    null = "yes" if column.nullable else ""
    return f"| {name} | {_kind(column.type)} | {null} | {'; '.join(notes)} |"


def _kind(kind: sa.types.TypeEngine[object]) -> str:
    if isinstance(kind, UtcTime):
        return "time"
    if isinstance(kind, sa.LargeBinary):
        return "bytes"
    if isinstance(kind, sa.String):
        return f"text, {kind.length}"
    return "boolean" if isinstance(kind, sa.Boolean) else "whole number"


if __name__ == "__main__":
    sys.stdout.write(document())
