"""What goes on beside the conversations: pings, silent pages, ended sign-ins."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import timedelta

from aiohttp import web

from media.quality import LOOK_SECONDS
from security.errors import Conflict, Corrupt, Denied, MadoguchiError, NotFound
from security.people import SessionKind
from security.policy.baseline import BASELINE
from security.policy.decide import decide
from security.policy.facts import Facts
from security.sign_in import nobody_is_busy, somebody_is_busy
from server.api import seats
from server.api.keys import PARTS
from server.api.views import relay_view
from server.calls import events as ev
from server.parts import Parts
from server.procedures.versions import TAKEN_UP_WITHIN

log = logging.getLogger(__name__)
PING_SECONDS = 5.0
TALLY_SECONDS = 5.0
SILENT_SECONDS = 10.0
WATCH_SECONDS = 0.5
TOUCH_SECONDS = 60.0
CLERK_SECONDS = 5.0
SWEEP_SECONDS = 6 * 3600.0
SIGN_LOOK_SECONDS = 30.0
DROP_SECONDS = 5.0
TEMPLATE_SECONDS = TAKEN_UP_WITHIN.total_seconds() / 3
RETENTION_SECONDS = 3600.0
OWED_SECONDS = 60.0
FRESH, LONGEST_GAP = timedelta(days=1), timedelta(days=7)
Work = Callable[[Parts], Coroutine[None, None, None]]


async def housekeeping(app: web.Application) -> AsyncIterator[None]:
    """Run for as long as the application does."""
    parts = app[PARTS]
    tasks = [
        asyncio.create_task(_forever(WATCH_SECONDS, watch_sessions, parts)),
        asyncio.create_task(_forever(1.0, watch_silence, parts)),
        asyncio.create_task(_forever(WATCH_SECONDS, watch_policies, parts)),
        asyncio.create_task(_forever(1.0, watch_times, parts)),
        asyncio.create_task(_forever(DROP_SECONDS, drop_chats, parts)),
        asyncio.create_task(_forever(RETENTION_SECONDS, delete_what_is_due, parts)),
        asyncio.create_task(_forever(RETENTION_SECONDS, close_months, parts)),
        asyncio.create_task(_forever(OWED_SECONDS, make_owed_records, parts)),
        asyncio.create_task(_forever(PING_SECONDS, ping, parts)),
        asyncio.create_task(_forever(TALLY_SECONDS, write_tallies, parts)),
        asyncio.create_task(_forever(1.0, look_for_room, parts)),
        asyncio.create_task(_forever(LOOK_SECONDS, look_at_quality, parts)),
        asyncio.create_task(_forever(TOUCH_SECONDS, touch_open_desks, parts)),
        asyncio.create_task(_forever(CLERK_SECONDS, watch_clerks, parts)),
        asyncio.create_task(_forever(SWEEP_SECONDS, sweep_sessions, parts)),
        asyncio.create_task(_forever(SIGN_LOOK_SECONDS, sign_logs, parts)),
        asyncio.create_task(_forever(TEMPLATE_SECONDS, look_at_templates, parts)),
    ]
    if parts.relay is not None:
        tasks.append(asyncio.create_task(_forever(WATCH_SECONDS, watch_relay, parts)))
        renewal = parts.relay.lifetime.total_seconds() / 2
        tasks.append(asyncio.create_task(_forever(renewal, renew_relay, parts)))
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _forever(seconds: float, work: Work, parts: Parts) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await work(parts)
        except Exception:
            # A database that is away for a moment must not end the watch.
            log.exception("%s failed", work.__name__)


async def ping(parts: Parts) -> None:
    """Send every page the last number it should have seen."""
    parts.hub.seats.ping()


async def look_at_templates(parts: Parts) -> None:
    """Take up templates that a command has put in force beside this service."""
    await parts.templates.refresh()


async def make_owed_records(parts: Parts) -> None:
    """Try again to make the records that could not be made when their calls closed."""
    await parts.records.make_owed()


async def renew_relay(parts: Parts) -> None:
    """Give every page credentials for the relay that are good for longer."""
    for key, socket in parts.hub.seats.live():
        given = parts.relay_grant(socket.municipality_id)
        parts.hub.seats.show(key, {"type": "relay", "relay": relay_view(given)})


async def watch_relay(parts: Parts) -> None:
    """Tell pages at once when the policy has them use the relay otherwise than before."""
    for key, socket in parts.hub.seats.live():
        use = parts.relay_use(socket.municipality_id)
        if socket.relay_told not in (None, use):
            given = parts.relay_grant(socket.municipality_id)
            parts.hub.seats.show(key, {"type": "relay", "relay": relay_view(given)})
            socket.relay_told = use


async def look_for_room(parts: Parts) -> None:
    """Offer calls that waited for the media engine."""
    await parts.registry.look_for_room()


async def look_at_quality(parts: Parts) -> None:
    """Look at the sound and pictures of every call under way, and tell its ends."""
    await parts.quality.look()


async def watch_silence(parts: Parts) -> None:
    """Close pages that have said nothing for 10 s; forget streams past their time."""
    limit = time.monotonic() - SILENT_SECONDS
    for _, socket in parts.hub.seats.live():
        if socket.last_heard < limit and not socket.working:
            socket.close(seats.AWAY, "silent")
    parts.hub.seats.sweep()


async def watch_sessions(parts: Parts) -> None:
    """Close the pages of sign-ins that were ended, by whomever; end a revoked tablet's call."""
    sign_ins = parts.hub.seats.sign_ins()
    standing = await parts.sign_in.live_sessions(set(sign_ins.values()))
    for key, session_hash in sign_ins.items():
        if session_hash not in standing:
            await end_page(parts, key)


