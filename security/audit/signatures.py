"""Verifies signed heads along a chain (FORMAT.md section 5). Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from security.audit.chain import Head
from security.audit.signed import SignedHead
from security.errors import Corrupt


@dataclass(frozen=True, slots=True)
class Verified:
    """A chain that is whole: its head, how much of it is signed, and by which key.

    `set_back` is where the clock was first set back, None when it never was.
    """

    head: Head
    signed: int
    key: bytes | None
    set_back: int | None = None


class Signatures:
    """Meets each signed head of one municipality at its position."""

    def __init__(self, signed: Iterable[SignedHead], keys: Collection[bytes] | None) -> None:
        """Expect `signed`, each by one of `keys`; None: all by one key, whichever it is."""
        self._waiting: dict[int, list[SignedHead]] = {}
        for one in signed:
            self._waiting.setdefault(one.head.count, []).append(one)
        self._keys = keys
        self.key: bytes | None = None
        self.count = 0

    def begin(self, first_position: int) -> Head:
        """Return the head that a chain whose first entry is there begins after.

        The beginning when that is position 1; else a signed head, which is verified, and those
        before it are passed over. Raises `Corrupt` when there is none.
        """
        count = first_position - 1
        if count == 0:
            return Head()
        anchor = next(iter(self._waiting.get(count, ())), None)
        if anchor is None:
            raise Corrupt("position 1: the entry is missing")
        for before in [one for one in self._waiting if one < count]:
            del self._waiting[before]
        self.take(anchor.head)
        return anchor.head

    def take(self, head: Head) -> None:
        """Verify what was signed at the position reached. Raises `Corrupt` naming it."""
        for one in self._waiting.pop(head.count, ()):
            try:
                one.check()
            except Corrupt as error:
                raise Corrupt(f"position {head.count}: {error.message}") from None
            known = {self.key} if self._keys is None else self._keys
            if one.key not in known and not (self._keys is None and self.key is None):
                raise Corrupt(f"position {head.count}: a head is signed with an unknown key")
            if one.head.link != head.link:
                raise Corrupt(f"position {head.count}: the link is not the one that was signed")
            self.key, self.count = one.key, head.count

    def finish(self, head: Head) -> None:
        """Verify that nothing signed is missing. Raises `Corrupt`."""
        if self._waiting:
            most = max(self._waiting)
            raise Corrupt(f"position {head.count + 1}: cut off: {most} entries were signed")
        if self._keys is not None and self.key is None:
            raise Corrupt("no head is signed")
