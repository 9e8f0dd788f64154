"""The server's own part of a 開始前点検, by the same questions as `madoguchi check`."""

import asyncio
from datetime import datetime

from media.engine import MediaEngine
from security.errors import MadoguchiError
from security.policy.model import Policy
from server.check import machine, services
from server.check.finding import State
from server.db.engine import Database
from server.precheck import rules
from server.precheck.rules import Grade, Row
from server.settings import Settings

GRADES = {State.OK: Grade.GOOD, State.WARNING: Grade.FAIR, State.FAULT: Grade.BAD}
SLOW_WRITE_MS = 500


def media(engine: MediaEngine) -> Row:
    """Tell whether sound and pictures have somebody to carry them."""
    return rules.media(len(engine.figures()), accepting=engine.capacity().accepting)


async def database(found: Database) -> Row:
    """Write without changing anything, and tell how long it took until it was on disk."""
    try:
        milliseconds = round(1000 * await found.try_write())
    except MadoguchiError as error:
        return Row("database", Grade.BAD, "none", {"reason": error.code})
    if milliseconds > SLOW_WRITE_MS:
        return Row("database", Grade.FAIR, "slow", {"ms": milliseconds})
    return Row("database", Grade.GOOD, figures={"ms": milliseconds})


async def disk(settings: Settings) -> Row:
    """Tell how much room there is for files."""
    try:
        state, free = await asyncio.to_thread(machine.disk_space, settings.data.folder)
    except OSError:
        return Row("disk", Grade.BAD, "none")
    code = "ok" if state is State.OK else "little"
    return Row("disk", GRADES[state], code, {"free_gib": round(free / 1024**3, 1)})


async def scanner(settings: Settings, policy: Policy) -> Row:
    """Tell whether the malware scanner looks at bytes, where the policy has any scanned."""
    if policy.files.scan == "off":
        return Row("scanner", Grade.GOOD, "unused")
    state = State.OK
    async for finding in services.scanner(settings, {"": policy}):
        state = finding.state
    if settings.files.scanner is None:
        return Row("scanner", GRADES[state], "unused" if state is State.OK else "missing")
    return Row("scanner", GRADES[state], "ok" if state is State.OK else "away")


def clock(now: datetime, newest: datetime | None) -> Row:
    """Tell whether the server's clock is kept, and was not set back."""
    (finding,) = machine.clock(now, newest)
    code = {State.OK: "ok", State.WARNING: "unkept", State.FAULT: "set_back"}[finding.state]
    return Row("server_clock", GRADES[finding.state], code)
