"""Reads the socket of the Python path: how often, how much at once, and how late it is."""

import asyncio
import time
from collections.abc import Callable
from socket import socket

from media.arrival import age_of_last
from media.ice import Address
from media.libs import PacketBuffer
from media.overload import Shed, Staleness, WallClock

# Per turn of the event loop, which no callback may hold for 20 ms (a handshake takes 1 to 2).
BATCH = 64
BATCH_SECONDS = 0.008
LOOK_EVERY = 16  # datagrams read in a row, a power of two: so many queue when the loop is late
# A turn of the event loop costs as much as a packet. Above this rate (five calls) the socket is
# looked at every 4 ms for all that has come, and not at once for each; what goes to one address
# then leaves together (media/outbox.py).
BUSY_PACKETS, CALM_PACKETS, WINDOW_SECONDS = 200, 100, 0.1
POLL_SECONDS = 0.004


Take = Callable[[PacketBuffer, int, Address, float], None]


class Reader:
    """Gives each datagram to `take` in `buffer`, and calls `done` after each look at the socket.

    `draining` is true while it looks, `shed` says what is to be left out for its age, and `spell`
    counts how often that came to an end.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        buffer: PacketBuffer,
        take: Take,
        done: Callable[[socket], None],
    ) -> None:
        self._clock = clock
        self._buffer = buffer
        self._take = take
        self._done = done
        self._udp: socket | None = None
        self._timer: asyncio.Handle | None = None  # of the next look, while busy
        self._window_count = 0
        self._window_at = 0.0
        self._staleness = Staleness()
        self._wall = WallClock()
        self.draining = False
        self.shed = Shed.NOTHING
        self.spell = 0

    def start(self, udp: socket) -> None:
        """Read `udp` from now on."""
        self._udp = udp
        age_of_last(udp.fileno())
        asyncio.get_running_loop().add_reader(udp.fileno(), self._on_readable)

    def stop(self) -> None:
        """Read no more."""
        if self._udp is not None:
            asyncio.get_running_loop().remove_reader(self._udp.fileno())
            self._udp = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def look_at_clocks(self) -> None:
        """Notice when the wall clock is put; to be called often."""
        self._is_wall_doubtful()

    def _on_readable(self) -> None:
        if self._udp is None:
            return
        self.drain()
        if self._is_busy(BUSY_PACKETS) is True:
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._udp.fileno())
            self._timer = loop.call_later(POLL_SECONDS, self._on_poll)

    def _on_poll(self) -> None:
        self._timer = None
        if self._udp is None:
            return
        more = self.drain()
        loop = asyncio.get_running_loop()
        if self._is_busy(CALM_PACKETS) is False:
            loop.add_reader(self._udp.fileno(), self._on_readable)
        elif more:
            self._timer = loop.call_soon(self._on_poll)
        else:
            self._timer = loop.call_later(POLL_SECONDS, self._on_poll)

    def _is_busy(self, packets: int) -> bool | None:
        """Tell at the end of each window whether so many packets came in it, None before."""
        now = self._clock()
        if now - self._window_at < WINDOW_SECONDS:
            return None
        busy = self._window_count >= packets
        self._window_at, self._window_count = now, 0
        return busy

    def drain(self) -> bool:
        """Take what has come; tell whether there may be more, which is for the next turn."""
        self.draining = True
        try:
            return self._take_all()
        finally:
            self.draining = False
            if self._udp is not None:
                self._done(self._udp)

    def _take_all(self) -> bool:
        if self._udp is None:
            return False
        buffer, clock, handle = self._buffer, self._clock, self._take
        receive, data, size = self._udp.recvfrom_into, self._buffer.data, 0
        begun = clock()
        for turn in range(BATCH):
            try:
                size, address = receive(data)
            except BlockingIOError:
                self._window_count += turn
                return False
            except OSError:
                continue
            if self.shed or turn & (LOOK_EVERY - 1) == LOOK_EVERY - 1:
                self._look_back()
            if 1 <= size < PacketBuffer.SIZE:
                now = clock()
                handle(buffer, size, address, now)
                if now - begun > BATCH_SECONDS or self._udp is None:
                    break
        self._window_count += BATCH
        return True

    def _look_back(self) -> None:
        """See how old the datagram just read is, and what is to be left out for it (rule 29)."""
        if self._udp is not None:
            age = 0.0 if self._is_wall_doubtful() else age_of_last(self._udp.fileno())
            was_late, self.shed = self.shed, self._staleness.step(age)
            if was_late and not self.shed:
                self.spell += 1

    def _is_wall_doubtful(self) -> bool:
        began = time.monotonic()
        wall, now = time.time(), time.monotonic()
        return self._wall.is_doubtful(wall, now, took=now - began)
