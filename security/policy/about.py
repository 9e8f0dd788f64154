"""What each setting of a policy says about itself, beside its value. Pure.

The words stand here and not with the screens, since the same setting is read on the officer's
page, on paper, in the file's comments and in the output of commands.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from security.people import Role

Words = tuple[str, str]  # Japanese, English
AnyRole = Annotated[Role, Field(strict=False)]  # as text in a file


class Safer(StrEnum):
    """In which direction a value becomes stricter."""

    LOWER = "lower"
    HIGHER = "higher"
    ORDER = "order"  # choices are listed from the strictest to the loosest
    FEWER = "fewer"  # a smaller set
    MORE = "more"  # a larger set
    LIMITED = "limited"  # a list of networks: none at all means no limit
    NARROW = "narrow"  # networks: those that cover every address are the loosest
    NONE = "none"  # neither is stricter


@dataclass(frozen=True, slots=True)
class About:
    """One setting: its names, what it protects, the source it rests on, where it is enforced.

    `enforced` names files that read the setting, or actions that ask for it beside their terms;
    the actions whose terms do are read from the rules (enforced.py). `choices` gives
    the words of each value that can be chosen. `must_set` marks what has no default: real calls
    wait until it is set (要設定); `recommended` is what it is compared with then, if the program
    has something to recommend. `waits` says of a setting that has no effect yet why it has none:
    officers are told so wherever it is shown.
    """

    name: Words
    protects: Words
    source: str
    enforced: str
    safer: Safer = Safer.NONE
    unit: Words = ("", "")
    choices: dict[str, Words] = field(default_factory=dict)
    must_set: bool = False
    recommended: Any = None
    waits: Words | None = None

    def __call__(self, schema: dict[str, Any]) -> None:
        """Put the words into a JSON schema of the setting; pydantic calls this."""
        schema["title"] = " / ".join(self.name)
        schema["description"] = " / ".join(self.protects)
        schema["x-source"] = self.source
        schema["x-in-effect"] = self.waits is None
        if self.waits is not None:
            schema["x-waits"] = " / ".join(self.waits)
        schema["x-stricter"] = self.safer.value
        schema["x-must-set"] = self.must_set
        if self.recommended is not None:
            schema["x-recommended"] = [str(one) for one in self.recommended]
        if self.unit[0]:
            schema["x-unit"] = " / ".join(self.unit)
        if self.choices:
            schema["x-choices"] = {value: " / ".join(both) for value, both in self.choices.items()}


def setting(default: Any, about: About, **limits: Any) -> Any:
    """Return the field of a setting; `limits` are pydantic's (`ge`, `le`, `max_length`)."""
    return Field(default, json_schema_extra=about, **limits)


def choice(names: Sequence[tuple[str, str, str]]) -> dict[str, Words]:
    """Return choices from (value, Japanese, English), the strictest first."""
    return {value: (japanese, english) for value, japanese, english in names}
