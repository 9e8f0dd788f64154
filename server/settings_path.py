"""Paths in settings: relative to the folder of the file. Pure."""

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, ValidationInfo

from security.values import show, wrong


def _to_path(value: object, info: ValidationInfo) -> Path:
    if isinstance(value, str | Path) and str(value).strip() and "\0" not in str(value):
        folder: Path = (info.context or {}).get("folder", Path())
        return folder / value
    raise wrong(show(value), "the path of a file or folder, as text")


FilePath = Annotated[Path, BeforeValidator(_to_path)]
