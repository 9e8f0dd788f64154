"""The native packet loop of the load generator, built when it is asked for.

One thread runs it without Python's lock. What it sends and counts stands in load.c.
"""

import ctypes
import shutil
import subprocess
import tempfile
import threading
import time
from ctypes import POINTER, c_char_p, c_double, c_int, c_int64, c_uint, c_uint32, c_uint64, c_void_p
from dataclasses import dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from media.libs import SrtpSession, srtp_functions
from security.errors import Unavailable
from server.bench.clip import Packets

SOURCE = Path(__file__).with_name("load.c")
KINDS = ("audio", "video")
BUILD_SECONDS = 60
PASS_SECONDS = 0.001
NEVER_NS = (1 << 62, (1 << 62) + 1)


class _Clip(ctypes.Structure):
    _fields_ = (
        ("bytes", c_char_p),
        ("offsets", POINTER(c_uint32)),
        ("frames", POINTER(c_uint32)),
        ("keys", c_char_p),
        ("frame_count", c_uint32),
    )


class _Setup(ctypes.Structure):
    _fields_ = (
        ("outbound", c_void_p),
        ("inbound", c_void_p),
        ("fd", ctypes.c_int32),
        ("sender", c_uint32),
        ("hears", c_uint32),
        ("ssrc", c_uint32 * 2),
        ("payload_type", ctypes.c_uint8 * 2),
        ("level_id", ctypes.c_uint8),
        ("time_id", ctypes.c_uint8),
        ("count_id", ctypes.c_uint8),
        ("mid_id", ctypes.c_uint8),
        ("mid", ctypes.c_uint8 * 2),
        ("sends", ctypes.c_uint8),
        ("unused", ctypes.c_uint8 * 5),
    )


class _Totals(ctypes.Structure):
    _fields_ = (
        *((name, c_uint64) for name in ("sent", "received", "strange", "forged")),
        *((name, c_uint64) for name in ("sent_in", "received_in", "unsent")),
        *((name, c_uint64) for name in ("wishes", "nacks", "feedback", "late_sends")),
        ("first_ns", c_int64),
    )


@dataclass(frozen=True, slots=True)
class Connected:
    """A connection that is ready: keys, socket, who sends, whom it hears, its SDP's numbers.

    The pairs are of audio, then video. `sends` is False for one that only listens.
    """

    outbound: SrtpSession
    inbound: SrtpSession
    fd: int
    sender: int
    hears: int
    ssrcs: tuple[int, int]
    payload_types: tuple[int, int]
    mids: tuple[str, str]
    extension_ids: dict[str, int]
    sends: bool = True


@dataclass(frozen=True, slots=True)
class Totals:
    """What legs counted so far: `..._in` in the marked time, `first_ns` the first arrival.

    `strange` came from nobody who was expected, `forged` did not verify, `unsent` this machine
    did not take, `late_sends` left more than 10 ms after their time.
    """

    sent: int = 0
    received: int = 0
    strange: int = 0
    forged: int = 0
    sent_in: int = 0
    received_in: int = 0
    unsent: int = 0
    wishes: int = 0
    nacks: int = 0
    feedback: int = 0
    late_sends: int = 0
    first_ns: int = 0


