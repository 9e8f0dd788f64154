"""Writes a settings file with every setting explained, from the model itself. Pure."""

import json
import textwrap
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from server.settings_file import allowed, field_schema

_WIDTH = 96


def settings_text(model: type[BaseModel], chosen: Mapping[str, Any]) -> str:
    """Return the text of a settings file.

    `chosen` gives values by dotted name (`server.port`); what is not chosen stands as a comment
    with its default.
    """
    root = model.model_json_schema()
    lines = ["# Settings of madoguchi. What is commented out has the value that stands there.", ""]
    for section, reference in root["properties"].items():
        table = field_schema(reference, root)
        if "properties" not in table:
            lines += [*_by_name(section, table, root), ""]
            continue
        lines += [*_comment(table["description"]), f"[{section}]"]
        for name, schema in table["properties"].items():
            lines += _setting(name, schema, root, chosen.get(f"{section}.{name}"))
        lines.append("")
    return "\n".join(lines)


def _by_name(section: str, table: Mapping[str, Any], root: Mapping[str, Any]) -> list[str]:
    """Return a section of which there is one for each name, all of it as a comment."""
    one = field_schema(table["additionalProperties"], root)
    lines = [*_comment(table["description"]), f"# [{section}.NAME]"]
    for name, schema in one["properties"].items():
        lines += _setting(name, schema, root, None)
    return lines


def _setting(
    name: str, schema: Mapping[str, Any], root: Mapping[str, Any], value: object
) -> list[str]:
    kind = field_schema(schema, root)
    note = schema["description"]
    if kind.get("type") == "integer":
        note += f" {allowed(kind).capitalize()}."
    if value is not None:
        return [*_comment(note), f"{name} = {_toml(value)}"]
    default = schema.get("default")
    empty = "{}" if kind.get("type") == "object" else '""'
    shown = _toml(default) if default is not None else empty
    return [*_comment(note), f"# {name} = {shown}"]


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent="# ", subsequent_indent="# ")


def _toml(value: object) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    # A JSON text is a TOML text but for DEL, which TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
