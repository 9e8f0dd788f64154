"""How the C library keeps memory for this process: little in reserve, few separate heaps.

Each thread takes memory from one of several heaps (glibc: up to eight for each core), and what was
freed in one is not used in another. A server has a dozen threads that come and go (one for each
connection to the database, those that hash and seal): each heap grows to the most that ever was in
use there, and memory goes up for hours without anything being kept.
"""

import ctypes

# mallopt(3)
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
HEAPS = 2
LARGE_BYTES = 128 * 1024


def keep_heaps_few() -> bool:
    """Let all threads share two heaps, and give large pieces back when freed; tell whether it took.

    To be called at the beginning: a heap that is there stays. Other C libraries than glibc have no
    such heaps and are left as they are.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    # To name a threshold also ends that the library raises it whenever something larger is freed.
    wishes = ((_ARENA_MAX, HEAPS), (_MMAP_THRESHOLD, LARGE_BYTES), (_TRIM_THRESHOLD, LARGE_BYTES))
    took = [mallopt(name, value) == 1 for name, value in wishes]
    return all(took)
