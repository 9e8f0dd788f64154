"""What the kernel says of running processes: CPU time, memory, places. Linux."""

import os
from contextlib import suppress
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """Return the process and all that came from it and still run."""
    found = [pid]
    for one in found:
        for children in Path(f"/proc/{one}/task").glob("*/children"):
            with suppress(OSError):
                found += [int(child) for child in children.read_text().split()]
    return found


def cpu_seconds(pids: list[int]) -> float:
    """Return how long these processes have computed so far, in all their threads."""
    return sum(_ticks(Path(f"/proc/{pid}/stat")) for pid in pids) / TICKS


def thread_seconds(thread: int) -> float:
    """Return how long a thread of this process has computed so far."""
    return _ticks(Path(f"/proc/self/task/{thread}/stat")) / TICKS


def resident_mib(pids: list[int]) -> float:
    """Return how much memory of their own these processes hold: program files do not count."""
    kib = 0
    for pid in pids:
        with suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Anonymous:"):
                    kib += int(line.split()[1])
    return kib / 1024


def sockets(pids: list[int]) -> int:
    """Return how many sockets these processes hold."""
    found = 0
    for pid in pids:
        with suppress(OSError):
            for entry in os.scandir(f"/proc/{pid}/fd"):
                with suppress(OSError):
                    found += str(Path(entry.path).readlink()).startswith("socket:")
    return found


def pin(pid: int, core: int) -> None:
    """Let a process and all its threads run on one core alone."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):
            os.sched_setaffinity(int(task.name), {core})


def load_average() -> float:
    """Return the machine's load in the last minute."""
    return os.getloadavg()[0]


def _ticks(stat: Path) -> int:
    try:
        fields = stat.read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])
