"""Runs one plug-in with one event: `python -m server.hooks.plugin_main NAME` in a process that
the server may kill. Reads the event from standard input, says how it ended on standard output.

Light: nothing of the server but the event's form is imported.
"""

import contextlib
import json
import os
import resource
import sys
from importlib.metadata import entry_points

from server.hooks.plugin import GROUP, RecordEvent

MEMORY_BYTES = 1024 * 1024 * 1024
NICE = 10


def main() -> None:
    """Run it; what it prints itself goes nowhere."""
    answer = os.fdopen(os.dup(1), "w")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    _limit()
    told = json.loads(sys.stdin.buffer.read())
    answer.write(_run(sys.argv[1], RecordEvent(**told)))
    answer.flush()
    # Threads and exit handlers that a plug-in leaves behind end here.
    os._exit(0)


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    os.nice(NICE)


def _run(name: str, event: RecordEvent) -> str:
    """Return `ok`, or a code of what went wrong: the kind of an exception, never its text."""
    found = list(entry_points(group=GROUP, name=name))
    if len(found) != 1:
        return "no_plugin" if not found else "several_plugins"
    try:
        found[0].load()(event)
    except BaseException as error:
        return f"raised {type(error).__name__}"[:80]
    return "ok"


if __name__ == "__main__":
    main()
