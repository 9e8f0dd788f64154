"""Reads a TOML file into a pydantic model; says of all that is wrong where, what, what instead."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from security.errors import MadoguchiError
from security.values import show
from server.toml_positions import KeyPath, Positions, find_positions, without_duplicates

MAX_BYTES = 262_144
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong; `key` is dotted, as `server.port`."""

    line: int
    key: str
    found: str
    allowed: str


class SettingsError(MadoguchiError):
    """The settings file is not usable; the message has one line for each problem."""

    default_code = "settings"

    def __init__(self, file: str, problems: list[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__(
            "\n".join(
                f"{file}:{p.line}: {p.key}: found {p.found}, allowed {p.allowed}"
                for p in self.problems
            )
        )


def read_settings(model: type[Model], path: Path) -> Model:
    """Return the settings of the file at `path`. Raises `SettingsError`."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        what = error.strerror or "nothing readable"
        raise SettingsError(
            str(path), [Problem(1, "file", what, "a file that can be read")]
        ) from error
    return parse_settings(model, content, file=str(path), folder=path.absolute().parent)


def parse_settings(model: type[Model], content: bytes, *, file: str, folder: Path) -> Model:
    """Return the settings written in `content`; relative paths are relative to `folder`.

    Raises `SettingsError` with every problem, and nothing else, whatever `content` holds.
    """
    if len(content) > MAX_BYTES:
        size = Problem(1, "file", "a larger file", f"at most {MAX_BYTES} bytes")
        raise SettingsError(file, [size])
    positions = find_positions(content)
    problems = [
        Problem(d.line, dotted(d.path), f"it again, after line {d.first_line}", "each key once")
        for d in positions.duplicates
    ]
    try:
        values = _values(without_duplicates(content, positions))
    except _Syntax as error:
        raise SettingsError(file, [*problems, error.problem]) from error
    sections = {name: {} for name in _tables(model)} | values
    try:
        settings = model.model_validate(sections, context={"folder": folder})
    except ValidationError as error:
        details = _telling(error.errors(include_url=False))
        problems += [_problem(model, detail, positions) for detail in details]
        raise SettingsError(file, problems) from error
    if problems:
        raise SettingsError(file, problems)
    return settings


def _telling(details: list[ErrorDetails]) -> list[ErrorDetails]:
    """Leave out lists that are only too short because of what is wrong inside them."""
    places = [detail["loc"] for detail in details]
    return [
        one
        for one in details
        if one["type"] != "too_short"
        or not any(p != one["loc"] and p[: len(one["loc"])] == one["loc"] for p in places)
    ]


def _tables(model: type[BaseModel]) -> list[str]:
    """Return the fields that are tables: one that is left out is an empty one."""
    fields = model.model_fields.items()
    kinds = [(name, field.annotation) for name, field in fields]
    return [name for name, kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]


class _Syntax(Exception):
    def __init__(self, problem: Problem) -> None:
        self.problem = problem


def _values(content: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _Syntax(Problem(line, "file", "bytes that are no UTF-8", "UTF-8 text")) from error
    except RecursionError as error:
        raise _Syntax(Problem(1, "file", "too deep nesting", "tables of plain values")) from error
    except ValueError as error:
        match = re.search(r" \(at line (\d+), column \d+\)", str(error))
        line = int(match[1]) if match else content.count(b"\n") + 1
        found = str(error).split(" (at ")[0]
        raise _Syntax(Problem(line, "file", f"a mistake ({found})", "TOML 1.0")) from error


def _problem(model: type[BaseModel], detail: ErrorDetails, positions: Positions) -> Problem:
    place: KeyPath = detail["loc"]
    path = _without_tags(model, place)
    path = path[:-1] if path[-1:] == ("[key]",) else path
    line, context = positions.line_of(path), detail.get("ctx", {})
    if detail["type"] == "rule":
        return Problem(line, dotted(path), context["found"], context["allowed"])
    if detail["type"] in ("union_tag_invalid", "union_tag_not_found"):
        tag = context["discriminator"].strip("'")
        found = show(context["tag"]) if "tag" in context else "nothing"
        mapping = _schema_at(model, place).get("discriminator", {}).get("mapping", {})
        line = positions.line_of((*path, tag))
        return Problem(line, dotted((*path, tag)), found, " or ".join(map(show, sorted(mapping))))
    if detail["type"] == "extra_forbidden":
        above = _schema_at(model, place[:-1])
        names = ", ".join(sorted(above.get("properties", {})))
        return Problem(line, dotted(path), "an unknown key", f"only {names}")
    if detail["type"] == "missing":
        return Problem(line, dotted(path), "nothing", allowed(_schema_at(model, place)))
    root = _json_schema(model)
    schema = _schema_at(model, place)
    words = allowed(schema, root) + _length(schema)
    return Problem(line, dotted(path), show(detail["input"]), words)


def _length(schema: Mapping[str, Any]) -> str:
    most = schema.get("maxLength")
    return f" of at most {most} characters" if most and schema.get("type") == "string" else ""


def allowed(schema: Mapping[str, Any], root: Mapping[str, Any] | None = None) -> str:
    """Return in words what a JSON schema allows; `root` is where its references lead."""
    kind = schema.get("type")
    if "const" in schema or "enum" in schema:
        return " or ".join(show(value) for value in schema.get("enum", [schema.get("const")]))
    if kind == "integer":
        return f"a whole number from {schema['minimum']} to {schema['maximum']}"
    if kind == "array" and root is not None:
        return _allowed_list(schema, root)
    words = {
        "array": "a list of texts in [ ]",
        "object": "a table",
        "boolean": "true or false",
        "string": "text in quotation marks",
    }
    if schema.get("format") == "date":
        return "a date, as 2027-03-31"
    return words.get(str(kind), "another kind of value")


def _allowed_list(schema: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    item = field_schema(schema.get("items", {}), root)
    if "enum" in item or "const" in item:
        words = f"a list in [ ] of {allowed(item)}"
    else:
        words = "a list of tables" if item.get("type") == "object" else "a list of texts in [ ]"
    least, most = schema.get("minItems", 0), schema.get("maxItems")
    return words + (f", at least {least}" if least else "") + (f", at most {most}" if most else "")


def dotted(path: KeyPath) -> str:
    """Return a key as it is spoken of: `media.announce[0]`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return re.sub(r"[\x00-\x1f\x7f]", "?", text.removeprefix("."))


def field_schema(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a schema with its reference followed and "or nothing" left out."""
    options = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
    found: Mapping[str, Any] = options[0]
    if "$ref" in found:
        target: Mapping[str, Any] = root["$defs"][found["$ref"].rsplit("/", 1)[-1]]
        return target
    return found


def _without_tags(model: type[BaseModel], path: KeyPath) -> KeyPath:
    """Return the path as the file has it: without the kinds that pydantic puts between."""
    kept: KeyPath = ()
    for index, part in enumerate(path):
        tags = _schema_at(model, path[:index]).get("discriminator", {}).get("mapping", {})
        kept = kept if part in tags else (*kept, part)
    return kept


@lru_cache(maxsize=8)
def _json_schema(model: type[BaseModel]) -> Mapping[str, Any]:
    return model.model_json_schema()


def _schema_at(model: type[BaseModel], path: KeyPath) -> Mapping[str, Any]:
    root = _json_schema(model)
    found: Mapping[str, Any] = root
    for part in path:
        if isinstance(part, int):
            found = field_schema(found.get("items", {}), root)
        elif part in (kinds := found.get("discriminator", {}).get("mapping", {})):
            found = field_schema({"$ref": kinds[part]}, root)
        else:
            deeper = found.get("properties", {}).get(part) or found.get("additionalProperties")
            found = field_schema(deeper if isinstance(deeper, Mapping) else {}, root)
    return found
