"""The shipped list of procedures, read once from catalog.toml."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

from pydantic import BaseModel, ConfigDict


class Words(BaseModel):
    """The same words in both languages of the screen."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    ja: str
    en: str


class Procedure(BaseModel):
    """One 事務; `status` is "open" (取扱可) or "preparing" (準備中), then with a reason."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: str
    group: Literal["card", "certificates", "support"]
    status: Literal["open", "preparing"]
    name: Words
    what: Words
    reason: Words | None = None


class ProceduresAnswer(BaseModel):
    """What the counter offers."""

    procedures: tuple[Procedure, ...]


@dataclass(frozen=True, slots=True)
class Catalog:
    """Every procedure in the order in which the counter shows them."""

    procedures: tuple[Procedure, ...]

    def is_open(self, procedure_id: str) -> bool:
        """Tell whether calls for this procedure may be placed."""
        return any(p.id == procedure_id and p.status == "open" for p in self.procedures)


@cache
def shipped() -> Catalog:
    """Return the catalog that comes with the program."""
    text = resources.files("server.procedures").joinpath("catalog.toml").read_text("utf-8")
    raw = tomllib.loads(text)["procedure"]
    return Catalog(tuple(Procedure.model_validate(entry) for entry in raw))
