"""The C library is told to keep few heaps, and then does."""

import subprocess
import sys

# Each thread takes memory of its own kind at once, and all hold it until everybody has it; the
# statistics of the library then tell how many heaps there are.
PROGRAM = """
import ctypes, sys, threading
from media.heap import keep_heaps_few
if sys.argv[1] == "few":
    print(keep_heaps_few())
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
meeting = threading.Barrier(9)
def take():
    kept = [libc.malloc(60000) for _ in range(20)]
    meeting.wait(20)
threads = [threading.Thread(target=take) for _ in range(8)]
for one in threads: one.start()
meeting.wait(20)
for one in threads: one.join()
libc.malloc_stats()
"""


def _heaps(how: str) -> tuple[str, int]:
    done = subprocess.run(
        (sys.executable, "-c", PROGRAM, how), capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip(), done.stderr.count("Arena ")


def test_threads_share_two_heaps_once_told_so() -> None:
    said, few = _heaps("few")
    assert (said, few) == ("True", 2)
    assert _heaps("many")[1] > few
