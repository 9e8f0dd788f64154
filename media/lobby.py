"""Connections that are ready before there is a call for them. No input or output here.

Who waits here is in no call. Only a call routes what a party sends to a source and ties sources to
listeners (media/call.py): so what is sent from here is dropped when it has been opened, and nothing
is sent here. There is no path, not a closed one.
The way out is `hand_over`, once, into a party of a call, whose own sources and numbers begin anew.
"""

from collections.abc import Iterator

from media.call import Party
from media.path import PacketPath
from security.errors import TooMuch

MAX_WAITING = 1000
TICK_SECONDS = 0.2


class Lobby:
    """One waiting connection for each seat, by a name of the caller's."""

    def __init__(self, path: PacketPath) -> None:
        self._path = path
        self._waiting: dict[str, Party] = {}
        self._ticked_at = 0.0

    def __iter__(self) -> Iterator[Party]:
        return iter(tuple(self._waiting.values()))

    def __contains__(self, member: object) -> bool:
        return isinstance(member, Party) and self._waiting.get(member.name) is member

    def guest(self, seat: str) -> Party:
        """Return who waits for `seat`, new if need be. Raises `TooMuch` when the lobby is full."""
        found = self._waiting.get(seat)
        if found is None:
            if len(self._waiting) >= MAX_WAITING:
                raise TooMuch("the lobby is full", limit=MAX_WAITING, unit="connections")
            found = self._waiting[seat] = Party(self._path, "", seat, kinds=())
        return found

    def waiting(self, seat: str) -> Party | None:
        """Return who waits for `seat`."""
        return self._waiting.get(seat)

    def dismiss(self, seat: str) -> Party | None:
        """Forget who waits for `seat` and return it for its connection to be ended."""
        return self._waiting.pop(seat, None)

    def hand_over(self, guest: Party, member: Party) -> None:
        """Give the guest's connection to `member`, a party of a call; the guest is gone.

        The connection keeps keys, addresses and what was agreed. Everything else of it begins anew.
        """
        self._waiting.pop(guest.name, None)
        leg, guest.leg = guest.leg, None
        guest.close()
        if leg is not None:
            leg.waited_as, leg.reported_at = guest.name, 0.0
            member.take(leg)

    def due(self, now: float) -> Iterator[Party]:
        """Give everybody who waits, five times a second: there is little to be done for them."""
        if now - self._ticked_at >= TICK_SECONDS:
            self._ticked_at = now
            yield from self
