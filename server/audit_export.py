"""Sends committed audit entries to a syslog receiver, beside everything else and late if need be.

It reads the log as any reader does, so no commit ever waits for it and none is lost: what could
not be sent stands in the log, and its position in the database. An entry counts as delivered when
the receiver's machine has acknowledged it and the connection was still there `settle_seconds`
later; whatever is younger when a connection breaks or the server stops is sent once more.
"""

import asyncio
import contextlib
import logging
import socket
import time
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

from security.audit.syslog import Sender, framed, message
from security.errors import MadoguchiError, Unavailable
from server.db.audit import SqlAudit
from server.db.audit_export import SqlExported
from server.db.people import SqlPeople
from server.policies import PolicyBook
from server.settings import Settings
from server.syslog_link import Receiver, SyslogLink

log = logging.getLogger(__name__)
BATCH = 200
LOOK_SECONDS = 1.0
SETTLE_SECONDS = 5.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 60.0
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sent:
    """What was acknowledged at a moment of the monotonic clock."""

    at: float
    municipality_id: str
    position: int


class AuditExport:
    """`wanted` returns the municipalities whose policy sends their log away."""

    def __init__(
        self,
        audit: SqlAudit,
        exported: SqlExported,
        wanted: Callable[[], Awaitable[list[str]]],
        sender: Sender,
        receiver: Receiver,
        *,
        settle_seconds: float = SETTLE_SECONDS,
        first_pause_seconds: float = FIRST_PAUSE_SECONDS,
    ) -> None:
        self._audit = audit
        self._exported = exported
        self._wanted = wanted
        self._sender = sender
        self._receiver = receiver
        self._settle_seconds = settle_seconds
        self._first_pause_seconds = first_pause_seconds
        self._link: SyslogLink | None = None
        self._reached: dict[str, int] = {}
        self._unsettled: deque[Sent] = deque()
        self._committed = asyncio.Event()
        self._at_work = False
        # Its own thread: a receiver that hangs keeps no password waiting.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="syslog")

    @property
    def connected(self) -> bool:
        """Tell whether the receiver was there at the last look."""
        return self._link is not None

    def committed(self) -> None:
        """Look at once: an entry was written."""
        self._committed.set()

    async def run(self) -> None:
        """Send until cancelled."""
        pause = self._first_pause_seconds
        try:
            while True:
                try:
                    await self.look()
                    pause = self._first_pause_seconds
                    await self._wait_for_more()
                except Exception as error:
                    # Whatever it is, what was not sent is sent after the pause.
                    await self._break(error)
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        finally:
            await self._close()
            self._thread.shutdown(wait=False)

    async def _wait_for_more(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                await self._committed.wait()

    async def look(self) -> None:
        """Send everything that is there, and remember what has settled. Raises `Unavailable`."""
        self._committed.clear()
        for municipality_id in await self._wanted():
            link = await self._connect()
            while await self._send_some(link, municipality_id):
                await self._settle(link)
        if self._link is not None:
            await self._settle(self._link)

    async def _send_some(self, link: SyslogLink, municipality_id: str) -> bool:
        if municipality_id not in self._reached:
            self._reached[municipality_id] = await self._exported.position(municipality_id)
        start = self._reached[municipality_id]
        batch = await self._audit.after(municipality_id, start, limit=BATCH)
        if not batch:
            return False
        frames = b"".join(framed(message(self._sender, municipality_id, one)) for one in batch)
        await self._in_thread(lambda: link.send(frames))
        position = batch[-1].position
        self._reached[municipality_id] = position
        self._unsettled.append(Sent(time.monotonic(), municipality_id, position))
        return True

    async def _settle(self, link: SyslogLink) -> None:
        await self._in_thread(link.require_open)
        before = time.monotonic() - self._settle_seconds
        settled: dict[str, int] = {}
        while self._unsettled and self._unsettled[0].at <= before:
            sent = self._unsettled.popleft()
            settled[sent.municipality_id] = sent.position
        for municipality_id, position in settled.items():
            await self._exported.advance(municipality_id, position)

    async def _connect(self) -> SyslogLink:
        if self._link is None:
            await self._in_thread(self._open)
            log.info("the audit log goes to the syslog receiver")
        if self._link is None:
            raise Unavailable("the syslog receiver went away")
        return self._link

    async def _break(self, error: Exception) -> None:
        why = error.message if isinstance(error, MadoguchiError) else type(error).__name__
        log.warning("the audit log does not reach its syslog receiver: %s", why)
        try:
            await self._close()
        except Exception:
            log.exception("the connection to the syslog receiver was not closed")

    async def _close(self) -> None:
        self._unsettled.clear()
        self._reached.clear()
        if not self._at_work:
            await self._in_thread(self._drop)
            return
        # Cancelled in the middle: nobody waits for what the thread has begun.
        if self._link is not None:
            self._link.abort()
        self._thread.submit(self._drop)

    def _open(self) -> None:
        self._link = SyslogLink(self._receiver)

    def _drop(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()

    async def _in_thread(self, work: Callable[[], T]) -> T:
        future = asyncio.get_running_loop().run_in_executor(self._thread, self._watched, work)
        return await future

    def _watched(self, work: Callable[[], T]) -> T:
        self._at_work = True
        try:
            return work()
        finally:
            self._at_work = False


def export_of(
    settings: Settings,
    audit: SqlAudit,
    exported: SqlExported,
    people: SqlPeople,
    book: PolicyBook,
) -> AuditExport | None:
    """Return what sends the audit log away, None where no receiver is set."""
    receiver = settings.syslog.receiver()
    if receiver is None:
        return None

    async def wanted() -> list[str]:
        every = await people.municipalities()
        return [one.id for one in every if book.of(one.id).policy.audit.export == "syslog"]

    public = settings.server.public_url
    hostname = (urlsplit(public).hostname if public else None) or socket.gethostname()
    sender = Sender(hostname, settings.syslog.enterprise)
    export = AuditExport(audit, exported, wanted, sender, receiver)
    audit.when_committed(export.committed)
    return export
