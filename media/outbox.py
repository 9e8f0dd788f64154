"""Datagrams that leave in one turn of the event loop, in as few messages as the system allows.

Those of one size for one address leave as one message (UDP_SEGMENT of Linux), which the kernel or
the network card cuts again: on the wire nothing changes, and their order for each address stays.
Where that is refused (a line with a small MTU, a card without checksums) they leave one by one.
"""

import errno
import socket
from collections.abc import Iterator
from struct import Struct

from media.pathleg import PathLeg
from media.sink import Sink

UDP_SEGMENT = 103
MAX_GROUP, MAX_GROUP_BYTES = 32, 60_000
_SIZE = Struct("=H")
_FULL = (errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS, errno.ENOMEM)


# A sealed datagram, and the octets of payload that were counted for a sink, below 0 for none. A
# plain tuple, as there is one for each packet.
Letter = tuple[bytes, Sink | None, int]


class Outbox:
    """Holds what a turn sends. What is not taken is lost, as on any line, and not counted."""

    def __init__(self) -> None:
        self._waiting: dict[PathLeg, list[Letter]] = {}
        self.unsent = 0

    def put(self, leg: PathLeg, letter: Letter) -> None:
        """Keep a letter to the leg's address in use until `flush`."""
        held = self._waiting.get(leg)
        if held is None:
            self._waiting[leg] = [letter]
        else:
            held.append(letter)

    def flush(self, udp: socket.socket) -> None:
        """Send all that waits."""
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, {}
        for leg, letters in waiting.items():
            for group in _groups(letters):
                self.unsent += _send(udp, leg, group)

    def clear(self) -> None:
        """Forget what waits."""
        self._waiting.clear()


def _groups(letters: list[Letter]) -> Iterator[list[Letter]]:
    """Give letters in order, by what one message can hold: one size, the last may be shorter."""
    group: list[Letter] = []
    size = left = 0
    for letter in letters:
        length = len(letter[0])
        if group and (length > size or len(group[-1][0]) < size or length > left):
            yield group
            group = []
        if not group:
            size, left = length, MAX_GROUP_BYTES
        group.append(letter)
        left -= length
        if len(group) == MAX_GROUP:
            yield group
            group = []
    if group:
        yield group


def _send(udp: socket.socket, leg: PathLeg, group: list[Letter]) -> int:
    """Send them; return how many were lost."""
    address = leg.address
    if address is None:
        return _take_back(leg, group)
    if len(group) > 1 and not leg.alone:
        note = (socket.IPPROTO_UDP, UDP_SEGMENT, _SIZE.pack(len(group[0][0])))
        try:
            udp.sendmsg([x[0] for x in group], [note], socket.MSG_DONTWAIT, address)
        except OSError as error:
            if error.errno in _FULL:
                return _take_back(leg, group)
            leg.alone = True
        else:
            return 0
    lost = 0
    for letter in group:
        try:
            udp.sendto(letter[0], address)
        except OSError:
            lost += _take_back(leg, [letter])
    return lost


def _take_back(leg: PathLeg, lost: list[Letter]) -> int:
    for data, sink, octets in lost:
        if sink is None:
            continue
        leg.packets_forwarded -= 1
        leg.bytes_forwarded -= len(data)
        if octets >= 0:
            sink.packets -= 1
            sink.octets -= octets
    return len(lost)
