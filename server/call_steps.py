"""The steps of the running calls: holds the sheets, draws, makes codes, writes, tells both ends.

One change of a call at a time: the rules make the next sheet, the audit log is told, the sheet is
written, then both ends are shown it. Nothing that was drawn or made is drawn or made again by a
page that comes back, or by a restart of the server.
"""

import asyncio
import contextlib
import logging
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Protocol

from security.errors import Conflict, NotFound, Unavailable
from server.calls.call import Call, State
from server.calls.registry import UNDER_WAY
from server.policies import ZONE, PolicyBook
from server.procedures import lock as rules
from server.procedures.codes import DIGITS, with_codes
from server.procedures.lock import Confirming, Lock
from server.procedures.progress import Progress, interrupted, reconnected, unless_fresh
from server.procedures.sheet import Sheet
from server.procedures.template import Template

log = logging.getLogger(__name__)
Detail = dict[str, Any]
TemplateOf = Callable[[Call], Template | None]
# Nobody who knows the draws and codes so far knows the next one.
_LOT = secrets.SystemRandom()


class SheetStore(Protocol):
    """Sheets on disk."""

    async def load(self, municipality_id: str, call_id: str) -> Sheet | None:
        """Return the sheet of a call, None when nothing was written. Raises `Corrupt`."""

    async def save(self, sheet: Sheet, now: datetime) -> None:
        """Write a sheet; raises `Conflict` unless the stored one is older."""


class Notes(Protocol):
    """The audit log."""

    async def note(
        self, municipality_id: str, tag: str, subject: str, detail: Detail, *, now: datetime
    ) -> None:
        """Append an event; `detail` holds codes and ids."""


class Listeners(Protocol):
    """Who is told, and who knows how a call stands now."""

    async def tell_steps(self, steps: "CallSteps", call: Call) -> None:
        """Show the steps to the parties of a call."""

    def open_call(self, call_id: str) -> Call:
        """Return an open call; raises `NotFound`."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a change is made from."""

    call: Call
    template: Template
    sheet: Sheet
    day: date
    now: datetime


Change = Callable[[Turn], Sheet]
Undo = Callable[[Template, Progress], Progress]


def day_of(call: Call) -> date:
    """Return the call's date in the municipality's zone: on it documents must be valid."""
    return call.placed_at.astimezone(ZONE).date()


def is_cut(call: Call) -> bool:
    """Tell whether an end of a call that was answered is lost, in the call or between two desks."""
    return call.answered_at is not None and bool(call.lost_since)


