"""Who stands at a counter whose page is open.

A socket was opened with the cookies of its time; who signs in or out later is handed to it here.
"""

from collections.abc import Awaitable, Callable

from server.api.seats import SeatKey

Change = Callable[[str | None], Awaitable[None]]


class Shifts:
    """The open pages of counters, with the token of the clerk at each."""

    def __init__(self) -> None:
        self._pages: dict[SeatKey, tuple[Change, str | None]] = {}

    def open(self, seat: SeatKey, change: Change, token: str | None) -> None:
        """Note a page; `change` is called with the token of another clerk, None when nobody is."""
        self._pages[seat] = (change, token)

    def close(self, seat: SeatKey, change: Change) -> None:
        """Forget a page, unless another one has the seat."""
        if seat in self._pages and self._pages[seat][0] == change:
            del self._pages[seat]

    def every(self) -> list[tuple[SeatKey, str | None]]:
        """Return each open counter with its clerk's token."""
        return [(seat, token) for seat, (_, token) in self._pages.items()]

    async def renew(self, seat: SeatKey) -> None:
        """Have a page look anew who and what it is: something about its tablet has changed."""
        found = self._pages.get(seat)
        if found is not None:
            await found[0](found[1])

    async def change(self, seat: SeatKey, token: str | None) -> None:
        """Hand a page the clerk of now."""
        found = self._pages.get(seat)
        if found is None or found[1] == token:
            return
        self._pages[seat] = (found[0], token)
        await found[0](token)
