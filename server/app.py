"""Puts the house together: parts from settings, an application from parts, a running service."""

import asyncio
import contextlib
import logging
import os
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from chat.log import ChatLog
from files.blobs import FolderBlobs
from files.copies import Copies
from files.scan import Clamd
from files.shred import BlobShredder
from files.uploads import Uploads
from media.engine import MediaEngine
from media.fleet import Fleet
from media.heap import keep_heaps_few
from media.local import LocalEngine
from media.node import MediaNode
from media.settings import MediaEvents
from security.bad_tokens import BadTokens
from security.clerk_sign_in import ClerkSignIn
from security.errors import MadoguchiError, Unavailable
from security.fresh import FreshSignIns
from security.gate import Gate
from security.ids import new_id
from security.passwords import Passwords
from security.policy.baseline import BASELINE
from security.policy.model import BASELINE_POLICY
from security.recoveries import Recoveries
from security.second_factor import SecondFactor
from security.sign_in import SignIn
from server.administration import Administration
from server.api import (
    accounts,
    administration,
    approvals,
    audit,
    calls,
    clerks,
    counts,
    deletions,
    eligibility,
    factors,
    files,
    guests,
    hooks,
    officers,
    oidc,
    openapi,
    ops,
    pages,
    policies,
    prechecks,
    recoveries,
    rest,
    second_step,
    socket,
    steps,
    stills,
    tokens,
)
from server.api import procedures as procedure_routes
from server.api import records as record_routes
from server.api.directory import Directory
from server.api.housekeeping import housekeeping
from server.api.hub import Hub
from server.api.keys import PARTS
from server.api.middleware import add_headers, errors, same_origin
from server.api.officer_lines import OfficerLines
from server.api.present import Present
from server.api.seats import AWAY, Seats
from server.api.shifts import Shifts
from server.api.speaker import SOCKET_PATH
from server.api.steps_told import StepsTold
from server.api.tablet_proof import TabletProof
from server.audit_export import export_of
from server.audit_signing import AuditSigning
from server.call_steps import CallSteps
from server.call_times import CallTimes
from server.calls.machine import Limits
from server.calls.registry import Registry
from server.clock import utc_now
from server.count_months import CountMonths
from server.db.api_tokens import SqlApiTokens
from server.db.audit import SqlAudit
from server.db.audit_export import SqlExported
from server.db.calls import SqlCalls
from server.db.chat import SqlChat
from server.db.counts import SqlCounts
from server.db.deletions import SqlDeletions
from server.db.engine import open_database
from server.db.factors import SqlFactors
from server.db.files import SqlFiles
from server.db.oidc import SqlOidcLinks
from server.db.outbox import SqlOutbox
from server.db.people import SqlPeople
from server.db.policies import SqlPolicies
from server.db.prechecks import SqlPrechecks
from server.db.procedures import SqlProcedures
from server.db.quality import SqlQuality
from server.db.records import SqlRecords
from server.db.sessions import SqlSessions
from server.db.steps import SqlSteps
from server.db.tallies import SqlTallies
from server.db.webhooks import SqlWebhooks
from server.earlier import EarlierCalls
from server.file_offers import FileOffers
from server.hooks.build import deliveries_of
from server.keys import KeyRing, load_kek
from server.loop_lag import LoopLag
from server.media_events import MediaWatch
from server.oidc.sign_in import OidcSignIn
from server.parts import Parts
from server.path_watch import PathWatch
from server.policies import PolicyBook
from server.policy_review import PolicyReview
from server.precheck.run import Prechecks
from server.procedure_review import ProcedureReview
from server.procedures.book import ProcedureBook
from server.procedures.catalog import shipped
from server.quality_watch import QualityWatch
from server.record_bundles import RecordBundles
from server.record_keeper import RecordKeeper, Sources
from server.record_keys import RecordKeys
from server.record_paper import RecordPaper
from server.relay_addresses import with_addresses
from server.retention import Retention
from server.settings import Settings
from server.stricter import Stricter
from server.tls import Certificate

log = logging.getLogger(__name__)


