"""Carries checks out: one at a time for a tablet, and nothing of one stays but its result.

A check is a call of the tablet with itself. Its sound and pictures go to the media engine and
back to the same page, its file is checked like any other and removed, its message is answered.
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from files.blobs import FolderBlobs, in_thread
from files.entry import FileEntry
from files.inspect import Pieces
from files.scan import Scanner, Verdict
from files.uploads import Uploads
from media.engine import Joined, MediaEngine
from security.crypto.keys import DataKey
from security.errors import Conflict, Denied, MadoguchiError, NotFound, Unavailable
from security.gate import Permit
from security.ids import new_id
from security.people import Tablet
from security.policy.facts import CallFacts
from server.precheck.memory import MemoryFiles
from server.precheck.rules import Carried

log = logging.getLogger(__name__)
LIFE = timedelta(minutes=3)
MOST_AT_ONCE = 4  # each takes the room of a call in the media engine
MAX_FILE_BYTES = 256 * 1024
OUT, BACK = "out", "back"
_PREFIX = "precheck-"


@dataclass(slots=True)
class Run:
    """One check that goes on, of one tablet. `person_id` is the clerk who began it."""

    id: str
    municipality_id: str
    office_id: str
    tablet_id: str
    person_id: str
    ends_at: datetime
    key: DataKey
    echoed: bool = False
    file: FileEntry | None = None
    came_back: bool = False
    timer: asyncio.TimerHandle | None = None
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def as_call(self) -> CallFacts:
        """Return the check as the gate sees it: a call that the tablet has with itself."""
        return CallFacts(
            self.id, self.municipality_id, self.tablet_id, None, "talking", answered=True
        )


class Prechecks:
    """The checks that go on. `scanner` looks at their files, as it does at those of calls.

    `fresh_key` makes the key of a check by its id; it is forgotten with the check.
    """

    def __init__(
        self,
        media: MediaEngine,
        blobs: FolderBlobs,
        scanner: Scanner | None,
        fresh_key: Callable[[str], DataKey],
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._media = media
        self._blobs = blobs
        self._scanner = scanner
        self._fresh_key = fresh_key
        self._clock = clock
        self._runs: dict[str, Run] = {}
        self._known = MemoryFiles()
        self.files = Uploads(
            self._known, blobs, self._key_of, max_bytes=MAX_FILE_BYTES, max_per_call=1
        )
        self.files.inspect_by(self._inspect)

    async def begin(self, permit: Permit, tablet: Tablet, person_id: str) -> Run:
        """Begin a check in the place of the one before, and return it.

        `permit` is for "precheck.begin" on the tablet. Raises `Unavailable` (`busy`).
        """
        permit.require("precheck.begin", tablet.id)
        await self._drop(tablet.id)
        if len(self._runs) >= MOST_AT_ONCE:
            raise Unavailable("too many checks go on", code="busy")
        run_id = _PREFIX + new_id()
        run = Run(
            id=run_id,
            municipality_id=tablet.municipality_id,
            office_id=tablet.office_id,
            tablet_id=tablet.id,
            person_id=person_id,
            ends_at=self._clock() + LIFE,
            key=self._fresh_key(run_id),
        )
        loop = asyncio.get_running_loop()
        run.timer = loop.call_later(LIFE.total_seconds(), self._give_up, run)
        self._runs[tablet.id] = run
        return run

    def of(self, tablet: Tablet) -> Run:
        """Return the check of a tablet. Raises `Conflict` (`wrong_state`) when none goes on."""
        run = self._runs.get(tablet.id)
        if run is None:
            raise Conflict("no check goes on at this tablet", code="wrong_state")
        return run

    async def join(
        self, permit: Permit, run: Run, side: str, sdp: str, *, only_from: Collection[str] | None
    ) -> Joined:
        """Connect one end of the loop; what goes in at one comes out at the other.

        `permit` is for "media.join" on the check. Raises `Unavailable` (`busy`, `unavailable`)
        and what the engine raises.
        """
        permit.require("media.join", run.id)
        if self._media.held(run.id) is None:
            if not self._media.capacity().accepting:
                raise Unavailable("as many calls go on as can be carried", code="busy")
            await self._media.open_call(run.id)
            await self._media.set_gate(run.id, open=True)
        return await self._media.join(permit, run.id, side, sdp, only_from=only_from)

    def hosts(self, run: Run) -> frozenset[str]:
        """Return the addresses by which the tablet's sound and pictures came."""
        held = self._media.held(run.id)
        return frozenset(held.paths.values()) if held else frozenset()

    async def carried(self, run: Run, refused: str | None) -> Carried:
        """Return what the engine has seen; nothing when it had no part in it."""
        try:
            stats = await self._media.stats(run.id)
        except (NotFound, Unavailable):
            return Carried(refused=refused)
        out, back = stats.get(OUT), stats.get(BACK)
        if out is None or back is None:
            return Carried(refused=refused)
        trips = [x.rtt_seconds for x in (out, back) if x.rtt_seconds is not None]
        return Carried(
            received=out.packets_received,
            forwarded=back.packets_forwarded,
            lost=out.lost,
            width=out.width,
            height=out.height,
            rtt_ms=round(1000 * max(trips)) if trips else None,
            refused=refused,
        )

    async def end(self, run: Run) -> None:
        """End a check and leave nothing of it."""
        if self._runs.get(run.tablet_id) is run:
            await self._drop(run.tablet_id)

    async def stop(self) -> None:
        """End all checks."""
        for tablet_id in tuple(self._runs):
            await self._drop(tablet_id)

    async def sweep(self) -> None:
        """Remove what a killed process has left of checks; call it before the first request."""
        await in_thread(self._sweep)

    def _sweep(self) -> None:
        for name in tuple(self._blobs.names()):
            folder = name.split("/")[:2]
            if len(folder) == 2 and folder[1].startswith(_PREFIX):
                self._blobs.delete_folder("/".join(folder))

    def _give_up(self, run: Run) -> None:
        task = asyncio.get_running_loop().create_task(self.end(run))
        run.tasks.add(task)
        task.add_done_callback(run.tasks.discard)

    async def _drop(self, tablet_id: str) -> None:
        run = self._runs.get(tablet_id)
        if run is None:
            return
        if run.timer is not None:
            run.timer.cancel()
        await self._media.close_call(run.id)
        try:
            await self.files.drop_unfinished(run.municipality_id, run.id)
        except MadoguchiError as error:
            log.warning("the file of a check could not be withdrawn: %s", error.code)
        finally:
            if self._runs.get(tablet_id) is run:
                del self._runs[tablet_id]
            self._known.forget(run.id)
        await in_thread(self._blobs.delete_folder, f"{run.municipality_id}/{run.id}")

    async def _key_of(self, municipality_id: str, call_id: str) -> DataKey:
        for run in self._runs.values():
            if (run.municipality_id, run.id) == (municipality_id, call_id):
                return run.key
        raise NotFound("this check is over")

    async def _inspect(self, entry: FileEntry, pieces: Pieces) -> str | None:
        """Have the scanner look, where there is one: whether it must is judged by its own row."""
        if self._scanner is None:
            return None
        try:
            verdict = await self._scanner.scan(pieces())
        except Unavailable:
            return "not"
        if verdict is Verdict.FOUND:
            raise Denied("the scanner found something malicious in the file", code="malware")
        return verdict.value
