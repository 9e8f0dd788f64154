"""Which implementations of the packet path there are, and which one to use."""

import logging
from collections.abc import Callable

from media.native import library
from media.native_path import NativePath
from media.path import Outsider, PacketPath, StreamSend
from media.python_path import PythonPath
from security.errors import Unavailable

Maker = Callable[[Callable[[], float], Outsider, StreamSend], PacketPath]

MAKERS: dict[str, Maker] = {"python": PythonPath, "native": NativePath}

_log = logging.getLogger(__name__)


def chosen(packet_path: str) -> str:
    """Return the name of the implementation for `[media] packet_path`.

    `auto` is the native one where it was built, else Python's. Raises `Unavailable` when the native
    one is asked for and cannot be had.
    """
    if packet_path == "python":
        return packet_path
    try:
        library.load()
    except library.Unusable as why:
        if packet_path == "native":
            raise Unavailable(
                f"packet_path is native, but the native packet path cannot be used: {why}"
            ) from why
        return "python"
    return "native"


def maker_for(packet_path: str) -> Maker:
    """Return what makes the path that `chosen` names, and say so where it is not the fast one."""
    name = chosen(packet_path)
    if packet_path == "auto" and name == "python":
        _log.info("packets go the Python way: the native packet path was not built")
    return MAKERS[name]
