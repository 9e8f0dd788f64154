"""A sheet as JSON, as it is sealed on disk, and read again. Pure."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from security.errors import Corrupt
from server.procedures.progress import Place, Progress
from server.procedures.sheet import Sheet

V = TypeVar("V")
_SHEET = TypeAdapter(Sheet)
_BY_PLACE = ("ticks", "answers", "drawn", "draws", "bound", "codes")
FORMAT = 1


def to_bytes(sheet: Sheet) -> bytes:
    """Return the sheet as JSON."""
    progress = {
        name: _flat(value) if name in _BY_PLACE else value
        for name in Progress.__dataclass_fields__
        for value in (getattr(sheet.progress, name),)
    }
    fields = {name: getattr(sheet, name) for name in Sheet.__dataclass_fields__}
    fields |= {"progress": progress, "marks": _flat(sheet.marks)}
    return to_json({"format": FORMAT, **fields})


def from_bytes(data: bytes) -> Sheet:
    """Return the sheet in JSON that `to_bytes` made. Raises `Corrupt` for anything else."""
    try:
        fields = dict(from_json(data))
        if fields.pop("format") != FORMAT:
            raise Corrupt("a stored sheet has an unknown format")
        progress = dict(fields["progress"])
        progress |= {name: _placed(progress[name]) for name in _BY_PLACE}
        return _SHEET.validate_python(
            {**fields, "progress": progress, "marks": _placed(fields["marks"])}
        )
    except (ValidationError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise Corrupt("a stored sheet cannot be read") from error


def _flat(values: Mapping[Place, V]) -> dict[str, V]:
    return {f"{step}/{need}": value for (step, need), value in values.items()}


def _placed(values: Mapping[str, Any]) -> dict[Place, Any]:
    placed = {}
    for key, value in values.items():
        step, _, need = key.rpartition("/")
        placed[step, int(need)] = value
    return placed
