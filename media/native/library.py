"""The compiled packet path: found, compared with its source, its functions declared for ctypes.

Structures repeat those of streams.h and path.h; their sizes are compared when it is loaded.
"""

import ctypes
from ctypes import (
    POINTER,
    c_bool,
    c_double,
    c_int,
    c_int32,
    c_int64,
    c_uint8,
    c_uint16,
    c_uint32,
    c_uint64,
)
from functools import cache
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import Any

from media.ice import Address
from media.native.build import LIBRARY, source_hash
from media.path import STREAM

GONE, FULL, DETACHED = -1, -2, -3
STREAM_KIND = 0x8000
TABLE_IDS, MID_BYTES = 16, 32
MAX_SENT = 2048
MAX_MISSING = 192
MAX_LISTED = 4096


class Unusable(Exception):
    """There is no library that belongs to this source; the text says why."""


class Where(ctypes.Structure):
    """`address` of path.h."""

    _fields_ = (
        ("kind", c_uint16),
        ("port", c_uint16),
        ("scope", c_uint32),
        ("host", c_uint8 * 16),
    )


class Envelope(ctypes.Structure):
    """What a message from the thread begins with."""

    _fields_ = (("where", Where), ("at", c_double), ("what", c_uint32), ("reserved", c_uint32))


class PathFacts(ctypes.Structure):
    """`path_facts` of path.h."""

    _fields_ = tuple(
        (name, c_uint64)
        for name in (
            "handed_over",
            "hand_overs_lost",
            "refused_to_hand",
            "unsent",
            "batches",
            "datagrams",
            "stale",
            "excess",
        )
    )


class LegFacts(ctypes.Structure):
    """`leg_facts` of path.h."""

    _fields_ = (
        ("heard_at", c_double),
        ("packets_received", c_uint64),
        ("bytes_received", c_uint64),
        ("packets_forwarded", c_uint64),
        ("bytes_forwarded", c_uint64),
        ("refused", c_uint64),
        ("heard_from", Where),
        ("used", Where),
    )


class SourceFacts(ctypes.Structure):
    """`source_facts` of path.h."""

    _fields_ = (
        *((x, c_int64) for x in ("ssrc", "highest", "expected", "received", "lost_before")),
        ("jitter", c_double),
        ("heard_at", c_double),
        *((x, c_int64) for x in ("missing", "octets", "frames", "repaired", "keyframes")),
        ("wanted", c_bool),
        *((x, c_int32) for x in ("width", "height", "reserved")),
    )


class SinkFacts(ctypes.Structure):
    """`sink_facts` of path.h."""

    _fields_ = (
        ("attached", c_bool),
        *((x, c_int64) for x in ("packets", "octets", "resent", "frames_left_out")),
    )


class RouteEntry(ctypes.Structure):
    """`route` of path.h."""

    _fields_ = (
        ("payload_type", c_int32),
        ("source", c_int32),
        ("table", c_uint8 * TABLE_IDS),
        ("cc", c_int32),
        ("stamp", c_int32),
        ("mid", c_int32),
        ("repairs", c_int32),
        ("carries", c_int32),
    )


class SinkSeeds(ctypes.Structure):
    """`seeds` of path.h."""

    _fields_ = (
        ("ssrc", c_uint32),
        ("rtx_ssrc", c_uint32),
        ("first_time", c_uint32),
        ("first_seq", c_uint16),
        ("first_rtx_seq", c_uint16),
    )


class SinkAgreed(ctypes.Structure):
    """`agreed` of path.h."""

    _fields_ = (
        ("payload_type", c_int32),
        ("rtx_type", c_int32),
        ("has_table", c_uint8),
        ("stamps", c_uint8),
        ("numbers", c_uint8),
        ("mid_size", c_uint8),
        ("table", c_uint8 * TABLE_IDS),
        ("mid", c_uint8 * MID_BYTES),
    )


class Passage(ctypes.Structure):
    """`passage` of path.h."""

    _fields_ = (("at", c_double), ("number", c_uint16), ("size", c_uint16), ("reserved", c_uint32))


class Gap(ctypes.Structure):
    """`gap` of streams.h."""

    _fields_ = (("at", c_double), ("seq", c_uint16))


_STRUCTURES: tuple[type[ctypes.Structure], ...] = (
    Where,
    Envelope,
    PathFacts,
    LegFacts,
    SourceFacts,
    SinkFacts,
    RouteEntry,
    SinkSeeds,
    SinkAgreed,
    Passage,
    Gap,
)

