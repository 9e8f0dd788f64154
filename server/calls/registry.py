"""Holds the open calls, carries out what the machine says, and feeds results back as events.

The stored state is the truth: nobody is told of a change before it is durable.
"""

import asyncio
import logging
import random
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from security.errors import Conflict, MadoguchiError, NotFound, Unavailable
from security.gate import Permit
from security.ids import new_id
from server.calls import events as ev
from server.calls.assign import FreeDesk, choose, estimate_wait_seconds
from server.calls.call import Call, PartyName, State
from server.calls.desks import Desks
from server.calls.guests import guest_of
from server.calls.machine import Limits, step
from server.calls.slots import is_next, slots
from server.calls.store import Audience, CallStore, MediaControl

log = logging.getLogger(__name__)
JAPAN = ZoneInfo("Asia/Tokyo")
RETRY_SECONDS = 2.0
IN_QUEUE = frozenset({State.WAITING, State.RINGING})
UNDER_WAY = frozenset({State.TALKING, State.INTERRUPTED, State.DECIDING})
Tasks = set[asyncio.Task[None]]
# Nobody who knows the draws so far knows the next one.
_LOT = random.SystemRandom()
Admit = Callable[[Call], Awaitable[None]]


class Registry:
    """Every open call of this server."""

    def __init__(
        self,
        store: CallStore,
        media: MediaControl,
        audience: Audience,
        *,
        clock: Callable[[], datetime],
        limits: Limits,
        tighten: Callable[[str, Limits], Limits] | None = None,
    ) -> None:
        self._store = store
        self._media = media
        self._audience = audience
        self._clock = clock
        self.limits = limits
        self._tighten = tighten
        self.desks = Desks()
        self._calls: dict[str, Call] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._timers: dict[tuple[str, str], asyncio.TimerHandle] = {}
        self._talks: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=20))
        self._rest: dict[tuple[str, str], datetime] = {}
        self._tasks: Tasks = set()
        self._admitted: set[str] = set()
        self._had_room = True
        self._stopping = False

    def limits_of(self, municipality_id: str) -> Limits:
        """Return the times that hold in a municipality."""
        return self._tighten(municipality_id, self.limits) if self._tighten else self.limits

    # What there is

    def get(self, call_id: str) -> Call:
        """Return an open call; raises `NotFound`."""
        call = self._calls.get(call_id)
        if call is None:
            raise NotFound("no such open call")
        return call

    def of_tablet(self, tablet_id: str) -> Call | None:
        """Return the tablet's open call."""
        return next((c for c in self._calls.values() if c.tablet_id == tablet_id), None)

    def of_desk(self, person_id: str) -> Call | None:
        """Return the call that the person is in, not one that merely rings."""
        return next(
            (c for c in self._calls.values() if c.desk_id == person_id and c.state in UNDER_WAY),
            None,
        )

    def of_guest(self, person_id: str) -> Call | None:
        """Return the call that the person is in as a third party."""
        found = self._asked(person_id)
        guest = guest_of(found, person_id) if found else None
        return found if guest is not None and guest.joined_at is not None else None

    def asks_for(self, person_id: str) -> Call | None:
        """Return the call that the person is asked into and has not joined."""
        return None if self.of_guest(person_id) is not None else self._asked(person_id)

    def _asked(self, person_id: str) -> Call | None:
        return next((c for c in self._calls.values() if guest_of(c, person_id)), None)

    def of_person(self, person_id: str) -> Call | None:
        """Return the call that the person at a desk page is in, as its desk or as a guest."""
        return self.of_desk(person_id) or self.of_guest(person_id)

    def ringing_at(self, person_id: str) -> Call | None:
        """Return the call that rings at the person's desk."""
        return next(
            (
                c
                for c in self._calls.values()
                if c.desk_id == person_id and c.state is State.RINGING
            ),
            None,
        )

    def open_calls(self, municipality_id: str) -> list[Call]:
        """Return the municipality's open calls, oldest first."""
        found = [c for c in self._calls.values() if c.municipality_id == municipality_id]
        return sorted(found, key=lambda c: (c.placed_at, c.id))

    def every_open_call(self) -> list[Call]:
        """Return the open calls of every municipality."""
        return list(self._calls.values())

    def people_ahead(self, call: Call) -> int:
        """Return how many calls stand before this one."""
        before = self.open_calls(call.municipality_id)
        return sum(
            c.state in IN_QUEUE and (c.placed_at, c.id) < (call.placed_at, call.id) for c in before
        )

    def people_waiting(self, municipality_id: str) -> int:
        """Return how many calls stand in the queue."""
        return sum(c.state in IN_QUEUE for c in self.open_calls(municipality_id))

    def wait_of_next(self, municipality_id: str) -> int | None:
        """Return the estimated wait of a call that would be placed now."""
        return self._estimate(municipality_id, self.people_waiting(municipality_id))

    def desks_open(self, municipality_id: str) -> int:
        """Return how many desks take calls, busy ones included."""
        return sum(seat.open and seat.answers for seat in self.desks.of(municipality_id))

    def wait_seconds(self, call: Call) -> int | None:
        """Return the estimated wait of a call in the queue."""
        return self._estimate(call.municipality_id, self.people_ahead(call))

    def _estimate(self, municipality_id: str, ahead: int) -> int | None:
        free = self.desks.free(municipality_id, self._busy(municipality_id))
        talks = tuple(self._talks[municipality_id])
        return estimate_wait_seconds(ahead, self.desks_open(municipality_id), len(free), talks)

    def has_room(self) -> bool:
        """Tell whether the media engine takes one more call."""
        return self._slots() > 0

    def _slots(self) -> int:
        return slots(self._media.capacity(), self._calls.values(), self._admitted)

    # What happens

    async def restore(self) -> None:
        """Take up every open call of the database after a start of the server."""
        for call in await self._store.load_open():
            self._calls[call.id] = call
        await self._media.keep_only([c.id for c in self._calls.values() if c.state in UNDER_WAY])
        for call in list(self._calls.values()):
            media = self._media.held(call.id)
            veiled = media is not None and PartyName.COUNTER.value in media.veiled
            try:
                await self.apply(call.id, ev.ServerStarted(veiled))
            except Unavailable:
                raise  # without a disk there is no service
            except MadoguchiError:
                log.exception("call %s could not be taken up", call.id)

    async def place(
        self,
        permit: Permit,
        make: Callable[[str, str, datetime], tuple[Call, bytes]],
        *,
        training: bool = True,
    ) -> Call:
        """Put a new call into the queue; its number says whether it is 研修モード.

        `make(number, call_id, now)` returns the call and its wrapped key. `permit` is for
        "call.place" on the tablet. Raises `Conflict` when the tablet has an open call.
        """
        tablet_id = permit.subject
        permit.require("call.place", tablet_id)
        async with self._locks[f"tablet {tablet_id}"]:
            if self.of_tablet(tablet_id) is not None:
                raise Conflict("this tablet has an open call", code="already_in_call")
            now = self._clock()
            prefix = f"{'R' if training else 'K'}-{now.astimezone(JAPAN):%y%m%d}"
            call = await self._store.insert_numbered(
                permit.municipality_id,
                prefix,
                lambda count: make(f"{prefix}-{count:04d}", new_id(), now),
            )
            self._calls[call.id] = call
        await self._audience.tell_call(call, None)
        await self.settle(call.municipality_id)
        return self._calls.get(call.id, call)

    async def accept(
        self, permit: Permit, person_id: str, call_id: str, *, admit: Admit | None = None
    ) -> Call:
        """Give a call of the queue to a desk. The first one gets it.

        `admit` lets the desk's connection into the call, which is the desk's by then, before
        anybody is told. Raises `Unavailable` `busy` when the media engine takes no further call;
        the call waits on.
        """
        permit.require("call.accept", call_id)
        async with self._locks[f"desk {person_id}"]:
            if self.of_person(person_id) is not None:
                raise Conflict("you are in a call", code="already_in_call")
            call = self._waiting(permit.municipality_id, call_id)
            if (elsewhere := self.asks_for(person_id)) is not None:
                await self.apply(elsewhere.id, ev.GuestLeft(person_id))
            ringing = self.ringing_at(person_id)
            if ringing is not None and ringing.id != call.id:
                await self.apply(ringing.id, ev.Passed(person_id))
            if call.state is State.WAITING and not self.has_room():
                raise Unavailable("no further call can be carried now", code="busy")
            self._admitted.add(call.id)
            try:
                return await self._accept(call, person_id, admit)
            finally:
                self._admitted.discard(call.id)

    async def _accept(self, call: Call, person_id: str, admit: Admit | None) -> Call:
        try:
            return await self.apply(call.id, ev.Accepted(person_id), admit=admit)
        except NotFound as gone:
            raise Conflict("the call is gone", code="call_taken") from gone
        except Conflict as late:
            code = "call_taken" if late.code == "wrong_state" else late.code
            raise Conflict("another desk has answered", code=code) from late

    async def join(self, permit: Permit, person_id: str, call_id: str, admit: Admit) -> Call:
        """Let somebody who was asked into a call; `admit` as in `accept`.

        `permit` is for "call.join" on the call. Raises `Conflict`, `NotFound`.
        """
        permit.require("call.join", call_id)
        async with self._locks[f"desk {person_id}"]:
            if self.of_person(person_id) is not None:
                raise Conflict("you are in a call", code="already_in_call")
            return await self.apply(call_id, ev.GuestJoined(person_id), admit=admit)

    def _waiting(self, municipality_id: str, call_id: str) -> Call:
        call = self._calls.get(call_id)
        if call is None or call.municipality_id != municipality_id:
            raise Conflict("the call is gone", code="call_taken")
        return call

    def next_for(self, municipality_id: str, person_id: str) -> Call | None:
        """Return the call that a desk answers which names none; None when nobody waits.

        Where calls are assigned at random that is what rings there, if something does, else the
        oldest that can be answered.
        """
        mine = self.ringing_at(person_id)
        if mine is not None and self.limits_of(municipality_id).at_random:
            return mine
        waiting = (
            c
            for c in self.open_calls(municipality_id)
            if (c.state is State.WAITING and not c.lost_since) or c is mine
        )
        return next(waiting, None)

    async def pass_on(self, call_id: str, person_id: str) -> None:
        """Let a ringing call go; it does not ring at this desk again for the ring time."""
        rest_seconds = self.limits_of(self.get(call_id).municipality_id).ring_seconds
        self._rest[call_id, person_id] = self._clock() + timedelta(seconds=rest_seconds)
        asyncio.get_running_loop().call_later(rest_seconds, self._rested, call_id, person_id)
        await self.apply(call_id, ev.Passed(person_id))

    async def open_media(self, call_id: str) -> None:
        """Make room for the connection of a counter that waits. Raises `NotFound`, `Unavailable`.

        Never for a call that is just being closed: what is opened then would stay.
        """
        async with self._locks[call_id]:
            call = self.get(call_id)
            if call.state is State.WAITING and not self.has_room():
                raise Unavailable("no further call can be carried now", code="busy")
            await self._media.open_call(call.id)

    async def apply(
        self,
        call_id: str,
        event: ev.Event,
        *,
        unless: Callable[[], bool] | None = None,
        admit: Admit | None = None,
    ) -> Call:
        """Take one step of a call and carry out its effects. Raises `Conflict`, `NotFound`.

        `unless` is asked at the last moment; true means that the event no longer holds. `admit`
        carries out `AdmitDesk`.
        """
        self.get(call_id)
        async with self._locks[call_id]:
            before = self.get(call_id)
            if unless is not None and unless():
                raise Conflict("this no longer holds", code="wrong_state")
            limits = self.limits_of(before.municipality_id)
            after, effects = step(before, event, now=self._clock(), limits=limits)
            for effect in effects:
                await self._carry_out_or_log(effect, before, after, admit)
            log.info("call %s: %s -> %s", call_id, before.state, after.state)
        if after.state is State.CLOSED:
            self._locks.pop(call_id, None)
        if _queue_changed(before, after):
            await self.settle(after.municipality_id)
        return after

    async def _carry_out_or_log(
        self, effect: ev.Effect, before: Call, after: Call, admit: Admit | None
    ) -> None:
        """Carry out one effect; once the call is on disk, one that fails does not stop the next."""
        if isinstance(effect, ev.Persist):
            await self._carry_out(effect, before, after)
            return
        try:
            if isinstance(effect, ev.AdmitDesk | ev.AdmitGuest):
                await (admit or _nobody)(after)
            else:
                await self._carry_out(effect, before, after)
        except Exception:
            log.exception("call %s: %s failed", after.id, type(effect).__name__)

    async def _carry_out(self, effect: ev.Effect, before: Call, after: Call) -> None:
        match effect:
            case ev.Persist():
                await self._store.save(after)
                self._keep(after)
            case ev.OpenMedia():
                await self._media.open_call(after.id)
            case ev.OpenGate():
                await self._media.set_gate(after.id, open=True)
            case ev.SetVeil(on):
                await self._media.set_veil(after.id, PartyName.COUNTER.value, on=on)
            case ev.AskNearer():
                if after.desk_id and not self._media.near(after.id, after.desk_id):
                    self._audience.ask_nearer(after.desk_id)
            case ev.AskGuestNearer(person_id):
                if not self._media.near(after.id, person_id):
                    self._audience.ask_nearer(person_id)
            case ev.DropGuest(party):
                await self._media.leave(after.id, party.value)
            case ev.HoldMedia():
                await self._media.set_gate(after.id, open=False)
                await self._media.leave(after.id, PartyName.DESK.value)
            case ev.CloseMedia():
                await self._media.close_call(after.id)
            case ev.SetTimer():
                self._set_timer(after.id, effect)
            case ev.CancelTimer(name):
                self._cancel_timer(after.id, name)
            case ev.DropUnfinishedFiles():
                await self._audience.drop_unfinished_files(after)
            case ev.SettleSteps():
                await self._audience.settle_steps(after)
            case ev.Tell():
                # One that ends between two desks is not shown to who led it before: that page
                # may be in another call.
                state = before.state if after.state is State.CLOSED else after.state
                in_call = state in UNDER_WAY
                await self._audience.tell_call(after, after.desk_id if in_call else None)
            case ev.Farewell(person_ids):
                for person_id in person_ids:
                    self.desks.touch(person_id, now=self._clock())
                    await self._audience.tell_guest(after, person_id)
            case ev.Release(desk_id):
                await self._release(before, after, desk_id)

    def _keep(self, call: Call) -> None:
        if call.state is State.CLOSED:
            self._calls.pop(call.id, None)
            for key in [key for key in self._timers if key[0] == call.id]:
                self._timers.pop(key).cancel()
        else:
            self._calls[call.id] = call

    async def _release(self, before: Call, after: Call, desk_id: str | None) -> None:
        if desk_id is not None:
            self.desks.touch(desk_id, now=self._clock())
            if after.desk_id != desk_id and before.state in UNDER_WAY:
                await self._audience.tell_call(after, desk_id)
        if after.state is State.CLOSED and before.state in UNDER_WAY and after.answered_at:
            talk = (self._clock() - after.answered_at).total_seconds()
            self._talks[after.municipality_id].append(talk)

    # Timers

    def _set_timer(self, call_id: str, effect: ev.SetTimer) -> None:
        self._cancel_timer(call_id, effect.name)
        delay = max(0.0, (effect.at - self._clock()).total_seconds())
        self._timers[call_id, effect.name] = asyncio.get_running_loop().call_later(
            delay, self._fire, call_id, effect.name, effect.event
        )

    def _cancel_timer(self, call_id: str, name: str) -> None:
        if handle := self._timers.pop((call_id, name), None):
            handle.cancel()

    def _fire(self, call_id: str, name: str, event: ev.Event) -> None:
        self._timers.pop((call_id, name), None)
        if not self._stopping:
            self.later(call_id, event)

    def later(
        self, call_id: str, event: ev.Event, unless: Callable[[], bool] | None = None
    ) -> None:
        """Apply `event` soon, and again when the database is away; one that no longer fits is gone.

        `unless` tells that the event no longer holds.
        """
        if self._stopping:
            return
        task = asyncio.get_running_loop().create_task(self._quietly(call_id, event, unless))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _quietly(
        self, call_id: str, event: ev.Event, unless: Callable[[], bool] | None
    ) -> None:
        try:
            await self.apply(call_id, event, unless=unless)
        except (Conflict, NotFound):
            log.debug("call %s: %s came too late", call_id, type(event).__name__)
        except Unavailable as away:
            log.warning("call %s: %s waits: %s", call_id, type(event).__name__, away.code)
            loop = asyncio.get_running_loop()
            loop.call_later(RETRY_SECONDS, self.later, call_id, event, unless)
        except MadoguchiError:
            log.exception("call %s: %s failed", call_id, type(event).__name__)

    # Desks

    def _busy(self, municipality_id: str) -> set[str]:
        calls = self.open_calls(municipality_id)
        desks = {c.desk_id for c in calls if c.desk_id is not None}
        return desks | {x.person_id for c in calls for x in c.guests}

    async def settle(self, municipality_id: str) -> None:
        """Offer waiting calls to free desks, then show the queue: a call or a desk has changed."""
        self._dispatch(municipality_id)
        await self._audience.tell_queue(municipality_id)

    def _dispatch(self, municipality_id: str) -> None:
        """Offer the oldest call that a free desk can take; its ring brings the next one here."""
        free = self._slots()
        for call in self.open_calls(municipality_id) if free else ():
            desk = self._desk_for(call)
            if desk is not None:
                if is_next(call, free, self._elsewhere(municipality_id)):
                    self._offer(call, desk)
                return

    def _desk_for(self, call: Call) -> str | None:
        """Return the desk that a call can be offered to now."""
        if call.state is not State.WAITING or call.lost_since:
            return None
        at_random = self.limits_of(call.municipality_id).at_random
        return choose(call, self._free_for(call), luck=_LOT.random() if at_random else None)

    def _elsewhere(self, municipality_id: str) -> list[Call]:
        others = [c for c in self._calls.values() if c.municipality_id != municipality_id]
        return [c for c in others if self._desk_for(c) is not None]

    async def look_for_room(self) -> None:
        """Offer what waits for room, and tell who waits when room begins or ends; once a second."""
        is_free, was_free = self.has_room(), self._had_room
        self._had_room = is_free
        waiting = [c for c in self._calls.values() if c.state is State.WAITING]
        homes = dict.fromkeys(c.municipality_id for c in sorted(waiting, key=_place))
        for municipality_id in homes:
            if is_free != was_free:
                await self.settle(municipality_id)
            elif is_free:
                self._dispatch(municipality_id)

    def _offer(self, call: Call, person_id: str) -> None:
        def is_gone() -> bool:
            taken = all(desk.person_id != person_id for desk in self._free_for(call))
            return taken or not self.has_room()

        self.later(call.id, ev.Offered(person_id), is_gone)

    def _free_for(self, call: Call) -> list[FreeDesk]:
        free = self.desks.free(call.municipality_id, self._busy(call.municipality_id))
        now = self._clock()
        return [d for d in free if self._rest.get((call.id, d.person_id), now) <= now]

    def _rested(self, call_id: str, person_id: str) -> None:
        self._rest.pop((call_id, person_id), None)
        call = self._calls.get(call_id)
        if call is not None and not self._stopping:
            self._dispatch(call.municipality_id)

    async def stop(self) -> None:
        """Cancel timers and wait for what is under way."""
        self._stopping = True
        for handle in self._timers.values():
            handle.cancel()
        self._timers.clear()
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)


def _place(call: Call) -> tuple[datetime, str]:
    return (call.placed_at, call.id)


async def _nobody(call: Call) -> None:
    """Let nobody in: the desk has no connection yet."""


def _queue_changed(before: Call, after: Call) -> bool:
    """Tell whether desks and waiting counters see anything new."""

    def shown(call: Call) -> tuple[object, ...]:
        asked = {x.person_id for x in call.guests if x.joined_at is None}
        return (call.state, call.desk_id, set(call.lost_since), len(call.guests), asked)

    return shown(before) != shown(after)
