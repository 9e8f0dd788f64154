"""Which template holds for a call: the municipality's own of that moment, or the shipped one."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from security.errors import Corrupt
from server.calls.call import Call, Outcome
from server.procedures.catalog import Catalog, shipped
from server.procedures.template import Template
from server.procedures.versions import TemplateVersion, in_force
from server.settings_file import Problem, SettingsError, parse_settings
from server.toml_positions import find_positions

# What the law says of a procedure, and whether it is open, is not for a template to change:
# openings are dated entries with their document (opening.py).
AS_SHIPPED = ("group", "resolution", "status")


def read_template(content: bytes, *, file: str) -> Template:
    """Return the template that a TOML text says, one of a procedure that there is.

    Raises `SettingsError` with every mistake, each with its line.
    """
    template = parse_settings(Template, content, file=file, folder=Path())
    known = shipped().get(template.id)
    lines = find_positions(content)
    if known is None:
        allowed = " or ".join(f'"{one.id}"' for one in shipped().procedures)
        found = f'"{template.id}"'
        raise SettingsError(file, [Problem(lines.line_of(("id",)), "id", found, allowed)])
    problems = [
        Problem(lines.line_of((key,)), key, f'"{getattr(template, key)}"', f'"{said}"')
        for key in AS_SHIPPED
        if getattr(template, key) != (said := getattr(known, key))
    ]
    if problems:
        raise SettingsError(file, problems)
    return template


class ProcedureBook:
    """Every approved version of every municipality, in memory."""

    def __init__(self) -> None:
        self._versions: dict[str, dict[int, TemplateVersion]] = {}
        self._read: dict[tuple[str, int], Template] = {}

    def put(self, version: TemplateVersion) -> None:
        """Take a version that was approved, or withdrawn after that. Raises `Corrupt`."""
        key = (version.municipality_id, version.number)
        if key not in self._read:
            try:
                self._read[key] = read_template(version.text.encode(), file="procedure.toml")
            except SettingsError as error:
                what = f"version {version.number} of a procedure cannot be read"
                raise Corrupt(what) from error
        self._versions.setdefault(version.municipality_id, {})[version.number] = version

    def missing(self, stored: Iterable[TemplateVersion]) -> list[TemplateVersion]:
        """Return those of `stored` that the book does not hold as they are, drafts left out."""
        return [
            one
            for one in stored
            if one.starts_at is not None
            and self._versions.get(one.municipality_id, {}).get(one.number) != one
        ]

    def version(self, municipality_id: str, procedure: str, at: datetime) -> TemplateVersion | None:
        """Return the version for calls placed at `at`, None while it is the shipped template."""
        return in_force(self._versions.get(municipality_id, {}).values(), procedure, at)

    def template(self, municipality_id: str, procedure: str, at: datetime) -> Template | None:
        """Return the template for calls placed at `at`; None when there is no such procedure."""
        version = self.version(municipality_id, procedure, at)
        if version is None:
            return shipped().get(procedure)
        return self._read[municipality_id, version.number]

    def template_of(self, call: Call) -> Template | None:
        """Return the template of a call: the one in force when it was placed."""
        return self.template(call.municipality_id, call.procedure, call.placed_at)

    def version_of(self, call: Call) -> int:
        """Return the number of the template's version of a call; 0: the shipped one."""
        found = self.version(call.municipality_id, call.procedure, call.placed_at)
        return found.number if found else 0

    def allows(self, call: Call, outcome: Outcome) -> bool:
        """Tell whether a call may end so; one about a procedure that is gone from the list not."""
        found = self.template_of(call)
        return outcome is Outcome.ABORTED or (found is not None and found.allows(outcome))

    def catalog(self, municipality_id: str, at: datetime) -> Catalog:
        """Return every procedure in the order of the counter."""
        every = [self.template(municipality_id, one.id, at) for one in shipped().procedures]
        found = [one for one in every if one is not None]
        return Catalog(tuple(sorted(found, key=lambda one: one.order)))