_P, _H = ctypes.c_void_p, c_int32
_FUNCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "path_new": (_P, (_P, _P, _P)),
    "path_start": (c_int, (_P, c_int, c_int)),
    "path_stop": (None, (_P,)),
    "path_free": (None, (_P,)),
    "path_feed": (None, (_P, POINTER(Where), ctypes.c_char_p, c_int, c_double)),
    "path_tick": (None, (_P, c_double)),
    "path_expect": (c_int, (_P, ctypes.c_char_p, c_int)),
    "path_ignore": (c_int, (_P, ctypes.c_char_p, c_int)),
    "path_read": (None, (_P, POINTER(PathFacts))),
    "leg_add": (_H, (_P,)),
    "leg_remove": (c_int, (_P, _H)),
    "leg_keys": (c_int, (_P, _H, _P, _P)),
    "leg_allow": (c_int, (_P, _H, POINTER(Where), c_double)),
    "leg_forbid": (c_int, (_P, _H, POINTER(Where))),
    "leg_use": (c_int, (_P, _H, POINTER(Where))),
    "leg_routes": (c_int, (_P, _H, POINTER(RouteEntry), c_int)),
    "leg_read": (c_int, (_P, _H, POINTER(LegFacts))),
    "leg_moved": (c_int, (_P, POINTER(c_int32), c_int)),
    "leg_control": (c_int, (_P, _H, ctypes.c_char_p, c_int, c_double)),
    "leg_tell": (c_int, (_P, _H, c_uint32)),
    "leg_sent": (c_int, (_P, _H, c_int, c_int, POINTER(Passage))),
    "source_add": (_H, (_P, c_int)),
    "source_remove": (c_int, (_P, _H)),
    "source_codec": (c_int, (_P, _H, c_int)),
    "source_expect": (c_int, (_P, _H, POINTER(c_uint32), c_int, c_int)),
    "source_replace": (c_int, (_P, _H)),
    "source_open": (c_int, (_P, _H, c_int)),
    "source_window": (c_int, (_P, _H, c_double)),
    "source_want": (c_int, (_P, _H)),
    "source_read": (c_int, (_P, _H, POINTER(SourceFacts))),
    "source_octets": (c_int64, (_P, _H)),
    "source_needy": (c_int, (_P, POINTER(c_int32), c_int)),
    "source_missing": (c_int, (_P, _H, POINTER(Gap), c_double)),
    "sink_add": (_H, (_P, _H, c_int, POINTER(SinkSeeds))),
    "sink_remove": (c_int, (_P, _H)),
    "sink_agree": (c_int, (_P, _H, POINTER(SinkAgreed))),
    "sink_listen": (c_int, (_P, _H, _H)),
    "sink_flow": (c_int, (_P, _H, c_int)),
    "sink_twice": (c_int, (_P, _H, c_bool)),
    "sink_resend": (c_int, (_P, _H, POINTER(c_uint16), c_int, c_int, c_double)),
    "sink_read": (c_int, (_P, _H, POINTER(SinkFacts))),
    "sink_time_out": (c_int64, (_P, _H, c_uint32)),
    "tap_add": (_H, (_P, _H, c_int)),
    "tap_read": (c_int, (_P, _H, ctypes.c_char_p, c_int, POINTER(c_uint64))),
    "tap_remove": (c_int, (_P, _H)),
}


@cache
def load() -> Any:
    """Return the library with its functions declared. Raises `Unusable`."""
    if not LIBRARY.exists():
        raise Unusable("it was not built (python -m media.native.build)")
    try:
        library = ctypes.CDLL(str(LIBRARY))
        library.path_source.restype = ctypes.c_char_p
        library.path_sizes.restype = POINTER(c_int)
        built_from = library.path_source().decode("ascii")
        sizes = library.path_sizes()
    except (OSError, AttributeError) as error:
        raise Unusable(f"it cannot be loaded: {error}") from error
    if built_from != source_hash():
        raise Unusable("it was built from another source (python -m media.native.build)")
    if [sizes[n] for n in range(len(_STRUCTURES))] != [ctypes.sizeof(x) for x in _STRUCTURES]:
        raise Unusable("its structures have other sizes")
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def to_where(address: Address) -> Where:
    """Return the address as the library has it."""
    host, port = str(address[0]).partition("%")[0], int(address[1])
    family = AF_INET6 if ":" in host else AF_INET
    is_stream = address[-1] == STREAM
    packed = inet_pton(family, host)
    where = Where(kind=family | (STREAM_KIND if is_stream else 0), port=port)
    where.scope = int(address[3]) if len(address) == 4 else 0
    where.host[: len(packed)] = packed
    return where


def to_address(where: Where) -> Address:
    """Return what the library has as an address."""
    family = where.kind & ~STREAM_KIND
    if family == AF_INET:
        host = inet_ntop(AF_INET, bytes(where.host[:4]))
        return (host, where.port, 0, 0, STREAM) if where.kind != family else (host, where.port)
    host = inet_ntop(AF_INET6, bytes(where.host))
    rest = (0, 0, STREAM) if where.kind != family else (0, where.scope)
    return (host, where.port, *rest)
