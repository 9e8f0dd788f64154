"""What a plug-in is: an entry point of the group `madoguchi.record_hooks`. Pure.

    # pyproject.toml of the plug-in
    [project.entry-points."madoguchi.record_hooks"]
    archive = "our_archive:told"

    # our_archive.py
    from server.hooks.plugin import RecordEvent

    def told(event: RecordEvent) -> None:
        ...

It runs in a process of its own for each event, killed after `[hooks] plugin_seconds`. One that
raises or is killed hears the event again later, with the same id, for a day.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

GROUP = "madoguchi.record_hooks"


@dataclass(frozen=True, slots=True)
class RecordEvent:
    """A fact: `type` as call.closed, `timestamp` in RFC 3339, `data` as in a webhook's body.

    `municipality` is the municipality's short name.
    """

    id: str
    type: str
    timestamp: str
    municipality: str
    data: Mapping[str, Any]


class RecordHook(Protocol):
    """What an entry point names."""

    def __call__(self, event: RecordEvent) -> None:
        """Take an event. Raise to have it told again."""
