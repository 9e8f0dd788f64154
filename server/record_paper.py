"""The PDF of a record: gathers what stands on the page, and has it pressed in another process."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from datetime import datetime

from security.errors import Unavailable
from server.db.records import SqlRecords
from server.hooks.plugins import PASSED
from server.record_keys import RecordKeys
from server.records.bundle import sha256_hex
from server.records.page import SIZES, Paper, html_of
from server.records.press import NO_FONT, NO_PANGO
from server.records.record import Record, read_addition, read_record
from server.words import Language, words_of

SECONDS = 60.0
AT_ONCE = 2
NEEDS = {
    NO_PANGO: "Pango is missing: install libpango-1.0-0, libpangoft2-1.0-0, libharfbuzz-subset0",
    NO_FONT: "a Japanese font is missing: install fonts-noto-cjk or fonts-ipaexfont",
}


class RecordPaper:
    """Makes pages of records as PDF, two at a time."""

    def __init__(self, store: SqlRecords, keys: RecordKeys) -> None:
        self._store = store
        self._keys = keys
        self._room = asyncio.Semaphore(AT_ONCE)

    async def pdf(
        self, home: str, record_id: str, *, language: Language, by: str, now: datetime
    ) -> tuple[Record, bytes]:
        """Return a record and its page as PDF; `by` is named on it.

        Raises `NotFound`, `Corrupt`, and `Unavailable` `no_pdf` where this machine cannot make it.
        """
        kept = await self._store.get(home, record_id)
        record = read_record(kept.record.content)
        basis = await self._store.basis(home, record.procedure.template.sha256)
        paper = Paper(
            record=record,
            sha256=sha256_hex(kept.record.content),
            signature=kept.record.signature,
            key=await self._keys.public_key(home),
            additions=[read_addition(one.content) for one in kept.additions],
            template=json.loads(basis),
            words=words_of(language),
            language=language,
        )
        page = html_of(paper, made_at=now, by=by)
        async with self._room:
            return record, await press(page.encode())


async def press(page: bytes, *, seconds: float = SECONDS) -> bytes:
    """Return the PDF of a page of HTML. Raises `Unavailable` `no_pdf`, and says what is missing."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server.records.press", *(str(size) for size in SIZES)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={key: os.environ[key] for key in PASSED if key in os.environ},
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(seconds):
            made, _ = await process.communicate(page)
    except TimeoutError:
        raise Unavailable(f"a PDF took longer than {seconds:g} s", code="no_pdf") from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    if process.returncode != 0 or not made.startswith(b"%PDF-"):
        why = NEEDS.get(process.returncode or 0, "the PDF could not be made")
        raise Unavailable(why, code="no_pdf")
    return made
