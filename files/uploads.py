"""Files of a call: created, sent in any number of tries, checked, offered, read. Takes permits.

Bytes are there before the store says so, and go after it has said so; the page is told last. So a
process that is killed anywhere leaves a state from which `recover` goes on.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime

from files.arrival import MAX_EXTRA_PARTS, Arrival, until_stopped
from files.blobs import Blobs, in_thread
from files.claims import Claim, Claims
from files.entry import FileEntry, FileState
from files.inspect import Inspect, IsTraining, inspect_nothing, no_training, offered
from files.limits import FileLimits
from files.opened import OpenedFile
from files.parts import PART_BYTES, Parts, is_part
from files.sealing import opened_entry, place_of, sealed
from files.space import Space, needed_bytes
from files.store import FileStore, StoredFile
from files.tus import Creation
from security.crypto.keys import DataKey
from security.errors import Conflict, Denied, MadoguchiError, NotFound, TooMuch, Unavailable
from security.gate import Permit
from security.ids import new_id

__all__ = ["FileStore", "OpenedFile", "StoredFile", "Uploads"]

log = logging.getLogger(__name__)

MAX_BYTES = 50_000_000
MAX_PER_CALL = 50

KeyOfCall = Callable[[str, str], Awaitable[DataKey]]
"""Gives the data key of (municipality id, call id); raises `NotFound` when it was destroyed."""

OnChange = Callable[[FileEntry, int], Awaitable[None]]
"""Is told of every change of state and of every part that has arrived, with the bytes received."""


async def _tell_nobody(entry: FileEntry, received_bytes: int) -> None:
    return None


class Uploads:
    """The files of all calls of this process.

    `party` is the end that asks ("counter", "desk"); only the sender may send or withdraw.
    """

    def __init__(
        self,
        store: FileStore,
        blobs: Blobs,
        key_of_call: KeyOfCall,
        *,
        max_bytes: int = MAX_BYTES,
        max_per_call: int = MAX_PER_CALL,
        tighten: Callable[[str, FileLimits], FileLimits] | None = None,
    ) -> None:
        self.max_bytes = max_bytes
        self._own = FileLimits(max_bytes, max_per_call)
        self._tighten = tighten
        self._store = store
        self._blobs = blobs
        self._key_of_call = key_of_call
        self._claims = Claims()
        self._space = Space()
        self._creating = asyncio.Lock()
        self._checking = asyncio.Semaphore(1)  # a picture may need half a gigabyte while it is made
        self._on_change: OnChange = _tell_nobody
        self._inspect: Inspect = inspect_nothing
        self._is_training: IsTraining = no_training

    def limits_of(self, municipality_id: str) -> FileLimits:
        """Return the limits that hold in a municipality."""
        return self._tighten(municipality_id, self._own) if self._tighten else self._own

    def listen(self, on_change: OnChange) -> None:
        """Have `on_change` awaited at every change and after every part; it may throttle."""
        self._on_change = on_change

    def inspect_by(self, inspect: Inspect, is_training: IsTraining = no_training) -> None:
        """Have both awaited before a file is offered: pictures of training calls are marked."""
        self._inspect, self._is_training = inspect, is_training

    async def create(
        self,
        permit: Permit,
        call_id: str,
        party: str,
        person_id: str,
        creation: Creation,
        *,
        now: datetime,
        still: bool = False,
    ) -> FileEntry:
        """Return a new file, arriving, of which no byte is there yet; `still` when it is one.

        `permit` is for "file.send" on the call. Raises `TooMuch` (`too_large`, `too_many_files`)
        and `Unavailable` (`disk_full`) when it would not fit beside its parts and beside what the
        files on their way may still take.
        """
        permit.require("file.send", call_id)
        limits = self.limits_of(permit.municipality_id)
        if creation.size_bytes > limits.max_bytes:
            raise TooMuch("the file is too large", limit=limits.max_bytes, unit="bytes")
        key = await self._key_of_call(permit.municipality_id, call_id)
        entry = FileEntry(
            id=new_id(),
            municipality_id=permit.municipality_id,
            call_id=call_id,
            party=party,
            person_id=person_id,
            name=creation.name,
            size_bytes=creation.size_bytes,
            sha256_sent=creation.sha256,
            at=now,
            still=still,
        )
        async with self._creating:
            known = await self._store.list_of_call(permit.municipality_id, call_id)
            if len(known) >= limits.max_per_call:
                raise TooMuch(
                    "this call has too many files",
                    limit=limits.max_per_call,
                    unit="files",
                    code="too_many_files",
                    http_status=429,
                )
            needed = needed_bytes(creation.size_bytes) + self._space.promised_bytes
            await in_thread(self._blobs.check_room, needed)
            await self._store.add(sealed(entry, key))
            self._space.note(entry, 0)
        await self._tell(entry, 0)
        return entry

    async def offset(
        self, permit: Permit, call_id: str, file_id: str, party: str
    ) -> tuple[FileEntry, int]:
        """Return the file and from which byte on it may be sent (tus HEAD).

        A PATCH that is still under way is stopped first, with what it has brought kept: the
        sender asks because its connection is lost. `permit` is for "file.send" on the call.
        Raises `NotFound` when the file was refused or withdrawn.
        """
        permit.require("file.send", call_id)
        await self._sent_by(party, permit.municipality_id, call_id, file_id)
        await self._claims.stop(file_id)
        entry, _ = await self._sent_by(party, permit.municipality_id, call_id, file_id)
        if entry.state in {FileState.REFUSED, FileState.WITHDRAWN}:
            raise NotFound("this file is no more")
        return entry, await self.received_bytes(entry)

    async def append(
        self,
        permit: Permit,
        call_id: str,
        file_id: str,
        party: str,
        offset: int,
        body: AsyncIterator[bytes],
        *,
        sha256: bytes | None = None,
        body_bytes: int | None = None,
    ) -> int:
        """Keep the body of one PATCH and return the new offset; it is durable then.

        When that is the file's size, call `complete`. `sha256` is the digest of this body, if the
        peer gave it; `body_bytes` its length, if known. `permit` is for "file.send" on the call.

        Raises `Conflict` (`wrong_offset` when `offset` is not where the file ends, `wrong_state`
        when it is not arriving, `conflict` when another request sends or takes over), and as
        `Arrival.take` does. A full disk refuses the file, so that its parts make room.
        """
        permit.require("file.send", call_id)
        with self._claims.hold(file_id) as claim:
            entry, key = await self._sent_by(party, permit.municipality_id, call_id, file_id)
            _require_arriving(entry)
            parts = self._parts(entry)
            await self._check_start(entry, parts, offset, body_bytes)
            try:
                return await self._take(claim, entry, key, offset, body, sha256)
            except Unavailable as error:
                await self._drop(entry, key, FileState.REFUSED, reason=error.code)
                raise

    async def complete(self, permit: Permit, call_id: str, file_id: str, party: str) -> FileEntry:
        """Check a file of which every byte has arrived, and return it offered or refused.

        A refused one says why in `reason` and none of its bytes are kept. One that was checked
        already comes back as it is, so that a retry does no harm. `permit` is for "file.send" on
        the call. Raises `Conflict` (`wrong_state`) when bytes are missing or it was withdrawn.
        """
        permit.require("file.send", call_id)
        await self._sent_by(party, permit.municipality_id, call_id, file_id)
        await self._claims.stop(file_id)
        with self._claims.hold(file_id):
            entry, key = await self._sent_by(party, permit.municipality_id, call_id, file_id)
            if entry.state in {FileState.OFFERED, FileState.REFUSED}:
                return entry
            # One that is being checked by nobody: the store failed when its check had ended.
            if entry.state is not FileState.CHECKING:
                _require_arriving(entry)
            if await self.received_bytes(entry) != entry.size_bytes:
                raise Conflict("bytes of the file are missing", code="wrong_state")
            return await self._check(entry, key)

    async def withdraw(self, permit: Permit, call_id: str, file_id: str, party: str) -> FileEntry:
        """Take back a file that is still arriving; none of its bytes are kept.

        `permit` is for "file.withdraw" on the file. Raises `Conflict` (`wrong_state`) when it is
        no longer arriving.
        """
        permit.require("file.withdraw", file_id)
        await self._sent_by(party, permit.municipality_id, call_id, file_id)
        await self._claims.stop(file_id)
        with self._claims.hold(file_id):
            entry, key = await self._sent_by(party, permit.municipality_id, call_id, file_id)
            _require_arriving(entry)
            return await self._drop(entry, key, FileState.WITHDRAWN)

    async def take_back(self, permit: Permit, call_id: str, file_id: str) -> None:
        """Withdraw a copy, even one that is offered; none of its bytes are kept.

        `permit` is for "step.take_over" on the call. Raises `NotFound`, `Conflict`, `Unavailable`.
        """
        permit.require("step.take_over", call_id)
        entry, key = await self._of_call(permit.municipality_id, call_id, file_id)
        if entry.state not in (FileState.REFUSED, FileState.WITHDRAWN):
            await self._drop(entry, key, FileState.WITHDRAWN)

    async def is_still(self, municipality_id: str, file_id: str) -> bool:
        """Tell whether a file is a still, which is seen by fewer than a file."""
        stored = await self._store.get(municipality_id, file_id)
        return stored is not None and stored.entry.still

    async def mark_still(self, municipality_id: str, file_id: str) -> None:
        """Note that a file serves as a still from now on."""
        await self._store.mark_still(municipality_id, file_id)

    async def had(self, municipality_id: str, file_id: str, taker: str) -> bool:
        """Tell whether `taker` ("counter" or a person's id) has had the bytes of the file."""
        stored = await self._store.get(municipality_id, file_id)
        return stored is not None and taker in stored.entry.taken_by

    async def open(
        self, permit: Permit, call_id: str, file_id: str, taker: str, *, now: datetime
    ) -> OpenedFile:
        """Return the offered bytes for `taker`, to be used in `async with`.

        `permit` is for "file.read" on the file. Raises `Conflict` (`wrong_state`) while it is not
        offered, `Denied` (`already_taken`) for the second of two at once where each gets a file
        once, `NotFound`, `Corrupt`.
        """
        permit.require("file.read", file_id)
        entry, key = await self._of_call(permit.municipality_id, call_id, file_id)
        if entry.state is not FileState.OFFERED:
            raise Conflict("the file is not offered", code="wrong_state")
        opened = await OpenedFile.open(entry, self._blobs, key, place_of(entry))
        opened.is_first = await self._store.take(entry, taker, now)
        if not opened.is_first and self.limits_of(permit.municipality_id).one_time:
            async with opened:
                raise Denied("each gets a file once", code="already_taken")
        return opened

    async def settle(self, opened: OpenedFile, taker: str, *, whole: bool) -> None:
        """Say whether the bytes of `opened` reached `taker`, who else may have them again."""
        if not opened.is_first:
            return
        if not whole:
            await self._store.give_back(opened.entry, taker)
        elif self.limits_of(opened.entry.municipality_id).one_time:
            ids = (opened.entry.municipality_id, opened.entry.call_id, opened.entry.id)
            entry, _ = await self._of_call(*ids)
            await self._tell(entry, entry.size_bytes)

    async def list_of_call(self, permit: Permit, call_id: str) -> list[FileEntry]:
        """Return the call's files in every state, oldest first.

        `permit` is for "call.read" on the call.
        """
        permit.require("call.read", call_id)
        stored = await self._store.list_of_call(permit.municipality_id, call_id)
        if not stored:
            return []
        key = await self._key_of_call(permit.municipality_id, call_id)
        return [opened_entry(file, key) for file in stored]

    async def received_bytes(self, entry: FileEntry) -> int:
        """Return how many bytes of the file have arrived; 0 when they are no longer kept."""
        if entry.state is FileState.ARRIVING:
            return await in_thread(self._parts(entry).received)
        return entry.size_bytes if entry.state in {FileState.CHECKING, FileState.OFFERED} else 0

    async def drop_unfinished(self, municipality_id: str, call_id: str) -> None:
        """Withdraw what is still arriving, since the call is over; what is checked goes on."""
        for file in await self._store.list_of_call(municipality_id, call_id):
            if file.entry.state is not FileState.ARRIVING:
                continue
            await self._claims.stop(file.entry.id)
            with self._claims.hold(file.entry.id):
                entry, key = await self._of_call(municipality_id, call_id, file.entry.id)
                if entry.state is FileState.ARRIVING:
                    await self._drop(entry, key, FileState.WITHDRAWN)

    async def drop_orphans(self, open_call_ids: Collection[str]) -> None:
        """Withdraw what is still arriving in calls that are over.

        A process that is killed between the end of a call and `drop_unfinished` leaves such.
        """
        for file in await self._store.unfinished():
            entry = file.entry
            if entry.state is not FileState.ARRIVING or entry.call_id in open_call_ids:
                continue
            try:
                await self.drop_unfinished(entry.municipality_id, entry.call_id)
            except MadoguchiError as error:
                log.error("file %s could not be dropped: %s", entry.id, error.code)

    async def recover(self) -> None:
        """Take up what a process before this one has left; call it before the first request.

        Arriving files stay resumable; one that has arrived in full, or was being checked, is
        checked now; bytes that belong to nothing any more are removed.
        """
        await in_thread(self._blobs.sweep)
        unfinished = await self._store.unfinished()
        await in_thread(self._remove_stray_parts, {place_of(f.entry).folder for f in unfinished})
        for file in unfinished:
            try:
                await self._recover(file)
            except MadoguchiError as error:
                log.error("file %s could not be taken up: %s", file.entry.id, error.code)

    async def _recover(self, file: StoredFile) -> None:
        key = await self._key_of_call(file.entry.municipality_id, file.entry.call_id)
        entry = opened_entry(file, key)
        with self._claims.hold(entry.id):
            received_bytes = await self.received_bytes(entry)
            self._space.note(entry, received_bytes)
            if received_bytes == entry.size_bytes:
                await self._check(entry, key)

    def _remove_stray_parts(self, kept_folders: set[str]) -> None:
        strays = [
            name
            for name in self._blobs.names()
            if is_part(name) and name.rpartition("/")[0] not in kept_folders
        ]
        for name in strays:
            self._blobs.delete(name)

    async def _check_start(
        self, entry: FileEntry, parts: Parts, offset: int, body_bytes: int | None
    ) -> None:
        lengths = await in_thread(parts.lengths)
        if offset != sum(lengths.values()):
            raise Conflict("the file goes on at another offset", code="wrong_offset")
        if body_bytes is not None and offset + body_bytes > entry.size_bytes:
            raise TooMuch("more bytes than were announced", limit=entry.size_bytes, unit="bytes")
        most = entry.size_bytes // PART_BYTES + MAX_EXTRA_PARTS
        if len(lengths) > most:
            raise TooMuch(
                "the file comes in too many pieces",
                limit=most,
                unit="pieces",
                code="too_fast",
                http_status=429,
            )

    async def _take(
        self,
        claim: Claim,
        entry: FileEntry,
        key: DataKey,
        offset: int,
        body: AsyncIterator[bytes],
        sha256: bytes | None,
    ) -> int:
        async def progress(received_bytes: int) -> None:
            await self._tell(entry, received_bytes)

        arrival = Arrival(
            self._parts(entry),
            key,
            offset=offset,
            size_bytes=entry.size_bytes,
            progress=progress,
        )
        async with aclosing(until_stopped(body, claim.stop)) as pieces:
            return await arrival.take(pieces, sha256)

    async def _check(self, entry: FileEntry, key: DataKey) -> FileEntry:
        if entry.state is FileState.ARRIVING:
            entry = await self._change(entry, replace(entry, state=FileState.CHECKING), key)
        try:
            async with self._checking:
                after = await offered(
                    entry,
                    self._blobs,
                    place_of(entry),
                    key,
                    allowed=self.limits_of(entry.municipality_id).media_types,
                    inspect=self._inspect,
                    is_training=self._is_training,
                )
        except MadoguchiError as error:
            log.warning("file %s is refused: %s", entry.id, error.code)
            return await self._drop(entry, key, FileState.REFUSED, reason=error.code)
        after = await self._change(entry, after, key)
        await in_thread(self._parts(entry).delete)
        return after

    async def _drop(
        self, entry: FileEntry, key: DataKey, state: FileState, *, reason: str | None = None
    ) -> FileEntry:
        # The store first: a file that is known to be dropped is never resumed, whatever is left.
        dropped = replace(entry, state=state, reason=reason)
        folder = place_of(entry).folder
        try:
            return await self._change(entry, dropped, key)
        except Unavailable:
            # On a full disk the bytes make room for the very line that says they are gone.
            await in_thread(self._blobs.delete_folder, folder)
            return await self._change(entry, dropped, key)
        finally:
            await in_thread(self._blobs.delete_folder, folder)

    async def _change(self, before: FileEntry, after: FileEntry, key: DataKey) -> FileEntry:
        if not await self._store.change(sealed(after, key), expected=before.state):
            raise Conflict("the file has changed meanwhile", code="wrong_state")
        log.info("file %s: %s -> %s", after.id, before.state, after.state)
        await self._tell(after, await self.received_bytes(after))
        return after

    async def _of_call(
        self, municipality_id: str, call_id: str, file_id: str
    ) -> tuple[FileEntry, DataKey]:
        stored = await self._store.get(municipality_id, file_id)
        if stored is None or stored.entry.call_id != call_id:
            raise NotFound("no such file in this call")
        key = await self._key_of_call(municipality_id, call_id)
        return opened_entry(stored, key), key

    async def _sent_by(
        self, party: str, municipality_id: str, call_id: str, file_id: str
    ) -> tuple[FileEntry, DataKey]:
        entry, key = await self._of_call(municipality_id, call_id, file_id)
        if entry.party != party:
            raise Denied("only the sender of a file may do this")
        return entry, key

    async def _tell(self, entry: FileEntry, received_bytes: int) -> None:
        self._space.note(entry, received_bytes)
        try:
            await self._on_change(entry, received_bytes)
        except Exception:
            # Telling a page is not part of keeping a file.
            log.exception("file %s: nobody could be told", entry.id)

    def _parts(self, entry: FileEntry) -> Parts:
        return Parts(self._blobs, place_of(entry))


def _require_arriving(entry: FileEntry) -> None:
    if entry.state is not FileState.ARRIVING:
        raise Conflict("the file is not arriving any more", code="wrong_state")
