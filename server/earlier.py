"""Finds what the call before on the same tablet has left, if the line broke it off."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from security.errors import Corrupt, NotFound
from server.calls.call import Call
from server.procedures.earlier import WITHIN, Gathered, follows, gathered
from server.procedures.sheet import Sheet
from server.procedures.template import Template

MAX_KNOWN = 500


class Calls(Protocol):
    """Calls on disk."""

    async def last_of_tablet(self, call: Call, since: datetime) -> Call | None:
        """Return the call that the tablet placed before `call`, none placed before `since`."""


class Sheets(Protocol):
    """Sheets on disk."""

    async def load(self, municipality_id: str, call_id: str) -> Sheet | None:
        """Return the sheet of a call, None when nothing was written. Raises `Corrupt`."""


class EarlierCalls:
    """What can be taken over into each running call, looked up once."""

    def __init__(
        self, calls: Calls, sheets: Sheets, template_of: Callable[[Call], Template | None]
    ) -> None:
        self._calls = calls
        self._sheets = sheets
        self._template_of = template_of
        self._known: dict[str, Gathered | None] = {}

    async def of(self, call: Call) -> Gathered | None:
        """Return what the tablet's call before has left for `call`; None for nothing."""
        if call.id not in self._known:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            self._known[call.id] = await self._look(call)
        return self._known[call.id]

    async def _look(self, call: Call) -> Gathered | None:
        try:
            return await self._read(call)
        except (Corrupt, NotFound):
            return None  # what cannot be read is left where it is; the call goes on without it

    async def _read(self, call: Call) -> Gathered | None:
        template = self._template_of(call)
        # A call lasts for hours at most; the one before may have begun long before it broke off.
        before = await self._calls.last_of_tablet(call, call.placed_at - 24 * WITHIN)
        if before is None or template is None or not follows(call, before):
            return None
        if self._template_of(before) != template:
            return None  # the places of its steps are others
        sheet = await self._sheets.load(before.municipality_id, before.id)
        return gathered(template, before, sheet) if sheet is not None else None
