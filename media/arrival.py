"""When the datagram that was just read had arrived, as the system noted it."""

import fcntl
import time
from struct import Struct

_LAST_STAMP = 0x8906  # SIOCGSTAMP of Linux: seconds and microseconds of the wall clock
_TIMEVAL = Struct("@ll")


def age_of_last(descriptor: int) -> float:
    """Return how many seconds the datagram last read from a UDP socket had waited to be read.

    The first call makes the system note arrivals from then on. Returns 0.0 where it notes none.
    """
    noted = bytearray(_TIMEVAL.size)
    try:
        fcntl.ioctl(descriptor, _LAST_STAMP, noted)
    except OSError:
        return 0.0
    seconds, micros = _TIMEVAL.unpack(noted)
    return max(0.0, time.time() - float(seconds + micros / 1_000_000))
