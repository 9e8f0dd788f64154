"""The section `[hooks]` of the settings: what an operator sets of other systems."""

from typing import Annotated

from pydantic import AfterValidator, Field, Strict

from security.values import Section, show, wrong
from server.settings_path import FilePath


def _name(value: str) -> str:
    if not value.isidentifier() or len(value) > 64:
        raise wrong(show(value), "the name of an entry point, as archive")
    return value


PluginName = Annotated[str, Strict(), AfterValidator(_name)]


class HookSettings(Section):
    """What other systems are told, beside the webhooks that administrators set up."""

    outbox_dir: FilePath | None = Field(
        None,
        description="Folder into which each closed record and a line of CSV are written, to be "
        "carried over to a separate network; one folder for each municipality.",
    )
    plugins: Annotated[tuple[PluginName, ...], Strict(False)] = Field(
        (),
        description="Plug-ins that are run, by the names of their entry points in the group "
        "madoguchi.record_hooks.",
    )
    plugin_seconds: int = Field(
        10, ge=1, le=300, description="After so long a plug-in is killed, and tried again later."
    )
    ca_file: FilePath | None = Field(
        None, description="Certificate authority of webhook receivers, in PEM, if it is your own."
    )

    def standing(self) -> tuple[str, ...]:
        """Return the destinations of every municipality."""
        folder = ("folder",) if self.outbox_dir is not None else ()
        return (*(f"plugin:{name}" for name in self.plugins), *folder)