class Load:
    """The running loop; use it as a context. `add` numbers legs; those that ended free theirs."""

    def __init__(self, audio: Packets, video: Packets) -> None:
        self._library = _built()
        self._kept: list[Any] = []  # memory that the loop reads
        self._legs: dict[int, Connected] = {}
        clips = (_Clip * 2)(self._clip(audio), self._clip(video))
        functions = (c_void_p * 4)(*srtp_functions())
        self._load = self._library.load_new(clips, functions)
        if not self._load:
            raise Unavailable("the load generator has no memory")
        self._thread = threading.Thread(target=self._library.load_run, args=(self._load,))

    def __enter__(self) -> Self:
        self._library.load_mark(self._load, *NEVER_NS)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._library.load_stop(self._load)
        self._thread.join()
        self._library.load_free(self._load)

    @property
    def legs(self) -> int:
        """How many connections there are or were at once."""
        return int(self._library.load_legs(self._load))

    @property
    def thread_id(self) -> int | None:
        """The kernel's number of the loop's thread."""
        return self._thread.native_id

    def add(self, leg: Connected) -> int:
        """Begin to send and listen at `leg`; return its number. Raises `Unavailable` when full."""
        ids = leg.extension_ids
        setup = _Setup(
            outbound=leg.outbound.address,
            inbound=leg.inbound.address,
            fd=leg.fd,
            sender=leg.sender,
            hears=leg.hears,
            ssrc=leg.ssrcs,
            payload_type=leg.payload_types,
            level_id=ids.get("level", 0),
            time_id=ids.get("time", 0),
            count_id=ids.get("count", 0),
            mid_id=ids.get("mid", 0),
            mid=(ord(leg.mids[0]), ord(leg.mids[1])),
            sends=leg.sends,
        )
        number = int(self._library.load_add(self._load, ctypes.byref(setup)))
        if number < 0:
            raise Unavailable("the load generator has too many connections")
        self._legs[number] = leg
        return number

    def end(self, number: int) -> None:
        """Neither send nor listen at a leg any more; its socket may be closed on return."""
        self._library.load_end(self._load, number)
        while not self._library.load_ended(self._load, number):
            time.sleep(PASS_SECONDS)
        self._legs.pop(number, None)

    def mark(self, begin_ns: int, end_ns: int) -> None:
        """Count apart what is sent from `begin_ns` to `end_ns`, in nanoseconds since 1970."""
        self._library.load_mark(self._load, begin_ns, end_ns)

    def quiet(self) -> None:
        """Send nothing any more."""
        self._library.load_quiet(self._load)

    def totals(self, legs: range | None = None) -> Totals:
        """Return the sums over these legs or all; `first_ns` is the earliest."""
        found = [self._totals(number) for number in (range(self.legs) if legs is None else legs)]
        sums = {
            x.name: sum(getattr(one, x.name) for one in found)
            for x in fields(Totals)
            if x.name != "first_ns"
        }
        firsts = [one.first_ns for one in found if one.first_ns]
        return Totals(**sums, first_ns=min(firsts, default=0))

    def delay_ms(self, quantile: float) -> float:
        """Return the delay through the server that this part of the marked packets stay below."""
        return self._quantile(0, quantile)

    def lateness_ms(self, quantile: float) -> float:
        """Return how late frames left the generator, likewise."""
        return self._quantile(1, quantile)

    def _quantile(self, which: int, quantile: float) -> float:
        found = self._library.load_quantile(self._load, which, int(quantile * 1_000_000))
        return float(found) / 1000

    def _totals(self, number: int) -> Totals:
        read = _Totals()
        self._library.load_leg(self._load, number, ctypes.byref(read))
        return Totals(**{x.name: int(getattr(read, x.name)) for x in fields(Totals)})

    def _clip(self, packets: Packets) -> _Clip:
        payloads = [payload for frame in packets.frames for payload in frame]
        data = b"".join(payloads)
        offsets = (c_uint32 * (len(payloads) + 1))(*_sums(map(len, payloads)))
        frames = (c_uint32 * (len(packets.frames) + 1))(*_sums(map(len, packets.frames)))
        keys = bytes(packets.keys)
        self._kept += [data, offsets, frames, keys]
        return _Clip(data, offsets, frames, keys, len(packets.frames))


def now_ns() -> int:
    """Return the time in which the loop stamps packets."""
    return time.time_ns()


def _sums(sizes: Any) -> list[int]:
    sums = [0]
    for size in sizes:
        sums.append(sums[-1] + size)
    return sums


def _built() -> Any:
    """Build the loop and load it. Raises `Unavailable` when there is no compiler."""
    compiler = next((x for x in ("cc", "gcc", "clang") if shutil.which(x)), None)
    if compiler is None:
        raise Unavailable("the load generator is C: install a compiler (on Debian: gcc, libc6-dev)")
    with tempfile.TemporaryDirectory() as folder:
        target = f"{folder}/load.so"
        command = [compiler, "-O2", "-shared", "-fPIC", "-o", target, str(SOURCE)]
        done = subprocess.run(  # noqa: S603  # our own source, a compiler from the path
            command, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False
        )
        if done.returncode:
            raise Unavailable(f"the load generator does not build: {done.stderr[:500]}")
        return _typed(ctypes.CDLL(target))


def _typed(library: Any) -> Any:
    kinds: dict[str, tuple[Any, tuple[Any, ...]]] = {
        "load_new": (c_void_p, (c_void_p, c_void_p)),
        "load_add": (c_int, (c_void_p, c_void_p)),
        "load_run": (None, (c_void_p,)),
        "load_end": (None, (c_void_p, c_uint)),
        "load_ended": (c_int, (c_void_p, c_uint)),
        "load_quiet": (None, (c_void_p,)),
        "load_stop": (None, (c_void_p,)),
        "load_mark": (None, (c_void_p, c_int64, c_int64)),
        "load_legs": (c_uint, (c_void_p,)),
        "load_leg": (None, (c_void_p, c_uint, c_void_p)),
        "load_quantile": (c_double, (c_void_p, c_int, c_uint64)),
        "load_free": (None, (c_void_p,)),
    }
    for name, (result, arguments) in kinds.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library
