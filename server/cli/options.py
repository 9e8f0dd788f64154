"""Options and values that several commands share, and how lists are printed."""

import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from security.people import LOGIN_PATTERN, SLUG_PATTERN

Function = TypeVar("Function", bound=Callable[..., Any])
_NAME_PATTERN = re.compile(r"[^\x00-\x1f\x7f]{1,200}")


class Matching(click.ParamType[str]):
    """Text of a given form."""

    def __init__(self, name: str, pattern: re.Pattern[str], words: str) -> None:
        self.name = name
        self._pattern = pattern
        self._words = words

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text without spaces around it, or refuse it in one sentence."""
        text = str(value).strip()
        if self._pattern.fullmatch(text) is None:
            self.fail(f"{value!r} is not {self._words}", param, ctx)
        return text


SLUG = Matching("slug", SLUG_PATTERN, "a short name of a-z, 0-9 and - (as kasaoka)")
LOGIN = Matching("login", LOGIN_PATTERN, "a sign-in name of a-z, 0-9 and . _ @ - (as yamada.h)")
NAME = Matching("name", _NAME_PATTERN, "a name of 1 to 200 characters")
HOST = Matching(
    "host", re.compile(r"[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:]{2,39}\]"), "a host name or an address"
)
LINE = Matching(
    "text", re.compile(r"[^\x00-\x1f\x7f]{0,200}"), "one line of at most 200 characters"
)


def config_option(function: Function) -> Function:
    """Add --config."""
    return click.option(
        "--config",
        type=click.Path(dir_okay=False, path_type=Path),
        default=Path("madoguchi.toml"),
        envvar="MADOGUCHI_CONFIG",
        show_default=True,
        help="Settings file; also from MADOGUCHI_CONFIG.",
    )(function)


def municipality_option(function: Function) -> Function:
    """Add --municipality."""
    return click.option(
        "--municipality",
        "slug",
        type=SLUG,
        help="Which municipality; not needed when there is only one.",
    )(function)


def json_option(function: Function) -> Function:
    """Add --json."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)


def print_rows(rows: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """Print a list, as JSON or in columns that Japanese text does not push aside."""
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    if not rows:
        click.echo("なし / none", err=True)
        return
    lines = [list(rows[0]), *([_cell(value) for value in row.values()] for row in rows)]
    widths = [max(_width(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        cells = (
            cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True)
        )
        click.echo("  ".join(cells).rstrip())


def _cell(value: object) -> str:
    return "-" if value is None else str(value)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
