"""Takes files of a call over into another: opened with the one's key, sealed with the other's."""

import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime

from files.blobs import Blobs
from files.entry import FileEntry, FileState
from files.opened import OpenedFile
from files.sealing import opened_entry, place_of
from files.store import FileStore
from files.tus import Creation
from files.uploads import Uploads
from security.crypto.keys import DataKey
from security.errors import MadoguchiError, NotFound
from security.gate import Permit

log = logging.getLogger(__name__)


class Copies:
    """A copy goes the way of every file: it is checked, scanned and marked like one."""

    def __init__(
        self,
        uploads: Uploads,
        store: FileStore,
        blobs: Blobs,
        key_of_call: Callable[[str, str], Awaitable[DataKey]],
    ) -> None:
        self._uploads = uploads
        self._store = store
        self._blobs = blobs
        self._key_of_call = key_of_call

    async def copy(
        self,
        may_take: Permit,
        may_send: Permit,
        source: tuple[str, str],
        call_id: str,
        *,
        now: datetime,
    ) -> FileEntry:
        """Return the file of `source` (ids of its call and of itself) as one of the call `call_id`.

        It keeps its sender and who has had it, and stays a still. `may_take` is for
        "step.take_over" and `may_send` for "file.send", both on `call_id`. Raises `NotFound` for
        what is not offered (any more), and as `Uploads` does; then nothing of the copy is left.
        """
        may_take.require("step.take_over", call_id)
        home, (source_call, file_id) = may_take.municipality_id, source
        stored = await self._store.get(home, file_id)
        if stored is None or stored.entry.call_id != source_call:
            raise NotFound("there is no such file")
        key = await self._key_of_call(home, source_call)
        entry = opened_entry(stored, key)
        if entry.state is not FileState.OFFERED or entry.sha256_offered is None:
            raise NotFound("this file is no more")
        opened = await OpenedFile.open(entry, self._blobs, key, place_of(entry))
        async with opened:
            creation = Creation(entry.name, opened.length, entry.sha256_offered)
            made = await self._uploads.create(
                may_send,
                call_id,
                entry.party,
                entry.person_id,
                creation,
                now=now,
                still=entry.still,
            )
            ids = (call_id, made.id, entry.party)
            try:
                await self._uploads.append(may_send, *ids, 0, opened.pieces())
                made = await self._uploads.complete(may_send, *ids)
                for taker in entry.taken_by:
                    await self._store.take(made, taker, now)
            except BaseException:
                await self.undo(may_take, call_id, [made.id])
                raise
            return made

    async def undo(self, may_take: Permit, call_id: str, file_ids: Iterable[str]) -> None:
        """Withdraw copies of which nothing came; one that cannot be is logged and stays."""
        for file_id in file_ids:
            try:
                await self._uploads.take_back(may_take, call_id, file_id)
            except MadoguchiError as error:
                log.warning("copy %s is not withdrawn: %s", file_id, error.code)
