"""The procedures that there are, read once from the folder `catalog`."""

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Literal

from pydantic import BaseModel, ConfigDict

from server.calls.call import Outcome
from server.procedures.template import Template
from server.procedures.words import Words


class ProcedureNoun(BaseModel):
    """One 事務 as the pages are told it (PROTOCOL.md section 5)."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: str
    group: Literal["card", "certificates", "support"]
    status: Literal["open", "preparing"]
    name: Words
    what: Words
    reason: Words | None
    opens_on: date | None = None
    outcomes: tuple[Outcome, ...]


class ProceduresAnswer(BaseModel):
    """What the counter offers."""

    procedures: tuple[ProcedureNoun, ...]


@dataclass(frozen=True, slots=True)
class Catalog:
    """Every procedure in the order in which the counter shows them."""

    procedures: tuple[Template, ...]

    def get(self, procedure_id: str) -> Template | None:
        """Return the template, or None when there is none of this id."""
        return next((p for p in self.procedures if p.id == procedure_id), None)

    def is_open(self, procedure_id: str) -> bool:
        """Tell whether calls for this procedure may be placed."""
        found = self.get(procedure_id)
        return found is not None and found.status == "open"

    def allows(self, procedure_id: str, outcome: Outcome) -> bool:
        """Tell whether a call about this may end so; one that is gone from the list may not."""
        found = self.get(procedure_id)
        return outcome is Outcome.ABORTED or (found is not None and found.allows(outcome))

    def nouns(self) -> tuple[ProcedureNoun, ...]:
        """Return what the pages are told."""
        names = tuple(name for name in ProcedureNoun.model_fields if name != "opens_on")
        return tuple(
            ProcedureNoun(**{name: getattr(one, name) for name in names}) for one in self.procedures
        )


def shipped_text(procedure_id: str) -> str:
    """Return the TOML of a shipped template."""
    file = resources.files("server.procedures").joinpath("catalog", f"{procedure_id}.toml")
    return file.read_text("utf-8")


@cache
def shipped() -> Catalog:
    """Return the catalog that comes with the program."""
    folder = resources.files("server.procedures").joinpath("catalog")
    files = [file for file in folder.iterdir() if file.name.endswith(".toml")]
    read = [Template.model_validate(tomllib.loads(file.read_text("utf-8"))) for file in files]
    return Catalog(tuple(sorted(read, key=lambda one: one.order)))