async def build_parts(
    settings: Settings,
    media_ends_with_us: Callable[[], bool] = lambda: True,
    clock: Callable[[], datetime] = utc_now,
) -> Parts:
    """Return the real parts; the database is brought to the newest schema.

    `media_ends_with_us` is asked at the end whether calls are to end with the server.
    Raises `Corrupt` when the data were sealed under another key-encryption key.
    """
    catalog = await asyncio.to_thread(shipped)
    folder = settings.data.folder
    keys = KeyRing(load_kek(settings.keys.kek_file, os.environ))
    relay = await with_addresses(settings.relay.relay())
    database = open_database(folder)
    people = SqlPeople(database, keys)
    try:
        await database.migrate()
        await people.require_key()
    except BaseException:
        await database.engine.dispose()
        raise
    audit = SqlAudit(database, folder)
    sessions = SqlSessions(database, people)
    book = PolicyBook(clock)
    stricter = Stricter(book.set_in)
    passwords = Passwords()  # one for all: what it holds of memory and processor is bounded
    sign_in = SignIn(
        people,
        sessions,
        clock=clock,
        passwords=passwords,
        limits=settings.sessions.limits(),
        tighten=stricter.sessions,
        notes=audit,
    )
    oidc = OidcSignIn(
        settings.oidc, people, SqlOidcLinks(database, people), notes=audit, clock=utc_now
    )
    factor_store = SqlFactors(database, people)
    people_stores = (sign_in, people, sessions, factor_store)
    call_store = SqlCalls(database, keys)

    blobs = FolderBlobs(folder / "blobs")
    uploads = Uploads(
        SqlFiles(database),
        blobs,
        call_store.data_key,
        max_bytes=settings.files.max_bytes,
        max_per_call=settings.files.max_per_call,
        tighten=stricter.files,
    )
    limits = Limits(
        settings.calls.resume_seconds,
        settings.calls.ring_seconds,
        BASELINE_POLICY.calls.max_waiting_minutes * 60,
        BASELINE_POLICY.calls.max_minutes * 60,
    )
    hub = Hub(Seats(keep_seconds=limits.resume_seconds), Directory(people), uploads)
    watch = MediaWatch(hub, clock=clock)
    media = build_media(settings, watch, media_ends_with_us)
    registry = Registry(call_store, media, hub, clock=clock, limits=limits, tighten=stricter.calls)
    hub.bind(registry)
    procedure_store, procedures = SqlProcedures(database), ProcedureBook()
    for template in procedures.missing(await procedure_store.versions()):
        procedures.put(template)
    step_store = SqlSteps(database, call_store)
    earlier = EarlierCalls(call_store, step_store, procedures.template_of)
    steps_told = StepsTold(hub, people, earlier)
    call_steps = CallSteps(step_store, audit, steps_told, book, procedures.template_of, clock=clock)
    hub.follow_states(call_steps.settle)
    watch.follow_ends(call_steps.reconnected)
    uploads.listen(hub.file_changed)
    tallies = SqlTallies(database)
    gate = Gate(BASELINE, audit, tallies)
    scanner = Clamd(settings.files.scanner) if settings.files.scanner else None
    offers = FileOffers(scanner, gate, book, call_store, people, clock=clock)
    uploads.inspect_by(offers.inspect, offers.is_training)
    signing = AuditSigning(people, audit)
    policy_store = SqlPolicies(database)
    for version in await policy_store.every_approved():
        book.put(version)
    clerk_sign_in = ClerkSignIn(
        people, sessions, sign_in, clock=clock, passwords=passwords, notes=audit
    )
    present = Present(registry, clock)
    box, webhooks = SqlOutbox(database), SqlWebhooks(database, people)
    quality = QualityWatch(hub, media, SqlQuality(database), book.minimum_picture)
    records = RecordKeeper(
        SqlRecords(database, call_store),
        RecordKeys(people),
        Sources(
            people, call_store, SqlChat(database), SqlFiles(database), procedures, book, signing,
            quality.of_call, SqlSteps(database, call_store).load,
        ),
    )  # fmt: skip
    call_store.when_closing(records.store.beside(records.of_closing))
    bundles = RecordBundles(
        records.store,
        records.keys,
        call_store,
        SqlChat(database),
        SqlFiles(database),
        blobs,
        audit,
        signing,
        SqlDeletions(database),
    )
    deliveries = await deliveries_of(
        settings.hooks, box, webhooks, call_store, people, book, bundles, audit, clock
    )
    call_store.when_closed(deliveries.wake)
    counted = SqlCounts(database, people)
    paths = PathWatch(gate, media, hub, present, relay, settings.relay.use, clock=clock)
    watch.follow(paths)
    return Parts(
        settings=settings,
        clock=clock,
        epoch=new_id(),
        database=database,
        people=people,
        sessions=sessions,
        sign_in=sign_in,
        oidc=oidc,
        factors=factor_store,
        second_factor=SecondFactor(*people_stores, clock=clock, notes=audit),
        fresh=FreshSignIns(),
        recoveries=Recoveries(*people_stores, clock=clock, notes=audit),
        calls=call_store,
        keys=keys,
        gate=gate,
        audit=audit,
        signing=signing,
        export=export_of(settings, audit, SqlExported(database), people, book),
        outbox=box,
        webhooks=webhooks,
        deliveries=deliveries,
        policies=book,
        policy_store=policy_store,
        tallies=tallies,
        review=PolicyReview(policy_store, book, audit, tallies, clock=clock),
        officer_lines=OfficerLines(audit),
        present=present,
        paths=paths,
        chat=ChatLog(SqlChat(database)),
        uploads=uploads,
        copies=Copies(uploads, SqlFiles(database), blobs, call_store.data_key),
        media=media,
        relay=relay,
        registry=registry,
        hub=hub,
        catalog=catalog,
        procedures=procedures,
        administration=Administration(
            people, procedure_store, sign_in, clerk_sign_in, policy_store, clock=clock
        ),
        templates=ProcedureReview(procedure_store, procedures, clock=clock),
        procedure_store=procedure_store,
        loop_lag=LoopLag(),
        prechecks=Prechecks(
            media, blobs, scanner, lambda x: keys.call(x, keys.fresh_call(x)), clock=clock
        ),
        precheck_store=SqlPrechecks(database),
        clerks=clerk_sign_in,
        shifts=Shifts(),
        tablets=TabletProof(keys.mac_key("tablet-page")),
        retention=Retention(
            SqlDeletions(database), BlobShredder(blobs), signing, audit, book, SqlExported(database)
        ),
        times=CallTimes(hub, gate, book, clock=clock),
        steps=call_steps,
        steps_told=steps_told,
        quality=quality,
        records=records,
        bundles=bundles,
        paper=RecordPaper(records.store, records.keys),
        api_tokens=SqlApiTokens(database),
        bad_tokens=BadTokens(),
        counted=counted,
        counts=CountMonths(counted, audit, clock=clock),
    )


