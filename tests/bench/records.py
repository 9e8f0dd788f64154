"""What a record costs: the close of a call with it and without, and verifying one of 20 stills.

    .venv/bin/python -m tests.bench.records [--calls 100] [--stills 20] [--megabytes 2]

`close_with_record_ms` is the transaction that closes a call of 10 chat lines: everything read,
composed, signed, sealed and on disk (`synchronous=FULL`); `close_alone_ms` is the same without
the record. `make_ms` and `verify_ms` are a bundle with so many stills, all steps.
"""

import argparse
import asyncio
import io
import json
import os
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from chat.store import SealedMessage
from files.entry import FileEntry, FileState
from security.ids import new_id
from server.app import running_service
from server.calls.call import Call, Outcome, State
from server.db.chat import SqlChat
from server.demo.seed import Seed, settings_for, sow
from server.parts import Parts
from server.records import bundle
from server.records.compose import compose, template_bytes
from server.records.record import RECORD_LABEL, sign
from server.records.verify import Verifier
from tests.server import make_record_vectors as v

LINES = 10


async def _open_call(parts: Parts, seed: Seed, person_id: str) -> Call:
    """Return a call that was answered and talked in."""
    home, tablet_id = seed.municipality_id, seed.tablets[0]
    tablet = await parts.people.tablet(home, tablet_id)
    if tablet is None:
        raise LookupError(tablet_id)
    call_id, now = new_id(), parts.clock()
    wrapped = parts.keys.fresh_call(call_id)
    call = Call(
        call_id, f"R-{call_id[:12]}", home, tablet.office_id, tablet.id, seed.clerks[0],
        "new-issue", True, "{}", now, state=State.DECIDING, desk_id=person_id, answered_at=now,
    )  # fmt: skip
    await parts.calls.insert_numbered(home, "R-bench", lambda _: (call, wrapped))
    await parts.audit.note(home, "bench:call:open", call_id, {}, now=now)
    key, chat = parts.keys.call(call_id, wrapped), SqlChat(parts.database)
    for number in range(LINES):
        ids = ("chat", home, call_id, "desk", f"m{number}")
        sealed = key.seal("よろしくお願いします。".encode(), *ids)
        line = SealedMessage(home, call_id, "desk", person_id, f"m{number}", sealed, now)
        await chat.append(line)
    return call


async def _close(parts: Parts, call: Call) -> float:
    closed = replace(
        call, state=State.CLOSED, closed_at=parts.clock(), outcome=Outcome.RETURNED, reason="x",
        version=call.version + 1,
    )  # fmt: skip
    begun = time.perf_counter()
    await parts.calls.save(closed)
    return (time.perf_counter() - begun) * 1000


async def closes(calls: int) -> dict[str, list[float]]:
    """Return how long closes took, with the record and without, by turns."""
    found: dict[str, list[float]] = {"with_record": [], "alone": []}
    with tempfile.TemporaryDirectory() as folder:
        async with running_service(settings_for(Path(folder))) as service:
            parts = service.parts
            seed = await sow(parts.people)
            hooks = parts.calls.closing
            for number in range(calls * 2):
                which = "alone" if number % 2 else "with_record"
                call = await _open_call(parts, seed, seed.desks[0])
                parts.calls.closing = [] if number % 2 else hooks
                found[which].append(await _close(parts, call))
            parts.calls.closing = hooks
    return found


def bundles(stills: int, size: int) -> dict[str, float]:
    """Return how long a bundle of so many stills took to make and to verify."""
    content = {f"still-{n}": os.urandom(size) for n in range(stills)}
    files = [_file(each, data) for each, data in content.items()]
    record = v.record().model_copy(update={"evidence": _evidence(files)})
    said = record.to_bytes()
    contents = bundle.Contents(
        bundle.Signed(said, sign(v.KEY, RECORD_LABEL, said)),
        template_bytes(v.TEMPLATE), v.POLICY, v.CHAT, v.segment(), content,
    )  # fmt: skip
    begun = time.perf_counter()
    made = bundle.make(contents, v.KEY, now=v.AT)
    done = time.perf_counter()
    list(Verifier(io.BytesIO(made), v.public_key()).run())
    end = time.perf_counter()
    return {
        "megabytes": round(len(made) / 1e6, 1),
        "make_ms": round((done - begun) * 1000, 1),
        "verify_ms": round((end - done) * 1000, 1),
    }


def _file(each: str, data: bytes) -> FileEntry:
    sha256 = bundle.sha256_hex(data)
    return FileEntry(
        each, v.HOME, v.CALL, "counter", "clerk-1", "", len(data), sha256, v.AT,
        FileState.OFFERED, "image/jpeg", len(data), sha256,
    )  # fmt: skip


def _evidence(files: list[FileEntry]) -> Any:
    return compose(replace(v.known(), files=files)).evidence


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--stills", type=int, default=20)
    parser.add_argument("--megabytes", type=float, default=2.0)
    wanted = parser.parse_args()
    found = asyncio.run(closes(wanted.calls))
    said: dict[str, Any] = {"load": os.getloadavg()[0], "calls": wanted.calls}
    for which, times in found.items():
        said[f"close_{which}_ms"] = {
            "median": round(statistics.median(times), 1),
            "p95": round(statistics.quantiles(times, n=20)[-1], 1),
        }
    said["bundle"] = bundles(wanted.stills, round(wanted.megabytes * 1e6))
    print(json.dumps(said))


if __name__ == "__main__":
    main()
