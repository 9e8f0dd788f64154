"""The words of the screens, for pages that the server draws itself: static/text/LANGUAGE.json."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

Language = Literal["ja", "en"]
TEXT = Path(__file__).resolve().parents[1] / "static" / "text"


@cache
def words_of(language: Language) -> Mapping[str, str]:
    """Return every word by its key; `{name}` in it is to be filled in."""
    found: dict[str, str] = json.loads((TEXT / f"{language}.json").read_text("utf-8"))
    return found