def build_media(
    settings: Settings, events: MediaEvents, ends_with_us: Callable[[], bool]
) -> MediaEngine:
    """Return the engine that `[media] processes` asks for."""
    port = settings.media
    if port.processes == 0:
        return LocalEngine(MediaNode(port.node(), events))
    return Fleet(
        tuple(port.node(index) for index in range(port.processes)),
        settings.data.folder / "media",
        events,
        resume_seconds=settings.calls.resume_seconds,
        ends_with_us=ends_with_us,
    )


def create_app(parts: Parts) -> web.Application:
    """Return the application over `parts`; it starts and stops what runs beside it."""
    app = web.Application(middlewares=[errors, same_origin], client_max_size=8 * 1024 * 1024)
    app[PARTS] = parts
    app.on_response_prepare.append(add_headers)
    people = (accounts, clerks, second_step, factors, recoveries)
    for module in (
        *people,
        administration,
        approvals,
        audit,
        deletions,
        calls,
        eligibility,
        files,
        guests,
        hooks,
        rest,
        tokens,
        counts,
        oidc,
        officers,
        ops,
        openapi,
        policies,
        procedure_routes,
        prechecks,
        record_routes,
        steps,
        stills,
    ):
        app.router.add_routes(module.routes)
    app.router.add_get(SOCKET_PATH, socket.live)
    pages.add_pages(app)
    app.cleanup_ctx.append(running)
    app.cleanup_ctx.append(housekeeping)
    app.on_shutdown.append(close_pages)
    return app


