"""Which implementations of the packet path there are."""

from collections.abc import Callable

from media.path import Outsider, PacketPath, StreamSend
from media.python_path import PythonPath

Maker = Callable[[Callable[[], float], Outsider, StreamSend], PacketPath]

MAKERS: dict[str, Maker] = {"python": PythonPath}