async def watch_policies(parts: Parts) -> None:
    """End the calls that a policy which has just taken force does not let go on."""
    await parts.paths.look()
    for _, facts in parts.present.under_a_new_policy():
        if decide(BASELINE, "media.join", facts).allowed:
            continue
        try:
            await parts.gate.ask("media.join", facts)
        except Denied as denied:
            log.info("call %s ends: %s", facts.subject, denied.code)
            with contextlib.suppress(Conflict, NotFound):
                await parts.registry.apply(facts.subject, _ended_by(facts, denied.code))


def _ended_by(facts: Facts, code: str) -> ev.Event:
    """Return what a refusal does: a guest leaves, without either end there is no call."""
    person_id, call = facts.actor.person_id, facts.call
    if person_id is not None and call is not None and person_id in call.guests:
        return ev.GuestLeft(person_id)
    return ev.Forbidden(code)


async def watch_times(parts: Parts) -> None:
    """End the calls that have waited or lasted as long as the policy lets them."""
    await parts.times.look()


async def drop_chats(parts: Parts) -> None:
    """Delete the chats of calls that are over where the policy keeps none."""
    for home in await parts.people.municipalities():
        try:
            await parts.retention.drop_chats(home.id, parts.clock())
        except (MadoguchiError, OSError) as error:
            log.error("chats of %s were not deleted: %s", home.id, type(error).__name__)


async def close_months(parts: Parts) -> None:
    """Close the counts of months that are over, before anything of them is deleted."""
    for home in await parts.people.municipalities():
        await parts.counts.close_due(home.id)


async def delete_what_is_due(parts: Parts) -> None:
    """Delete what has been kept as long as each policy says; one that fails stops no other.

    Only while the clock fits the log: entries of the last day do not count, since a clock that
    was set forward has written those.
    """
    now = parts.clock()
    known = await parts.audit.newest(before=now - FRESH)
    if known is None or now - known > FRESH + LONGEST_GAP:
        if known is not None:
            log.warning(
                "the clock is far ahead of the audit log: nothing is deleted until "
                "`madoguchi retention run`, or until the log goes on for a day"
            )
        return
    for home in await parts.people.municipalities():
        try:
            await parts.retention.run(home.id, now)
        except (MadoguchiError, OSError) as error:
            log.error("not all that is due in %s was deleted: %s", home.id, type(error).__name__)


async def end_page(parts: Parts, key: seats.SeatKey, code: str | None = None) -> None:
    """Tell a page that its sign-in is over, and close it; its call sees it leave."""
    page, holder = key
    code = code or ("tablet_revoked" if page == "counter" else "signed_out")
    parts.hub.seats.send(key, {"type": "ended", "code": code})
    if page == "counter" and (call := parts.registry.of_tablet(holder)) is not None:
        with contextlib.suppress(Conflict, NotFound):
            await parts.registry.apply(call.id, ev.TabletRevoked())
    if page == "desk" and (call := parts.registry.of_guest(holder)) is not None:
        with contextlib.suppress(Conflict, NotFound):
            await parts.registry.apply(call.id, ev.GuestLeft(holder))
    seat = parts.registry.desks.forget(holder) if page == "desk" else None
    if seat is not None:
        await parts.people.set_desk_open(seat.municipality_id, seat.person_id, open=False)
    parts.hub.seats.close(key, seats.SIGNED_OUT, code)


async def touch_open_desks(parts: Parts) -> None:
    """Keep the sign-in of desks that are 受付中 or in a call; 離席 lets it run out."""
    for key, socket in parts.hub.seats.live():
        page, holder = key
        if page != "desk":
            continue
        working = (
            parts.registry.desks.is_open(holder) or parts.registry.of_person(holder) is not None
        )
        busy = somebody_is_busy if working else nobody_is_busy
        try:
            await parts.sign_in.authenticate(
                socket.token, SessionKind.DESK, busy=busy, touch=working
            )
        except Denied:
            await end_page(parts, key, "expired")


async def watch_clerks(parts: Parts) -> None:
    """Sign out clerks who have left a tablet alone for too long; in a call nobody has."""
    for seat, token in parts.shifts.every():
        if token is None:
            continue
        in_call = parts.registry.of_tablet(seat[1]) is not None
        busy = somebody_is_busy if in_call else nobody_is_busy
        try:
            await parts.sign_in.authenticate(token, SessionKind.CLERK, busy=busy, touch=in_call)
        except Denied:
            await parts.shifts.change(seat, None)


async def sweep_sessions(parts: Parts) -> None:
    """Forget sign-ins, links, failed tries and counts that are long past."""
    await parts.sessions.sweep(parts.clock())
    await parts.tallies.sweep(parts.clock())


async def write_tallies(parts: Parts) -> None:
    """Write how often the gate was asked."""
    await parts.tallies.flush()


async def sign_logs(parts: Parts) -> None:
    """Sign each municipality's audit log as often as its policy says (`audit.sign_minutes`)."""
    for home in await parts.people.municipalities():
        every = timedelta(minutes=parts.policies.of(home.id).policy.audit.sign_minutes)
        try:
            await parts.signing.sign_if_due(home.id, every, parts.clock())
        except Corrupt as error:
            log.error("audit log of %s was not signed: %s", home.id, error.message)