async def running(app: web.Application) -> AsyncIterator[None]:
    """Start the media engine and take up what was open; stop both at the end."""
    parts = app[PARTS]
    beside = [asyncio.create_task(parts.loop_lag.watch())]
    beside.append(asyncio.create_task(parts.deliveries.run()))
    if parts.export is not None:
        beside.append(asyncio.create_task(parts.export.run()))
    try:
        await parts.media.start()
        await parts.uploads.recover()
        await parts.prechecks.sweep()
        for municipality_id, person_id in await parts.people.open_desks():
            parts.registry.desks.restore(person_id, municipality_id)
        await parts.registry.restore()
        await parts.records.find_owed()
        await parts.uploads.drop_orphans(await parts.calls.open_ids())
        yield
    finally:
        for task in beside:
            task.cancel()
        await parts.paths.stop()
        await asyncio.gather(*beside, return_exceptions=True)
        await parts.prechecks.stop()
        await parts.registry.stop()
        await parts.quality.stop()
        await parts.oidc.close()
        await parts.media.stop()
        try:
            await sign_logs(parts)
            await parts.tallies.flush()
        finally:
            await parts.database.close()


async def sign_logs(parts: Parts) -> None:
    """Sign every audit log as it stands at the stop; one that does not verify stops no other."""
    for home in await parts.people.municipalities():
        try:
            await parts.signing.sign(home.id, parts.clock())
        except MadoguchiError as error:
            log.error("audit log of %s was not signed: %s", home.id, error.message)


async def close_pages(app: web.Application) -> None:
    """Tell every page to come back later."""
    for _, live in app[PARTS].hub.seats.live():
        live.close(AWAY, "stopping")


@dataclass(frozen=True, slots=True)
class Service:
    """A running service. `base_url` is where pages of this machine reach it.

    Whoever wants it to listen at a further address adds a site to `runner`.
    """

    parts: Parts
    base_url: str
    runner: web.AppRunner


@contextlib.asynccontextmanager
async def running_service(
    settings: Settings,
    *,
    tls: ssl.SSLContext | None = None,
    media_ends_with_us: Callable[[], bool] = lambda: True,
    clock: Callable[[], datetime] = utc_now,
) -> AsyncIterator[Service]:
    """Run the service until the block ends. Port 0 takes a free one."""
    keep_heaps_few()
    parts = await build_parts(settings, media_ends_with_us, clock)
    runner = web.AppRunner(create_app(parts), access_log=None, shutdown_timeout=3.0)
    try:
        await runner.setup()
        await _listen(runner, settings, tls)
        port = runner.addresses[0][1]
        scheme = "https" if tls else "http"
        yield Service(parts, f"{scheme}://localhost:{port}", runner)
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, settings: Settings, tls: ssl.SSLContext | None) -> None:
    host, port = settings.server.host, settings.server.port
    try:
        await web.TCPSite(runner, host, port, ssl_context=tls).start()
    except OSError as error:
        # asyncio's own words name the address already; its strerror is a whole sentence.
        why = os.strerror(error.errno) if error.errno else str(error)
        raise Unavailable(f"{host} port {port} cannot be opened: {why}") from error


async def serve(
    settings: Settings, *, media_ends_with_us: Callable[[], bool] = lambda: False
) -> None:
    """Run the service until cancelled. Calls go on meanwhile, unless they end with us.

    Raises `Unavailable` when a port is taken or the certificate files cannot be used.
    """
    files = settings.server.tls_certificate, settings.server.tls_key
    own = Certificate(files[0], files[1]) if files[0] and files[1] else None
    tls = own.context if own else None
    async with running_service(settings, tls=tls, media_ends_with_us=media_ends_with_us) as service:
        log.info("serving at %s", service.base_url)
        parts = service.parts

        async def lowest() -> str:
            every = await parts.people.municipalities()
            return parts.policies.tls_minimum(one.id for one in every)

        await (own.watch(lowest) if own else asyncio.Event().wait())