class CallSteps:
    """The sheet of every call under way."""

    def __init__(
        self,
        store: SheetStore,
        notes: Notes,
        listeners: Listeners,
        book: PolicyBook,
        template_of: TemplateOf,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._notes = notes
        self._listeners = listeners
        self._book = book
        self.template_of = template_of
        self._clock = clock
        self._sheets: dict[str, Sheet] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._frozen: set[str] = set()
        self._cut_at: dict[str, datetime] = {}

    async def of(self, call: Call) -> Sheet:
        """Return the sheet of a call, running or over; a new one when nothing was done yet."""
        known = self._sheets.get(call.id)
        if known is not None:
            return known
        found = await self._store.load(call.municipality_id, call.id)
        return self._sheets.get(call.id) or found or self._new(call)

    def _new(self, call: Call) -> Sheet:
        return Sheet(call.id, call.municipality_id, sample=_LOT.randrange(100))

    def confirming(self, call: Call) -> Confirming:
        """Return when a senior confirms, as the municipality's policy says now."""
        people = self._book.of(call.municipality_id).policy.people
        return Confirming(people.senior_approval, people.sample_percent)

    def lock(self, call: Call, sheet: Sheet) -> Lock | None:
        """Return what keeps the decision of a call locked; None without a template."""
        template = self.template_of(call)
        if template is None:
            return None
        confirming = self.confirming(call)
        return rules.lock_of(template, sheet, day_of(call), confirming, call.desk_id)

    @asynccontextmanager
    async def deciding(self, call: Call) -> AsyncIterator[Callable[[], bool]]:
        """Give a question for the very last moment: has a step been undone meanwhile?

        From the answer "no" on nothing about the steps changes any more, unless the block raises.
        """
        async with self._locks[call.id]:
            self._sheets[call.id] = await self.of(call)

        def undone() -> bool:
            found = self.lock(call, self._sheets[call.id])
            if self._locks[call.id].locked() or found is None or not found.open:
                return True
            self._frozen.add(call.id)
            return False

        try:
            yield undone
        except BaseException:
            self._frozen.discard(call.id)
            raise
        self._forget_closed()

    async def change(self, call: Call, tag: str, detail: Detail, change: Change) -> Sheet:
        """Change the sheet of a call under way, write it, show it.

        `change` is asked with how everything stands now, and raises to change nothing. `tag` and
        `detail` go into the audit log. Raises `Conflict` `wrong_state` once the call is decided.
        """
        async with self._locks[call.id]:
            turn = await self._turn(call.id)
            after = change(turn)
            if after == turn.sheet:
                return after
            after = self._with_codes(turn, after)
            now = turn.now
            await self._notes.note(
                call.municipality_id, f"call:step:{tag}", call.id, detail, now=now
            )
            after = replace(after, version=turn.sheet.version + 1)
            await self._store.save(after, now)
            self._sheets[call.id] = after
            await self._listeners.tell_steps(self, turn.call)
        return after

    async def _turn(self, call_id: str) -> Turn:
        try:
            call = self._listeners.open_call(call_id)
        except NotFound as gone:
            raise Conflict("the call is over", code="wrong_state") from gone
        if call.state not in UNDER_WAY or call_id in self._frozen:
            raise Conflict("the call is not under way", code="wrong_state")
        template = self.template_of(call)
        if template is None:
            raise NotFound("the procedure is not in the list any more")
        return Turn(call, template, await self.of(call), day_of(call), self._clock())

    def _with_codes(self, turn: Turn, sheet: Sheet) -> Sheet:
        """Return the sheet with the codes that are due; none while somebody is lost."""
        if turn.call.state not in (State.TALKING, State.DECIDING):
            return sheet
        progress = with_codes(turn.template, sheet.progress, turn.day, _code)
        return replace(sheet, progress=progress)

    async def settle(self, call: Call) -> None:
        """Follow a change of a call's state: what an interruption undoes, what is due now.

        An interruption counts even when it cannot be written: a restart undoes the same again.
        """
        if is_cut(call):
            self._cut_at[call.id] = self._clock()
        await self._follow(call.id, interrupted if is_cut(call) else None)

    async def reconnected(self, call_id: str, up_since: datetime | None) -> None:
        """Undo the spoken code: sound and pictures of an end go by another connection.

        `up_since` tells since when they went by the one before; an interruption after that has
        brought a new code already, which stays unless it has agreed over that connection.
        """
        cut_at = self._cut_at.get(call_id)
        fresh = up_since is not None and cut_at is not None and cut_at > up_since
        await self._follow(call_id, unless_fresh if fresh else reconnected)

    async def _follow(self, call_id: str, undo: Undo | None) -> None:
        """Write and show the steps after `undo`, unless the call is over or being decided."""
        async with self._locks[call_id]:
            call = self._answered(call_id)
            template = self.template_of(call) if call is not None else None
            if call is None or template is None or call_id in self._frozen:
                return
            before = await self.of(call)
            now = self._clock()
            turn = Turn(call, template, before, day_of(call), now)
            after = before
            if undo is not None:
                after = rules.changed(before, undo(template, before.progress))
            reopened = after != before
            after = replace(self._with_codes(turn, after), version=before.version + 1)
            if before.version and replace(after, version=before.version) == before:
                self._sheets[call.id] = before
            else:
                self._sheets[call.id] = after
                await self._keep(call, after, now, reopened=reopened)
            await self._listeners.tell_steps(self, call)

    def _answered(self, call_id: str) -> Call | None:
        with contextlib.suppress(NotFound):
            call = self._listeners.open_call(call_id)
            return call if call.answered_at is not None else None
        return None

    async def _keep(self, call: Call, sheet: Sheet, now: datetime, *, reopened: bool) -> None:
        try:
            if reopened:
                home, tag = call.municipality_id, "call:step:reopened"
                await self._notes.note(home, tag, call.id, {}, now=now)
            await self._store.save(sheet, now)
        except Unavailable as away:
            log.warning("call %s: its steps are not written: %s", call.id, away.code)

    def _forget_closed(self) -> None:
        for call_id in list(self._sheets):
            try:
                self._listeners.open_call(call_id)
            except NotFound:
                self._sheets.pop(call_id, None)
                self._locks.pop(call_id, None)
                self._frozen.discard(call_id)
                self._cut_at.pop(call_id, None)


def draw(count: int, of: int) -> tuple[int, ...]:
    """Return `count` different numbers below `of`, in the order drawn."""
    return tuple(_LOT.sample(range(of), count))


def _code() -> str:
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
