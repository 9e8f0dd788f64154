"""Reads a TOML file into a pydantic model; says of all that is wrong where, what, what instead."""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from security.errors import MadoguchiError
from server.toml_positions import KeyPath, Positions, find_positions, without_duplicates

MAX_BYTES = 262_144
_SHOWN = 60
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


def wrong(found: str, allowed: str) -> PydanticCustomError:
    """Return the error of a value that breaks a rule of its own; for validators of a model."""
    return PydanticCustomError(
        "rule", "found {found}, allowed {allowed}", {"found": found, "allowed": allowed}
    )


def show(value: object) -> str:
    """Return a value as TOML would write it, cut to a length that can be read."""
    if isinstance(value, dict):
        return "a table"
    plain = isinstance(value, str | bool)
    text = json.dumps(value, ensure_ascii=False) if plain else str(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


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
    sections = {name: {} for name in model.model_fields} | values
    try:
        settings = model.model_validate(sections, context={"folder": folder})
    except ValidationError as error:
        details = error.errors(include_url=False)
        problems += [_problem(model, detail, positions) for detail in details]
        raise SettingsError(file, problems) from error
    if problems:
        raise SettingsError(file, problems)
    return settings


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
    path: KeyPath = detail["loc"]
    line, context = positions.line_of(path), detail.get("ctx", {})
    if detail["type"] == "rule":
        return Problem(line, dotted(path), context["found"], context["allowed"])
    if detail["type"] == "extra_forbidden":
        above = _schema_at(model, path[:-1])
        names = ", ".join(sorted(above.get("properties", {})))
        return Problem(line, dotted(path), "an unknown key", f"only {names}")
    return Problem(line, dotted(path), show(detail["input"]), allowed(_schema_at(model, path)))


def allowed(schema: Mapping[str, Any]) -> str:
    """Return in words what a JSON schema allows."""
    kind = schema.get("type")
    if kind == "integer":
        return f"a whole number from {schema['minimum']} to {schema['maximum']}"
    words = {
        "array": "a list of texts in [ ]",
        "object": "a table",
        "boolean": "true or false",
        "string": "text in quotation marks",
    }
    return words.get(str(kind), "another kind of value")


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


def _schema_at(model: type[BaseModel], path: KeyPath) -> Mapping[str, Any]:
    root = model.model_json_schema()
    found: Mapping[str, Any] = root
    for part in path:
        if isinstance(part, int):
            found = field_schema(found.get("items", {}), root)
        else:
            found = field_schema(found.get("properties", {}).get(part, {}), root)
    return found
